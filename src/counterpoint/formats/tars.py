"""Tar shards in the layout of img2dataset and webdataset: a reader of samples, and an index of members.

Does not decode.  Reading never holds an image: a sample has the reference of its image.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from counterpoint.errors import SourceError
from counterpoint.files import open_regular
from counterpoint.formats.hidden import HIDDEN, OTHER, is_hidden
from counterpoint.formats.magic import HEAD_BYTES, is_image
from counterpoint.formats.tar_members import Member, contents, unpacked_by

IMAGE_EXTENSIONS = frozenset((
    "jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp", "png", "apng", "webp", "gif", "avif", "bmp", "tif", "tiff", "svg",
    "heic", "heif", "jp2", "jxl", "ico",
))  # fmt: skip
"""Files with these extensions count as images.  So does every other file that begins like an image."""
MAX_PART_BYTES = 16 << 20
DUPLICATE, TOO_LARGE = "duplicate_member", "too_large_member"

_NAME = re.compile(r"((?:.*/)?[^./]+)\.([^/]+)", re.DOTALL)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TarSample:
    """The members of one key, by extension.

    *images* are references, *parts* the bytes of other members, *lost* the reasons why a member has no bytes.
    """

    key: str
    images: dict[str, str] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lost:
    """Members of a key that already has all of their extensions."""

    key: str
    reason: str = DUPLICATE


@dataclass(frozen=True)
class Apart:
    """A member that is part of no sample, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class Cut:
    """The early end of a tar: *key* is the sample that it cut (None: it cut none)."""

    key: str | None
    n_samples: int
    detail: str


Read = TarSample | Lost | Apart | Cut


def read_tar(path: Path) -> Iterator[Read]:
    """Yield the samples of the tar at *path* in the order of their first members, and at last a `Cut` if it ends early.

    The key of a member is its name up to the first dot of its base name.  All members of one key are one sample, also
    when other members stand between them.  An extension that occurs again in a sample is `Lost`.  Hidden files, and
    samples without an image, a text and a json, are `Apart`.  The sample in which a tar ends early may lack parts, so
    it is left out.

    Raises
    ------
    SourceError
        When *path* does not exist, is empty, or is not an uncompressed tar.

    Examples
    --------
    >>> import tarfile, tempfile
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
            yield from _read(file, path)
    except OSError as error:
        raise SourceError(f"Cannot read tar {path}: {error.strerror or error}.") from error


def _read(file: BinaryIO, path: Path) -> Iterator[Read]:
    found, error = contents(file)
    if error is not None and not found:
        is_packed = unpacker_of(path) is not None
        raise SourceError(
            not_unpacked(path) if is_packed else f"{path} is not an uncompressed tar: {error}."
        ) from error
    named = _Named(file)
    for member in found:
        named.add(member)
    yield from named.aside
    if error is not None:
        named.samples.pop(named.last or "", None)
    n_samples = 0
    for key, layers in named.samples.items():
        sample = _sample(key, layers[0], file, path)
        n_samples += isinstance(sample, TarSample)
        yield sample
        yield from (Lost(key) for _ in layers[1:])
    if error is not None:
        yield Cut(named.last, n_samples, str(error))


def unpacker_of(path: Path) -> str | None:
    """Return the program that unpacks the file at *path*, or None when it is not compressed or not readable.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "0.tar")
    ...     _ = path.write_bytes(bytes.fromhex("1f8b08"))
    ...     unpacker_of(path), unpacker_of(Path(folder, "1.tar"))
    ('gunzip', None)
    """
    try:
        with open_regular(path) as file:
            return unpacked_by(file.read(8))
    except OSError:
        return None


def not_unpacked(path: Path) -> str:
    """Return the message for a tar that is compressed, with the program that unpacks it.

    >>> not_unpacked(Path("0.tar.gz"))
    '0.tar.gz is compressed, and only uncompressed tars can be read: run gunzip on it first.'
    """
    program = unpacker_of(path) or "gunzip"
    return f"{path} is compressed, and only uncompressed tars can be read: run {program} on it first."


class _Named:
    """The members of a tar by key.  Each key has layers, and each extension occurs once in a layer."""

    def __init__(self, file: BinaryIO) -> None:
        self.samples: dict[str, list[dict[str, Member]]] = {}
        self.aside: list[Apart] = []
        self.last: str | None = None
        self._file = file

    def add(self, member: Member) -> None:
        """Add *member* to its key, or set it aside."""
        if is_hidden(*member.name.split("/")):
            self.aside.append(Apart(member.name, HIDDEN))
            return
        named = _NAME.fullmatch(member.name)
        if named is None and not self._is_image(member):
            self.aside.append(Apart(member.name, member.problem or OTHER))
            return
        key, extension = (named[1], named[2].lower()) if named else (member.name, "")
        other = key[2:] if key.startswith("./") else f"./{key}"  # archivers write one folder in both ways
        key = other if other in self.samples else key
        layers = self.samples.setdefault(key, [{}])
        layer = next((layer for layer in layers if extension not in layer), None)
        if layer is None:
            layers.append({})
        (layers[-1] if layer is None else layer)[extension] = member
        self.last = key

    def _is_image(self, member: Member) -> bool:
        """Return whether a member without an extension is an image."""
        return not member.problem and bool(member.name.strip("/")) and is_image(_bytes(self._file, member, HEAD_BYTES))


def _bytes(file: BinaryIO, member: Member, most: int) -> bytes:
    file.seek(member.offset)
    return file.read(min(member.n_bytes, most))


def _sample(key: str, members: dict[str, Member], file: BinaryIO, path: Path) -> TarSample | Apart:
    sample = TarSample(key)
    for extension, member in members.items():
        _add(sample, extension, member, file, path)
    if sample.images or sample.lost or {"txt", "json"} & set(sample.parts):
        return sample
    return Apart(next(iter(members.values())).name, OTHER)


def _add(sample: TarSample, extension: str, member: Member, file: BinaryIO, path: Path) -> None:
    if member.problem:
        sample.lost[extension] = member.problem
        return
    is_named_image = extension.rpartition(".")[2] in IMAGE_EXTENSIONS
    data = b"" if is_named_image else _bytes(file, member, HEAD_BYTES if _is_large(member) else MAX_PART_BYTES)
    if is_named_image or is_image(data):
        sample.images[extension] = f"{path}#{member.bytes_of}"
    elif _is_large(member):
        log.warning("%s: %s is left out, %d bytes are no caption", path, member.name, member.n_bytes)
        sample.lost[extension] = TOO_LARGE
    else:
        sample.parts[extension] = data


def _is_large(member: Member) -> bool:
    return member.n_bytes > MAX_PART_BYTES


def index(file: BinaryIO) -> dict[str, tuple[int, int]]:
    """Return (offset, size) in bytes of each member by name.

    Of two members with one name, the first counts, like in `read_tar`.  A tar that ends early is indexed up to its end.

    >>> import io, tarfile
    >>> buffer = io.BytesIO()
    >>> with tarfile.open(fileobj=buffer, mode="w") as tar:
    ...     tar.addfile(tarfile.TarInfo("7.jpg"))
    >>> index(io.BytesIO(buffer.getvalue()))
    {'7.jpg': (512, 0)}
    """
    places: dict[str, tuple[int, int]] = {}
    for member in contents(file).members:
        if not member.problem:
            places.setdefault(member.name, (member.offset, member.n_bytes))
    return places
