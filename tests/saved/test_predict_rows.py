"""Rows in are rows out, in their order, in any number of processes, also after a kill."""

import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from typer.testing import CliRunner

import counterpoint as cp
from counterpoint.cli import app
from counterpoint.errors import ConfigError, CounterpointError, RunFolderError, SourceError
from counterpoint.saved import new_rows
from counterpoint.saved.model import SavedModel, open_saved
from counterpoint.saved.new_rows import FIRST_ROWS, PART_ROWS, rows_of_folder, rows_of_table
from counterpoint.saved.predict_rows import HERE, predict_rows
from counterpoint.saved.prediction_file import PredictionFile
from saved_material import finished_study

pytestmark = pytest.mark.slow
N = FIRST_ROWS + 2 * PART_ROWS + 5


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a saved late-fusion."""
    folder = tmp_path_factory.mktemp("predict")
    study = finished_study(folder / "runs", names=("majority", "text-svm", "image-hog", "late-fusion"))
    cp.save(study.root, folder / "model", contender="text-svm")
    cp.save(study.root, folder / "image", contender="image-hog")
    return folder / "model"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "new.csv"
    pl.DataFrame({"id": [f"r{i}" for i in range(N)], "text": [f"w{i % 50:03d} w001" for i in range(N)]}).write_csv(path)
    return path


def predicted(saved, table, out, **options):
    predict_rows(saved, rows_of_table(table, out.parent), out, **options)
    return pl.read_parquet(out)


@pytest.mark.parametrize("workers", [1, HERE + 1])  # the last one has a process of its own
def test_each_row_has_one_prediction_in_the_order_of_the_input(saved, table, tmp_path, workers):
    found = predicted(saved, table, tmp_path / "p.parquet", workers=workers)
    assert found["id"].to_list() == [f"r{i}" for i in range(N)]
    assert found["row"].to_list() == list(range(N))
    alone = open_saved(saved).predict(pl.read_csv(table).head(50))
    assert found.head(50).select("^p_.*$").equals(alone.select("^p_.*$"))
    assert not list(tmp_path.glob(".*"))


def test_a_row_that_cannot_be_read_stays_with_its_reason(saved, tmp_path):
    (tmp_path / "new.jsonl").write_text('{"id": "a", "text": "w001"}\nno json\n{"id": "c", "text": null}\n')
    found = predicted(saved, tmp_path / "new.jsonl", tmp_path / "p.parquet")
    assert found["reason"].to_list() == [None, "bad_json", None]
    assert found["label"].is_null().to_list() == [False, True, False]
    assert found["is_text_missing"].to_list() == [False, None, True]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_the_ending_of_the_file_decides_its_format(saved, table, tmp_path, ending):
    out = tmp_path / f"p.{ending}"
    n = predict_rows(saved, rows_of_table(table, tmp_path), out)
    read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[ending]
    assert n == len(read(out)) == N


def test_a_folder_gives_a_row_for_each_image_with_the_text_next_to_it(saved, tmp_path):
    import numpy as np  # noqa: PLC0415

    from counterpoint.data.drawing import png  # noqa: PLC0415

    (tmp_path / "photos" / "deep").mkdir(parents=True)
    (tmp_path / "photos" / "b.png").write_bytes(png(np.full((16, 16, 3), 99, np.uint8)))
    (tmp_path / "photos" / "b.txt").write_text("w001")
    (tmp_path / "photos" / "deep" / "a.jpg").write_bytes(b"broken")
    (tmp_path / "photos" / "notes.md").write_text("no image")
    predict_rows(saved.parent / "image", rows_of_folder(tmp_path / "photos", tmp_path), tmp_path / "p.parquet")
    found = pl.read_parquet(tmp_path / "p.parquet")
    assert found["id"].to_list() == ["b.png", "deep/a.jpg"]
    assert found["is_image_missing"].to_list() == [False, True]
    assert found["image_status"][0] == "ok"


def test_a_killed_command_goes_on_and_makes_no_part_again(saved, table, tmp_path, monkeypatch):
    out = tmp_path / "p.parquet"
    arguments = ["predict", str(saved), "--table", str(table), "--out", str(out), "--workers", "1"]
    code = "import sys; from counterpoint.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment)
    first = tmp_path / ".p.parquet.parts" / "000000.parquet"
    deadline = time.monotonic() + 60
    while not first.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if out.exists():
        pytest.skip("the command was faster than the kill")
    before = {path.name for path in first.parent.glob("*.parquet")}
    assert before
    made = []
    original = SavedModel.predict
    monkeypatch.setattr(SavedModel, "predict", lambda self, rows: made.append(len(rows)) or original(self, rows))
    predict_rows(saved, rows_of_table(table, tmp_path), out, workers=1)
    assert len(pl.read_parquet(out)) == N
    assert len(made) == 4 - len(before)


def test_parts_of_other_rows_are_not_used(saved, table, tmp_path):
    out = tmp_path / "p.parquet"
    file = new_rows.key_of_rows(rows_of_table(table, tmp_path), "another model")

    PredictionFile(out, file).write(0, pl.DataFrame({"row": [7]}))
    steps = []
    predict_rows(saved, rows_of_table(table, tmp_path), out, on_progress=lambda step, *_: steps.append(step))
    assert "starting again" in steps[0]
    assert pl.read_parquet(out)["row"].to_list() == list(range(N))


def test_an_existing_file_is_not_replaced(saved, table, tmp_path):
    (tmp_path / "p.parquet").write_text("mine")
    with pytest.raises(RunFolderError, match="exists already"):
        predict_rows(saved, rows_of_table(table, tmp_path), tmp_path / "p.parquet")
    assert (tmp_path / "p.parquet").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--table", "{table}"], "--out"),
        (["--table", "{table}", "--out", "p.xlsx"], ".parquet"),
        (["--table", "{table}", "--folder", ".", "--out", "p.csv"], "one of"),
        (["--table", "{table}", "--text", "a", "--out", "p.csv"], "one of"),
        (["--table", "nowhere.csv", "--out", "p.csv"], "nowhere.csv"),
        (["--folder", "{table}", "--out", "p.csv"], "no folder"),
        ([], "Give --text"),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(saved, table, monkeypatch, arguments, words):
    monkeypatch.chdir(table.parent)
    given = [each.format(table=table) for each in arguments]
    result = CliRunner().invoke(app, ["predict", str(saved), *given])
    assert result.exit_code == 1
    assert isinstance(result.exception, CounterpointError)
    assert words in str(result.exception)
    assert "\n" not in str(result.exception)


def test_one_pair_is_predicted_with_its_flags(saved):
    result = CliRunner().invoke(app, ["predict", str(saved), "--text", "это другой язык, совсем другой"])
    assert result.exit_code == 0
    assert len([line for line in result.output.splitlines() if line[:2] in ("0.", "1.")]) == 2
    assert "unlike those of training" in result.output


def test_an_image_that_cannot_be_read_is_named(saved, tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"no image")
    result = CliRunner().invoke(app, ["predict", str(saved.parent / "image"), "--image", str(tmp_path / "x.jpg")])
    assert isinstance(result.exception, ConfigError)
    assert "x.jpg" in str(result.exception)


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(SourceError, match="no image file"):
        next(rows_of_folder(tmp_path, tmp_path).parts())


def test_a_folder_that_is_none_of_ours_is_not_removed(saved, table, tmp_path):
    foreign = tmp_path / ".p.parquet.parts" / "thesis.md"
    foreign.parent.mkdir()
    foreign.write_text("mine")
    with pytest.raises(RunFolderError, match=r"thesis\.md"):
        predict_rows(saved, rows_of_table(table, tmp_path), tmp_path / "p.parquet")
    assert foreign.read_text() == "mine"


def test_a_damaged_part_is_made_again(saved, table, tmp_path):
    from counterpoint.files import digest_of  # noqa: PLC0415
    from counterpoint.saved.record import RECORD  # noqa: PLC0415

    rows, out = rows_of_table(table, tmp_path), tmp_path / "p.parquet"
    file = PredictionFile(out, new_rows.key_of_rows(rows, digest_of(saved / RECORD)))
    file.write(0, pl.DataFrame({"row": [0]}))
    (tmp_path / ".p.parquet.parts" / "000001.parquet").write_bytes(b"PAR1 cut")
    predict_rows(saved, rows, out)
    assert pl.read_parquet(out)["row"].to_list() == list(range(N))


def test_a_pipe_in_place_of_a_text_does_not_hang(tmp_path):
    (tmp_path / "a.png").write_bytes(b"broken")
    os.mkfifo(tmp_path / "a.txt")
    part = next(rows_of_folder(tmp_path, tmp_path).parts())
    assert part.rows["text"].to_list() == [None]
