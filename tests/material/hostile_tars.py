"""Tars that are damaged or hold unusual members, and the account that a reader must give."""

import io
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from counterpoint.data.sources import open_source
from counterpoint.data.sources.messages import printable
from counterpoint.errors import ImageError, SourceError
from counterpoint.formats.images import ImageReader
from counterpoint.formats.tar_members import contents
from hostile_bytes import ARBITRARY, SEEDS
from source_material import read

Draw = Callable[[st.SearchStrategy], Any]

NAMES = (
    "0.jpg", "0.txt", "0.json", "1.png", "1.txt", "1.jfif", "0.JPG", "2", "2.txt", "2.cls", "README", "README.md",
    "._0.jpg", ".DS_Store", "./0.txt", "a/0.jpg", "a/0.txt", "__MACOSX/0.jpg", "a.b/3.seg.png", "..", "/", "a//4.png",
    "n" * 120 + ".jpg", "é.txt", "x\n.jpg", "5.tar#6.jpg", "3.", ".3", "\x1b[2J.png",
)  # fmt: skip
KINDS = (tarfile.REGTYPE,) * 8 + (
    tarfile.AREGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE,
    tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, b"Z",
)  # fmt: skip
BODIES = (b"", b"a cat", b"\xff", b"{}", b'{"key": 7, "label": NaN}', b"[1]", b"{", SEEDS["png"], SEEDS["jpeg"])
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
_body = st.one_of(st.sampled_from(BODIES), st.sampled_from(BODIES), ARBITRARY)
_member = st.tuples(st.sampled_from(NAMES), st.sampled_from(KINDS), st.sampled_from(NAMES), _body)


def tar_of(members: list[tuple[str, bytes, str, bytes]], form: int) -> bytes:
    """Return a tar of members: name, kind, the target of a link, and the content of a file."""
    if form == tarfile.USTAR_FORMAT:
        members = [(name[-99:], kind, target[-99:], body) for name, kind, target, body in members]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, kind, target, body in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = len(body) if info.isreg() and kind != tarfile.GNUTYPE_SPARSE else 0
            tar.addfile(info, io.BytesIO(body[: info.size]))
    return buffer.getvalue()


@st.composite
def tars(draw: Draw) -> bytes:
    """Make a tar of a few members, and damage half of them."""
    data = bytearray(tar_of(draw(st.lists(_member, min_size=1, max_size=8)), draw(st.sampled_from(FORMATS))))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        draw(st.sampled_from((_cut, _drop_block, _repeat_blocks, _set_header, _set_byte)))(draw, data)
    return bytes(data)


def _block(draw: Draw, data: bytearray) -> int:
    return 512 * draw(st.integers(0, max(0, min(len(data), 16_384) // 512 - 1)))


def _cut(draw: Draw, data: bytearray) -> None:
    del data[draw(st.integers(0, len(data))) :]


def _drop_block(draw: Draw, data: bytearray) -> None:
    at = _block(draw, data)
    del data[at : at + 512]


def _repeat_blocks(draw: Draw, data: bytearray) -> None:
    at = _block(draw, data)
    data[at:at] = data[at : at + 512 * draw(st.integers(1, 6))]


def _set_header(draw: Draw, data: bytearray) -> None:
    """Set a field of a header (if it is one), and mend its sum."""
    at = _block(draw, data)
    place = at + draw(st.sampled_from([0, 2, 100, 124, 125, 135, 156, 157, 257, 345, 386, 482, 483]))
    block = data[at : at + 512]
    if place < len(data) and len(block) == 512:
        data[place] = draw(st.integers(0, 255))
        block = data[at : at + 512]
        data[at + 148 : at + 156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))


def _set_byte(draw: Draw, data: bytearray) -> None:
    if data:
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))


TARS = st.one_of(tars(), tars(), tars(), ARBITRARY)


def check_of_tar(data: bytes) -> str:
    """Hold the reader of shards to its promise: each member is in a row, or is counted with a reason."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "0.tar")
        path.write_bytes(data)
        source = open_source({"kind": "webdataset", "path": path})
        try:
            records, dropped = read(source, path.parent)
        except SourceError as error:
            return _refused(str(error))
        with path.open("rb") as file:
            found, error = contents(file)
        _check_members([member.name for member in found], records, dropped, source)
        _check_images(records["image"].drop_nulls())
    reasons = dropped["reason"].to_list()
    assert ("truncated_shard" in reasons) == (error is not None)
    return "cut" if error is not None else "some dropped" if reasons else "read"


def _refused(line: str) -> str:
    assert "\n" not in line
    return "refused"


def _check_members(names: list[str], records: Any, dropped: Any, source: Any) -> None:
    ids = {*records["id"], *dropped["id"]}
    aside = {name for names in source._unused.names.values() for name in names}
    keys = [re.sub(r"(?s)((?:.*/)?[^./]+)\.[^/]+", r"\1", name) for name in names]
    lost = [
        name
        for name, key in zip(names, keys, strict=True)
        if not {key, key.removeprefix("./"), f"./{key}"} & ids and printable(f"0.tar#{name}") not in aside
    ]
    cut = {keys[names.index(name)].removeprefix("./") for name in lost}
    assert len(cut) <= ("0.tar" in ids), lost  # the sample that a cut cuts


def _check_images(refs: Any) -> None:
    with ImageReader() as reader:
        for ref in refs:
            try:
                reader.read(ref)
            except ImageError:
                continue
