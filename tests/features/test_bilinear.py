"""Pixels as the 2023 study made them: what OpenCV 4.14 says of these pictures is written down here."""

import io
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from counterpoint.features.bilinear import bilinear, gray_square, luma


def picture(height: int, width: int) -> np.ndarray:
    row, column = np.mgrid[:height, :width]
    return ((row * row * 31 + column * column * 17 + row * column * 7 + 13 * row) % 256).astype(np.uint8)


def digest(pixels: np.ndarray) -> str:
    return sha256(pixels.tobytes()).hexdigest()[:16]


def test_small_pictures_are_resized_as_by_cv2_resize():
    down = [[32, 72, 163, 80], [67, 127, 78, 145], [111, 160, 132, 176]]
    up = [[0, 7, 17, 47, 68], [11, 18, 30, 61, 83], [33, 42, 55, 89, 112], [44, 53, 68, 103, 126]]
    assert bilinear(picture(7, 5), 4, 3).tolist() == down
    assert bilinear(picture(2, 3), 5, 4).tolist() == up


@pytest.mark.parametrize(
    ("height", "width", "of_cv2"),
    [
        (480, 640, "6400914f2f99012e"),
        (333, 500, "29fff98031271898"),
        (128, 128, "9154e65e91835454"),  # exactly half: OpenCV averages there
        (40, 30, "429c3bbe87ff63c8"),
        (16, 200, "e8622bc3a9a101a2"),
        (1, 1, "ad7facb2586fc6e9"),
    ],
)
def test_every_pixel_is_that_of_cv2_resize(height, width, of_cv2):
    assert digest(bilinear(picture(height, width), 64, 64)) == of_cv2


def test_gray_is_that_of_cv2_cvtcolor():
    bgr = np.dstack([picture(30, 40), picture(31, 40)[1:], picture(30, 41)[:, 1:]])
    assert digest(luma(np.ascontiguousarray(bgr[:, :, ::-1]))) == "07fcc8ec08cb258f"


def test_area_averages_a_pattern_that_bilinear_takes_for_another():
    stripes = np.zeros((64, 512), dtype=np.uint8)
    stripes[:, 3::8] = stripes[:, 4::8] = 255
    file = io.BytesIO()
    Image.fromarray(stripes).save(file, "PNG")
    assert np.unique(gray_square(file.getvalue(), resize="bilinear")).tolist() == [255]
    assert np.unique(gray_square(file.getvalue(), resize="area")).tolist() == [64]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_of_any_format_and_shape_becomes_a_square(kind):
    file = io.BytesIO()
    Image.fromarray(np.full((20, 90, 3), (200, 100, 50), dtype=np.uint8)).save(file, kind)
    for resize in ("bilinear", "area"):
        square = gray_square(file.getvalue(), side_px=8, resize=resize)
        assert (square.shape, square.dtype) == ((8, 8), np.uint8)
        assert np.ptp(square) == 0
        assert abs(int(square[0, 0]) - 124) <= 1
