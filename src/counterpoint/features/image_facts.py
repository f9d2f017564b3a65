"""Facts of an image that need no content: its file, its brightness, contrast, colour, sharpness and border.

They are measured on small images, of about 100 px a side, so that images of different sizes are comparable.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from counterpoint.features.decode import DecodedImage, Pixels8
from counterpoint.features.jpeg_segments import jpeg_quality

COLOUR_SIDE_PX = 32
"""The least side of the small RGB image that colours are measured on."""
_GRAY_SIDE_PX = 64
WHITE = 255.0

IMAGE_FACTS: Mapping[str, type[pl.DataType]] = {
    "image_format": pl.String,
    "image_quality": pl.Int64,
    "image_bytes": pl.Int64,
    "image_brightness": pl.Float64,
    "image_contrast": pl.Float64,
    "image_sharpness": pl.Float64,
    "image_red": pl.Float64,
    "image_green": pl.Float64,
    "image_blue": pl.Float64,
    "image_saturation": pl.Float64,
    "image_border_spread": pl.Float64,
    "image_border_red": pl.Float64,
    "image_border_green": pl.Float64,
    "image_border_blue": pl.Float64,
}
"""The columns of facts.  Shares of white are 0 to 1.  The quality is that of a JPEG, 1 to 100."""

NO_FACTS = (None,) * len(IMAGE_FACTS)


def image_facts(data: bytes, decoded: DecodedImage) -> tuple[Any, ...]:
    """Return the values of `IMAGE_FACTS` of one image.

    The border is the outermost ring of pixels.  Its spread is the mean absolute deviation from its median, in each of
    red, green and blue, as a share of white.  A plain border has a spread near 0.

    Parameters
    ----------
    data
        *data* is the image as stored.
    decoded
        *decoded* is the decoded image in gray, with its colours (`decode_image` with *colour_side_px*).

    Examples
    --------
    >>> from io import BytesIO
    >>> from counterpoint.features.decode import Limits, decode_image
    >>> file = BytesIO()
    >>> Image.new("RGB", (80, 60), (255, 0, 0)).save(file, "PNG")
    >>> decoded = decode_image(file.getvalue(), limits=Limits(), mode="gray", colour_side_px=COLOUR_SIDE_PX)
    >>> found = dict(zip(IMAGE_FACTS, image_facts(file.getvalue(), decoded), strict=True))
    >>> found["image_format"], found["image_red"], found["image_blue"], found["image_border_spread"]
    ('png', 1.0, 0.0, 0.0)
    """
    assert decoded.colours is not None
    quality = jpeg_quality(data) if decoded.format == "jpeg" else None
    values = [*_of_gray(_reduced(decoded.pixels)), *_of_colours(decoded.colours / WHITE)]
    return (decoded.format, quality, len(data), *(round(float(value), 4) for value in values))


def _reduced(gray: Pixels8) -> NDArray[np.float64]:
    image = Image.fromarray(gray.reshape(gray.shape[:2]))
    return np.asarray(image.reduce(max(1, min(image.size) // _GRAY_SIDE_PX))) / WHITE


def _of_gray(gray: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return brightness, contrast and sharpness: the second differences of pixels as a share of the contrast."""
    contrast = float(gray.std())
    if contrast == 0 or min(gray.shape) < 3:
        return float(gray.mean()), contrast, 0.0
    inner = gray[1:-1, 1:-1]
    second = gray[2:, 1:-1] + gray[:-2, 1:-1] + gray[1:-1, 2:] + gray[1:-1, :-2] - 4 * inner
    return float(gray.mean()), contrast, float(second.std()) / contrast


def _of_colours(rgb: NDArray[np.float64]) -> list[float]:
    """Return red, green, blue and saturation of an image, then the spread and the colour of its border."""
    ring = np.concatenate([rgb[0], rgb[-1], rgb[1:-1, 0], rgb[1:-1, -1]])  # (n_pixels, 3)
    middle = np.median(ring, axis=0)
    saturation = float((rgb.max(2) - rgb.min(2)).mean())
    return [*rgb.mean((0, 1)), saturation, float(np.abs(ring - middle).mean()), *middle]
