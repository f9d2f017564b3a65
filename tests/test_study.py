"""The main job on generated pairs: everything adds up, is made once, resumes after any end, and is the same again."""

import json
import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
import torch
import yaml

import counterpoint as cp
from counterpoint import fits, stages
from counterpoint.compare import choose_primary
from counterpoint.config import StudyConfig
from counterpoint.devices import available
from counterpoint.errors import CounterpointError, RunFolderError
from counterpoint.schema import (
    CLUSTERS,
    COSTS,
    DIFFERENCES,
    DROPPED,
    FINDINGS,
    HISTORY,
    PAIRS,
    PREDICTIONS,
    SCORES,
    SEGMENT_SEARCHES,
    SEGMENTS,
    check,
)

pytestmark = pytest.mark.slow

SMALL_CNN = {"kind": "image-cnn", "side_px": 16, "epochs": 2}
RESULTS = {
    "study", "version", "config_hash", "rows", "scores", "primary", "differences", "costs", "findings", "answer",
    "test_evaluations", "seconds", "segments",
}  # fmt: skip


def config(**changes):
    given = {
        "study": "small",
        "source": {"kind": "generated", "n": 150, "text_signal": 0.8, "image_signal": 0.6, "side_px": 16, "seed": 3},
        "split": {"kind": "kfold", "folds": 3},
        "contenders": ["majority", "text-svm", SMALL_CNN, {"kind": "late-fusion", "text": ["text-svm"]}],
        "fit": {"engine": "inline"},
    }
    return StudyConfig.read(given | changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    study = cp.Study(config(), runs=tmp_path_factory.mktemp("runs"))
    study.report()
    return study


def refuse(*_, **__):
    raise AssertionError("was fitted again")


def test_every_table_has_its_columns(finished):
    tables = finished.tables()
    for name, columns in {
        "pairs": PAIRS, "dropped": DROPPED, "predictions": PREDICTIONS, "history": HISTORY, "costs": COSTS,
        "scores": SCORES, "differences": DIFFERENCES, "findings": FINDINGS,
        "segments": SEGMENTS, "segment_searches": SEGMENT_SEARCHES, "clusters": CLUSTERS,
    }.items():  # fmt: skip
        check(tables[name], columns, table=name)


def test_few_pairs_are_not_searched_for_segments_and_the_page_says_so(finished):
    assert finished.segments().is_empty()
    assert (
        finished.made("segments")["segment_searches"]["reason"]
        .str.starts_with("The search needs 200 validation pairs")
        .all()
    )
    assert "No segment was searched." in finished.report().read_text(encoding="utf-8")


def test_pairs_and_dropped_partition_the_input(finished):
    rows = [*finished.pairs()["row"], *finished.dropped()["row"]]
    assert sorted(rows) == list(range(150))


def test_each_row_is_tested_once_by_each_contender(finished):
    tested = finished.predictions().filter(part="test").group_by("contender", "id").len()
    assert len(tested) == 4 * len(finished.pairs())
    assert tested["len"].max() == 1


def test_no_contender_trains_on_rows_that_it_is_validated_or_tested_on(finished):
    parts = finished.predictions().group_by("contender", "fold", "id").agg(pl.col("part").n_unique())
    assert parts["part"].max() == 1


def test_results_json_is_the_whole_outcome(finished):
    results = json.loads((finished.root / "results.json").read_text())
    assert set(results) >= RESULTS
    assert results["rows"]["in"] == 150 == results["rows"]["pairs"] + sum(results["rows"]["dropped"].values())
    assert set(results["primary"]) == {"a", "b", "metric", "chosen_on", "shares", "choices"}
    assert [choice["fold"] for choice in results["primary"]["choices"]] == ["0", "1", "2"]
    assert len(results["scores"]) == 4 * 3 * 7
    assert {row["part"] for row in results["scores"]} == {"train", "validation", "oof"}
    assert [row["is_primary"] for row in results["differences"]].count(True) == 1
    assert len(results["test_evaluations"]) == 1


def test_the_page_and_its_figures_are_there(finished):
    assert finished.report().read_text(encoding="utf-8").startswith("<!doctype html>")
    assert {path.suffix for path in (finished.root / "figures").iterdir()} == {".svg", ".png", ".csv"}


def test_the_page_reads_no_model_without_modalities(finished, monkeypatch):
    real, read = fits.kept, []
    monkeypatch.setattr(fits, "kept", lambda task: read.append(task.fit) or real(task))
    (finished.root / "results.json").unlink()
    cp.Study(finished.config, runs=finished.root.parent).report()
    assert {name.partition(".")[0] for name in read} == {"text-svm", "image-cnn", "late-fusion"}


def test_another_primary_metric_chooses_the_primary_contrast_again(finished):
    assert finished.primary()["metric"] == "balanced_accuracy"
    rules = finished.config.evaluate.model_copy(update={"primary": "accuracy"})
    other = cp.Study(finished.config.model_copy(update={"evaluate": rules}), runs=finished.root.parent)
    try:
        assert other.primary()["metric"] == "accuracy"
    finally:
        (finished.root / "primary.json").unlink()  # the next to ask has it made again


def test_a_record_of_another_rule_of_choice_is_made_again(finished, monkeypatch):
    path, chosen = finished.root / "primary.json", finished.primary()
    before = path.read_bytes()
    monkeypatch.setattr("counterpoint.study.RULE", "best on all validation rows")
    older = cp.Study(finished.config, runs=finished.root.parent)
    assert older.primary() == chosen
    assert path.read_bytes() != before
    assert older.key("differences") != finished.key("differences")
    monkeypatch.undo()
    assert cp.Study(finished.config, runs=finished.root.parent).primary() == chosen
    assert path.read_bytes() == before


def test_a_finished_study_is_read_and_not_fitted_again(finished, monkeypatch):
    monkeypatch.setattr(fits, "fit", refuse)
    monkeypatch.setattr(stages, "differences", refuse)
    again = cp.Study(finished.config, runs=finished.root.parent)
    assert again.scores().equals(finished.scores())
    again.report()
    assert len(again.test_evaluations()) == 1


def test_another_contender_fits_only_that_one(finished, monkeypatch):
    fitted = []
    monkeypatch.setattr(fits, "fit", lambda task: fitted.append(task.contender) or real(task))
    real = __import__("counterpoint.contenders.fit", fromlist=["fit"]).fit
    more = config(contenders=[*config().model_dump()["contenders"], "keyword-rule"])
    cp.Study(more, runs=finished.root.parent).predictions()
    assert fitted == ["keyword-rule"] * 3


def test_a_device_that_means_the_cpu_fits_nothing_again(finished, monkeypatch):
    monkeypatch.setattr(fits, "fit", refuse)
    named = [entry.model_dump() for entry in finished.config.contenders]
    device = "cpu" if available() == ["cpu"] else "auto"
    named[2]["settings"]["device"] = device
    again = cp.Study(config(contenders=named), runs=finished.root.parent)
    assert again.predictions().equals(finished.predictions())


def test_a_gpu_makes_the_fits_again(finished, monkeypatch):
    keys = set()
    for is_there in (False, True):
        monkeypatch.setattr("counterpoint.contenders.plan.may_have_gpu", lambda is_there=is_there: is_there)
        monkeypatch.setattr(torch.cuda, "is_available", lambda is_there=is_there: is_there)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        keys.add(cp.Study(finished.config, runs=finished.root.parent).key("fits"))
    assert len(keys) == 2


def test_the_primary_contrast_does_not_depend_on_test_rows(finished):
    predictions = finished.predictions()
    chances = [name for name in predictions.columns if name.startswith("p_")]
    is_test = pl.col("part") == "test"
    turned = predictions.with_columns(
        pl.when(is_test).then(other).otherwise(one).alias(one)
        for one, other in zip(chances, reversed(chances), strict=True)
    )
    chosen = [choose_primary(rows, finished.modalities(), "balanced_accuracy") for rows in (predictions, turned)]
    assert chosen[0] == chosen[1] == finished.primary()


def test_the_same_settings_give_the_same_bytes(finished, tmp_path):
    again = cp.Study(finished.config, runs=tmp_path)
    again.predictions()
    for task in again.fits.tasks:
        name = "predictions.parquet"
        assert (task.folder / name).read_bytes() == (finished.root / "fits" / task.fit / name).read_bytes()


def test_processes_and_their_number_change_nothing(finished, tmp_path):
    rules = {"engine": "local", "workers": 2}
    assert cp.Study(config(fit=rules), runs=tmp_path).predictions().equals(finished.predictions())


def test_a_ray_cluster_changes_no_byte(finished, tmp_path, cluster):
    again = cp.Study(config(fit={"engine": "ray"}), runs=tmp_path)
    again.predictions()
    for task in again.fits.tasks:
        name = "predictions.parquet"
        assert (task.folder / name).read_bytes() == (finished.root / "fits" / task.fit / name).read_bytes()


def test_a_second_seed_fits_only_contenders_that_it_changes(finished):
    study = cp.Study(config(fit={"engine": "inline", "seeds": [0, 1]}), runs=finished.root.parent)
    counts = {}
    for task in study.fits.tasks:
        counts[task.contender] = counts.get(task.contender, 0) + 1
    assert counts == {"majority": 3, "text-svm": 3, "image-cnn": 6, "late-fusion": 6}
    late = [task for task in study.fits.tasks if task.contender == "late-fusion" and task.seed == 1]
    needed = {built_on.fit.split(".fold")[0] for task in late for built_on in task.needed.values()}
    assert needed == {"text-svm.seed-0", "image-cnn.seed-1"}


def test_a_run_folder_of_another_source_is_refused(finished):
    other = config(source={"kind": "table", "path": "pairs.csv"})
    with pytest.raises(RunFolderError, match="another source"):
        cp.Study(other, runs=finished.root.parent).opened.folder  # noqa: B018 - looked at


def test_predictions_of_an_outside_model_are_compared_with_ours(tmp_path, finished):
    pairs = finished.pairs()
    outside = pairs.select(
        "id", *((pl.col("label") == name).cast(pl.Float64).alias(f"p_{name}") for name in pairs["label"].unique())
    )
    outside.write_csv(tmp_path / "oracle.csv")
    more = config(predictions=[{"path": tmp_path / "oracle.csv", "name": "oracle"}])
    study = cp.Study(more, runs=finished.root.parent)
    scores = study.scores().filter(contender="oracle", part="oof", metric="accuracy")
    assert scores["value"].item() == 1.0
    assert not study.differences().filter((pl.col("a") == "oracle") | (pl.col("b") == "oracle")).is_empty()


def test_a_contrast_with_an_outside_model_rests_on_its_fits(tmp_path, finished):
    chances = [(pl.col("label") == name).cast(pl.Float64).alias(f"p_{name}") for name in ("class_0", "class_1")]
    fits = pl.concat([finished.pairs().select("id", *chances, fold=pl.lit(fold)) for fold in "012"])
    fits.write_csv(tmp_path / "oracle.csv")
    plain = {"contenders": ["majority", "text-svm"], "fit": {"engine": "inline", "seeds": [0, 1]}}
    outside = {"predictions": [{"path": tmp_path / "oracle.csv", "name": "oracle"}]}
    study = cp.Study(config(**plain, **outside), runs=tmp_path)
    assert (study.primary()["a"], study.check_inputs["n_fits"]) == ("oracle", 3)


def test_three_classes_run(tmp_path):
    source = {"kind": "generated", "n": 150, "classes": 3, "text_signal": 0.9, "image_signal": 0.5, "side_px": 16}
    study = cp.Study(config(source=source, split={}), runs=tmp_path)
    study.report()
    text = study.scores().filter(contender="text-svm", part="test", metric="balanced_accuracy")["value"].item()
    assert text > 0.5
    assert len([name for name in study.predictions().columns if name.startswith("p_")]) == 3


@pytest.mark.parametrize("language", ["chinese", "arabic"])
def test_scripts_are_read_with_the_defaults(tmp_path, language):
    source = {
        "kind": "generated",
        "n": 600,
        "text_signal": 1.0,
        "image_signal": 0.0,
        "side_px": 16,
        "language": language,
    }
    study = cp.Study(config(source=source, split={}, contenders=["majority", "text-svm", "text-lstm"]), runs=tmp_path)
    scores = study.scores().filter(part="test", metric="balanced_accuracy")
    value = dict(scores.select("contender", "value").iter_rows())
    assert value["text-svm"] >= 0.9
    assert value["text-lstm"] >= 0.9


# A study on the command line, ended from outside.

COMMAND = [sys.executable, "-m", "counterpoint"]


def study_file(folder, **changes):
    path = folder / "small.yaml"
    given = config(**changes).model_dump(mode="json", exclude_defaults=True)
    given["fit"] = {"workers": 2}
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    return path


def start(path, runs):
    return subprocess.Popen(
        [*COMMAND, "run", str(path), "--runs", str(runs)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for_a_fit(process, runs, timeout_s=300):
    until = time.monotonic() + timeout_s
    while not list(runs.glob("small/fits/*/done.json")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("whom", ["parent", "group"])
def test_a_study_killed_while_fitting_ends_with_the_same_scores(tmp_path, finished, whom):
    path, runs = study_file(tmp_path), tmp_path / "runs"
    process = start(path, runs)
    wait_for_a_fit(process, runs)
    if whom == "parent":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)  # the pipes close when the workers have gone, too
    assert not (runs / "small" / "results.json").exists()
    done = subprocess.run(
        [*COMMAND, "run", str(path), "--runs", str(runs)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kept = pl.read_parquet(runs / "small" / "tables" / "scores.parquet")
    assert kept.equals(finished.scores())


def test_an_interrupt_keeps_what_is_finished_and_exits_130(tmp_path):
    path, runs = study_file(tmp_path), tmp_path / "runs"
    process = start(path, runs)
    wait_for_a_fit(process, runs)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; finished work is kept" in errors
    assert "Traceback" not in errors
    assert list(runs.glob("small/fits/*/done.json"))


def test_a_contender_of_ones_own_that_fails_is_named_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "my_lab.py").write_text(
        "from counterpoint.contenders.majority import Majority\n"
        "class Broken(Majority):\n"
        "    def _fit(self, *args):\n"
        "        raise ZeroDivisionError('by zero')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    broken = config(contenders=["majority", "my_lab:Broken"])
    with pytest.raises(
        CounterpointError, match=r"Broken \(my_lab:Broken\) failed on fold 0: ZeroDivisionError: by zero"
    ):
        cp.Study(broken, runs=tmp_path).predictions()
