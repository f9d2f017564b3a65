"""A run folder never reads half a file as a whole one, and an error of writing is one line."""

import resource
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from counterpoint.artifacts import (
    check_replaceable,
    key_of,
    read_json,
    read_sealed,
    replacing,
    write_json,
    write_sealed,
)
from counterpoint.config import Split
from counterpoint.errors import RunFolderError
from counterpoint.runs.folder import RunFolder


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "a", study="a", source={"kind": "emoji"})


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        refuse()


def numbers(*values):
    return lambda: {"numbers": pl.DataFrame({"n": values})}


def refuse():
    raise AssertionError("was made again")


def test_what_was_made_with_the_same_key_is_read(run):
    run.keep_or_make("stage", "k", numbers(1, 2))
    assert run.keep_or_make("stage", "k", refuse)["numbers"]["n"].to_list() == [1, 2]


def test_another_key_makes_the_stage_again(run):
    run.keep_or_make("stage", "k", numbers(1))
    assert run.keep_or_make("stage", "other", numbers(3))["numbers"]["n"].to_list() == [3]


@pytest.mark.parametrize("harm", ["table cut short", "table gone", "record gone", "record cut short"])
def test_a_harmed_stage_is_made_again(run, harm):
    run.keep_or_make("stage", "k", numbers(1))
    table, record = run.path("numbers"), run.root / "tables" / ".stage.json"
    what = table if harm.startswith("table") else record
    if harm.endswith("gone"):
        what.unlink()
    else:
        what.write_bytes(what.read_bytes()[:20])
    assert run.keep_or_make("stage", "k", numbers(9))["numbers"]["n"].to_list() == [9]


def test_a_stage_that_fails_half_way_is_not_kept(run):
    run.keep_or_make("stage", "k", numbers(1))
    with pytest.raises(ZeroDivisionError):
        run.keep_or_make("stage", "new", lambda: {"numbers": 1 / 0})
    assert run.kept("stage", "k") is None
    assert run.kept("stage", "new") is None


def test_a_file_is_as_before_when_its_writer_fails(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, 1)
    with pytest.raises(AssertionError):
        write_half(path)
    assert read_json(path) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("name", [".", "", "..", "/", "folder", "link"])
def test_a_folder_in_the_place_of_a_file_is_named_and_left_alone(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    for write in (lambda path: write_json(path, 1), check_replaceable):
        with pytest.raises(RunFolderError, match=r"it is a folder\. Name another file") as raised:
            write(Path(name))
        assert "elete" not in str(raised.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link"]
    assert (tmp_path / "link").is_symlink()


def test_no_file_in_the_way_is_to_be_deleted(tmp_path):
    (tmp_path / "thesis").write_text("mine")
    with pytest.raises(RunFolderError, match=r"Cannot write .*thesis/a\.json: .*Choose another name"):
        write_json(tmp_path / "thesis" / "a.json", 1)


def test_a_run_folder_of_another_source_is_refused_and_left_alone(run):
    run.keep_or_make("stage", "k", numbers(1))
    with pytest.raises(RunFolderError, match=r"holds study 'a' of another source.*--runs"):
        RunFolder(run.root, study="a", source={"kind": "table", "path": "x.csv"})
    RunFolder(run.root, study="a", source={"kind": "emoji"})


def test_a_folder_of_other_things_is_not_taken_for_a_run_folder(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RunFolderError, match="not a run folder and not empty"):
        RunFolder(tmp_path, study="a", source={})


FULL = """
import resource
from pathlib import Path
import polars as pl
from counterpoint.runs.folder import RunFolder
from counterpoint.errors import RunFolderError
run = RunFolder(Path({root!r}), study="a", source={{}})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    run.keep_or_make("stage", "k", lambda: {{"numbers": pl.DataFrame({{"n": range(500_000)}})}})
except RunFolderError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system has no limit on the size of a file")
def test_no_space_is_one_line_and_the_stage_can_be_made_later(tmp_path):
    script = FULL.format(root=str(tmp_path / "a"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "No space left to write" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    run = RunFolder(tmp_path / "a", study="a", source={})
    assert run.kept("stage", "k") is None
    assert run.keep_or_make("stage", "k", numbers(1))["numbers"]["n"].to_list() == [1]


def test_a_folder_that_may_not_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="Cannot read"):
        RunFolder(tmp_path / "file" / "run", study="a", source={})


def test_a_record_is_read_only_from_the_file_that_it_was_written_to(tmp_path):
    write_sealed(tmp_path / "a.json", {"key": "k"})
    assert read_sealed(tmp_path / "a.json") == {"key": "k"}
    (tmp_path / "a.json").rename(tmp_path / "b.json")
    assert read_sealed(tmp_path / "b.json") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": 1}', "[" * 100_000, '{"key": "k", "sha256": null}'])
def test_what_is_no_record_is_none(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read_sealed(tmp_path / "a.json") is None


def test_a_record_of_another_form_is_none(tmp_path):
    write_sealed(tmp_path / "a.json", {"files": [], "key": None})
    assert read_sealed(tmp_path / "a.json", {"files": list, "key": str | None}) == {"files": [], "key": None}
    assert read_sealed(tmp_path / "a.json", {"files": dict}) is None
    assert read_sealed(tmp_path / "a.json", {"other": str}) is None


def test_keys_follow_the_settings_and_nothing_else():
    assert key_of(Split(), {"b": 1, "a": 2}) == key_of(Split(), {"a": 2, "b": 1})
    assert key_of(Split()) != key_of(Split(seed=1))


def test_the_time_of_a_stage_is_its_own(run):
    def outer():
        run.keep_or_make("inner", "k", lambda: time.sleep(0.3) or numbers(1)())
        return {"others": pl.DataFrame({"n": [2]})}

    run.keep_or_make("outer", "k", outer)
    assert run.took_s()["inner"] >= 0.3
    assert run.took_s()["outer"] < run.took_s()["inner"]
