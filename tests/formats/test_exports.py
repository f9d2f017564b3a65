"""Exports are whole or absent, never overwrite files of others, and are readable by their readers."""

import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from counterpoint.data.sources import open_source
from counterpoint.errors import RunFolderError
from counterpoint.formats.exports import MARK, UNFINISHED, Outgoing, export_once
from counterpoint.formats.imagefolder import write_imagefolder
from source_material import GOOD


def pair(label: str | None = "animal", text: str | None = "a cat", **other) -> Outgoing:
    return Outgoing(GOOD, "png", text, label, other.pop("fields", {}), **other)


def write_one(draft: Path) -> dict[str, int]:
    (draft / "some").mkdir()
    (draft / "some" / "file").write_text("!")
    return {"n": 1}


def die_half_way(where: Path) -> None:
    def write(draft: Path) -> dict[str, int]:
        write_one(draft)
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    export_once(where, "a", write)


def kill_an_export(where: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die_half_way, args=(where,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_a_finished_export_is_kept(tmp_path):
    first = export_once(tmp_path / "out", "a", write_one)
    assert export_once(tmp_path / "out", "a", pytest.fail) == first == {"key": "a", "n": 1}
    assert {path.name for path in (tmp_path / "out").rglob("*")} == {MARK, "some", "file"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_killed_export_does_not_look_finished_and_is_made_again(tmp_path):
    kill_an_export(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out.tmp"]
    (tmp_path / "out.tmp" / "half").write_text("of a file")
    export_once(tmp_path / "out", "b", write_one)
    assert {path.name for path in tmp_path.rglob("*")} == {"out", MARK, "some", "file"}


def test_an_export_killed_before_its_last_rename_is_made_again(tmp_path):
    export_once(tmp_path / "out", "a", write_one)
    (tmp_path / "out").rename(tmp_path / "out.tmp")
    assert export_once(tmp_path / "out", "a", write_one)["n"] == 1


def test_an_export_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        export_once(tmp_path / "out", "a", lambda draft: {"n": write_one(draft)["n"] // 0})
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "out").mkdir()
    export_once(tmp_path / "out", "a", write_one)
    assert (tmp_path / "out" / "some" / "file").read_text() == "!"


def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("all of it")
    with pytest.raises(RunFolderError, match="is not empty, and no export"):
        export_once(tmp_path / "mine", "a", write_one)
    (tmp_path / "mine").rename(tmp_path / "out.tmp")
    with pytest.raises(RunFolderError, match="in the way"):
        export_once(tmp_path / "out", "a", write_one)
    with pytest.raises(RunFolderError, match="is a file"):
        export_once(tmp_path / "out.tmp" / "thesis.doc", "a", write_one)
    assert (tmp_path / "out.tmp" / "thesis.doc").read_text() == "all of it"


def test_an_export_of_something_else_is_refused(tmp_path):
    export_once(tmp_path / "out", "a", write_one)
    with pytest.raises(RunFolderError, match="holds another export"):
        export_once(tmp_path / "out", "b", write_one)


def test_two_exports_never_write_one_folder(tmp_path):
    def write(draft: Path) -> dict[str, int]:
        with pytest.raises(RunFolderError, match="being written by another export"):
            export_once(tmp_path / "out", "b", write_one)
        return write_one(draft)

    assert export_once(tmp_path / "out", "a", write)["n"] == 1


def test_a_folder_that_may_not_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match=r"Cannot write .*: Not a directory"):
        export_once(tmp_path / "file" / "out", "a", write_one)


def test_a_full_disk_is_one_line(tmp_path):
    def write(draft: Path) -> dict[str, int]:
        raise OSError(28, "No space left on device")

    with pytest.raises(RunFolderError, match="No space left to write"):
        export_once(tmp_path / "out", "a", write)
    assert not (tmp_path / f"out.tmp/{UNFINISHED}").exists()


def test_an_imagefolder_has_a_folder_for_each_label_and_its_metadata(tmp_path):
    rows = [pair("animal", "a cat"), pair("person", "a man\n", fields={"url": "https://a.org/?x"}), pair(None, None)]
    assert write_imagefolder(rows, tmp_path) == 3
    lines = [json.loads(line) for line in (tmp_path / "train" / "metadata.jsonl").read_text().splitlines()]
    assert lines == [
        {"file_name": "animal/00000000.png", "text": "a cat", "label": "animal"},
        {"file_name": "person/00000001.png", "text": "a man\n", "label": "person", "url": "https://a.org/?x"},
        {"file_name": "00000002.png", "text": None, "label": None},
    ]
    assert all((tmp_path / "train" / line["file_name"]).read_bytes() == GOOD for line in lines)


@pytest.mark.parametrize("label", ["../up", "/abs", "a/b", "", ".", "CON.", "a" * 300, "a\nb", "class-7", "a\0b", "éé"])
def test_no_label_names_a_folder_that_could_be_another(tmp_path, label):
    write_imagefolder([pair(label)], tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["train/class-0/00000000.png"]
    assert json.loads((tmp_path / "train" / "metadata.jsonl").read_text())["label"] == label


def test_labels_that_differ_in_case_alone_have_folders_that_differ_in_more(tmp_path):
    write_imagefolder([pair("Cat"), pair("cat"), pair("Cat")], tmp_path)
    assert sorted(path.name for path in (tmp_path / "train").iterdir()) == ["Cat", "class-1", "metadata.jsonl"]


def test_an_imagefolder_is_split_where_its_pairs_are(tmp_path):
    folds = ["train", "validation", "test", "0", None]
    write_imagefolder([pair(fold=fold) for fold in folds], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test", "train", "validation"]
    lines = [json.loads(line) for line in (tmp_path / "train" / "metadata.jsonl").read_text().splitlines()]
    assert [line.get("fold") for line in lines] == [None, "0", None]


def test_our_own_source_reads_an_imagefolder(tmp_path):
    write_imagefolder([pair("animal", "a cat"), pair("person", "a man"), pair("animal", None)], tmp_path / "out")
    ((records, dropped),) = open_source({"kind": "folder", "path": tmp_path / "out"}).read(tmp_path)
    assert dropped.is_empty()
    assert records.select("text", "label", "fold").rows() == [
        ("a cat", "animal", "train"),
        ("a man", "person", "train"),
        (None, "animal", "train"),
    ]
    assert all(Path(image).read_bytes() == GOOD for image in records["image"])
