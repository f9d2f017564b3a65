"""The members of a tar in their order: the place of their bytes, or the reason why there are none.  Reads headers."""

import re
import tarfile
from collections.abc import Iterator
from posixpath import dirname, join, normpath
from typing import BinaryIO, NamedTuple, Self

MAX_HEADER_BYTES = 16 << 20
LINKED, SPARSE, SPECIAL = "linked_member", "sparse_member", "special_member"
"""Reasons why a member has no bytes: a link to nothing in the tar, a sparse file, a device or a pipe."""
BROKEN = (tarfile.TarError, ValueError, OverflowError, EOFError, RecursionError)
"""Exceptions of a damaged tar while its headers are read."""

_BLOCK = tarfile.BLOCKSIZE
_PLAIN = re.compile(
    rb"(?P<name>[^\0]+)\0*(?<=\A.{100}).{24}(?P<size>[0-7]{11})[\0 ].{12}(?P<sum>[0-7]{6})\0 0.{188}\0.{166}", re.DOTALL
)
"""The header of a plain file without a name prefix: name, mode and owners, size, time, sum, type "0", the rest."""
_LONG_HEADERS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_PACKED = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"(\xb5/\xfd": "unzstd", b"PK\3\4": "unzip"}


class Member(NamedTuple):
    """A member: its name, the name and the place of its bytes, or the problem (empty when it has bytes)."""

    name: str
    bytes_of: str
    offset: int = 0
    n_bytes: int = 0
    problem: str = ""


class Contents(NamedTuple):
    """The members of a tar, and the error where it ends early."""

    members: list[Member]
    error: Exception | None


def contents(file: BinaryIO) -> Contents:
    """Return all members except folders.  A link to a file of the tar has the bytes of that file.

    Examples
    --------
    >>> import io
    >>> buffer = io.BytesIO()
    >>> with tarfile.open(fileobj=buffer, mode="w") as tar:
    ...     tar.addfile(tarfile.TarInfo("7.jpg"))
    >>> contents(io.BytesIO(buffer.getvalue())).members
    [Member(name='7.jpg', bytes_of='7.jpg', offset=512, n_bytes=0, problem='')]
    """
    found: list[Member] = []
    links: dict[int, list[str]] = {}
    error = None
    try:
        for info in headers(file):
            if info.islnk() or info.issym():
                links[len(found)] = _targets(info)
            found.append(_member(info))
    except BROKEN as caught:
        error = caught
    if links:
        _follow(found, links)
    return Contents(found, error)


def _member(info: tarfile.TarInfo) -> Member:
    if info.islnk() or info.issym():
        return Member(info.name, info.name, problem=LINKED)
    if info.issparse():
        return Member(info.name, info.name, problem=SPARSE)
    if not info.isreg():
        return Member(info.name, info.name, problem=SPECIAL)
    return Member(info.name, info.name, info.offset_data, info.size)


def _targets(info: tarfile.TarInfo) -> list[str]:
    """Return the names to which a link may point: from its folder for a symbolic link, from the root for a hard one."""
    seen_from = normpath(join(dirname(info.name), info.linkname))
    return [seen_from] if info.issym() else [info.linkname, normpath(info.linkname)]


def _follow(found: list[Member], links: dict[int, list[str]]) -> None:
    """Give links the bytes of their target, over at most eight links."""
    for _ in range(8):
        places: dict[str, Member] = {}
        for member in found:
            if not member.problem:
                places.setdefault(normpath(member.name), member)
        for number in [number for number in links if found[number].problem]:
            target = next((places[name] for name in map(normpath, links[number]) if name in places), None)
            if target is not None:
                found[number] = target._replace(name=found[number].name)
                del links[number]


def headers(file: BinaryIO) -> Iterator[tarfile.TarInfo]:
    """Yield the headers of a tar in their order, except of folders.  None is kept in memory.

    Raises
    ------
    tarfile.TarError
        When the file is no tar, or ends before its end mark.
    """
    with tarfile.open(fileobj=file, mode="r:", errors="backslashreplace", tarinfo=_Header) as tar:
        end = 0
        while (info := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]
            if tar.offset <= end:
                raise tarfile.ReadError("a header points back")
            end = tar.offset
            if not info.isdir():
                yield info
        file.seek(end)
    if file.read(_BLOCK) != bytes(_BLOCK):
        raise tarfile.ReadError("it ends without an end mark")


class _Header(tarfile.TarInfo):
    """A header that reads only name and size of a plain file.  Most members are plain: it is three times as fast."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        plain = _PLAIN.fullmatch(buf)
        if not plain or int(plain["sum"], 8) != sum(buf[:148]) + sum(b" " * 8) + sum(buf[156:]):
            member = super().frombuf(buf, encoding, errors)
            # tarfile reads a long header whole, and with a negative size goes back, forever.
            if member.size < 0 or (member.type in _LONG_HEADERS and member.size > MAX_HEADER_BYTES):
                raise tarfile.HeaderError(f"a header says {member.size} bytes")
            return member
        member = cls(plain["name"].decode(encoding, errors))
        member.size = int(plain["size"], 8)
        return member


def unpacked_by(head: bytes) -> str | None:
    r"""Return the program that unpacks a file with these first bytes, or None when it is not compressed.

    >>> unpacked_by(b"\x1f\x8b\x08"), unpacked_by(b"7.jpg")
    ('gunzip', None)
    """
    return next((program for magic, program in _PACKED.items() if head.startswith(magic)), None)
