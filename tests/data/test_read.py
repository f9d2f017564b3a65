import logging
from importlib import import_module

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

import counterpoint as cp
from counterpoint.errors import ConfigError, SchemaError, SourceError, SplitError

N = 12


@pytest.fixture
def captions(tmp_path):
    """A table of captions and their pictures, the first two the same."""
    rng = np.random.default_rng(0)
    for number in range(N):
        pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes((tmp_path / "0.png").read_bytes())
    table = pl.DataFrame(
        {
            "file": [f"{number}.png" for number in range(N)],
            "caption": [f"picture number {number}" for number in range(N)],
            "class": ["cat", "dog"] * (N // 2),
        }
    )
    table.write_csv(tmp_path / "captions.csv")
    return tmp_path / "captions.csv"


def test_a_table_becomes_pairs_whose_duplicates_share_a_group(captions):
    pairs = cp.read_pairs(captions, image="file", text="caption", label="class")
    assert pairs["label"].to_list() == ["cat", "dog"] * (N // 2)
    assert pairs["group"].n_unique() == N - 1
    assert pairs["group"][0] == pairs["group"][1]


@pytest.mark.parametrize("convert", [pl.DataFrame, pl.DataFrame.to_pandas, pl.DataFrame.to_arrow])
def test_a_frame_of_any_library_becomes_the_same_pairs(captions, convert):
    table = pl.read_csv(captions).with_columns(file=str(captions.parent) + "/" + pl.col("file"))
    pairs = cp.read_pairs(convert(table), image="file", text="caption", label="class")
    assert pairs.select("text", "label").rows() == table.select("caption", "class").rows()


def test_images_that_come_as_bytes_can_be_read(captions, tmp_path):
    files = [(tmp_path / f"{number}.png").read_bytes() for number in range(N)]
    frame = pl.read_csv(captions).with_columns(file=pl.Series(files))
    pairs = cp.read_pairs(frame, image="file", text="caption", label="class")
    assert len(pairs) == N


def test_a_folder_of_classes_is_inferred_from_its_files(captions, tmp_path):
    for number in range(N):
        folder = tmp_path / "photos" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{number}.png").rename(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"picture number {number}")
    assert set(cp.read_pairs(tmp_path / "photos")["label"]) == {"cat", "dog"}


def test_source_settings_of_a_study_file_are_a_source(captions):
    settings = {"kind": "table", "path": captions, "image": "file", "text": "caption"}
    assert len(cp.read_pairs(settings, label="class")) == N


def test_what_leaves_is_logged_by_reason(captions, caplog):
    (captions.parent / "3.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING, logger="counterpoint"):
        pairs = cp.read_pairs(captions, image="file", text="caption", label="class")
    assert len(pairs) == N - 1
    assert [record.getMessage() for record in caplog.records] == ["1 rows left out: empty_body"]


def test_a_table_of_bad_images_is_a_bad_table(captions):
    for number in range(N):
        (captions.parent / f"{number}.png").write_bytes(b"")
    with pytest.raises(SchemaError, match=r"^12 of 12 rows were dropped \(empty_body 12\)\. .*$"):
        cp.read_pairs(captions, image="file", text="caption", label="class")


def test_a_wrong_column_and_a_wrong_path_are_one_line(captions):
    with pytest.raises(SourceError, match=r"^[^\n]*captoin[^\n]*caption[^\n]*$"):
        cp.read_pairs(captions, image="file", text="captoin", label="class")
    with pytest.raises(SourceError, match=r"^[^\n]*captions.csv[^\n]*$"):
        cp.read_pairs(captions.with_name("caption.csv"))


@pytest.mark.parametrize("library", [pl.DataFrame, pd.DataFrame, pa.table])
def test_a_frame_is_split_into_two_of_its_kind_with_no_group_in_both(library):
    values = {"label": ["cat", "dog"] * 20, "group": [f"g{row // 4}" for row in range(40)], "row": list(range(40))}
    frame = library(values)
    train, test = cp.split(frame, test_share=0.2, seed=1)
    assert type(train) is type(test) is type(frame)
    assert sorted([*train["row"].__array__(), *test["row"].__array__()]) == list(range(40))
    assert not {*map(str, train["group"])} & {*map(str, test["group"])}
    assert len(test["row"]) == 8


def test_rows_without_a_group_stand_alone():
    frame = pl.DataFrame({"label": ["cat", "dog"] * 20, "group": ["g0", "g0", *[None] * 38]})
    assert len(cp.split(frame, test_share=0.25)[1]) == 10
    assert len(cp.split(frame.drop("group"), test_share=0.25)[1]) == 10


@pytest.mark.parametrize(
    ("frame", "share", "kind", "message"),
    [
        ({"label": ["a", "b"] * 4}, 1.0, ConfigError, r"^test_share: should be between 0 and 1 \(got 1.0\)\.$"),
        ({"class": ["a", "b"] * 4}, 0.5, SchemaError, r"^Pairs lack label\. Found class\.$"),
        ({"label": ["a", "b", None]}, 0.5, SchemaError, r"^1 of 3 labels are null\. Leave these rows out\.$"),
        ({"label": ["a", "a", "b"]}, 0.5, SplitError, r"^2 folds \(train, test\) .* 'b' has 1 \(of 1 rows\)\.$"),
    ],
)
def test_a_two_way_split_that_cannot_be_made_is_one_line(frame, share, kind, message):
    with pytest.raises(kind, match=message):
        cp.split(pl.DataFrame(frame), test_share=share)


@pytest.mark.parametrize("name", ["split", "generate"])
def test_the_public_functions_are_not_hidden_by_the_modules_of_their_names(name):
    import_module(f"counterpoint.data.{name}")
    assert callable(getattr(cp, name))


def test_pictures_in_a_frame_are_pairs_as_their_files_would_be(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)) for _ in range(8)]
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / f"{number}.png")
    columns = {"text": [f"text {number}" for number in range(8)], "label": ["a", "b"] * 4}
    paths = [tmp_path / f"{number}.png" for number in range(8)]
    arrays = [np.asarray(picture) for picture in pictures]
    read = [cp.read_pairs(pd.DataFrame(columns | {"image": images})) for images in (pictures, arrays, paths)]
    assert [pairs["phash"].to_list() for pairs in read[:2]] == [read[2]["phash"].to_list()] * 2
