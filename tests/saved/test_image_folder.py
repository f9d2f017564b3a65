"""A folder of photos is read to be predicted as the source that trained the model reads it."""

import os
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.data.sources.folder import FolderSource
from counterpoint.formats.png import rgb_png
from counterpoint.saved.image_folder import rows_of_folder

PICTURE = rgb_png(np.full((16, 16, 3), 99, np.uint8))
TEXTS = (b"a cat", "a caf\u00e9".encode("latin-1"), "a cat".encode("utf-16"), "\ufeffa cat".encode(), b" a\n", b"")
ENDINGS = (".png", ".JPG", "", ".bin", ".txt", ".TXT", ".png.txt", ".md")
FOLDERS = ("cats", "dogs/deep", "cats/.thumbnails", "__MACOSX/cats", ".git", "dogs/@eaDir")
FILES = st.dictionaries(
    st.builds("{}/{}{}".format, st.sampled_from(FOLDERS), st.sampled_from("ab"), st.sampled_from(ENDINGS)),
    st.sampled_from((PICTURE, *TEXTS)),
    max_size=12,
)


def written(files, folder):
    for name, data in {"cats/0.png": PICTURE, "dogs/0.png": PICTURE, **files}.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return Path(folder)


def of_source(folder):
    """Return the text, or the reason to leave, of each image of the source."""
    records, dropped = (pl.concat(each) for each in zip(*FolderSource(path=folder).read(folder), strict=True))
    pictures = records.filter(pl.col("image").is_not_null())
    bad = dropped.filter(~pl.col("id").str.to_lowercase().str.ends_with(".txt"))
    return dict(pictures.select("id", "text").iter_rows()) | dict(bad.select("id", "reason").iter_rows())


def to_predict(folder):
    rows = pl.concat([batch.rows for batch in rows_of_folder(folder, folder).batches()], how="diagonal")
    reason = pl.col("reason") if "reason" in rows.columns else pl.lit(None)
    assert rows["row"].to_list() == list(range(len(rows)))
    return dict(rows.select("id", pl.coalesce(reason, "text")).iter_rows())


@settings(deadline=None)
@given(FILES)
def test_a_folder_is_read_alike_by_the_source_and_to_be_predicted(files):
    with tempfile.TemporaryDirectory() as made:
        folder = written(files, made)
        assert to_predict(folder) == of_source(folder)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cats/a.png": PICTURE, "cats/a.TXT": b"upper"}, {"cats/a.png": "upper"}),
        ({"cats/a.png": PICTURE, "cats/a.png.txt": b"double", "cats/a.txt": b"one"}, {"cats/a.png": "double"}),
        ({"cats/a.png": PICTURE, "cats/a.txt": TEXTS[1]}, {"cats/a.png": "bad_text"}),
        ({"cats/a.png": PICTURE, "cats/a.txt": TEXTS[2]}, {"cats/a.png": "bad_text"}),
        ({"cats/a.png": PICTURE, "cats/a.txt": TEXTS[3]}, {"cats/a.png": "a cat"}),
        ({"cats/.thumbnails/a.png": PICTURE, "__MACOSX/a.png": PICTURE, ".git/a.png": PICTURE}, {}),
        ({"cats/a": PICTURE, "cats/a.txt": b"no ending"}, {"cats/a": "no ending"}),
        ({"cats/a.txt": PICTURE, "cats/b.txt": b"a text alone"}, {"cats/a.txt": None}),
    ],
)
def test_each_layout_of_a_folder_has_one_reading(tmp_path, files, expected):
    folder = written(files, tmp_path)
    expected = {"cats/0.png": None, "dogs/0.png": None, **expected}
    assert to_predict(folder) == expected
    assert of_source(folder) == expected


def test_a_file_that_is_named_as_an_image_is_a_row_even_where_the_source_leaves_it_out(tmp_path):
    folder = written({}, tmp_path)
    os.mkfifo(folder / "pipe.png")
    (folder / "link.png").symlink_to("nowhere.png")
    assert to_predict(folder).keys() == {"cats/0.png", "dogs/0.png", "pipe.png", "link.png"}
