"""One picture of a stranger: its pixels from the guarded decoder in a child process, and copies with one patch hidden.

The calling process decodes nothing.  A picture that hangs or crashes the decoder costs the child alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from counterpoint.errors import CounterpointError, ImageError
from counterpoint.features.chunks import over_chunks
from counterpoint.features.decode import Limits, Pixels8, decode, header
from counterpoint.features.resize import size_in_square
from counterpoint.formats.images import ImageReader
from counterpoint.formats.png import rgb_png

SIDE_PX = 256
"""The longest side of the copies, in pixels."""
GRID = 4
"""The number of patches in a row, and of rows."""
LIMITS, LIMITS_OF_JPEG = Limits(max_pixels=12_500_000), Limits(max_pixels=32_000_000)
"""Fewer pixels than elsewhere, to save memory.  A JPEG may have more, because it is decoded at a smaller size."""
LARGE_PIXELS = 4_000_000
MOST_DECODE_S = 10.0
ALLOWED = "allowed: JPEG, PNG, GIF, WebP, AVIF"
WHY: Mapping[str, str] = {
    "empty_body": f"The picture is empty; {ALLOWED}.",
    "not_image": f"The file is no picture; {ALLOWED}.",
    "unsupported_format": f"The picture has another format; {ALLOWED}.",
    "truncated_image": "The picture ends too soon. Was it cut?",
    "decode_error": "The picture is damaged and cannot be decoded.",
    "decode_timeout": f"The picture took longer than {MOST_DECODE_S:g} s to decode.",
}
"""The sentence for each reason of the decoder.  The other reasons are about a size, which is added."""


class Picture(NamedTuple):
    """A small copy of a picture, and whether the child that decoded it may hold much memory."""

    pixels: Pixels8
    is_large: bool


class PictureError(CounterpointError):
    """A picture that cannot be read, in one line without a path of this machine."""


def read_picture(path: Path) -> Picture:
    """Return a small copy of the picture, uint8 of shape (height, width, 3), with no side above `SIDE_PX`.

    Raises
    ------
    PictureError
        When it is no picture, or one that is too large, damaged or slow.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "picture")
    ...     n = path.write_bytes(rgb_png(np.zeros((300, 600, 3), np.uint8)))
    ...     read_picture(path).pixels.shape
    (128, 256, 3)
    """
    try:
        [found] = over_chunks([str(path)], _pictures, workers=1, max_decode_s=MOST_DECODE_S)
    except CounterpointError:  # the child died at it three times
        raise PictureError(WHY["decode_error"]) from None
    if isinstance(found, str):
        raise PictureError(found)
    return found


def _pictures(_: int, refs: Iterable[str | None], reader: ImageReader) -> list[Picture | str]:
    """Return each picture, or the reason why it cannot be read.  Runs in the child."""
    return [WHY["decode_timeout"] if ref is None else _picture(ref, reader) for ref in refs]


def _picture(ref: str, reader: ImageReader) -> Picture | str:
    try:
        data = reader.read(ref)
        kind, width_px, height_px = header(data)
        limits = LIMITS_OF_JPEG if kind == "jpeg" else LIMITS
        pixels = decode(data, limits=limits, mode="rgb", min_side_px=SIDE_PX)
    except ImageError as error:
        return WHY.get(error.reason) or f"The size of the picture is not allowed: {error.detail}."
    return Picture(_small(pixels), width_px * height_px > LARGE_PIXELS)


def _small(pixels: Pixels8) -> Pixels8:
    height_px, width_px, _ = pixels.shape
    if max(height_px, width_px) <= SIDE_PX:
        return pixels
    height, width = size_in_square(height_px, width_px, SIDE_PX, "keep")
    return np.asarray(Image.fromarray(pixels).resize((width, height), Resampling.BOX))


def hidden_patches(pixels: Pixels8) -> Iterator[Pixels8]:
    """Yield a copy of *pixels* for each patch, row by row, in which that patch has the mean colour.

    >>> black = np.zeros((8, 8, 3), np.uint8)
    >>> black[0, 0] = 255
    >>> first, *others = hidden_patches(black)
    >>> len(others), int(first[0, 0, 0]), int(others[0][0, 0, 0])
    (15, 4, 255)
    """
    mean = pixels.reshape(-1, pixels.shape[2]).mean(axis=0).round()
    height_px, width_px, _ = pixels.shape
    for row in range(GRID):
        for column in range(GRID):
            copy = pixels.copy()
            copy[_part(row, height_px), _part(column, width_px)] = mean
            yield copy


def _part(place: int, n_px: int) -> slice:
    return slice(place * n_px // GRID, (place + 1) * n_px // GRID)


def write_copies(pixels: Pixels8, folder: Path) -> list[str]:
    """Write *pixels* and its `hidden_patches` as files into *folder*, and return their paths, the whole picture first.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(write_copies(np.zeros((8, 8, 3), np.uint8), Path(folder)))
    17
    """
    paths = []
    for number, copy in enumerate([pixels, *hidden_patches(pixels)]):
        path = folder / f"copy-{number}.png"
        path.write_bytes(rgb_png(copy))
        paths.append(str(path))
    return paths
