"""The identity of an image: status, size, sha256, and a perceptual hash that survives scaling and re-encoding.

The facts of each image (`features.image_facts`) are measured in the same pass.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
import polars as pl
from PIL import Image
from PIL.Image import Resampling

from counterpoint.errors import ImageError
from counterpoint.features.chunks import OnCount, ignore_count, over_chunks
from counterpoint.features.decode import Limits, Pixels8, decode_image
from counterpoint.features.image_facts import COLOUR_SIDE_PX, IMAGE_FACTS, NO_FACTS, image_facts
from counterpoint.formats.images import ImageReader
from counterpoint.schema import Frame

SIDE_PX = 32
BLANK = 0.5
"""Least swing in gray levels of the low frequencies.  An image below it has no hash: its bits would be noise."""
MEASURED = 20_000
"""The number of images whose facts are measured, about.  Of more images a sample is: colours need a second decode."""
_SPREAD, _WORD = 2_654_435_761, 1 << 32
_LOW = 8
# The first rows of the orthonormal cosine transform (type II): the whole transform takes longer.
_COSINES = np.cos(np.pi * np.outer(np.arange(_LOW), np.arange(1, 2 * SIDE_PX, 2)) / (2 * SIDE_PX))  # (8, 32)
_COSINES *= np.sqrt(np.where(np.arange(_LOW) == 0, 1, 2) / SIDE_PX)[:, None]

INSPECTED: Mapping[str, type[pl.DataType]] = {
    "image_status": pl.String,
    "width_px": pl.Int64,
    "height_px": pl.Int64,
    "sha256": pl.String,
    "phash": pl.UInt64,
    **IMAGE_FACTS,
}
"""The columns that `inspect_images` adds."""

Row = tuple[Any, ...]
"""The values of the columns of `INSPECTED`."""


def phash(gray: Pixels8) -> int | None:
    """Return the 64-bit perceptual hash of a gray image, shape (height, width[, 1]), or None if it is blank.

    The image is area-averaged to 32 × 32.  Each bit marks one of the 8 × 8 lowest frequencies that lies above their
    median [1]_.  The first bit, of the mean, is 0.

    References
    ----------
    .. [1] C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1.

    Examples
    --------
    >>> ramp = np.add.outer(np.arange(64), np.arange(96) ** 1.2).astype(np.uint8)
    >>> phash(ramp) == phash(ramp[::2, ::2]), phash(np.full((64, 96), 255, dtype=np.uint8))
    (True, None)
    """
    return phashes(_thumbnail(gray)[None])[0]


def phashes(thumbnails: Pixels8) -> list[int | None]:
    """Return the perceptual hash of each thumbnail, shape (n, 32, 32).

    >>> phashes(np.zeros((2, 32, 32), dtype=np.uint8))
    [None, None]
    """
    low = (_COSINES @ thumbnails.astype(np.float64) @ _COSINES.T).reshape(len(thumbnails), 64)
    low = low.round(6)  # differences of rounding become zero
    # The median in place of the mean: the brightness of an image is no content.
    low[:, 0] = np.sort(low[:, 1:], axis=1)[:, 31]
    bits = np.ascontiguousarray(low > low[:, :1])
    hashes = np.packbits(bits, axis=1).view(">u8")[:, 0]
    swing = np.sqrt((low[:, 1:] ** 2).sum(axis=1)) / SIDE_PX  # root mean square, in gray levels
    return [int(value) if energy >= BLANK else None for value, energy in zip(hashes, swing, strict=True)]


def inspect_images(
    records: Frame, limits: Limits, *, workers: int | None = 1, on_count: OnCount = ignore_count
) -> Frame:
    """Return *records* with the columns of `INSPECTED`.  Each image is read and decoded once, in a child process.

    ``image_status`` is "ok", "missing" (a null reference, or no such file), or a reason of
    ``features.decode.REASONS``.  The size is the size of the image as shown.  The facts of `IMAGE_FACTS` are measured
    on about `MEASURED` of the images.

    Parameters
    ----------
    records
        *records* have a column ``image`` of references.
    limits
        *limits* are checked against the header of each image.  An image that takes longer than
        ``limits.max_decode_s`` has the status "decode_timeout".
    workers
        *workers* is the number of processes when there are many images (None: one a core).
    on_count
        *on_count* receives the number of finished images and the number of all.

    Examples
    --------
    >>> records = pl.DataFrame({"image": [None, "/nowhere.jpg"]}, schema={"image": pl.String})
    >>> inspect_images(records, Limits())["image_status"].to_list()
    ['missing', 'missing']
    """
    refs = records["image"].drop_nulls().unique(maintain_order=True)
    every = max(1, -(-len(refs) // MEASURED))
    work, max_decode_s = partial(_inspect, limits=limits, every=every), limits.max_decode_s
    rows = over_chunks(refs.to_list(), work, workers=workers, max_decode_s=max_decode_s, on_count=on_count)
    found = pl.DataFrame(rows, schema=dict(INSPECTED), orient="row").with_columns(refs)
    inspected = records.drop(list(INSPECTED), strict=False).join(found, on="image", how="left", maintain_order="left")
    return inspected.with_columns(pl.col("image_status").fill_null("missing"))


def _inspect(
    start: int, refs: Iterable[str | None], reader: ImageReader, *, limits: Limits, every: int = 1
) -> list[Row]:
    found = [
        _inspect_one(ref, reader, limits, is_measured=_is_measured(place, every))
        for place, ref in enumerate(refs, start)
    ]
    hashes = phashes(np.stack([thumbnail for _, _, thumbnail in found]))
    return [(*known, value, *facts) for (known, facts, _), value in zip(found, hashes, strict=True)]


def _is_measured(place: int, every: int) -> bool:
    # A hash of the place, because classes may take turns in the order of a source (Knuth's multiplicative hash).
    return place * _SPREAD % _WORD * every < _WORD


def _inspect_one(
    ref: str | None, reader: ImageReader, limits: Limits, *, is_measured: bool
) -> tuple[Any, tuple[Any, ...], Pixels8]:
    nothing = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint8)
    if ref is None:
        return ("decode_timeout", None, None, None), NO_FACTS, nothing
    digest = None
    try:
        data = reader.read(ref)
        digest = sha256(data).hexdigest()
        decoded = decode_image(data, limits=limits, mode="gray", min_side_px=2 * SIDE_PX, colour_side_px=COLOUR_SIDE_PX)
    except ImageError as error:
        status = "missing" if error.reason == "missing_file" else error.reason
        return (status, None, None, digest), NO_FACTS, nothing
    known = ("ok", decoded.width_px, decoded.height_px, digest)
    return known, image_facts(data, decoded) if is_measured else NO_FACTS, _thumbnail(decoded.pixels)


def _thumbnail(gray: Pixels8) -> Pixels8:
    image = Image.fromarray(gray.reshape(gray.shape[:2]))
    return np.asarray(image.resize((SIDE_PX, SIDE_PX), Resampling.BOX))
