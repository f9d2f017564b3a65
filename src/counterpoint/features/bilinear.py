"""Bilinear resizing without averaging, with the same bytes as ``resize`` of OpenCV.

A large image that is made small in this way is a few of its pixels.  Fine patterns turn into other patterns (aliasing).
`features.resize.square` averages instead.
"""

from typing import Any, Literal

import numpy as np

from counterpoint.features.decode import Mode, Pixels8, decode
from counterpoint.features.resize import ANY, Aspect, cropped, on_white, size_in_square, square
from counterpoint.formats.magic import image_format

Resize = Literal["bilinear", "area"]
SIDE_PX = 64

_UNIT = 2048
"""The weight of a whole pixel: OpenCV uses integer weights."""


def gray_square(data: bytes, *, side_px: int = SIDE_PX, resize: Resize = "bilinear") -> Pixels8:
    """Return an image as gray pixels, uint8 of shape (side_px, side_px), stretched to the square.

    Parameters
    ----------
    data
        *data* is the image as stored.
    side_px
        *side_px* is the side of the square, in pixels.
    resize
        *resize* is "bilinear" (``cv2.resize``), or "area", which averages.

    Raises
    ------
    ImageError
        When the image cannot be decoded.

    Examples
    --------
    >>> from io import BytesIO
    >>> from PIL import Image
    >>> file = BytesIO()
    >>> Image.new("RGB", (300, 200), "red").save(file, "PNG")
    >>> gray_square(file.getvalue(), side_px=2).tolist()
    [[76, 76], [76, 76]]
    """
    if resize == "area":
        return square(decode(data, limits=ANY, mode="gray", min_side_px=2 * side_px), side_px, "squash")[:, :, 0]
    return bilinear_square(whole(data, "gray"), side_px)[:, :, 0]


def whole(data: bytes, mode: Mode) -> Pixels8:
    """Return an image in its own size, shape (height, width, channels), as ``cv2.imread`` reads it.

    The gray of a JPEG is stored in the file.  The gray of any other format is its `luma`.

    Raises
    ------
    ImageError
        When the image cannot be decoded.
    """
    if mode == "gray" and image_format(data) != "jpeg":
        return luma(decode(data, limits=ANY, mode="rgb"))[:, :, None]
    return decode(data, limits=ANY, mode=mode)


def bilinear_square(pixels: Pixels8, side_px: int, aspect: Aspect = "squash") -> Pixels8:
    """Return an image as a square, with each channel resized by `bilinear`.

    Parameters
    ----------
    pixels
        *pixels* have shape (height, width, channels).
    side_px
        *side_px* is the side of the square, in pixels.
    aspect
        *aspect* is "squash", "keep" for white around the image, or "crop" for the square in its middle.

    Examples
    --------
    >>> bilinear_square(np.zeros((4, 8, 3), dtype=np.uint8), 4, "keep")[:, 0].tolist()
    [[255, 255, 255], [0, 0, 0], [0, 0, 0], [255, 255, 255]]
    """
    pixels = cropped(pixels) if aspect == "crop" else pixels
    height_px, width_px, _ = pixels.shape
    height, width = size_in_square(height_px, width_px, side_px, aspect)
    channels = [bilinear(channel, width, height) for channel in pixels.transpose(2, 0, 1)]
    return on_white(np.stack(channels, axis=2), side_px)


def luma(rgb: Pixels8) -> Pixels8:
    """Return the gray of colours, shape (height, width), rounded as OpenCV's ``cvtColor`` rounds.

    >>> luma(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)).tolist()
    [[76, 150, 29]]
    """
    weighed = rgb.astype(np.int32) @ np.array([9798, 19235, 3735], dtype=np.int32)
    return ((weighed + (1 << 14)) >> 15).astype(np.uint8)


def bilinear(pixels: Pixels8, width_px: int, height_px: int) -> Pixels8:
    """Return gray pixels in another size, with the same bytes as ``cv2.resize(…, INTER_LINEAR)``.

    Parameters
    ----------
    pixels
        *pixels* have shape (height, width).
    width_px, height_px
        *width_px* and *height_px* are the new size.

    Examples
    --------
    >>> bilinear(np.array([[0, 100], [100, 200]], dtype=np.uint8), 3, 1).tolist()
    [[50, 100, 150]]
    """
    left, right, of_left, of_right = _places(pixels.shape[1], width_px, stops_at_the_edge=True)
    upper, lower, of_upper, of_lower = _places(pixels.shape[0], height_px, stops_at_the_edge=False)
    wide = pixels.astype(np.int64)
    rows = (wide[:, left] * of_left + wide[:, right] * of_right) >> 4  # (height before, width)
    above, below = (of_upper[:, None] * rows[upper]) >> 16, (of_lower[:, None] * rows[lower]) >> 16
    resized: Pixels8 = ((above + below + 2) >> 2).clip(0, 255).astype(np.uint8)
    return resized


def _places(n_before: int, n_after: int, *, stops_at_the_edge: bool) -> tuple[Any, Any, Any, Any]:
    """Return the two pixels on both sides of each new pixel, and their weights.

    At the edge both are the same pixel.  In rows, OpenCV then gives one of them all the weight.
    """
    scale = 1 / (n_after / n_before)
    centre = ((np.arange(n_after) + 0.5) * scale - 0.5).astype(np.float32)
    first = np.floor(centre).astype(np.int64)
    share = centre - first.astype(np.float32)
    if stops_at_the_edge:
        share[(first < 0) | (first >= n_before - 1)] = 0
    weights = [np.rint(part * np.float32(_UNIT)).astype(np.int64) for part in (1 - share, share)]
    return first.clip(0, n_before - 1), (first + 1).clip(0, n_before - 1), *weights
