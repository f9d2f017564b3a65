"""Folders as people have them, and worse ones, and the account that a reader must give."""

import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from counterpoint.data.sources import open_source
from counterpoint.data.sources.messages import printable
from counterpoint.errors import SourceError
from counterpoint.formats.hidden import is_hidden
from counterpoint.formats.magic import is_image
from counterpoint.formats.tars import IMAGE_EXTENSIONS
from hostile_bytes import ARBITRARY, SEEDS
from source_material import read

FOLDERS = (
    "", "", "cat/", "cat/", "dog/", "train/", "train/cat/", "train/dog/", "test/cat/", "Test/dog/", "val/", "eval/cat/",
    "docs/", "__MACOSX/cat/", ".git/", "pos/", "neg/", "images/pos/", "images/neg/", "set/train/cat/", "cat/deep/",
)  # fmt: skip
FILES = (
    "0.png", "0.png", "1.jpg", "0.jfif", "0", "0.txt", "0.txt", "0.png.txt", "0.TXT", "0.PNG", "README", "README.md",
    "Thumbs.db", "._0.png", ".DS_Store", "metadata.csv", "metadata.jsonl", "pos.csv", "neg.csv", "1_0.jpg", "0_1.jpg",
    "x\n.png", "b\udcff.png", "é.png", "x.tar#y.png", "[0].png", "*.png", "\x1b[2J.txt", "a'\"b.png",
)  # fmt: skip
_names = [
    "0.png",
    "./0.png",
    "cat/../0.png",
    "cat\\0.png",
    "train/0.png",
    "gone.png",
    "/etc/hosts",
    "../0.png",
    "",
    "0",
]
_name = st.sampled_from(_names)
_csv = st.lists(_name, max_size=4).map(lambda names: "\n".join(["file_name,text", *(f"{n},a cat" for n in names)]))
_json = st.lists(_name, max_size=4).map(lambda names: "\n".join(f'{{"file_name": "{n}", "text": "a"}}' for n in names))
_tables = st.one_of(_csv, _json).map(lambda text: text.replace("\\", "\\\\").encode())
_bodies = st.sampled_from([b"", b"a cat", b"\xff", SEEDS["png"], SEEDS["jpeg"], SEEDS["BMP"], b"desc\na\nb\n"])
_body = st.one_of(_bodies, _bodies, _tables, ARBITRARY)
_target = st.sampled_from(["0.png", "../cat/0.png", "cat", "..", ".", "gone", "/dev/zero", "/etc"]).map(
    "link:{}".format
)
_entry = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(FILES), st.one_of(*[_body] * 8, _target, st.just("pipe")))
TREES = st.lists(_entry, max_size=14).map(lambda found: [(folder + file, body) for folder, file, body in found])


def grow(root: Path, tree: list[tuple[str, bytes | str]]) -> None:
    """Write the files of *tree* below *root*: bytes, links, pipes.  A path that is taken is left out."""
    for name, body in tree:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            continue
        if isinstance(body, bytes):
            path.write_bytes(body)
        elif body == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to(body.removeprefix("link:"))


def check_of_folder(tree: list[tuple[str, bytes | str]]) -> str:
    """Hold the reader of folders to its promise: each file is in a row, or is counted with a reason."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "set")
        root.mkdir()
        grow(root, tree)
        source = open_source({"kind": "folder", "path": root})
        source.fingerprint()
        try:
            records, dropped = read(source, root)
        except SourceError as error:
            return _refused(str(error))
        aside = {name for names in source._unused.names.values() for name in names}
        seen = {_real(image) for image in records["image"].drop_nulls()} | {_real(root / name) for name in aside}
        lost = [file for file in _files(root) if _real(file) not in seen and not _is_used(file, dropped)]
        assert [file for file in lost if printable(str(file.relative_to(root))) not in aside] == []
        images = {printable(image).removeprefix(f"{root}/") for image in records["image"].drop_nulls()}
        assert images & aside == set(), "both a row and aside"
    return "some aside" if aside else "read"


def _refused(line: str) -> str:
    assert "\n" not in line
    return "refused"


def _files(root: Path) -> list[Path]:
    return [Path(folder, name) for folder, _, names in os.walk(root) for name in names]


def _real(path: Any) -> str:
    return os.path.realpath(path)


def _is_used(file: Path, dropped: Any) -> bool:
    """Return whether a file without a row that is not aside is the text or the table of rows, or has a bad name."""
    ids = {key.rpartition("/")[2] for key in dropped["id"].drop_nulls()}
    if {file.name, file.stem} & ids or ("\udcff" in file.name and r"b\xff.png" in ids):
        return True
    if file.is_dir():
        return True  # a link to a folder, whose files are walked elsewhere or lie outside
    name = file.name.lower()
    is_table = name.endswith((".txt", ".csv", ".jsonl"))
    has_image = name.rpartition(".")[2] in IMAGE_EXTENSIONS or (not is_table and is_image(file.read_bytes()[:1024]))
    return is_table and not has_image and not is_hidden(name)
