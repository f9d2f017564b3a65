"""The contents of pairs and their hashes, by which vectors are stored: of a text its UTF-8, of an image its file."""

from hashlib import sha256
from typing import NamedTuple

import numpy as np
import polars as pl

from counterpoint.encoders.store import HASH_BYTES, Bools, Hashes
from counterpoint.errors import ImageError, SchemaError
from counterpoint.formats.images import ImageReader
from counterpoint.schema import Frame

_NONE = bytes(HASH_BYTES)


class Contents(NamedTuple):
    """The texts, or the image references, of n pairs.

    Attributes
    ----------
    values
        *values* are strings, or null.
    hashes
        *hashes* are the hashes of the contents, uint8 of shape (n, 32).  A missing content has zeros.
    is_missing
        *is_missing* marks a null, and an image whose file cannot be read.
    """

    values: pl.Series
    hashes: Hashes
    is_missing: Bools


def contents_of(pairs: Frame, modality: str) -> Contents:
    """Return the contents of the column *modality* ("text" or "image").

    The hash of an image is in the column ``sha256`` where the pairs have it, else its file is read.

    Raises
    ------
    SchemaError
        When *pairs* lack the column.

    Examples
    --------
    >>> contents = contents_of(pl.DataFrame({"text": ["a fox", None, "a fox"]}), "text")
    >>> contents.is_missing.tolist(), (contents.hashes[0] == contents.hashes[2]).all()
    ([False, True, False], np.True_)
    """
    if modality not in pairs.columns:
        raise SchemaError(f"Pairs lack {modality}; found {', '.join(pairs.columns)}.")
    values = pairs[modality].cast(pl.String)
    digests = _of_texts(values) if modality == "text" else _of_images(pairs, values)
    hashes = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, HASH_BYTES)
    return Contents(values, hashes, np.array([digest is _NONE for digest in digests], dtype=bool))


def hash_of_image(ref: str, reader: ImageReader) -> bytes | None:
    """Return the sha256 of the stored bytes of *ref*, or None when they cannot be read."""
    try:
        return sha256(reader.read(ref)).digest()
    except ImageError:
        return None


def _of_texts(texts: pl.Series) -> list[bytes]:
    return [_NONE if text is None else sha256(text.encode()).digest() for text in texts]


def _of_images(pairs: Frame, refs: pl.Series) -> list[bytes]:
    known = pairs["sha256"] if pairs.schema.get("sha256") == pl.String else pl.repeat(None, len(pairs), eager=True)
    given = known.cast(pl.String).str.decode("hex", strict=False)
    with ImageReader() as reader:
        return [
            _NONE if ref is None else digest if _is_hash(digest) else hash_of_image(ref, reader) or _NONE
            for ref, digest in zip(refs, given, strict=True)
        ]


def _is_hash(digest: bytes | None) -> bool:
    return digest is not None and len(digest) == HASH_BYTES
