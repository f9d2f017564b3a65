"""The tables of a split: the steps of the 2023 study read each pair once, with its own text, label and pixels."""

import io

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

import counterpoint as cp
from counterpoint.config import StudyConfig
from counterpoint.data.export import SplitExport
from counterpoint.errors import RunFolderError
from counterpoint.features.bilinear import gray_square
from counterpoint.formats.images import ImageReader

pytestmark = pytest.mark.slow

COLUMNS = ["Image_name", "Image_desc", "label", *(f"{y}x{x}" for y in range(1, 65) for x in range(1, 65))]


def study(folder, **split):
    source = {"kind": "generated", "n": 60, "text_signal": 0.9, "side_px": 16, "seed": 3}
    config = StudyConfig.read({"study": "small", "source": source, "split": split, "contenders": ["majority"]})
    return cp.Study(config, runs=folder / "runs")


def names(pairs):
    return [f"{pair}.jpg" for pair in sorted(pairs["id"])]


@pytest.fixture(scope="module")
def holdout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("holdout")
    made = study(folder, kind="holdout")
    return made, made.export_pairs(folder / "out"), folder / "out"


def test_a_holdout_gives_a_table_of_each_part_with_the_published_columns(holdout):
    made, account, folder = holdout
    tables = {part: pd.read_csv(folder / f"{part}_updated.csv") for part in ("train", "validation", "test")}
    for part, table in tables.items():
        assert table.columns.tolist() == COLUMNS
        assert sorted(table["Image_name"]) == names(made.pairs().filter(fold=part))
    assert account["rows"] == {f"{part}_updated.csv": len(table) for part, table in tables.items()}
    assert account["left_out"] == {}


def test_each_row_has_the_text_the_label_and_the_pixels_of_its_pair(holdout):
    made, account, folder = holdout
    table = pd.read_csv(folder / "train_updated.csv").set_index("Image_name")
    with ImageReader() as reader:
        for pair in made.pairs().filter(fold="train").iter_rows(named=True):
            row = table.loc[f"{pair['id']}.jpg"]
            assert (row["Image_desc"], account["classes"][str(row["label"])]) == (pair["text"], pair["label"])
            pixels = row[COLUMNS[3:]].to_numpy(dtype=np.uint8).reshape(64, 64)
            assert (pixels == gray_square(reader.read(pair["image"]))).all()


def test_rows_are_shuffled_the_same_way_each_time(holdout, tmp_path):
    made, _, folder = holdout
    made.export_pairs(tmp_path / "again")
    order = pd.read_csv(folder / "train_updated.csv")["Image_name"].tolist()
    assert order != names(made.pairs().filter(fold="train"))
    assert (tmp_path / "again" / "train_updated.csv").read_bytes() == (folder / "train_updated.csv").read_bytes()


def test_a_kfold_gives_a_folder_a_fold_in_which_every_pair_stands_once(tmp_path):
    made = study(tmp_path, kind="kfold", folds=3)
    made.export_pairs(tmp_path / "out")
    all_names = names(made.pairs())
    tested = []
    for fold in range(3):
        parts = [pd.read_csv(tmp_path / "out" / f"fold-{fold}" / f"{part}_updated.csv") for part in
                 ("train", "validation", "test")]  # fmt: skip
        assert sorted(pd.concat(parts)["Image_name"]) == all_names
        tested += parts[2]["Image_name"].tolist()
    assert sorted(tested) == all_names


def test_a_class_has_the_number_that_the_user_gives_it(holdout, tmp_path):
    made, account, folder = holdout
    first, second = account["classes"]["0"], account["classes"]["1"]
    made.export_pairs(tmp_path / "out", classes=[second, first], resize="area")
    labels = [pd.read_csv(where / "test_updated.csv")["label"] for where in (folder, tmp_path / "out")]
    assert (labels[0] + labels[1] == 1).all()


def test_another_export_is_never_written_over_one(holdout):
    made, account, folder = holdout
    assert made.export_pairs(folder) == account
    with pytest.raises(RunFolderError, match="holds another export"):
        made.export_pairs(folder, resize="area")


def test_pairs_without_a_text_or_a_readable_image_are_left_out_and_counted(tmp_path):
    good, bad = tmp_path / "1_0.png", tmp_path / "1_1.png"
    Image.new("RGB", (20, 20), "red").save(good)
    bad.write_bytes(b"<html>")
    refs = [str(good), str(bad), str(good), None, str(tmp_path / "nowhere.png")]
    pairs = pl.DataFrame(
        {"row": range(5), "id": [f"1_{row}" for row in range(5)], "text": ["a", "b", None, "d", "e"], "image": refs,
         "label": ["x", "y", "x", "y", "x"]}
    )  # fmt: skip
    account = SplitExport(side_px=4).write({"test": {"train": pairs, "test": pairs[:0]}}, tmp_path / "out", key="a")
    assert account["left_out"] == {"missing_file": 1, "no_image": 1, "no_text": 1, "not_image": 1}
    table = pd.read_csv(io.StringIO((tmp_path / "out" / "train_updated.csv").read_text()))
    assert table.iloc[:, :4].to_numpy().tolist() == [["1_0.png", "a", 0, 76]]
