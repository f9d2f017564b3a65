"""An image as a square: its place on white, and area averages of its pixels."""

import math
from typing import Literal

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from counterpoint.features.decode import Limits, Pixels8

Aspect = Literal["keep", "squash", "crop"]
ANY = Limits(min_side_px=1, max_side_px=65_535, max_pixels=178_956_970, max_aspect=math.inf)
"""The limits of images that are resized: only decompression bombs are stopped, as by Pillow."""


def square(pixels: Pixels8, side_px: int, aspect: Aspect = "keep") -> Pixels8:
    """Return an image as a square: by area averages when it gets smaller, bilinear when it gets larger.

    Parameters
    ----------
    pixels
        *pixels* have shape (height, width, channels).
    side_px
        *side_px* is the side of the square, in pixels.
    aspect
        *aspect* is "keep" for white around the image, "squash", or "crop" for the square in its middle.

    Examples
    --------
    >>> square(np.zeros((4, 8, 1), dtype=np.uint8), 4)[:, 0, 0].tolist()
    [255, 0, 0, 255]
    """
    pixels = cropped(pixels) if aspect == "crop" else pixels
    height_px, width_px, n_channels = pixels.shape
    height, width = size_in_square(height_px, width_px, side_px, aspect)
    image = Image.fromarray(pixels[:, :, 0] if n_channels == 1 else pixels)
    image = image.resize((min(width, width_px), min(height, height_px)), Resampling.BOX)
    image = image.resize((width, height), Resampling.BILINEAR)
    return on_white(np.asarray(image).reshape(height, width, n_channels), side_px)


def size_in_square(height_px: int, width_px: int, side_px: int, aspect: Aspect) -> tuple[int, int]:
    """Return the height and width of an image in its square, in pixels.

    Parameters
    ----------
    height_px, width_px
        *height_px* and *width_px* are the size of the image.
    side_px
        *side_px* is the side of the square.
    aspect
        *aspect* is "keep", or another one for the whole square.

    Examples
    --------
    >>> size_in_square(300, 400, 64, "keep"), size_in_square(300, 400, 64, "squash")
    ((48, 64), (64, 64))
    """
    if aspect != "keep":
        return side_px, side_px
    scale = side_px / max(height_px, width_px)
    return max(1, round(height_px * scale)), max(1, round(width_px * scale))


def cropped(pixels: Pixels8) -> Pixels8:
    """Return the largest square in the middle of an image, shape (side_px, side_px, channels).

    >>> cropped(np.arange(8, dtype=np.uint8).reshape(2, 4, 1))[:, :, 0].tolist()
    [[1, 2], [5, 6]]
    """
    height_px, width_px, _ = pixels.shape
    side_px = min(height_px, width_px)
    top, left = (height_px - side_px) // 2, (width_px - side_px) // 2
    return pixels[top : top + side_px, left : left + side_px]


def on_white(pixels: Pixels8, side_px: int) -> Pixels8:
    """Return an image, shape (height, width, channels), in the middle of a white square.

    >>> on_white(np.zeros((1, 3, 1), dtype=np.uint8), 3)[:, :, 0].tolist()
    [[255, 255, 255], [0, 0, 0], [255, 255, 255]]
    """
    height, width, n_channels = pixels.shape
    white = np.full((side_px, side_px, n_channels), 255, dtype=np.uint8)
    top, left = (side_px - height) // 2, (side_px - width) // 2
    white[top : top + height, left : left + width] = pixels
    return white
