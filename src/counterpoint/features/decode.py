"""The one guarded decoder: bytes of any origin in, pixels out, or an `ImageError` with one word of a closed list.

Magic bytes decide the format, never the name.  The header is checked before anything is decoded.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Any, Literal, NamedTuple

import numpy as np
import simplejpeg
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from counterpoint.errors import ImageError
from counterpoint.features.jpeg_segments import exif_orientation, jpeg_head
from counterpoint.formats.magic import image_format

REASONS = (
    "missing_file", "empty_body", "not_image", "unsupported_format", "decode_error", "truncated_image",
    "too_many_pixels", "too_small", "too_large", "aspect", "decode_timeout",
)  # fmt: skip
"""Reasons why an image cannot be used.  No decoder raises ``decode_timeout``, the reason when a process hangs."""
MAX_DECODE_S = 20.0
"""Default of the longest time of one image.  The slowest image of 64 megapixels takes a sixth of it."""
MAX_JPEG_SCANS = 100
"""A progressive JPEG for browsers has about ten scans.  Thousands of scans over a large image take minutes."""
MAX_SCANNED_PIXELS = 1_280_000_000
"""Most pixels times scans of a JPEG: twenty scans of 64 megapixels.  Even an empty scan visits each pixel."""
STRIP_PIXELS = 1 << 20
"""The number of pixels that are converted at once: copies of a whole large image would take a gigabyte."""

Mode = Literal["gray", "rgb"]
Pixels8 = np.ndarray[Any, np.dtype[np.uint8]]

_PLUGINS: dict[str, type[ImageFile]] = {
    "jpeg": JpegImageFile, "png": PngImageFile, "gif": GifImageFile, "webp": WebPImageFile, "avif": AvifImageFile,
}  # fmt: skip
_CUT = re.compile("truncated|premature end of jpeg|requires a buffer|no more images", re.IGNORECASE)
_TURNS: dict[int, Callable[[Pixels8], Pixels8]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}
_quiet = Lock()


@dataclass(frozen=True)
class Limits:
    """Limits of the size of an image, and of the time that decoding takes.

    *max_aspect* is the long side over the short side.  The caller of the decoder limits the time
    (``engines.time_limit``).
    """

    min_side_px: int = 8
    max_side_px: int = 20_000
    max_pixels: int = 64_000_000
    max_aspect: float = 20.0
    max_decode_s: float = MAX_DECODE_S

    def check(self, width_px: int, height_px: int) -> None:
        """Raise `ImageError` when an image of this size must not be decoded.

        >>> Limits().check(640, 480)
        >>> Limits().check(16_000, 16_000)
        Traceback (most recent call last):
        counterpoint.errors.ImageError: too_many_pixels: 16000 x 16000 px, at most 64000000 pixels
        """
        size, short, long = f"{width_px} x {height_px} px", min(width_px, height_px), max(width_px, height_px)
        if width_px * height_px > self.max_pixels:
            raise ImageError("too_many_pixels", f"{size}, at most {self.max_pixels} pixels")
        if short < self.min_side_px:
            raise ImageError("too_small", f"{size}, at least {self.min_side_px} px a side")
        if long > self.max_side_px:
            raise ImageError("too_large", f"{size}, at most {self.max_side_px} px a side")
        if long > short * self.max_aspect:
            raise ImageError("aspect", f"{size}, at most {self.max_aspect:g} to 1")


class DecodedImage(NamedTuple):
    """A decoded image, with the width and the height of the whole image as shown, before any scaling.

    *colours* is a second, small image in RGB, where one was requested.
    """

    pixels: Pixels8
    width_px: int
    height_px: int
    format: str
    colours: Pixels8 | None = None


def decode(data: bytes, *, limits: Limits, mode: Mode, min_side_px: int | None = None) -> Pixels8:
    """Return the pixels of an image as shown, uint8 of shape (height, width, channels).

    Transparent pixels lie on white, the EXIF rotation is applied, and an animation gives its first frame.

    Parameters
    ----------
    data
        *data* is the image as stored: JPEG, PNG, GIF, WebP or AVIF.
    limits
        *limits* are checked against the header, before decoding.
    mode
        *mode* is "gray" (one channel: ITU-R 601 luma) or "rgb" (three).
    min_side_px
        *min_side_px* allows a JPEG to be decoded at an eighth, a quarter … of its size, with no side shorter than this.

    Raises
    ------
    ImageError
        With a reason of `REASONS`, and never another exception.

    Examples
    --------
    >>> file = BytesIO()
    >>> Image.new("1", (12, 10), 1).save(file, "PNG")
    >>> pixels = decode(file.getvalue(), limits=Limits(), mode="gray")
    >>> pixels.shape, int(pixels.min())
    ((10, 12, 1), 255)
    """
    return decode_image(data, limits=limits, mode=mode, min_side_px=min_side_px).pixels


def decode_image(
    data: bytes, *, limits: Limits, mode: Mode, min_side_px: int | None = None, colour_side_px: int | None = None
) -> DecodedImage:
    """Return the pixels of an image like `decode`, with the size and the format of the whole image.

    Parameters
    ----------
    data
        *data* is the image as stored: JPEG, PNG, GIF, WebP or AVIF.
    limits
        *limits* are checked against the header, before decoding.
    mode
        *mode* is "gray" (one channel: ITU-R 601 luma) or "rgb" (three).
    min_side_px
        *min_side_px* allows a JPEG to be decoded at an eighth, a quarter … of its size, with no side shorter than this.
    colour_side_px
        *colour_side_px* adds a small RGB image, with no side shorter than this if the image has so many pixels.

    Raises
    ------
    ImageError
        With a reason of `REASONS`, and never another exception.

    Examples
    --------
    >>> file = BytesIO()
    >>> Image.new("RGB", (800, 400)).save(file, "JPEG")
    >>> image = decode_image(file.getvalue(), limits=Limits(), mode="rgb", min_side_px=100)
    >>> image.width_px, image.height_px, image.format, image.pixels.shape
    (800, 400, 'jpeg', (100, 200, 3))
    """
    kind, width_px, height_px = header(data)
    limits.check(width_px, height_px)
    with _guarded():
        if kind == "jpeg" and _plain_jpeg_size(data):
            found, turn = _decode_jpeg(data, mode, min_side_px or 0, colour_side_px, n_pixels=width_px * height_px)
        else:
            found, turn = _decode_with_pillow(data, kind, mode, colour_side_px, n_pixels=width_px * height_px)
    if turn in _TURNS:
        found = [np.ascontiguousarray(_TURNS[turn](pixels)) for pixels in found]
    if turn >= 5:
        width_px, height_px = height_px, width_px
    return DecodedImage(found[0], width_px, height_px, kind, *found[1:])


def header(data: bytes) -> tuple[str, int, int]:
    """Return (format, width_px, height_px) of the header, without decoding and without the EXIF rotation.

    Raises
    ------
    ImageError
        ``empty_body``, ``not_image``, ``unsupported_format``, ``truncated_image`` or ``decode_error``.

    Examples
    --------
    >>> file = BytesIO()
    >>> Image.new("RGB", (12, 10)).save(file, "WEBP")
    >>> header(file.getvalue())
    ('webp', 12, 10)
    """
    kind = image_format(data)
    with _guarded():
        if kind == "jpeg" and (size := _plain_jpeg_size(data)):
            return kind, *size
        with _silent(), _open(data, kind) as image:
            return kind, *image.size


def _plain_jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a JPEG that libjpeg-turbo decodes to gray and RGB, else None."""
    try:
        height_px, width_px, space, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    return (width_px, height_px) if space in ("YCbCr", "Gray", "RGB") else None


def _check_scans(data: bytes, n_pixels: int) -> None:
    n_scans, most = data.count(b"\xff\xda"), min(MAX_JPEG_SCANS, MAX_SCANNED_PIXELS // max(1, n_pixels))
    if n_scans > most:
        raise ImageError("decode_error", f"{n_scans} scans of {n_pixels} pixels, at most {most}")


def _decode_jpeg(
    data: bytes, mode: Mode, min_side_px: int, colour_side_px: int | None, *, n_pixels: int
) -> tuple[list[Pixels8], int]:
    has_one_scan, exif = jpeg_head(data)
    if not has_one_scan:
        _check_scans(data, n_pixels)
    wanted = [(mode.upper(), min_side_px)] + ([("RGB", colour_side_px)] if colour_side_px else [])
    # Seven eighths of the size take longer than the whole size, and are less exact.
    found = [
        simplejpeg.decode_jpeg(data, space, min_height=side_px, min_width=side_px, min_factor=1.25)
        for space, side_px in wanted
    ]
    return found, exif_orientation(exif)


def _decode_with_pillow(
    data: bytes, kind: str, mode: Mode, colour_side_px: int | None, *, n_pixels: int
) -> tuple[list[Pixels8], int]:
    if kind == "jpeg":
        _check_scans(data, n_pixels)
    with _silent(), _open(data, kind) as image:
        image.load()
        found = [_flat(image, mode)] + ([_small_rgb(image, colour_side_px)] if colour_side_px else [])
        return found, exif_orientation(image.info.get("exif") or b"")


def _open(data: bytes, kind: str) -> ImageFile:
    # The plugin itself, not Image.open, which guesses the format and warns of sizes that `Limits` refuses.
    if kind == "webp" and len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise ImageError("truncated_image")
    return _PLUGINS[kind](BytesIO(data))


def _flat(image: Image.Image, mode: Mode) -> Pixels8:
    (width, height), (space, n_channels) = image.size, {"gray": ("L", 1), "rgb": ("RGB", 3)}[mode]
    pixels = np.empty((height, width, n_channels), np.uint8)
    n_rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, n_rows):
        strip = image.crop((0, top, width, min(top + n_rows, height))) if n_rows < height else image
        flat = np.asarray(_on_white(strip).convert(space))
        pixels[top : top + n_rows] = flat.reshape(-1, width, n_channels)
    return pixels


def _small_rgb(image: Image.Image, side_px: int) -> Pixels8:
    """Return *image* in RGB, averaged over squares of pixels, so that its shorter side has *side_px* or a few more."""
    width, height = image.size
    factor = max(1, min(width, height) // side_px)
    n_rows = max(1, STRIP_PIXELS // width // factor) * factor
    strips = (image.crop((0, top, width, min(top + n_rows, height))) for top in range(0, height, n_rows))
    return np.concatenate([np.asarray(_on_white(strip).convert("RGB").reduce(factor)) for strip in strips])


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # convert() would clip, not scale
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white


@contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError("too_many_pixels", _line(error)) from error
    except Exception as error:  # Bytes are hostile, and Pillow raises nearly every exception.
        raise ImageError("truncated_image" if _CUT.search(str(error)) else "decode_error", _line(error)) from error


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())[:200]


@contextmanager
def _silent() -> Iterator[None]:
    # The filters of warnings are global to the process, so only one thread at a time may change them.
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
