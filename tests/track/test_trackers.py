"""A finished study is logged as its results are, once, and a tracker that fails is one line."""

import builtins
import json
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from counterpoint import cli
from counterpoint.config import StudyConfig
from counterpoint.errors import ConfigError
from counterpoint.saved.model import open_saved
from counterpoint.saved.save import save
from counterpoint.schema import HISTORY
from counterpoint.track import TRACKERS, FinishedStudy, tracked
from counterpoint.track.finished_study import flat_settings
from counterpoint.track.mlflow_runs import store_of
from counterpoint.track.trackers import Tracked
from made_runs import REAL, made_run

CONFIG = {
    "study": "shop", "split": {"seed": 0, "folds": None}, "text": {"mask": ["a", "b"]},
    "contenders": [{"name": "text-svm", "kind": "text-svm", "settings": {"c": 0.5}},
                   {"name": "lstm-cnn", "kind": "lstm-cnn", "settings": {}}],
}  # fmt: skip


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / "runs" / "shop"
    (root / "figures").mkdir(parents=True)
    (root / "figures" / "answer.svg").write_text("<svg/>")
    made = made_run().results.model_dump(by_alias=True, mode="json")
    results = made | {"study": "shop", "config": yaml.safe_dump(CONFIG)}
    (root / "report.html").write_text("a page")
    (root / "results.json").write_text(json.dumps(results))
    rows = [
        {"contender": name, "seed": 0, "fold": fold, "epoch": epoch, "branch": branch, "train_loss": 1 / epoch,
         "valid_loss": 1.5 / epoch, "train_score": 0.5, "valid_score": 0.5, "gradient_norm": None}
        for name, branch in (("lstm-cnn", "joint"), ("lstm-cnn", "text")) for fold in "01" for epoch in (1, 2, 3)
    ]  # fmt: skip
    return FinishedStudy(root, results, pl.DataFrame(rows, schema=dict(HISTORY)), "key-1")


@pytest.fixture
def client(study):
    """Return a client of MLflow on the store next to the run folder."""
    reason = "the extra counterpoint[mlflow] is not installed"
    mlflow = pytest.importorskip("mlflow", reason=reason)
    pytest.importorskip("sqlalchemy", reason=reason)
    return lambda: mlflow.MlflowClient(tracking_uri=store_of(study.root.parent))


def line_of(name, study):
    [outcome] = tracked([name], study)
    return outcome


def runs_of(client):
    [experiment] = [each for each in client.search_experiments() if each.name == "shop"]
    found = client.search_runs([experiment.experiment_id])
    parents = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    return parents, {run.data.tags["contender"]: run for run in found if run not in parents}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_study_is_one_run_of_mlflow_with_a_run_for_each_contender(study, client):
    assert line_of("mlflow", study) == Tracked(
        f"Tracked by mlflow: {store_of(study.root.parent)}, experiment shop", is_failure=False
    )
    [parent], contenders = runs_of(client())
    results = study.results
    assert parent.data.tags["verdict"] == results["answer"]["verdict"]
    assert parent.data.tags["headline"] == results["answer"]["headline"]
    assert parent.data.params["contenders.text-svm.c"] == "0.5"
    primary = next(row for row in results["differences"] if row["is_primary"])
    assert parent.data.metrics["primary_difference"] == pytest.approx(primary["difference"])
    assert parent.data.metrics["primary_difference_low"] == pytest.approx(primary["low"])
    assert set(contenders) == set(results["modalities"])
    for row in results["scores"]:
        metrics = contenders[row["contender"]].data.metrics
        for name, end in (("", "value"), ("_low", "low"), ("_high", "high")):
            assert metrics[f"{row['metric']}{name}"] == pytest.approx(row[end])
    assert contenders["text-svm"].data.params == {"kind": "text-svm", "c": "0.5"}
    assert {run.info.status for run in (parent, *contenders.values())} == {"FINISHED"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_page_results_and_figures_are_artifacts_next_to_the_run_folder(study, client):
    line_of("mlflow", study)
    [parent], _ = runs_of(client())
    assert {each.path for each in client().list_artifacts(parent.info.run_id)} == {
        "report.html", "results.json", "figures",
    }  # fmt: skip
    assert {path.name for path in study.root.parent.iterdir()} == {"shop", "mlflow.db", "mlruns"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_study_is_logged_once_and_again_when_it_has_changed(study, client):
    line_of("mlflow", study)
    assert line_of("mlflow", study).line.endswith("(it was there already)")
    assert len(runs_of(client())[0]) == 1
    line_of("mlflow", study._replace(key="key-2"))
    assert len(runs_of(client())[0]) == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_run_that_was_logged_in_part_is_failed_and_logged_again(study, client, monkeypatch):
    (study.root / "report.html").unlink()
    assert line_of("mlflow", study).is_failure
    assert [run.info.status for run in runs_of(client())[0]] == ["FAILED"]
    (study.root / "report.html").write_text("a page")
    assert not line_of("mlflow", study).is_failure


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_store_that_cannot_be_reached_is_one_line_without_its_password(study, client, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    outcome = line_of("mlflow", study)
    assert outcome.is_failure
    assert outcome.line.startswith("Not tracked by mlflow: ")
    assert "\n" not in outcome.line
    assert "secret" not in outcome.line


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_each_fit_and_branch_has_event_files_with_its_curves(study):
    reason = "the extra counterpoint[tensorboard] is not installed"
    pytest.importorskip("tensorboard", reason=reason)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415 - an extra

    for _ in range(2):  # the second time replaces the first
        outcome = line_of("tensorboard", study)
    folder = study.root / "tensorboard"
    assert outcome == Tracked(f"Tracked by tensorboard: tensorboard --logdir {folder}", is_failure=False)
    assert {path.name for path in folder.iterdir()} == {
        f"lstm-cnn.seed-0.fold-{fold}{branch}" for fold in "01" for branch in ("", ".text-branch")
    }
    read = EventAccumulator(str(folder / "lstm-cnn.seed-0.fold-1")).Reload()
    assert set(read.Tags()["tensors"]) == {"loss/train", "loss/validation", "accuracy/train", "accuracy/validation"}
    steps = [(event.step, event.tensor_proto.float_val[0]) for event in read.Tensors("loss/train")]
    assert steps == [(epoch, pytest.approx(1 / epoch)) for epoch in (1, 2, 3)]


def test_a_tracker_that_is_not_installed_is_one_line_with_the_extra(study, monkeypatch):
    found = builtins.__import__

    def without(name, *others, **named):
        if name.partition(".")[0] in TRACKERS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return found(name, *others, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    lines = [outcome.line for outcome in tracked(list(TRACKERS), study)]
    assert lines == [
        "Not tracked by mlflow: mlflow is missing. Run: pip install 'counterpoint[mlflow]'",
        "Not tracked by tensorboard: tensorboard.summary is missing. Run: pip install 'counterpoint[tensorboard]'",
    ]


@pytest.mark.parametrize(("given", "names"), [("mlflow", ("mlflow",)), (["tensorboard"], ("tensorboard",)), ([], ())])
def test_a_study_names_one_tracker_or_several(given, names):
    assert StudyConfig.read(REAL | {"track": given}).track == names


def test_an_unknown_tracker_is_one_line():
    with pytest.raises(ConfigError, match=r"track.*mlflow"):
        StudyConfig.read(REAL | {"track": "mlflw"})


def test_settings_are_flat_and_short():
    found = flat_settings(CONFIG | {"long": "x" * 1000})
    assert found["text.mask"] == "['a', 'b']"
    assert (found["split.folds"], len(found["long"])) == ("", 500)


@pytest.mark.slow
def test_run_ends_well_when_its_tracker_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(TRACKERS, "mlflow", "json:dumps")  # which cannot write a study
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(REAL | {"study": "small", "track": "mlflow"}))
    monkeypatch.setattr(sys, "argv", ["counterpoint", "run", "study.yaml"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    _, err = capsys.readouterr()
    assert not ended.value.code
    assert [line for line in err.splitlines() if "track" in line] == [
        "counterpoint: Not tracked by mlflow: Object of type PosixPath is not JSON serializable."
    ]
    assert (tmp_path / "runs/small/report.html").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_model_of_a_study_is_read_back_by_mlflow_and_predicts_the_same(tmp_path, monkeypatch, recwarn, caplog):
    mlflow = pytest.importorskip("mlflow", reason="the extra counterpoint[mlflow] is not installed")
    pytest.importorskip("sqlalchemy", reason="the extra counterpoint[mlflow] is not installed")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    settings = {
        "study": "winner", "source": {"kind": "generated", "n": 120, "text_signal": 0.8, "side_px": 16},
        "contenders": ["majority", "text-svm", "image-hog", "late-fusion"], "track": ["mlflow"],
        "fit": {"engine": "inline"}, "checks": {"encoders": False},
    }  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(settings))
    found = CliRunner().invoke(cli.app, ["run", "study.yaml"])
    assert "Tracked by mlflow" in found.output
    assert "\x1b" not in found.output
    assert not [each for each in recwarn if "type hint" in str(each.message)]
    assert not [each for each in caplog.records if each.name.startswith("mlflow")]
    uri = store_of(tmp_path / "runs")
    client = mlflow.MlflowClient(tracking_uri=uri)
    [experiment] = [each for each in client.search_experiments() if each.name == "winner"]
    [run] = client.search_runs([experiment.experiment_id], "tags.verdict != ''")
    folder = client.download_artifacts(run.info.run_id, "model", str(tmp_path))
    rows = pl.read_parquet("runs/winner/tables/pairs.parquet").select("id", "text", "image").head(20)
    by_mlflow = mlflow.pyfunc.load_model(folder).predict(rows.to_pandas())
    save("runs/winner", tmp_path / "saved")
    assert pl.from_pandas(by_mlflow).equals(open_saved(tmp_path / "saved").predict(rows))
    assert not [path for path in Path(folder).rglob("*") if path.suffix == ".pkl"]
