"""Bodies with a content coding that was not requested: gzip and deflate, within a limit. The content decides.

Does not read br or zstd: such a body stays as it came, and the image decoder refuses it.
"""

import zlib

MAX_CODINGS = 3
"""No serious host applies more codings than this. Such a body stays as it came."""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _RAW = 31, 15, -15


class TooLargeError(Exception):
    """A body that exceeds the allowed size once it is inflated."""


class CutOffError(Exception):
    """A compressed body that ends early, or has a wrong checksum."""


def inflated(body: bytes, codings: list[str], *, max_bytes: int) -> bytes:
    """Return *body* without the *codings* of its header. A body without a real coding is returned as it is.

    Parameters
    ----------
    body
        *body* is the body of a response.
    codings
        *codings* are the values of its Content-Encoding headers, in the order in which they were applied.
    max_bytes
        *max_bytes* bounds the inflated size, and the memory used meanwhile.

    Raises
    ------
    TooLargeError
        When the inflated body is larger.
    CutOffError
        When the body ends early or is damaged.

    Examples
    --------
    >>> import gzip
    >>> inflated(gzip.compress(b"GIF89a"), ["gzip"], max_bytes=10), inflated(b"GIF89a", ["gzip"], max_bytes=10)
    (b'GIF89a', b'GIF89a')
    """
    names = [name.strip().lower() for value in codings for name in value.split(",")]
    if len(names) > MAX_CODINGS:
        return body
    for name in reversed(names):
        if name in ("gzip", "x-gzip") and body.startswith(_GZIP_MAGIC):
            body = _inflated(body, _GZIP, max_bytes)
        elif name == "deflate":
            body = _deflated(body, max_bytes)
    return body


def _deflated(body: bytes, max_bytes: int) -> bytes:
    """Return *body* inflated: with zlib's header as in HTTP, or without one as some hosts send it."""
    has_header = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    try:
        return _inflated(body, _ZLIB if has_header else _RAW, max_bytes)
    except CutOffError:
        if has_header:
            raise
        return body  # the body was not deflated


def _inflated(body: bytes, bits: int, max_bytes: int) -> bytes:
    inflating = zlib.decompressobj(bits)
    try:
        found = inflating.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise CutOffError from error
    if len(found) > max_bytes:
        raise TooLargeError
    if not inflating.eof:
        raise CutOffError
    return found
