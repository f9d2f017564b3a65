"""A path is one regular file: never a pattern, and never a file without an end."""

import ast
import os
import socket
import time
from pathlib import Path

import polars as pl
import pytest

import counterpoint
from counterpoint import files
from counterpoint.acquire.lists.inputs import find_inputs
from counterpoint.config import read_study
from counterpoint.config.files import read_keys
from counterpoint.data.label import read_ids, read_labels
from counterpoint.data.sources import open_source
from counterpoint.errors import ConfigError, CounterpointError, ImageError, SourceError
from counterpoint.formats.images import ImageReader
from counterpoint.formats.tables import open_table
from counterpoint.formats.tars import read_tar

SOURCE = Path(counterpoint.__file__).parent
EXPANDING = {"read_parquet", "scan_parquet", "read_csv", "scan_csv", "read_ipc", "scan_ipc", "read_ndjson"}


@pytest.fixture(params=["pipe", "device", "socket", "proc", "folder"])
def endless(request, tmp_path):
    """A file that is not regular, by a name with any suffix."""
    return lambda suffix: make(request.param, tmp_path / f"x{suffix}")


def make(kind, path):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "device" else "/proc/self/environ")
    return path


def test_only_regular_files_are_opened(endless):
    with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
        files.open_regular(endless(""))


@pytest.mark.parametrize("read", [read_keys, read_study, read_ids], ids=lambda read: read.__name__)
def test_settings_and_ids_are_read_from_regular_files_only(endless, read):
    with pytest.raises(ConfigError, match="Cannot read"):
        read(endless(".txt"))


def test_labels_are_read_from_regular_files_only(endless):
    with pytest.raises(ConfigError, match="Cannot read"):
        read_labels(endless(".csv"))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet", ".xlsx"])
def test_tables_are_regular_files(endless, suffix):
    with pytest.raises(SourceError, match="Cannot read table"):
        open_table(endless(suffix))


@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "proc"])
def test_sources_are_regular_files_or_folders(tmp_path, kind):
    path = make(kind, tmp_path / "x.csv")
    for name in ("table", "folder", "webdataset"):
        with pytest.raises(SourceError, match="regular file"):
            list(open_source({"kind": name, "path": path}).read(tmp_path))


def test_folders_that_stand_on_no_disk_are_no_source(tmp_path):
    with pytest.raises(SourceError, match="regular file nor a folder"):
        list(open_source({"kind": "folder", "path": Path("/proc/self")}).read(tmp_path))


def test_tars_are_regular_files(endless):
    with pytest.raises(SourceError, match="Cannot read tar"):
        list(read_tar(endless(".tar")))


@pytest.mark.parametrize("ref", ["{}.jpg", "{}.tar#a.jpg", "{}.parquet#0"])
def test_images_are_read_from_regular_files_only(endless, ref):
    suffix, hash_, inside = ref.removeprefix("{}").partition("#")
    with ImageReader() as reader, pytest.raises(ImageError, match="missing_file"):
        reader.read(f"{endless(suffix)}{hash_}{inside}")


def test_lists_of_urls_are_regular_files(tmp_path):
    with pytest.raises(SourceError, match="not a regular file"):
        find_inputs([str(make("pipe", tmp_path / "x.csv"))], {})


def test_what_is_read_whole_has_a_size(tmp_path):
    (tmp_path / "a.txt").write_bytes(bytes(20))
    with pytest.raises(OSError, match="larger than 10 bytes"):
        files.read_bytes(tmp_path / "a.txt", most_bytes=10)


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 5000])
def test_what_is_no_path_is_one_line(path):
    with pytest.raises(OSError, match=r".+"):
        files.open_regular(path)
    with pytest.raises(CounterpointError):
        list(open_source({"kind": "table", "path": Path(path)}).read(Path()))


@pytest.mark.parametrize("folder", ["a[1]", "a*", "a?", "split=train", "**", "[a-z]"])
def test_a_file_in_a_folder_of_any_name_is_that_file(tmp_path, folder):
    for name in (folder, "a1", "ab"):
        (tmp_path / name).mkdir()
        pl.DataFrame({"image": ["x.png"], "text": [name]}).write_parquet(tmp_path / name / "t[1].parquet")
    assert files.read_parquet(tmp_path / folder / "t[1].parquet").rows() == [("x.png", folder)]
    for path in (tmp_path / folder, tmp_path / folder / "*.parquet", tmp_path / folder / "t[1].parquet"):
        [(records, _)] = open_source({"kind": "table", "path": path}).read(tmp_path)
        assert records["text"].to_list() == [folder]
        assert [Path(found.path).parent.name for found in find_inputs([str(path)], {})] == [folder]


def test_no_code_of_ours_reads_by_a_path_that_may_be_a_pattern():
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py") if path.name != "files.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in EXPANDING
        and isinstance(node.func.value, ast.Name) and node.func.value.id in ("pl", "polars")
        and not any(keyword.arg == "glob" for keyword in node.keywords)
    ]  # fmt: skip
    assert not found


def rewritten(path, data):
    """Write *data* to *path* until the clock of the file system has moved, and put its time of change back."""
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:
        time.sleep(0.002)
        path.write_bytes(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_digest_is_computed_once_until_the_file_changes(tmp_path, monkeypatch):
    computed = []
    real = files.digest_of
    monkeypatch.setattr(files, "digest_of", lambda path: (computed.append(path), real(path))[1])
    monkeypatch.setattr(files, "SETTLED_NS", -(10**18))
    path = tmp_path / "weights.bin"
    path.write_bytes(b"one")
    assert files.digest_once(path) == files.digest_once(str(path)) == real(path)
    assert len(computed) == 1
    rewritten(path, b"two")  # of the same size, with the same time of change
    assert files.digest_once(path) == real(path)
    path.replace(tmp_path / "old.bin")
    path.write_bytes(b"new")
    assert files.digest_once(path) == real(path)
    assert len(computed) == 3


def test_the_digest_of_a_file_that_changed_just_now_is_not_kept(tmp_path):
    path = tmp_path / "weights.bin"
    for data in (b"one", b"two", b"six"):
        path.write_bytes(data)
        assert files.settled_state(path) is None
        assert files.digest_once(path) == files.digest_of(path)
