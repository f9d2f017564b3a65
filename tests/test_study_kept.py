"""A study whose fits are damaged, from outside, or not kept: the same numbers, and at most a fit made again."""

import html
import json
import logging
import pickle
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import counterpoint as cp
from contender_material import NAMES
from counterpoint.artifacts import read_sealed, write_sealed
from counterpoint.cli import app
from counterpoint.config import StudyConfig
from counterpoint.contenders import fit as fitting
from counterpoint.errors import RunFolderError, UnreadableFitError
from counterpoint.saved.predict_pair import predict_pair
from counterpoint.study_resources import StudyResources

pytestmark = pytest.mark.slow

OUTSIDE = [
    {"kind": "outside_contenders:Piped", "name": "piped"},
    {"kind": "outside_contenders:Forgetful", "name": "forgetful"},
    {"kind": "late-fusion", "text": ["piped", "forgetful"]},
]
SMALL_CNN = {"kind": "image-cnn", "side_px": 8, "width": 2, "epochs": 1}


def study(runs: Path, contenders: list, name: str = "kept") -> cp.Study:
    given = {
        "study": name,
        "source": {"kind": "generated", "n": 90, "side_px": 16, "seed": 3},
        "contenders": contenders,
        "fit": {"engine": "inline"},
    }
    return cp.Study(StudyConfig.read(given), runs=runs)


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """Lists the fits that are made."""
    made: list[str] = []
    real = fitting._fitted
    monkeypatch.setattr(fitting, "_fitted", lambda task, parts: (made.append(task.contender), real(task, parts))[1])
    return made


def test_what_is_not_kept_is_fitted_again_where_it_is_needed(tmp_path, counted, caplog):
    with caplog.at_level(logging.WARNING):
        whole = study(tmp_path, [SMALL_CNN, *OUTSIDE])
        whole.predictions()
    # The fit that is not kept is made for itself and for the fusion that is built on it.
    assert sorted(counted) == ["forgetful", "forgetful", "image-cnn", "late-fusion", "piped"]
    assert "Forgetful fails after it is read back: AttributeError" in caplog.text
    counted.clear()
    models = whole.fits.first_models(whole.contenders)
    assert counted == ["forgetful"]
    pairs = whole.pairs()
    for name, model in models.items():
        kept = whole.predictions().filter(contender=name, part="test")
        test = pairs.filter(fold="test")
        assert model.predict_proba(test)[:, 0].tolist() == kept[f"p_{model.classes_[0]}"].to_list()
    assert whole.fits.first_models(["forgetful"])["forgetful"] is models["forgetful"]


@pytest.mark.parametrize("damage", ["flipped", "gone", "pickle"])
def test_a_damaged_fit_is_made_again_and_predicts_as_before(damage, tmp_path, counted):
    whole = study(tmp_path, ["majority", "text-svm"])
    before = whole.predictions()
    folder = tmp_path / "kept" / "fits" / "text-svm.seed-0.fold-test"
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage == "flipped":
        data[-9] ^= 1
        path.write_bytes(data)
    if damage == "pickle":
        path.write_bytes(pickle.dumps({}))
    counted.clear()
    again = study(tmp_path, ["majority", "text-svm"])
    model = again.fits.first_models(["text-svm"])["text-svm"]
    assert counted == ["text-svm"]
    assert again.predictions().equals(before)
    test = again.pairs().filter(fold="test")
    kept = before.filter(contender="text-svm", part="test")
    assert model.predict_proba(test)[:, 0].tolist() == kept[f"p_{model.classes_[0]}"].to_list()
    study(tmp_path, ["majority", "text-svm"]).fits.first_models(["text-svm"])
    assert counted == ["text-svm"]


def test_a_finished_study_of_an_earlier_state_is_renewed_from_its_predictions_without_a_fit(tmp_path, counted):
    contenders = ["majority", "text-svm", SMALL_CNN, "late-fusion"]
    before = study(tmp_path, contenders)
    page = before.report()
    tables = tmp_path / "kept" / "tables"
    for name in ("scores", "differences", "findings"):
        record = read_sealed(tables / f".{name}.json")
        write_sealed(tables / f".{name}.json", record | {"key": "of an earlier state"})
    earlier = pl.read_parquet(tables / "differences.parquet").drop("error", "df").with_columns(test=pl.lit("bootstrap"))
    earlier.write_parquet(tables / "differences.parquet")
    scores = before.scores().with_columns(low=pl.col("value"), high=pl.col("value"))
    scores.write_parquet(tables / "scores.parquet")
    (tables / ".repeats.json").unlink()
    page.write_text("of an earlier state")
    counted.clear()
    again = study(tmp_path, contenders)
    assert again.answer().headline in html.unescape(again.report().read_text(encoding="utf-8"))
    assert again.answer() == before.answer()
    assert counted == []
    assert again.scores().equals(before.scores())
    assert again.differences().equals(before.differences())
    assert len(again.test_evaluations()) == 1


def test_a_setting_at_its_default_is_no_other_test_evaluation(tmp_path):
    given = study(tmp_path, ["majority"]).config
    named = StudyConfig.read(given.model_dump(mode="json"))
    other = StudyConfig.read(given.model_dump(mode="json", exclude_defaults=True) | {"evaluate": {"confidence": 0.9}})
    one, same, different = (StudyResources(config, tmp_path).config_hash for config in (given, named, other))
    assert one == same != different


def test_a_run_folder_that_names_a_class_does_not_have_it_imported(tmp_path, monkeypatch):
    whole = study(tmp_path, ["majority", {"kind": "outside_contenders:Piped", "name": "piped"}])
    whole.report()
    root = tmp_path / "kept"
    monkeypatch.delitem(sys.modules, "outside_contenders")
    assert sum(predict_pair(root, "majority", text="a").values()) == pytest.approx(1)
    with pytest.raises(UnreadableFitError, match=r"outside_contenders:Piped, a class from outside this package"):
        predict_pair(root, "piped", text="a")
    assert "outside_contenders" not in sys.modules
    chances = predict_pair(root, "piped", text="a", trusted=["outside_contenders:Piped"])
    assert sum(chances.values()) == pytest.approx(1)


def test_a_study_reads_only_classes_that_its_own_file_names(tmp_path, counted):
    whole = study(tmp_path, ["majority"])
    whole.predictions()
    folder = tmp_path / "kept" / "fits" / "majority.seed-0.fold-test"
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(document | {"class": "antigravity:Fly"}))
    sys.modules.pop("antigravity", None)
    counted.clear()
    models = study(tmp_path, ["majority"]).fits.first_models(["majority"])
    assert models["majority"].classes_.tolist() != NAMES
    assert counted == ["majority"]
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "fits",
    [
        5,
        [],
        {"majority": ["a"]},
        {"majority": {}},
        *({"majority": {name: "key"}} for name in ("../../other", "..", "/x", "")),
    ],
)
def test_a_record_that_leads_out_of_its_folder_is_refused(fits, tmp_path):
    study(tmp_path, ["majority"]).report()
    root = tmp_path / "kept"
    record = read_sealed(root / "report.json")
    write_sealed(root / "report.json", record | {"fits": fits})
    with pytest.raises(RunFolderError, match=r"report\.json is damaged"):
        predict_pair(root, "majority", text="a")


def test_the_command_line_reads_a_class_from_outside_only_when_it_is_named(tmp_path):
    study(tmp_path, ["majority", {"kind": "outside_contenders:Piped", "name": "piped"}]).report()
    run = [str(tmp_path / "kept"), "piped", "--text", "a"]
    refused = CliRunner().invoke(app, ["predict", *run])
    assert isinstance(refused.exception, UnreadableFitError)
    named = CliRunner().invoke(app, ["predict", *run, "--trust", "outside_contenders:Piped"])
    assert named.exit_code == 0, named.output
    assert CliRunner().invoke(app, ["predict", *run, "--trust", "nowhere:Piped"]).exit_code != 0
