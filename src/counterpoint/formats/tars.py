"""Tar shards as img2dataset and webdataset lay them out: read sample by sample, indexed for reading by name, written.

Does not decode, and reading never holds an image: of an image a sample has the reference.
"""

import json
import logging
import re
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain, count, islice
from pathlib import Path
from typing import BinaryIO, Self

from counterpoint.artifacts import replacing
from counterpoint.errors import SourceError
from counterpoint.files import open_regular
from counterpoint.formats.exports import Outgoing

IMAGE_EXTENSIONS = frozenset(("jpg", "jpeg", "png", "webp", "gif", "avif", "bmp", "tif", "tiff", "svg"))
MAX_PART_BYTES = 16 << 20

_BLOCK = tarfile.BLOCKSIZE
_PLAIN = re.compile(
    rb"(?P<name>[^\0]+)\0*(?<=\A.{100}).{24}(?P<size>[0-7]{11})[\0 ].{12}(?P<sum>[0-7]{6})\0 0.{188}\0.{166}", re.DOTALL
)
"""The header of a plain file without a name prefix: name, mode and owners, size, time, sum, type "0", the rest."""
_NAME = re.compile(r"((?:.*/)?[^./]+)\.([^/]+)", re.DOTALL)
_LONG_HEADERS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_BROKEN = (tarfile.TarError, ValueError, OverflowError, EOFError, RecursionError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """The members of one key: references of its images, and bytes of its other parts, both by extension."""

    key: str
    images: dict[str, str] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """The end of a tar that breaks off: *key* is the sample that it cut (None: the cut fell between two samples)."""

    key: str | None
    n_samples: int
    detail: str


def read_tar(path: Path) -> Iterator[Sample | Cut]:
    """Yield the samples of the tar at *path* in its order; last, a `Cut` when the tar breaks off.

    The key of a member is its name up to the first dot of its base name; neighbours with one key are one sample.
    Names without a key or an extension (``.DS_Store``, ``README``) belong to none, as in webdataset.  An extension
    that comes twice in a sample counts once, the first.  The sample in which a tar breaks off may lack parts, so it
    is not yielded.

    Raises
    ------
    SourceError
        When *path* is not there, is empty, or is not an uncompressed tar.

    Examples
    --------
    >>> import io, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "0.tar")
    ...     with tarfile.open(path, "w") as tar:
    ...         for name in ("a/7.jpg", "a/7.txt"):
    ...             tar.addfile(tarfile.TarInfo(name))
    ...     [sample] = read_tar(path)
    >>> sample.key, list(sample.images), sample.parts
    ('a/7', ['jpg'], {'txt': b''})
    """
    try:
        with open_regular(path) as file:
            yield from _samples(file, path)
    except OSError as error:
        raise SourceError(f"Cannot read tar {path}: {error.strerror or error}.") from error


def _samples(file: BinaryIO, path: Path) -> Iterator[Sample | Cut]:
    sample, n_samples, n_members = None, 0, 0
    try:
        for member in members(file):
            n_members += 1
            named = _NAME.fullmatch(member.name)
            if not named:
                continue
            key, extension = named[1], named[2].lower()
            if sample is None or key != sample.key:
                if sample is not None:
                    n_samples += 1
                    yield sample
                sample = Sample(key)
            _add(sample, extension, member, file, path)
    except _BROKEN as error:
        if not n_members:
            raise SourceError(f"{path} is not an uncompressed tar: {error}.") from error
        yield Cut(sample.key if sample else None, n_samples, str(error))
        return
    if sample is not None:
        yield sample


def _add(sample: Sample, extension: str, member: tarfile.TarInfo, file: BinaryIO, path: Path) -> None:
    if extension.rpartition(".")[2] in IMAGE_EXTENSIONS:
        sample.images.setdefault(extension, f"{path}#{member.name}")
    elif member.size > MAX_PART_BYTES:
        _log.warning("%s: %s is left out, %d bytes are no caption", path, member.name, member.size)
    elif extension not in sample.parts:
        file.seek(member.offset_data)
        sample.parts[extension] = file.read(member.size)


def members(file: BinaryIO) -> Iterator[tarfile.TarInfo]:
    """Yield the regular files of a tar in its order, keeping none in memory.

    Raises
    ------
    tarfile.TarError
        When it is no tar, or breaks off before its end mark.
    """
    with tarfile.open(fileobj=file, mode="r:", errors="backslashreplace", tarinfo=_Member) as tar:
        end = 0
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]
            if tar.offset <= end:
                raise tarfile.ReadError("a header points back")
            end = tar.offset
            if member.isreg() and not member.issparse():
                yield member
        file.seek(end)
    if file.read(_BLOCK) != bytes(_BLOCK):
        raise tarfile.ReadError("it ends without an end mark")


class _Member(tarfile.TarInfo):
    """A header of which only name and size are read when it is a plain file's, as most are: three times as fast."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        plain = _PLAIN.fullmatch(buf)
        if not plain or int(plain["sum"], 8) != sum(buf[:148]) + sum(b" " * 8) + sum(buf[156:]):
            member = super().frombuf(buf, encoding, errors)
            # tarfile reads a long header whole, and with a negative size goes back, forever.
            if member.size < 0 or (member.type in _LONG_HEADERS and member.size > MAX_PART_BYTES):
                raise tarfile.HeaderError(f"a header says {member.size} bytes")
            return member
        member = cls(plain["name"].decode(encoding, errors))
        member.size = int(plain["size"], 8)
        return member


def index(file: BinaryIO) -> dict[str, tuple[int, int]]:
    """Return (offset, size) in bytes of each member, by name; of two with one name the first, as `read_tar` has it.

    A tar that breaks off is indexed up to there.

    >>> import io
    >>> buffer = io.BytesIO()
    >>> with tarfile.open(fileobj=buffer, mode="w") as tar:
    ...     tar.addfile(tarfile.TarInfo("7.jpg"))
    >>> index(io.BytesIO(buffer.getvalue()))
    {'7.jpg': (512, 0)}
    """
    places: dict[str, tuple[int, int]] = {}
    with suppress(*_BROKEN):
        for member in members(file):
            places.setdefault(member.name, (member.offset_data, member.size))
    return places


def write_tars(pairs: Iterable[Outgoing], folder: Path, *, samples_per_tar: int = 10_000) -> int:
    """Write *pairs* as ``00000.tar``, ``00001.tar`` … of *samples_per_tar* samples each; return how many pairs.

    The key of a sample is the number of its tar and its own in it.  It has an image, a ``.txt`` where there is a text,
    and a ``.json`` as of img2dataset: key, caption, label, and the fields of the pair.  Equal pairs give equal bytes.

    Examples
    --------
    >>> import tempfile
    >>> pair = Outgoing(b"...", "jpg", "a cat", "animal", {"width": 8})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tars([pair] * 3, Path(folder), samples_per_tar=2)
    ...     [sample.key for path in sorted(Path(folder).iterdir()) for sample in read_tar(path)]
    3
    ['000000', '000001', '000010']
    """
    left = iter(pairs)
    n_pairs, n_digits = 0, len(str(samples_per_tar - 1))
    for number in count():
        first = next(left, None)
        if first is None:
            return n_pairs
        with (
            replacing(folder / f"{number:05d}.tar") as draft,
            tarfile.open(draft, "w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for place, pair in enumerate(chain([first], islice(left, samples_per_tar - 1))):
                _write_sample(tar, f"{number:05d}{place:0{n_digits}d}", pair)
                n_pairs += 1
    raise AssertionError("count() does not end")


def _write_sample(tar: tarfile.TarFile, key: str, pair: Outgoing) -> None:
    fields = {"key": key, "caption": pair.text, "label": pair.label, **pair.fields}
    parts = {
        pair.extension: pair.image,
        "txt": None if pair.text is None else pair.text.encode(),
        "json": json.dumps(fields, ensure_ascii=False).encode(),
    }
    for extension, data in parts.items():
        if data is not None:
            member = tarfile.TarInfo(f"{key}.{extension}")  # no time, no owner: the same pair is the same bytes
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    tar.members.clear()  # type: ignore[attr-defined]
