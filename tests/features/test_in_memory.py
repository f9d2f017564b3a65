"""Images in memory become paths and bytes, each as the file that it could be."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from counterpoint.errors import SchemaError
from counterpoint.features.decode import Limits, decode
from counterpoint.features.in_memory import MADE, as_frame, kept_images

RAMP = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)


def png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def pixels(image: object) -> np.ndarray:
    frame = as_frame(pd.DataFrame({"image": pd.Series([image], dtype=object)}))
    (ref,) = kept_images(frame["image"])
    return decode(Path(ref).read_bytes(), limits=Limits(), mode="rgb")


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(RAMP),
        RAMP,
        RAMP.tolist(),
        png(Image.fromarray(RAMP)),
        bytearray(png(Image.fromarray(RAMP))),
        {"bytes": png(Image.fromarray(RAMP)), "path": None},
        {"bytes": png(Image.fromarray(RAMP)), "path": "not read.png"},
        Image.fromarray(RAMP).convert("RGBA"),
    ],
    ids=lambda image: type(image).__name__,
)
def test_an_image_in_memory_keeps_its_pixels(image):
    np.testing.assert_array_equal(pixels(image), RAMP)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_a_pil_image_of_any_mode_is_taken(mode):
    assert pixels(Image.new(mode, (9, 8))).shape == (8, 9, 3)


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 1), (8, 9, 3), (8, 9, 4)])
def test_an_array_of_any_usual_shape_is_taken(shape):
    assert pixels(np.zeros(shape, dtype=np.uint8)).shape == (8, 9, 3)


def test_an_image_is_rotated_as_its_file_is():
    file = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(np.repeat(RAMP, 2, axis=1)).save(file, "PNG", exif=exif)
    np.testing.assert_array_equal(pixels(Image.open(file)), pixels(file.getvalue()))


def test_paths_and_bytes_in_one_column_are_both_kept():
    images = pl.Series("image", [Path("a.png"), RAMP, "b.png", None], dtype=pl.Object)
    frame = as_frame(pl.DataFrame({"text": list("abcd"), "image": images}))
    assert frame.columns == ["text", "image"]
    assert frame.schema["image"] == MADE
    a, array, b, nothing = kept_images(frame["image"])
    assert (a, b, nothing) == ("a.png", "b.png", None)
    assert Path(array).is_file()


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, pd.NaT, {"bytes": None, "path": None}])
def test_missing_values_are_null(value):
    frame = as_frame(pd.DataFrame({"image": pd.Series(["a.png", value], dtype=object)}))
    assert kept_images(frame["image"]).to_list() == ["a.png", None]


def test_structs_of_hugging_face_are_read_in_every_kind_of_frame():
    rows = [{"bytes": b"one", "path": None}, {"bytes": None, "path": "b.png"}]
    for table in (pa.table({"image": rows}), pl.DataFrame({"image": rows}), pd.DataFrame({"image": rows})):
        one, b = kept_images(as_frame(table)["image"])
        assert Path(one).read_bytes() == b"one"
        assert b == "b.png"


def test_an_array_column_of_polars_is_taken():
    frame = pl.DataFrame({"image": RAMP[None].repeat(2, axis=0)})
    assert isinstance(frame.schema["image"], pl.Array)
    assert kept_images(as_frame(frame)["image"]).n_unique() == 1


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (RAMP / 255, r"an array of float64, shape \(8, 8, 3\)"),
        (np.zeros((3, 8, 8), dtype=np.uint8), r"an array of uint8, shape \(3, 8, 8\)"),
        (np.zeros(0, dtype=np.uint8), r"an array of uint8, shape \(0,\)"),
        ([["a", "b"], ["c"]], "a ragged list"),
        (["a.png", "b.png"], "a list"),
        ([300, -1], r"an array of int64, shape \(2,\)"),
        (17, "of type int"),
        (object(), "of type object"),
    ],
)
def test_a_value_that_is_no_image_is_named_with_its_row(value, got):
    frame = pd.DataFrame({"image": pd.Series([None, value], dtype=object)})
    with pytest.raises(SchemaError, match=rf"^The image of row 1 is {got}; allowed: a path, bytes, a PIL image, or an"):
        as_frame(frame)


def test_a_cut_image_counts_as_unreadable():
    cut = Image.open(BytesIO(png(Image.effect_noise((64, 64), 50))[:800]))
    frame = as_frame(pd.DataFrame({"image": pd.Series([cut], dtype=object)}))
    assert frame["image"].to_list() == [b""]


def test_the_index_of_pandas_and_other_columns_are_left_as_they_are():
    frame = pd.DataFrame({"n": [1, 2], "image": [Path("a.png"), Path("b.png")], "text": ["x", "y"]}, index=[7, 3])
    assert as_frame(frame).to_dict(as_series=False) == {"n": [1, 2], "image": ["a.png", "b.png"], "text": ["x", "y"]}
