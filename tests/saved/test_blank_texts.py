"""A blank text is missing by every door to a model, and a text of masked words alone is empty, as in the study."""

import json
import subprocess
import sys

import polars as pl
import pytest
from typer.testing import CliRunner

import counterpoint as cp
from counterpoint.cli import app
from counterpoint.config import Text
from counterpoint.data.align import align
from counterpoint.data.clean import clean
from counterpoint.onnx_export import export_onnx
from counterpoint.onnx_export.reader import Reader
from counterpoint.saved.model import open_saved
from counterpoint.saved.new_rows import rows_of_table
from counterpoint.saved.predict_pair import predict_pair
from counterpoint.saved.predict_rows import predict_rows
from counterpoint.try_page.explanation import explain
from saved_material import finished_study

pytestmark = pytest.mark.slow
MASK = Text(mask=("w001", "w002"))
MISSING = ("", " ", "\t\n", "\u3000\u00a0", "\x85")
EMPTIED = ("w001", " w002\tw001 ")
NAMES = ("text-svm", "late-fusion")
MOST = 1e-4


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    names = ("majority", "text-svm", "text-lstm", "image-hog", "late-fusion")
    return finished_study(tmp_path_factory.mktemp("runs"), names=names, text=MASK.model_dump(mode="json"))


@pytest.fixture(scope="module", params=NAMES)
def saved(request, study, tmp_path_factory):
    """The folder of a saved model with its export."""
    folder = tmp_path_factory.mktemp(request.param) / "model"
    cp.save(study.root, folder, contender=request.param)
    export_onnx(open_saved(folder).model, folder.parent / "onnx", text_rules=MASK)
    return folder


def as_in_study(text):
    """Return a text after the stages of a study that change it."""
    row = {"id": "a", "row": 0, "text": text, "image": "a.png", "source": "s", "image_status": "ok"}
    records, _ = clean(pl.DataFrame([row], schema_overrides={"text": pl.String}), cp.config.Clean())
    labelled = records.with_columns(label=pl.lit("x"), label_source=pl.lit("column"))
    return align(labelled, cp.config.Align(missing_text="keep"), MASK)[0]["text"].item()


def by_page(saved, text, folder):
    """Return the probabilities on the page of `counterpoint try`."""
    classes = explain(saved, text, None, None, folder)["classes"]
    chances = {each["name"]: each["chance"] for each in classes}
    return [chances[name] for name in saved.classes]


def by_table(folder, text, work):
    """Return the probabilities of a table of one row."""
    pl.DataFrame({"id": ["a"], "text": [text]}).write_parquet(work / "new.parquet")
    predict_rows(folder, rows_of_table(work / "new.parquet", work), work / "p.parquet", workers=1)
    return list(pl.read_parquet(work / "p.parquet").select("^p_.*$").row(0))


@pytest.mark.parametrize("text", [*MISSING, *EMPTIED, "w003 w001"])
def test_every_door_reads_a_text_as_the_study_does(saved, tmp_path, text):
    read = pl.DataFrame({"text": [as_in_study(text)], "image": [None]}, schema={"text": pl.String, "image": pl.String})
    expected = pytest.approx(cp.load(saved).predict_proba(read)[0].tolist(), abs=MOST)
    model = open_saved(saved)
    row = model.predict(pl.DataFrame({"text": [text]}))
    assert list(row.select("^p_.*$").row(0)) == expected
    assert row["is_text_missing"].item() == (text in MISSING)
    assert list(Reader(saved.parent / "onnx").predict(text).values()) == expected
    assert by_table(saved, text, tmp_path) == expected
    assert by_page(model, text, tmp_path) == expected


@pytest.mark.parametrize("text", [*MISSING, *EMPTIED])
def test_the_fits_of_a_run_folder_read_a_text_as_the_study_does(study, text):
    chances = predict_pair(study.root, "text-lstm", text=text, image=None)
    same = " " if text in MISSING else "w001"
    assert chances == predict_pair(study.root, "text-lstm", text=same)


def test_the_commands_agree_on_a_blank_text(saved):
    exported = saved.parent / "onnx" / "reader.py"
    alone = subprocess.run([sys.executable, exported, "--text", " "], capture_output=True, text=True, check=True)
    result = CliRunner().invoke(app, ["predict", str(saved), "--text", ""])
    assert "The text is missing." in result.output
    shown = [float(line.split()[0]) for line in result.output.splitlines() if line[:2] in ("0.", "1.")]
    assert list(json.loads(alone.stdout)["probabilities"].values()) == pytest.approx(shown, abs=5.1e-4)
