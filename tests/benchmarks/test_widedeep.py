"""The benchmark with pytorch-widedeep: the same rows, a choice by validation rows alone, and the page."""

import json
import sys

import numpy as np
import pytest

import widedeep as benchmark
from counterpoint import Study
from counterpoint.config import StudyConfig
from counterpoint.config.files import read_keys
from counterpoint.contenders.folds import rows_by_part
from counterpoint.data.sources.predictions import read_predictions
from counterpoint.features.pixels import load_pixels
from measured import widedeep as page_of
from outside.environment import python_of
from outside.exported_rows import export_rows
from outside.widedeep_predictions import better, fits_of, predictions_of

KIND, OTHER = "majority", "widedeep-majority"
TINY = {"text": "tiny_encoders:Words", "image": "tiny_encoders:Colours"}
FAKE = """#!{python}
import json, pathlib, sys
_, fits, rows, out, fold, seed, kinds, *rest = sys.argv
assert kinds == "majority"
table = json.loads((pathlib.Path(rows) / "rows.json").read_text())
for name, sure in (("good", 0.8), ("bad", 0.4)):
    path = pathlib.Path(out) / f"majority.{{name}}.{{fold}}.{{seed}}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    proba = {{}}
    for part in ("validation", "test"):
        codes = [table["codes"][place] for place in table["folds"][fold][part]]
        proba[part] = [[sure if k == code else (1 - sure) / 2 for k in range(3)] for code in codes]
    with open(pathlib.Path(out) / "log", "a") as log:
        print(path.name, *rest, file=log)
    path.write_text(json.dumps(proba | {{"took_s": 1.5}}))
"""
"""In place of a Python with pytorch-widedeep: two candidates, both right of every row, one of them unsure."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    config = {
        "study": "tiny", "source": {"kind": "generated", "n": 120, "classes": 3, "balance": [4, 2, 1]},
        "text": {"mask": ["of"]}, "split": {"kind": "kfold", "folds": 3}, "contenders": [KIND],
        "fit": {"engine": "inline"},
    }  # fmt: skip
    return Study(StudyConfig.read(config), runs=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    """Return the folders of the rows and of the fits of the program in place of theirs."""
    work = tmp_path_factory.mktemp("work")
    python = work / "python"
    python.write_text(FAKE.format(python=sys.executable))
    python.chmod(0o755)
    return fits_of(study, python, work, epochs=3, workers=2, encoders=TINY)


def test_the_exported_rows_are_those_of_the_study(study, made):
    rows, pairs = made[0], study.pairs()
    table = json.loads((rows / "rows.json").read_text())
    assert (table["ids"], table["texts"]) == (pairs["id"].to_list(), pairs["text"].to_list())
    has_word = [any("of" in text.split() for text in texts) for texts in (study.records()["text"], table["texts"])]
    assert has_word == [True, False]
    assert [table["classes"][code] for code in table["codes"]] == pairs["label"].to_list()
    for fold, parts in table["folds"].items():
        expected = {part: own["id"].to_list() for part, own in rows_by_part(pairs, fold).items()}
        assert {part: [table["ids"][place] for place in places] for part, places in parts.items()} == expected
    exported, stored = (
        load_pixels(refs, side_px=16, mode="rgb")[np.arange(9)]
        for refs in ([str(rows / "images" / name) for name in table["images"]], pairs["image"].to_list())
    )
    assert (exported == stored).all()
    assert np.load(rows / "text.npy").shape == np.load(rows / "image.npy").shape == (len(pairs), 24)


def test_a_second_export_writes_nothing_and_other_rows_go_to_another_folder(study, made):
    marks = {path: path.stat().st_mtime_ns for path in made[0].iterdir()}
    assert export_rows(study, made[0].parent, TINY) == made[0].name
    assert {path: path.stat().st_mtime_ns for path in made[0].iterdir()} == marks
    other = Study(study.config.model_copy(update={"text": type(study.config.text)()}), runs=study.root.parent)
    assert export_rows(other, made[0].parent, TINY) != made[0].name


def test_each_fold_and_seed_is_fitted_with_the_given_epochs(made):
    lines = sorted((made[1] / "log").read_text().splitlines())
    assert lines == sorted(f"majority.{name}.{fold}.0.json 3" for name in ("good", "bad") for fold in "012")


def test_validation_rows_alone_choose_the_candidate():
    fits = {"a": {"validation": [[0.7, 0.3]], "test": [[0.1, 0.9]]}, "b": {"validation": [[0.6, 0.4]]}}
    assert better(fits, [0]) == "a"
    assert better(fits, [1]) == "b"
    assert better({"a": {"validation": [[0.0, 1.0]]}, "b": {"validation": [[0.1, 0.9]]}}, [0]) == "b"


def test_the_predictions_of_the_chosen_candidate_join_the_study(study, made, tmp_path):
    model, chosen = predictions_of(KIND, OTHER, *made, tmp_path)
    table = read_predictions(model, study.pairs())
    assert (len(table), table["contender"].unique().to_list()) == (len(study.pairs()), [OTHER])
    assert all(row[f"p_{row['label']}"] == 0.8 for row in table.iter_rows(named=True))
    assert chosen == [{"candidate": "good", "fit_s": [1.5, 1.5]}] * 3


def test_a_contender_whose_interval_lies_below_0_is_behind(study, made, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "KINDS", (KIND,))
    own = benchmark.compared(study, benchmark.our_fits(study, None), *made, tmp_path)
    metrics = own["kinds"][KIND]["metrics"]
    assert metrics["balanced_accuracy"]["theirs"]["value"] == metrics["accuracy"]["theirs"]["value"] == 1
    assert metrics["balanced_accuracy"]["ours"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert metrics["balanced_accuracy"]["difference"]["value"] == pytest.approx(-2 / 3, abs=1e-5)
    assert metrics["accuracy"]["ours"]["value"] == pytest.approx(max(own["shares"].values()), abs=1e-3)
    assert own["kinds"][KIND]["n_fits"] == {"ours": 3, "theirs": 6}
    found = json.loads(json.dumps(benchmark.summary({"openmoji": own}, {"pytorch-widedeep": "1.7.0"}, {})))
    assert found["behind"] == ["openmoji: majority"]
    lines = "\n".join(benchmark.lines(found))
    assert "behind by its interval: MISSED openmoji: majority" in lines
    assert "not measured: flickr8k: majority, flickr8k-masked: majority" in lines
    page = page_of(found)
    assert "Behind by its interval: openmoji: majority." in page
    assert "Not measured: flickr8k: majority, flickr8k-masked: majority." in page
    assert "| OpenMoji, three classes | `majority` |" in page
    assert "1.000 | −0.667 (−0.7" in page
    assert page_of({}) == ""


def test_fewer_folds_are_compared_on_the_test_rows_of_these_alone(study, made, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "KINDS", (KIND,))
    whole = fits_of(study, made[0].parents[1] / "python", tmp_path, epochs=3, workers=1, encoders=TINY)
    part = fits_of(study, made[0].parents[1] / "python", tmp_path / "1", epochs=3, workers=1, n_folds=1, encoders=TINY)
    fresh = Study(study.config, runs=tmp_path / "runs")
    found = [
        benchmark.compared(fresh, benchmark.our_fits(fresh, n), *folders, tmp_path / "table")["kinds"][KIND]
        for n, folders in ((1, part), (None, whole))
    ][::-1]
    tested = rows_by_part(study.pairs(), "0")["test"]
    assert [own["n_test"] for own in found] == [len(study.pairs()), len(tested)]
    assert [own["n_fits"] for own in found] == [{"ours": 3, "theirs": 6}, {"ours": 1, "theirs": 2}]
    ours = found[1]["metrics"]["accuracy"]["ours"]["value"]
    assert ours == pytest.approx(tested["label"].value_counts()["count"].max() / len(tested), abs=1e-5)


def test_a_part_is_added_to_the_figures_of_the_same_versions():
    def of(kinds, high=0.1):
        metric = {"difference": {"value": 0, "low": -0.1, "high": high}}
        return {"n": len(kinds), "kinds": {kind: {"metrics": {"accuracy": metric}, "high": high} for kind in kinds}}

    sets = {"openmoji": of(["image-cnn", "text-lstm"], high=-0.1), "flickr8k": of(["text-probe"])}
    before = benchmark.summary(sets, {"theirs": "1"}, {})
    assert before["behind"] == ["openmoji: image-cnn", "openmoji: text-lstm"]
    after = benchmark.summary({"openmoji": of(["pair-probe", "image-cnn"])}, {"theirs": "1"}, before)
    assert list(after["sets"]) == ["flickr8k", "openmoji"]
    assert list(after["sets"]["openmoji"]["kinds"]) == ["text-lstm", "image-cnn", "pair-probe"]
    assert after["behind"] == ["openmoji: text-lstm"]
    assert "flickr8k-masked: text-lstm" in after["absent"]
    assert len(after["absent"]) == 14
    assert list(benchmark.summary({"openmoji": of(["image-cnn"])}, {"theirs": "2"}, before)["sets"]) == ["openmoji"]


def test_an_interval_that_reaches_0_is_not_behind():
    def found(high):
        return {"metrics": {"accuracy": {"difference": {"value": -0.02, "low": -0.04, "high": high}}}}

    assert [benchmark.is_behind(found(high)) for high in (-0.001, 0.0, 0.001)] == [True, False, False]


def test_the_sets_are_split_and_masked_as_in_the_study_files(monkeypatch):
    monkeypatch.setattr(benchmark, "is_there", lambda _: True)
    whole = benchmark.configs(is_whole=True)
    assert tuple(whole) == benchmark.SETS
    for name in benchmark.SETS[:2]:
        file = StudyConfig.read(read_keys(benchmark.HERE.parent / "studies" / f"{name}.yaml"))
        for section in ("label", "text", "align", "group", "clean", "split"):
            assert getattr(whole[name], section) == getattr(file, section)
    assert [entry.name for entry in whole["openmoji"].contenders] == list(benchmark.KINDS)
    assert all(not entry.settings for config in whole.values() for entry in config.contenders)
    quick = benchmark.configs(is_whole=False)
    assert {config.split.limit for config in quick.values()} == {benchmark.QUICK_ROWS}
    assert not {config.study for config in quick.values()} & {config.study for config in whole.values()}


def test_without_the_other_environment_one_line_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["widedeep.py", "--work", str(tmp_path)])
    benchmark.main()
    (line,) = capsys.readouterr().out.splitlines()
    assert "--install" in line or "pip install" in line


def test_an_environment_of_other_requirements_is_not_used(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("torch==1\n")
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / "requirements.txt").write_text("torch==1\n")
    assert python_of(tmp_path / "environment", requirements) == tmp_path / "environment" / "bin" / "python"
    requirements.write_text("torch==2\n")
    assert python_of(tmp_path / "environment", requirements) is None
