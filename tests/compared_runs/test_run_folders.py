"""Finished run folders are compared as they are; one that is not finished, damaged or foreign is one line."""

import json
import shutil

import polars as pl
import pytest

from counterpoint.artifacts import digests, read_sealed, write_json, write_sealed
from counterpoint.compared_runs import compare_runs
from counterpoint.compared_runs.as_json import json_of
from counterpoint.compared_runs.sentences import limits
from counterpoint.errors import ConfigError, RunFolderError
from made_runs import real_run

pytestmark = pytest.mark.slow

CHANGED = ["majority", {"kind": "text-svm", "c": 0.01}, {"kind": "text-svm", "name": "words", "words": 1}]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    real_run(folder, "before")
    real_run(folder, "after", contenders=CHANGED)
    real_run(folder, "folds", split={"kind": "kfold", "folds": 3}, fit={"engine": "inline", "seeds": [0, 1]})
    return folder


@pytest.fixture
def copied(runs, tmp_path):
    """Return a copy of a finished run folder, to be damaged."""
    shutil.copytree(runs / "after", tmp_path / "after")
    return tmp_path / "after"


def test_what_changed_and_what_it_did_is_in_the_comparison(runs):
    found = compare_runs([runs / "before", runs / "after"])
    [comparison] = found.comparisons
    changes = {each.key: (each.before, each.after) for each in comparison.settings}
    assert changes["contenders.text-svm.c"] == (1.0, 0.01)
    assert (comparison.contenders.added, comparison.contenders.removed) == (["words"], ["metadata"])
    assert (comparison.versions, comparison.data) == ([], [])
    assert comparison.rows.counts["test_shared"] == comparison.rows.counts["test_a"] == 40
    same = {each.contender for each in comparison.scores if each.change.is_same}
    assert "majority" in same
    assert "text-svm" not in same
    for each in comparison.scores:
        assert each.change.value == pytest.approx(each.after.value - each.before.value)


def test_a_k_fold_is_paired_with_a_hold_out_on_the_rows_that_both_tested(runs):
    [found] = compare_runs([runs / "before", runs / "folds"]).comparisons
    assert found.rows.counts["test_shared"] == 40
    assert all(each.change.is_paired for each in found.scores)
    assert ("test rows", 40, 200) in found.data
    assert any("Differences are on the 40 test rows that are in both" in each for each in limits(found))
    [back] = compare_runs([runs / "folds", runs / "before"]).comparisons
    both = zip(sorted(found.scores, key=str), sorted(back.scores, key=str), strict=True)
    keys = {(each.contender, each.metric): each.change for each in back.scores}
    assert len(list(both)) == len(keys)
    for each in found.scores:
        assert keys[each.contender, each.metric].value == pytest.approx(-each.change.value)


def test_several_runs_are_each_compared_with_the_first_as_json(runs):
    found = json.loads(json.dumps(json_of(compare_runs([runs / name for name in ("before", "after", "folds")]))))
    assert [(each["a"], each["b"]) for each in found["comparisons"]] == [("A", "B"), ("A", "C")]
    tested = [row for each in found["comparisons"] for row in each["scores"] if row["change"]["p"] is not None]
    assert found["n_tests"] == len(tested)
    assert all(row["change"]["p"] <= row["change"]["p_holm"] for row in tested)


def test_a_copied_run_is_the_same_in_all_of_it(runs, copied):
    found = compare_runs([runs / "after", copied])
    assert found.n_tests == 0
    assert found.comparisons[0].contenders.same_fits == ["majority", "text-svm", "words"]


@pytest.mark.parametrize("named", [["before"], ["before", "before"], ["before", "./before/"], ["before", "link"]])
def test_one_run_or_the_same_one_twice_is_an_error(runs, named):
    if "link" in named:
        (runs / "link").symlink_to(runs / "before")
    with pytest.raises(ConfigError, match=r"Name 2 to 26|the same run folder"):
        compare_runs([runs / name for name in named])


def test_a_metric_that_no_run_has_is_an_error_with_the_nearest(runs):
    with pytest.raises(ConfigError, match="Did you mean 'accuracy'"):
        compare_runs([runs / "before", runs / "after"], metrics=["acuracy"])


def damaged(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def unfinished(folder):
    (folder / "results.json").unlink()


def of_other_settings(folder):
    """Write predictions that results.json does not know, as a run that was stopped after its fits does."""
    rewrite_predictions(folder, p_class_0="p_class_1", p_class_1="p_class_0")


def without_chances(folder):
    rewrite_predictions(folder, p_class_0=pl.lit(2.0))


def rewrite_predictions(folder, **columns):
    path = folder / "tables" / "predictions.parquet"
    pl.read_parquet(path).with_columns(**columns).write_parquet(path)
    record = read_sealed(folder / "tables" / ".fits.json")
    files = {name: digests(folder, [folder / name])[name] for name in record["files"]}
    write_sealed(folder / "tables" / ".fits.json", record | {"files": files})


def rewritten(**changes):
    """Return a damage that writes other values into results.json, with right digests, as a stranger can."""

    def damage(folder):
        path, mark = folder / "results.json", folder / "report.json"
        write_json(path, json.loads(path.read_text()) | changes)
        record = read_sealed(mark)
        write_sealed(mark, record | {"files": record["files"] | digests(folder, [path])})

    return damage


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (unfinished, "has no results.json. counterpoint run finishes the study"),
        (lambda folder: damaged(folder / "results.json"), "results.json is damaged"),
        (lambda folder: damaged(folder / "report.json"), "report.json is damaged or missing"),
        (lambda folder: damaged(folder / "tables/predictions.parquet"), "predictions.parquet is damaged or missing"),
        (lambda folder: (folder / "tables/.pairs.json").unlink(), "pairs.parquet is damaged or missing"),
        (without_chances, "is not usable: Row 0 of"),
        (of_other_settings, "are newer than its results.json"),
        (rewritten(scores="many"), "results.json is not usable: 'scores'"),
        (rewritten(config="[1, 2]"), "has no settings of a study"),
        (rewritten(config="a: &a [1]\nb: [*a, *c]"), "has no settings of a study"),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_whole_is_one_line_with_its_name(runs, copied, damage, reason):
    damage(copied)
    with pytest.raises(RunFolderError, match=reason) as error:
        compare_runs([runs / "before", copied])
    assert str(copied) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("befor", "does not exist. Did you mean 'before'?"), ("file", "is not a folder"), (".", "run folders in it are")],
)
def test_what_is_no_run_folder_is_named(runs, name, reason):
    (runs / "file").touch()
    with pytest.raises(RunFolderError, match=reason.replace("?", r"\?")):
        compare_runs([runs / "before", runs / name])


def test_a_contrast_of_fits_that_do_not_exist_is_compared_without_pairing(runs, copied):
    choices = [{"fold": "no", "seed": 9, "a": "text-svm", "b": "nobody"}]
    primary = {"a": "text-svm", "b": "nobody", "metric": "balanced_accuracy", "choices": choices}
    difference = {"a": "text-svm", "b": "nobody", "metric": "balanced_accuracy", "difference": 0.1, "low": 0.0,
                  "high": 0.2, "p": 0.05, "is_primary": True}  # fmt: skip
    rewritten(primary=primary, differences=[difference])(copied)
    other = copied.with_name("other")
    shutil.copytree(copied, other)
    [found] = compare_runs([copied, other]).comparisons
    assert (found.contrast.change.value, found.contrast.change.is_paired) == (0.0, False)
