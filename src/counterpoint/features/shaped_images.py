"""One image in the shape that a model reads: decoded, made a square, its channels first."""

from pathlib import Path
from typing import NamedTuple

from counterpoint.errors import ImageError, first_line
from counterpoint.features.bilinear import Resize, bilinear_square, whole
from counterpoint.features.decode import Mode, Pixels8, decode
from counterpoint.features.resize import ANY, Aspect, square
from counterpoint.formats.images import ImageReader


class ImageShape(NamedTuple):
    """The size, channels and resampling that all images of a store share.

    >>> ImageShape(64, "rgb", "keep").slot, ImageShape(64, "rgb", "keep").path(Path("cache")).name
    ((3, 64, 64), 'pixels-rgb-64-keep.npy')
    """

    side_px: int
    mode: Mode
    aspect: Aspect
    resampling: Resize = "area"

    @property
    def slot(self) -> tuple[int, int, int]:
        """The shape of one image: (channels, side_px, side_px)."""
        return (1 if self.mode == "gray" else 3), self.side_px, self.side_px

    def path(self, cache: Path) -> Path:
        """Return the path of the pixels of this shape in the folder *cache*."""
        suffix = "" if self.resampling == "area" else f"-{self.resampling}"
        return cache / f"pixels-{self.mode}-{self.side_px}-{self.aspect}{suffix}.npy"


def shaped_image(ref: str, reader: ImageReader, shape: ImageShape) -> Pixels8 | None:
    """Return an image, uint8 of shape (channels, side_px, side_px), or None when it cannot be read.

    Parameters
    ----------
    ref
        *ref* is the reference of the image.
    reader
        *reader* reads the bytes of a reference.
    shape
        *shape* is the size, the channels and the resampling.

    Examples
    --------
    >>> with ImageReader() as reader:
    ...     shaped_image("/nowhere.jpg", reader, ImageShape(8, "rgb", "keep"))
    """
    try:
        return shaped_pixels(reader.read(ref), shape)
    except ImageError:
        return None


def shaped_pixels(data: bytes, shape: ImageShape) -> Pixels8:
    """Return the image in *data*, uint8 of shape (channels, side_px, side_px).

    Raises
    ------
    ImageError
        When it cannot be decoded.
    """
    return _squared(data, shape).transpose(2, 0, 1)


def _squared(data: bytes, shape: ImageShape) -> Pixels8:
    if shape.resampling == "bilinear":
        return bilinear_square(whole(data, shape.mode), shape.side_px, shape.aspect)
    pixels = decode(data, limits=ANY, mode=shape.mode, min_side_px=2 * shape.side_px)
    return square(pixels, shape.side_px, shape.aspect)


def why_unreadable(ref: str) -> str:
    """Return the reason, in one line, why an image cannot be read, or "" when it can.

    >>> why_unreadable("/nowhere.jpg")
    'No such file or directory'
    """
    try:
        with ImageReader() as reader:
            decode(reader.read(ref), limits=ANY, mode="gray")
    except ImageError as error:
        cause = error.__cause__ if error.reason == "missing_file" else None
        return first_line(cause or error)
    return ""
