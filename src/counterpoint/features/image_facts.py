"""Facts of an image that need no content: its file, its brightness, contrast, colour, sharpness and border.

They are measured on small images, of about 100 px a side, so that images of different sizes are comparable.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from counterpoint.features.decode import DecodedImage, Pixels8
from counterpoint.features.jpeg_segments import jpeg_quality

COLOUR_SIDE_PX = 32
"""The least side of the small RGB image that colours are measured on."""
GRAY_SIDE_PX = 64
"""The least side of the gray image that brightness, contrast and sharpness are measured on."""
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
    values = [
        *_of_gray(_reduced(decoded.pixels, GRAY_SIDE_PX)),
        *_of_colours(_reduced(decoded.colours, COLOUR_SIDE_PX)),
    ]
    return (decoded.format, quality, len(data), *(round(float(value) / WHITE, 4) for value in values))


def _reduced(pixels: Pixels8, side_px: int) -> Pixels8:
    """Return *pixels*, averaged over squares, so that the shorter side has *side_px* or less than twice as many."""
    factor = min(pixels.shape[:2]) // side_px
    flat = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    return np.asarray(Image.fromarray(flat).reduce(factor)) if factor > 1 else flat


def _of_gray(gray: Pixels8) -> tuple[float, float, float]:
    """Return brightness, contrast and sharpness: the second differences of pixels as a share of the contrast."""
    brightness, contrast = float(gray.mean()), float(gray.std())
    if contrast == 0 or min(gray.shape) < 3:
        return brightness, contrast, 0.0
    wide = gray.astype(np.int32)
    second = wide[2:, 1:-1] + wide[:-2, 1:-1] + wide[1:-1, 2:] + wide[1:-1, :-2] - 4 * wide[1:-1, 1:-1]
    return brightness, contrast, WHITE * float(second.std()) / contrast


def _of_colours(rgb: Pixels8) -> list[float]:
    """Return red, green, blue and saturation of an image, then the spread and the colour of its border."""
    ring = np.concatenate([rgb[0], rgb[-1], rgb[1:-1, 0], rgb[1:-1, -1]]).astype(np.int32)  # (n_pixels, 3)
    middle = np.sort(ring, axis=0)[len(ring) // 2]
    flat = rgb.reshape(-1, 3)
    red, green, blue = flat[:, 0], flat[:, 1], flat[:, 2]
    highest, lowest = (pick(pick(red, green), blue) for pick in (np.maximum, np.minimum))
    saturation = float(highest.mean()) - float(lowest.mean())
    return [
        *(float(each.mean()) for each in (red, green, blue)),
        saturation,
        float(np.abs(ring - middle).mean()),
        *middle,
    ]
