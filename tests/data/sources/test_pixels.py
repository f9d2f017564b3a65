"""Tables of pixels are read back as the images that they hold, or refused with one line."""

import io

import numpy as np
import pytest
from PIL import Image

from counterpoint.data.sources import open_source
from counterpoint.errors import SourceError
from counterpoint.formats.images import ImageReader
from counterpoint.formats.study2023 import Named, write_pair_table
from source_material import read

GRAY = np.arange(16, dtype=np.uint8).reshape(4, 4) * 17


def named(number, text="a cat"):
    return Named(f"{number}.png", text, number % 2, np.roll(GRAY, number))


def test_an_image_comes_back_pixel_by_pixel_with_its_own_text(tmp_path):
    texts = ["a cat", 'a "dog",\nsitting', "", "ünïcode"]
    write_pair_table(tmp_path / "p.csv", [named(n, text) for n, text in enumerate(texts)], side_px=4)
    records, dropped = read(open_source({"kind": "pixels", "path": tmp_path / "p.csv"}), tmp_path / "work")
    assert (records["text"].to_list(), len(dropped)) == (["a cat", 'a "dog",\nsitting', None, "ünïcode"], 0)
    with ImageReader() as reader:
        for number, ref in enumerate(records["image"]):
            pixels = np.asarray(Image.open(io.BytesIO(reader.read(ref))))
            assert (pixels == np.roll(GRAY, number)).all()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is no table of pixels"),
        ("image,text\n1.jpg,a cat\n", "should have the columns Image_name, Image_desc, label, 1x1"),
        ("Image_name,Image_desc,label,1x1,1x2\na,b,1,0,0\n", "should have the columns"),
        ("Image_name,Image_desc,label,1x1\na,b,1,256\n", "is no table of pixels from 0 to 255"),
        ("Image_name,Image_desc,label,1x1\na,b,1,red\n", "is no table of pixels from 0 to 255"),
        ("Image_name,Image_desc,label,1x1\na,b,1\n", "is no table of pixels from 0 to 255"),
        ("Image_name,Image_desc,label,1x1\na,b,1,\n", "is no table of pixels from 0 to 255"),
    ],
)
def test_what_is_no_table_of_pixels_is_one_line(tmp_path, content, says):
    (tmp_path / "p.csv").write_text(content)
    with pytest.raises(SourceError, match=says) as raised:
        read(open_source({"kind": "pixels", "path": tmp_path / "p.csv"}), tmp_path / "work")
    assert "\n" not in str(raised.value)


def test_a_folder_without_such_tables_names_what_is_there(tmp_path):
    (tmp_path / "t.csv").touch()
    with pytest.raises(SourceError, match=r"has no train_updated.csv, and no fold-0/test_updated.csv. Found t.csv"):
        read(open_source({"kind": "pixels", "path": tmp_path}), tmp_path / "work")
