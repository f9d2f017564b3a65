"""Rows in are rows out, in their order, in any number of processes, also after a kill."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import polars as pl
import pytest
from typer.testing import CliRunner

import counterpoint as cp
from counterpoint.artifacts import write_sealed
from counterpoint.cli import app
from counterpoint.data.sources.folder_rows import MAX_TEXT_BYTES
from counterpoint.errors import ConfigError, CounterpointError, RunFolderError, SavedModelError, SourceError
from counterpoint.saved import new_rows
from counterpoint.saved.image_folder import rows_of_folder
from counterpoint.saved.model import SavedModel, open_saved
from counterpoint.saved.new_rows import BATCH_ROWS, FIRST_ROWS, Batch, rows_of_table
from counterpoint.saved.predict_rows import HERE, predict_rows
from counterpoint.saved.prediction_file import KEY, LOCK, PredictionFile
from saved_material import finished_study

pytestmark = pytest.mark.slow
N = FIRST_ROWS + 2 * BATCH_ROWS + 5


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


def test_a_row_without_an_id_is_predicted(saved, tmp_path):
    (tmp_path / "new.csv").write_text("id,text\n,w001\nb,w001\n")
    found = predicted(saved, tmp_path / "new.csv", tmp_path / "p.parquet")
    assert found["id"].to_list() == [None, "b"]
    assert found.select("^p_.*$").row(0) == found.select("^p_.*$").row(1)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_the_ending_of_the_file_decides_its_format(saved, table, tmp_path, ending):
    out = tmp_path / f"p.{ending}"
    n = predict_rows(saved, rows_of_table(table, tmp_path), out)
    read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[ending]
    assert n == len(read(out)) == N


def test_a_folder_gives_a_row_for_each_image_with_the_text_next_to_it(saved, tmp_path):
    import numpy as np  # noqa: PLC0415

    from counterpoint.formats.png import rgb_png  # noqa: PLC0415

    (tmp_path / "photos" / "deep").mkdir(parents=True)
    (tmp_path / "photos" / "b.png").write_bytes(rgb_png(np.full((16, 16, 3), 99, np.uint8)))
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
    parts = tmp_path / ".p.parquet.parts"
    deadline = time.monotonic() + 60
    while not list(parts.glob("000000.*.parquet")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if out.exists():
        pytest.skip("the command was faster than the kill")
    before = {path.name for path in parts.glob("[0-9]*.parquet")}
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

    rows = pl.DataFrame({"row": [7]})
    with PredictionFile.opened(out, file) as opened:
        opened.write(Batch(0, rows, "0"), rows)
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
        (["--text", "a", "--out", "p.xlsx"], ".parquet"),
        (["--text", "a", "--out", "new.csv"], "exists already"),
        (["--text", "a", "--out", "new.csv/p.csv"], "Cannot write"),
        (["--text", "a", "--workers", "2"], "--workers is for --table and --folder"),
        (["--out", "p.csv"], "Give --text"),
        (["--text", "a", "--out", "{saved}/p.csv"], "is in the folder of the model"),
        (["--table", "{table}", "--out", "{saved}/fit/../deep/p.csv"], "is in the folder of the model"),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(saved, table, monkeypatch, arguments, words):
    monkeypatch.chdir(table.parent)
    given = [each.format(table=table, saved=saved) for each in arguments]
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


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_one_pair_is_written_as_a_table_of_one_row_is(saved, tmp_path, ending):
    text = "w001 w002"
    (tmp_path / "new.csv").write_text(f"text\n{text}\n")
    predict_rows(saved, rows_of_table(tmp_path / "new.csv", tmp_path), tmp_path / f"table.{ending}")
    out = tmp_path / "deep" / f"pair.{ending}"
    result = CliRunner().invoke(app, ["predict", str(saved), "--text", text, "--out", str(out)])
    assert result.exit_code == 0
    assert f"Predicted 1 row: {out}" in result.output
    assert out.read_bytes() == (tmp_path / f"table.{ending}").read_bytes()
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_an_image_that_cannot_be_read_is_named(saved, tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"no image")
    result = CliRunner().invoke(app, ["predict", str(saved.parent / "image"), "--image", str(tmp_path / "x.jpg")])
    assert isinstance(result.exception, ConfigError)
    assert "x.jpg" in str(result.exception)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "--image is empty"),
        (" ", "--image is empty"),
        ("https://example.org/x.jpg", "--image https://example.org/x.jpg is an address"),
        ("file:///nowhere/a%20b.jpg", "--image /nowhere/a b.jpg cannot be read: No such file"),
        (".", "--image . cannot be read"),
    ],
)
def test_an_image_that_is_no_file_is_named_as_it_was_given(saved, given, words):
    result = CliRunner().invoke(app, ["predict", str(saved.parent / "image"), "--image", given])
    assert isinstance(result.exception, ConfigError)
    assert words in str(result.exception)


def test_an_image_may_be_named_by_the_url_of_its_file_as_in_a_table(saved, tmp_path):
    import numpy as np  # noqa: PLC0415

    from counterpoint.formats.png import rgb_png  # noqa: PLC0415

    path = tmp_path / "grün 1.png"
    path.write_bytes(rgb_png(np.full((16, 16, 3), 99, np.uint8)))
    outputs = [
        CliRunner().invoke(app, ["predict", str(saved.parent / "image"), "--image", given]).output
        for given in (str(path), path.as_uri(), f"file://localhost{path}")
    ]
    assert "The predicted class is" in outputs[0]
    assert len(set(outputs)) == 1


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(SourceError, match="no image file"):
        next(rows_of_folder(tmp_path, tmp_path).batches())


def test_a_refused_command_leaves_no_folder_and_the_next_one_does_not_start_again(saved, table, tmp_path):
    out = tmp_path / "new" / "deep" / "p.csv"
    damaged = shutil.copytree(saved, tmp_path / "damaged")
    (damaged / "training.safetensors").unlink()
    with pytest.raises(SavedModelError):
        predict_rows(damaged, rows_of_table(table, tmp_path), out)
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]
    parts = tmp_path / "new" / "deep" / ".p.csv.parts"
    parts.mkdir(parents=True)
    write_sealed(parts / KEY, {"key": "of a command that was killed before its first part"})
    steps = []
    predict_rows(saved, rows_of_table(table, tmp_path), out, on_progress=lambda step, *_: steps.append(step))
    assert set(steps) == {"predicting"}


def test_parts_and_files_of_the_user_stay_after_an_error(tmp_path):
    out, rows = tmp_path / "new" / "p.csv", pl.DataFrame({"row": [7]})
    for is_second in (False, True):
        with suppress(ZeroDivisionError), PredictionFile.opened(out, "key") as file:
            assert file.has(Batch(0, rows, "0")) == is_second
            file.write(Batch(0, rows, "0"), rows)
            raise ZeroDivisionError
    assert {path.name for path in (tmp_path / "new" / ".p.csv.parts").iterdir()} >= {KEY, LOCK, "000000.0.parquet"}


@pytest.mark.parametrize(
    ("name", "words"), [("p.csv", "it is a folder"), (".p.csv.parts", r"\.p\.csv\.parts: File exists")]
)
def test_the_place_that_is_taken_is_named(tmp_path, name, words):
    (tmp_path / name).mkdir() if name == "p.csv" else (tmp_path / name).write_text("mine")
    with pytest.raises(RunFolderError, match=words), PredictionFile.opened(tmp_path / "p.csv", "key"):
        pass


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
    first, second, *_ = rows.batches()
    with PredictionFile.opened(out, new_rows.key_of_rows(rows, digest_of(saved / RECORD))) as file:
        file.write(first, pl.DataFrame({"row": [0]}))
        (tmp_path / ".p.parquet.parts" / f"000001.{second.stamp}.parquet").write_bytes(b"PAR1 cut")
        assert not (file.has(first))
        assert not (file.has(second))
    predict_rows(saved, rows, out)
    assert pl.read_parquet(out)["row"].to_list() == list(range(N))


def test_a_pipe_in_place_of_a_text_does_not_hang(tmp_path):
    (tmp_path / "a.png").write_bytes(b"broken")
    os.mkfifo(tmp_path / "a.txt")
    batch = next(rows_of_folder(tmp_path, tmp_path).batches())
    assert batch.rows["reason"].to_list() == ["bad_text"]


def test_every_file_of_a_folder_that_is_named_as_an_image_is_a_row(saved, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in (b"a.png", b"b.BMP", b"c.tiff", b"\xffd.png"):
        (folder / os.fsdecode(name)).write_bytes(b"broken")
    (folder / "e.png").symlink_to("e.png")
    (folder / "f.png").symlink_to("nowhere.png")
    (folder / "a.txt").write_bytes(b"w" * (MAX_TEXT_BYTES + 1))
    os.mkfifo(folder / "g.jpg")
    predict_rows(saved.parent / "image", rows_of_folder(folder, tmp_path), tmp_path / "p.parquet")
    found = {row["id"]: row for row in pl.read_parquet(tmp_path / "p.parquet").iter_rows(named=True)}
    assert set(found) == {"a.png", "b.BMP", "c.tiff", "\\xffd.png", "e.png", "f.png", "g.jpg"}
    reasons = {
        row["reason"] or row["image_status"] for name, row in found.items() if name not in ("a.png", "\\xffd.png")
    }
    assert "ok" not in reasons
    assert (found["a.png"]["reason"], found["\\xffd.png"]["reason"]) == ("bad_text", "bad_name")


@pytest.mark.parametrize("what", ["text", "image"])
def test_parts_are_made_again_where_a_file_that_they_read_has_changed(tmp_path, what):
    folder, out = tmp_path / "photos", tmp_path / "p.parquet"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"one")
    (folder / "a.txt").write_text("one")
    rows = rows_of_folder(folder, tmp_path)
    before = next(rows.batches())
    with PredictionFile.opened(out, new_rows.key_of_rows(rows)) as file:
        file.write(before, before.rows)
    (folder / ("a.txt" if what == "text" else "a.png")).write_bytes(b"another")
    rows = rows_of_folder(folder, tmp_path)
    with PredictionFile.opened(out, new_rows.key_of_rows(rows)) as file:
        assert file.has(before)
        assert not file.has(next(rows.batches()))


def test_two_commands_do_not_write_one_file(saved, table, tmp_path):
    with (
        PredictionFile.opened(tmp_path / "p.parquet", "key"),
        pytest.raises(RunFolderError, match="being written by another command"),
    ):
        predict_rows(saved, rows_of_table(table, tmp_path), tmp_path / "p.parquet")


@pytest.mark.parametrize("n_rows", [1, 2])
@pytest.mark.parametrize(("name", "values"), [("caption", "w001 w002"), ("sentence", "w001"), ("alt", "7")])
def test_a_text_is_found_by_the_name_of_its_column_whatever_the_other_rows_hold(tmp_path, n_rows, name, values):
    table = pl.DataFrame({name: [values] * n_rows, "image": ["a.png"] * n_rows})
    table.write_csv(tmp_path / "new.csv")
    rows = rows_of_table(tmp_path / "new.csv", tmp_path)
    assert next(rows.batches()).rows["text"].to_list() == [values] * n_rows
    assert rows.notes == (f"The text is in column {name}.",)


def test_a_modality_without_a_column_is_named(saved, tmp_path):
    (tmp_path / "new.csv").write_text("text\nw001\n")
    notes = rows_of_table(tmp_path / "new.csv", tmp_path).notes
    assert notes == ("No column has the image: it is missing in each row.",)
    given = ["predict", str(saved), "--table", str(tmp_path / "new.csv"), "--out", str(tmp_path / "p.csv")]
    assert "No column" not in CliRunner().invoke(app, given).output  # the model reads the text alone


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--text", "a\udcff"], "--text is not UTF-8"),
        (["--table", "{table}", "--out", "{folder}/\udcff.csv"], "not UTF-8"),
        (["--table", "{folder}/\udcff.parquet", "--out", "{folder}/p.csv"], "not UTF-8"),
        (["--table", "{table}", "--out", f"{{folder}}/{'n' * 240}.csv"], "File name too long"),
        (["--table", "{table}", "--out", "{table}/p.csv"], "Cannot write"),
    ],
)
def test_odd_names_are_refused_in_one_line_before_any_row_is_predicted(saved, table, tmp_path, arguments, words):
    pl.DataFrame({"text": ["w001"], "image": [b"broken"]}).write_parquet(tmp_path / "p.parquet")
    (tmp_path / "p.parquet").rename(tmp_path / os.fsdecode(b"\xff.parquet"))
    given = [each.format(table=table, folder=tmp_path) for each in arguments]
    result = CliRunner().invoke(app, ["predict", str(saved), *given])
    assert isinstance(result.exception, CounterpointError)
    assert words in str(result.exception)
    assert "predicting" not in result.output


def test_a_link_to_itself_is_an_image_that_cannot_be_read(saved, tmp_path):
    (tmp_path / "loop.png").symlink_to("loop.png")
    result = CliRunner().invoke(app, ["predict", str(saved.parent / "image"), "--image", str(tmp_path / "loop.png")])
    assert isinstance(result.exception, ConfigError)
    assert "symbolic links" in str(result.exception)
