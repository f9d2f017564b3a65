"""A file in a store is whole, or as it was before, in every kind of store."""

import pickle
import resource
import subprocess
import sys
from uuid import uuid4

import pytest

from counterpoint.errors import ConfigError, RunFolderError
from counterpoint.store import Store


@pytest.fixture(params=["path", "file", "memory"])
def store(request, tmp_path):
    if request.param == "memory":
        pytest.importorskip("fsspec", reason="the extra counterpoint[acquire] is not installed")
    urls = {"path": str(tmp_path / "out"), "file": f"file://{tmp_path}/out", "memory": f"memory://{uuid4().hex}/out/"}
    return Store(urls[request.param])


def test_what_was_written_is_read(store):
    store.write("shards/0.parquet", b"first")
    store.write("shards/0.parquet", b"second")
    store.write_json("plan.json", {"text": "žluťoučký", "n": [1, None]})
    assert store.read("shards/0.parquet") == b"second"
    assert store.size("shards/0.parquet") == 6
    assert store.read_json("plan.json") == {"text": "žluťoučký", "n": [1, None]}
    with store.open("shards/0.parquet") as file:
        file.seek(3)
        assert file.read() == b"ond"


def test_names_are_sorted_and_of_files_only(store):
    for name in ("a/10", "a/9", "a/b/1", "top"):
        store.write(name, b"")
    assert store.names("a") == ["10", "9"]
    assert store.names("") == ["top"]
    assert store.names("nowhere") == []


def test_what_is_not_there_is_none(store):
    assert store.read("x/y") is None
    assert store.read_json("x/y") is None
    assert store.size("x/y") is None
    with pytest.raises(FileNotFoundError):
        store.open("x/y")
    store.write("half.json", b'{"a": ')
    assert store.read_json("half.json") is None


def test_a_file_is_as_before_when_its_writer_fails(store):
    def fail(name):
        with store.writing(name) as file:
            file.write(b"half")
            raise ZeroDivisionError

    store.write("old", b"whole")
    for name in ("old", "new"):
        with pytest.raises(ZeroDivisionError):
            fail(name)
    assert store.read("old") == b"whole"
    assert store.names("") == ["old"]


def test_a_file_that_is_being_written_is_not_there_yet(store):
    with store.writing("x") as file:
        file.write(b"half")
        file.flush()
        assert store.names("") == []
        assert store.read("x") is None
    assert store.read("x") == b"half"


def test_lines_are_added_at_the_end(store):
    store.append("events/0.jsonl", b"1\n")
    store.append("events/0.jsonl", b"2\n")
    assert store.read("events/0.jsonl") == b"1\n2\n"


def test_a_store_can_be_sent_to_a_worker(store):
    store.write("x", b"1")
    assert pickle.loads(pickle.dumps(store)).read("x") == b"1"


KILLED = """
import os, signal, sys
from counterpoint.store import Store
with Store(sys.argv[1]).writing("x.parquet") as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_is_no_file_and_goes_with_the_next_write(tmp_path):
    store = Store(tmp_path)
    store.write("x.parquet", b"old")
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    assert store.names("") == ["x.parquet"]
    assert store.read("x.parquet") == b"old"
    store.write("x.parquet", b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["x.parquet"]


def test_a_writer_at_work_keeps_its_file_when_another_writes_the_same(tmp_path):
    store = Store(tmp_path)
    with store.writing("x") as file:
        file.write(b"slow")
        store.write("x", b"fast")
        assert store.read("x") == b"fast"
    assert store.read("x") == b"slow"
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


FULL = """
import resource, sys
from counterpoint.errors import RunFolderError
from counterpoint.store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
store = Store(sys.argv[1])
for write in (store.write, store.append):
    try:
        write("x", bytes(1_000_000))
    except RunFolderError as error:
        print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system has no limit on the size of a file")
@pytest.mark.parametrize("where", ["{}", "memory://full"])
def test_no_space_is_one_line_and_the_file_can_be_written_later(tmp_path, where):
    if where.startswith("memory"):
        pytest.importorskip("fsspec", reason="the extra counterpoint[acquire] is not installed")
    script = [sys.executable, "-c", FULL, where.format(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert [line[:23] for line in done.stdout.splitlines()] == ["No space left to write "] * 2
    Store(tmp_path).write("x", b"now")
    assert Store(tmp_path).read("x") == b"now"


def test_a_folder_that_may_not_be_written_or_read_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "out")
    for write in (store.write, store.append):
        with pytest.raises(RunFolderError, match=r"Cannot write .*file/out"):
            write("x", b"")
    for read in (store.read, store.size, store.names, store.open):
        with pytest.raises(RunFolderError, match=r"^Cannot read .*file/out/x: Not a directory\.$"):
            read("x")


def test_an_upload_that_fails_is_one_line_whatever_library_fails(monkeypatch):
    pytest.importorskip("fsspec", reason="the extra counterpoint[acquire] is not installed")
    store = Store(f"memory://{uuid4().hex}")

    def refuse(*_, **__):
        raise RuntimeError("the bucket\nsaid no")

    monkeypatch.setattr(type(store._remote), "put_file", refuse)
    with pytest.raises(RunFolderError, match=r"^Cannot write memory://\w+/x: the bucket said no\.$"):
        store.write("x", b"")


@pytest.mark.parametrize("url", ["nowhere://bucket/out", "s3://bucket/out"])
def test_a_place_that_cannot_be_reached_is_one_line(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    pytest.importorskip("fsspec", reason="the extra counterpoint[acquire] is not installed")
    with pytest.raises(ConfigError, match=f"^Cannot reach {url}: .*$"):
        Store(url)


def test_a_local_folder_needs_no_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    Store(tmp_path).write("x", b"1")
    assert Store(tmp_path).read("x") == b"1"
    with pytest.raises(ConfigError, match=r"needs the extra counterpoint\[acquire\]"):
        Store("memory://x")
