"""The page of the 2023 study says what its runs found, no more, and shows no photo that may not be shown."""

import doctest
import re
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from counterpoint.config import StudyConfig

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "studies" / "study-2023"
sys.path.insert(0, str(FOLDER))

import figures  # noqa: E402
import layers  # noqa: E402
import results  # noqa: E402
import study_2023_runs  # noqa: E402
import values  # noqa: E402
import write  # noqa: E402
from values import NOT_RUN, Change, Number  # noqa: E402

pytestmark = pytest.mark.slow

REPORTED = {"99.8", "99.9", ".99987", ".99797", ".9", ".3", "0.5", "4.0"}
"""Decimals that stand in the template: what the study reported or set, a repair by its name, guessing, a licence."""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Fitting sixteen million weights is not what these tests are about."""
    row = {"kind": "Conv2d", "takes": "1", "gives": "2", "size": None, "parameters": 3}
    monkeypatch.setitem(write.GLOBALS, "layers", lambda _: [row])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Made-up runs of every file; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    for path in write.files():
        study_2023_runs.make(path, folder / "runs", gain=0.123, score=0.777)
    return folder / "runs"


def written(folder: Path, runs: Path) -> tuple[str, str]:
    """Return the page and the README, written from *runs*."""
    page, readme = folder / "docs" / "study-2023.md", folder / "README.md"
    readme.write_text(f"before\n{write.BEGIN}\nold\n{write.END}\nafter\n", encoding="utf-8")
    write.write(results.FolderResults(FOLDER, runs), page=page, readme=readme)
    return page.read_text(encoding="utf-8"), readme.read_text(encoding="utf-8")


def runs_of(folder: Path, **made: float) -> Path:
    """Return made-up runs of every file."""
    for path in write.files():
        study_2023_runs.make(path, folder / "runs", **made)
    return folder / "runs"


def predictions(root: Path, right: dict[str, int], n_rows: int) -> None:
    """Write predictions of contenders that are right on the first so many of *n_rows* rows."""
    truth = (["person", "animal"] * n_rows)[:n_rows]
    rows = [
        {"id": str(place), "contender": contender, "seed": 0, "fold": "0", "part": "test", "group": str(place),
         "label": label, "p_animal": float((label == "animal") == (place < n_right)),
         "p_person": float((label == "person") == (place < n_right))}
        for contender, n_right in right.items() for place, label in enumerate(truth)
    ]  # fmt: skip
    (root / "tables").mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows).write_parquet(root / "tables" / "predictions.parquet")


def test_the_page_is_written_from_what_the_runs_found(made, tmp_path):
    page, readme = written(tmp_path, made)
    assert NOT_RUN not in page + readme
    assert "0.777 (0.767–0.787)" in page
    assert "+0.123 (+0.113 to +0.133)" in page
    assert "{{" not in page


def test_every_figure_on_the_page_is_there_as_svg_and_png_and_no_other(made, tmp_path):
    (tmp_path / "docs" / "images" / "study-2023").mkdir(parents=True)
    (tmp_path / "docs" / "images" / "study-2023" / "earlier.svg").touch()
    page, _ = written(tmp_path, made)
    shown = {Path(path).stem for path in re.findall(r"\]\(images/study-2023/(.+?)\.svg\)", page)}
    there = [path.name for path in (tmp_path / "docs" / "images" / "study-2023").iterdir()]
    assert sorted(there) == sorted(f"{stem}{ending}" for stem in shown for ending in (".svg", ".png"))
    assert len(shown) > 10


def test_a_study_that_has_not_been_run_is_marked(tmp_path):
    page, readme = written(tmp_path, tmp_path / "runs")
    assert page.count(NOT_RUN) > 50
    assert readme.count(NOT_RUN) > 10
    assert re.findall(r"\d\.\d{3} \(", page) == []
    assert "![" not in page


def test_only_what_is_between_its_marks_is_changed_in_the_readme(made, tmp_path):
    _, readme = written(tmp_path, made)
    assert readme.startswith(f"before\n{write.BEGIN}\n")
    assert readme.endswith(f"|\n{write.END}\nafter\n")
    assert "\nold\n" not in readme


@pytest.mark.parametrize(
    ("gain", "phrase", "absent"),
    [
        (0.1, "reading both is better than reading the text", "is worse than reading the text"),
        (-0.1, "reading both is worse than reading the text", "is better than reading the text"),
        (0.0, "no gain over the text from reading both is detected", "than reading the text:"),
    ],
)
def test_a_conclusion_turns_with_the_sign_of_its_interval(tmp_path, gain, phrase, absent):
    page, _ = written(tmp_path, runs_of(tmp_path, gain=gain))
    text = " ".join(page.split())
    assert phrase in text
    assert absent not in text
    assert ("No single repair gives a detectable gain" in text) == (gain <= 0)


@pytest.mark.parametrize(
    ("score", "phrase"), [(0.5, "does not differ from guessing"), (0.9, "is better than guessing")]
)
def test_a_score_is_called_better_than_guessing_only_when_its_interval_is(tmp_path, score, phrase):
    page, _ = written(tmp_path, runs_of(tmp_path, score=score))
    assert f"In the first reading it {phrase}." in page


def test_a_fault_is_named_only_when_it_shows_the_pattern():
    shows = Change("repaired", "a", None, "b", train=Number(0.99), validation=Number(0.52))
    assert values.reproduces(shows)
    for train, validation in ((0.99, 0.9), (0.5, 0.5), (None, None)):
        point = Change("repaired", "a", None, "b", train=Number(train), validation=Number(validation))
        assert not values.reproduces(point)


def test_the_page_names_the_points_that_show_the_pattern(made, tmp_path):
    page, _ = written(tmp_path, made)
    assert "None of the single faults that were tried shows it" in " ".join(page.split())
    study_2023_runs.make(FOLDER / "autopsy.yaml", tmp_path / "runs", score=0.777)
    scores = tmp_path / "runs/study-2023-autopsy/repaired-tokenizer-fitted-again/tables/scores.parquet"
    part = pl.when(part="train").then(0.99).when(part="validation").then(0.5).otherwise("value")
    pl.read_parquet(scores).with_columns(value=part).write_parquet(scores)
    page = " ".join(written(tmp_path, tmp_path / "runs")[0].split())
    assert "the repaired fusion with “tokenizer fitted again”: training 0.990, validation 0.500" in page
    assert "None of the single faults" not in page
    figure = tmp_path / "docs/images/study-2023/learning-repaired-tokenizer-fitted-again.svg"
    assert b"<svg" in figure.read_bytes()


def test_the_difference_that_a_sweep_did_not_make_is_made_from_its_predictions(tmp_path):
    study_2023_runs.make(FOLDER / "repaired.yaml", tmp_path)
    found = results.FolderResults(FOLDER, tmp_path).sweep("repaired").point("masked")
    predictions(found.root, {"text-lstm": 20, "lstm-cnn": 40}, 40)
    study_2023_runs.record(found.root, ["predictions", "scores"])
    less = found.less("lstm-cnn", "text-lstm")
    assert less.value == pytest.approx(0.5)
    assert found.less("text-lstm", "lstm-cnn").value == pytest.approx(-0.5)
    assert 0 < less.low < less.high < 1


def test_points_that_have_been_run_are_read_before_their_sweep_is_through(tmp_path):
    study_2023_runs.make(FOLDER / "autopsy.yaml", tmp_path / "runs", score=0.777)
    root = tmp_path / "runs" / "study-2023-autopsy"
    (root / "sweep.json").unlink()
    waiting = root / "repaired-padding" / "tables"
    waiting.rename(waiting.with_name("later"))
    sweep = results.FolderResults(FOLDER, tmp_path / "runs").sweep("autopsy")
    assert (sweep.n_run, sweep.is_run) == (sweep.n_points - 1, False)
    assert sweep.change("repaired", "stopping").score.value == pytest.approx(0.777)
    assert not sweep.change("repaired", "padding").score.is_known
    page, _ = written(tmp_path, tmp_path / "runs")
    assert f"{sweep.n_run} of {sweep.n_points} points have been run" in page
    assert "None of the single faults" not in " ".join(page.split())


def test_a_point_is_compared_with_its_variant_pair_by_pair_where_both_have_the_same_rows(tmp_path):
    one, other, third = (
        results.StudyResults(tmp_path / name, lambda: StudyConfig(study="a", source={})) for name in "abc"
    )
    for study, n_right, n_rows in ((one, 40, 40), (other, 20, 40), (third, 20, 38)):
        predictions(study.root, {"text-svm": n_right}, n_rows)
        score = {"contender": "text-svm", "part": "test", "metric": "accuracy", "value": n_right / n_rows}
        ends = {"low": score["value"] - 0.1, "high": score["value"] + 0.1, "n": n_rows, "seeds": 1}
        pl.DataFrame([score | ends]).write_parquet(study.root / "tables" / "scores.parquet")
        study_2023_runs.record(study.root, ["predictions", "scores"])
    less, is_paired = one.less_other(other, "text-svm", "accuracy")
    assert (less.value, is_paired) == (pytest.approx(0.5), True)
    less, is_paired = one.less_other(third, "text-svm", "accuracy")
    assert (less.value, is_paired) == (pytest.approx(1 - 20 / 38), False)


def test_every_study_and_sweep_is_run_in_order_and_then_only_read(tmp_path):
    study = {"study": "a", "source": {"kind": "generated", "n": 60}, "contenders": ["majority"],
             "evaluate": {"bootstrap": 100}, "fit": {"engine": "inline"}}  # fmt: skip
    sweep = {"sweep": "b", "study": "a.yaml", "variants": {"plain": {}}}
    for name, values_of in (("a", study), ("b", sweep)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(values_of))
    started: list[str] = []
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    write.run(paths, tmp_path / "runs", lambda what, *_: started.append(what.partition(":")[0]))
    assert list(dict.fromkeys(started)) == ["a", "b"]
    assert (tmp_path / "runs" / "a" / "report.html").is_file()
    found = results.FolderResults(tmp_path, tmp_path / "runs")
    assert found.study("a").of("majority", "accuracy").is_known
    assert found.sweep("b").change("plain").score.is_known


def test_a_table_that_is_being_made_again_is_not_read(tmp_path):
    study_2023_runs.make(FOLDER / "published.yaml", tmp_path)
    study = results.FolderResults(FOLDER, tmp_path).study("published")
    (study.root / "tables" / ".fits.json").unlink()
    assert not study.is_run


def test_a_name_that_no_file_has_is_an_error(tmp_path):
    found = results.FolderResults(FOLDER, tmp_path)
    with pytest.raises(write.CounterpointError, match=r"has no contender 'paper-text-smv'\. Did you mean"):
        found.study("published").of("paper-text-smv")
    with pytest.raises(write.CounterpointError, match="has no point 'published-hidden-activatoin'"):
        found.sweep("autopsy").change("published", "hidden activatoin")


def test_every_file_of_the_folder_is_run_or_is_what_a_sweep_starts_from():
    texts = {path.resolve(): yaml.safe_load(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.yaml")}
    bases = {(FOLDER / values["study"]).resolve() for values in texts.values() if "sweep" in values}
    assert set(texts) <= {path.resolve() for path in write.files()} | bases


def test_no_number_is_typed_into_the_templates():
    for template in FOLDER.glob("*.j2"):
        prose = re.sub(r"\{[{%#].*?[}%#]\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
        decimals = set(re.findall(r"(?<![\w.])\d*\.\d+", prose))
        assert decimals <= REPORTED, template.name


def test_no_photo_of_flickr8k_is_copied_or_committed(tmp_path):
    study_2023_runs.make(FOLDER / "published.yaml", tmp_path)
    study = results.FolderResults(FOLDER, tmp_path).study("published")
    with pytest.raises(AssertionError, match="not to be shown"):
        figures.check_may_be_shown(study, study.root / "figures" / "examples.svg")
    (study.root / "figures" / "rows.svg").write_text('<svg><image href="data:"/></svg>')
    with pytest.raises(AssertionError, match="not to be shown"):
        figures.check_may_be_shown(study, study.root / "figures" / "rows.svg")
    committed = sorted((ROOT / "docs" / "images" / "study-2023").glob("*"))
    with_pictures = [path.name for path in committed if path.suffix == ".svg" and b"<image" in path.read_bytes()]
    named = [path.name for path in committed if "examples" in path.name]
    assert {name.partition("-")[0] for name in [*named, *with_pictures]} <= {"openmoji"}


def test_the_committed_page_shows_only_figures_that_are_there():
    page = ROOT / "docs" / "study-2023.md"
    shown = set(re.findall(r"\]\(images/(study-2023/.+?)\)", page.read_text(encoding="utf-8")))
    assert all((page.parent / "images" / path).is_file() for path in shown)


@pytest.mark.parametrize("module", [values, write])
def test_the_examples_of_the_scripts_are_true(module):
    assert doctest.testmod(module).failed == 0


def test_layers_are_read_off_a_real_module():
    rows = layers.layers("paper-text-lstm")
    assert [row["kind"] for row in rows] == ["Embedding", "LSTM", "Linear"]
    assert rows[0]["gives"] == "100 × 32"
