"""What is kept of an image: the bytes of any body in, a status and what a shard holds of it out; no bytes raise.

A JPEG is decoded at the least size that serves, because nearly all time goes there.  How exact that is was measured on
noisy photos of 400 to 800 px, as the mean absolute difference (in gray levels) from an average over the exact area:
2.4 for ``gray-64``, 1.7 for ``jpeg-256``.  Pillow's BOX filter takes a pixel whole or not at all (2.8 and 2.2, and the
whole image decoded .6 and 1.1); HAMMING, which weighs those at the border, is nearer to the average over an area.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import simplejpeg
from PIL import Image
from PIL.Image import Resampling

from counterpoint.acquire.statuses import OK
from counterpoint.errors import ImageError
from counterpoint.features.decode import DecodedImage, Limits, Pixels8, decode_image, header
from counterpoint.features.hashes import phash

GRAY_PX = 64
LONG_PX = 256
QUALITY = 95
"""That of OpenCV, by which img2dataset writes."""
_SPARE = {GRAY_PX: 1.5, LONG_PX: 1.25}
"""How much larger than each target a JPEG is decoded at least."""


class SlotOutcome(NamedTuple):
    """How a slot ended, and what is kept of it: columns of ``formats.shards.SHARD``."""

    status: str
    sha256: str | None = None
    phash: int | None = None
    format: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    n_bytes: int | None = None
    image: bytes | None = None


def transcode(body: bytes, *, limits: Limits, kept: str, sha256_expected: str | None = None) -> SlotOutcome:
    """Return what is kept of *body*, or why nothing is.

    Parameters
    ----------
    body
        *body* is an image as a server sent it, or anything else that it sent.
    limits
        *limits* are checked against the header, before anything is decoded.
    kept
        *kept* is a key of `TRANSCODERS`: ``jpeg-256``, ``gray-64`` or ``original``.
    sha256_expected
        *sha256_expected* is what the body must hash to, in hex; if not, it is not decoded.

    Examples
    --------
    >>> image = simplejpeg.encode_jpeg(np.zeros((300, 512, 3), dtype=np.uint8))
    >>> kept = transcode(image, limits=Limits(), kept="jpeg-256")
    >>> kept.status, kept.width_px, kept.height_px, header(kept.image)
    ('ok', 512, 300, ('jpeg', 256, 150))
    >>> transcode(b"<html>", limits=Limits(), kept="gray-64").status
    'not_image'
    """
    digest = sha256(body).hexdigest()
    failed = SlotOutcome(OK, sha256=digest, n_bytes=len(body))
    if sha256_expected is not None and digest != sha256_expected.strip().lower():
        return failed._replace(status="hash_mismatch")
    try:
        picture, gray, image = TRANSCODERS[kept](body, limits)
        perceptual_hash = phash(gray)
    except ImageError as error:
        return failed._replace(status=_status(error))
    except (MemoryError, OSError, ValueError):  # of a resize or an encoder, when memory is short
        return failed._replace(status="internal")
    return SlotOutcome(
        OK, digest, perceptual_hash, picture.format, picture.width_px, picture.height_px, len(body), image
    )


def _status(error: ImageError) -> str:
    if isinstance(error.__cause__, MemoryError):
        return "internal"
    return "too_many_pixels" if error.reason == "too_large" else error.reason


def _gray_64(body: bytes, limits: Limits) -> tuple[DecodedImage, Pixels8, bytes]:
    """Keep 4,096 bytes, one a pixel of the image as a square of 64 px, its aspect not kept."""
    picture = decode_image(body, limits=limits, mode="gray", min_side_px=int(GRAY_PX * _SPARE[GRAY_PX]))
    gray = _resized(picture.pixels, GRAY_PX, GRAY_PX)
    return picture, np.asarray(gray.reduce(2)), gray.tobytes()


def _jpeg_256(body: bytes, limits: Limits) -> tuple[DecodedImage, Pixels8, bytes]:
    """Keep a JPEG in colour of at most 256 px on its long side, never enlarged, its aspect kept."""
    _, *size = header(body)
    least_px = round(min(_fitted(*size)) * _SPARE[LONG_PX])
    picture = decode_image(body, limits=limits, mode="rgb", min_side_px=least_px)
    small = _resized(picture.pixels, *_fitted(picture.width_px, picture.height_px))
    # 4:2:0, as cameras write it: finer colour would cost a sixth more bytes, and half as much time again.
    image = simplejpeg.encode_jpeg(np.asarray(small), quality=QUALITY, colorspace="RGB", colorsubsampling="420")
    return picture, np.asarray(small.convert("L")), image


def _original(body: bytes, limits: Limits) -> tuple[DecodedImage, Pixels8, bytes]:
    """Keep the bytes as they came; they are decoded nevertheless, or a broken image would count as one."""
    picture = decode_image(body, limits=limits, mode="gray", min_side_px=GRAY_PX)
    return picture, picture.pixels, body


TRANSCODERS: Mapping[str, Callable[[bytes, Limits], tuple[DecodedImage, Pixels8, bytes]]] = {
    "jpeg-256": _jpeg_256,
    "gray-64": _gray_64,
    "original": _original,
}
"""For each value of ``keep``: from a body to its picture, gray pixels for the perceptual hash, and what is kept."""


def _fitted(width_px: int, height_px: int) -> tuple[int, int]:
    """Return a size of the same aspect whose long side is at most 256 px.

    >>> _fitted(1000, 500), _fitted(20, 30), _fitted(10_000, 10)
    ((256, 128), (20, 30), (256, 1))
    """
    scale = min(1.0, LONG_PX / max(width_px, height_px))
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))


def _resized(pixels: Pixels8, width_px: int, height_px: int) -> Any:
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return image.resize((width_px, height_px), Resampling.HAMMING)
