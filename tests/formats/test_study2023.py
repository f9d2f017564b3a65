"""The layout of the 2023 study, read like the study read it: row n of the descriptions belongs to image n."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from counterpoint.data.sources import open_source
from counterpoint.errors import ConfigError
from counterpoint.formats.study2023 import Named, StudyFolder, class_numbers, write_pair_table

CLASSES = {"animal": 0, "person": 1}
COLUMNS = [f"{row}x{column}" for row in range(1, 65) for column in range(1, 65)]
TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=9))


def gray(row: int) -> np.ndarray:
    return (np.arange(64 * 64).reshape(64, 64) * 7 + row).astype(np.uint8)


def write(folder: Path, rows: list[tuple[str, str | None, str]], classes=CLASSES) -> Path:
    """Write rows of (label, text, status).  The image of a row is its place among *rows*."""
    folder.mkdir(parents=True, exist_ok=True)
    with StudyFolder(folder, classes) as study:
        for place, (label, text, status) in enumerate(rows):
            if status == "ok":
                study.add(label, text, str(place).encode(), gray(place))
            else:
                study.lack(label, text, status)
    return folder


ROWS = [
    ("person", "A man, at sea", "ok"),
    ("animal", "A dog", "ok"),
    ("person", "A girl", "http_404"),
    ("person", 'A "boy"\nin two lines\r', "ok"),
    ("animal", "", "timeout_total"),
    ("animal", "A cat", "ok"),
]


def test_the_files_are_called_as_published(tmp_path):
    files = {path.relative_to(tmp_path).as_posix() for path in write(tmp_path, ROWS).rglob("*.*")}
    tables = {"posData.csv", "negData.csv", "pixels.csv", "pairs.csv", "missing.csv"}
    images = {"images/pos/1_0.jpg", "images/pos/1_2.jpg", "images/neg/0_0.jpg", "images/neg/0_2.jpg"}
    assert files == tables | images


def test_pixels_have_the_label_first_and_then_4096_columns_row_by_row(tmp_path):
    pixels = pd.read_csv(write(tmp_path, ROWS) / "pixels.csv")
    assert pixels.columns.tolist() == ["label", *COLUMNS]
    y, x = pixels.iloc[:, 0].to_numpy(), pixels.iloc[:, 1:].to_numpy().reshape(-1, 64, 64, 1)
    assert y.tolist() == [1, 0, 1, 0]
    assert all((x[place, :, :, 0] == gray(row)).all() for place, row in enumerate([0, 1, 3, 5]))


def test_the_pair_table_has_name_text_label_and_pixels(tmp_path):
    pairs = pd.read_csv(write(tmp_path, ROWS) / "pairs.csv")
    assert pairs.columns.tolist() == ["Image_name", "Image_desc", "label", *COLUMNS]
    assert pairs["Image_name"].tolist() == ["1_0.jpg", "0_0.jpg", "1_2.jpg", "0_2.jpg"]
    assert pairs["Image_desc"].tolist() == ["A man, at sea", "A dog", 'A "boy"\nin two lines\r', "A cat"]
    assert (pairs[COLUMNS].to_numpy() == pd.read_csv(tmp_path / "pixels.csv")[COLUMNS].to_numpy()).all()


def test_the_missing_list_has_the_number_of_each_description_without_an_image(tmp_path):
    missing = pd.read_csv(write(tmp_path, ROWS) / "missing.csv")
    assert missing.to_numpy().tolist() == [[1, 1, "http_404"], [0, 1, "timeout_total"]]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(sorted(CLASSES)), TEXTS, st.sampled_from(["ok", "http_404"])), max_size=6))
@example([("animal", "007", "ok")])  # a description that reads as a number
def test_row_n_belongs_to_image_n_and_to_description_n(tmp_path_factory, rows):
    folder = write(tmp_path_factory.mktemp("study"), rows)
    images = {path.stem: int(path.read_bytes()) for path in folder.rglob("*.jpg")}
    for label, number in CLASSES.items():
        table = folder / f"{'pos' if number else 'neg'}Data.csv"
        descriptions = pd.read_csv(table, keep_default_na=False, dtype=str)["desc"]
        written = [(place, text) for place, (of, text, _) in enumerate(rows) if of == label]
        assert descriptions.tolist() == [(text or "").replace("\0", "\ufffd") for _, text in written]
        for n, (place, _) in enumerate(written):
            assert images.get(f"{number}_{n}") == (place if rows[place][2] == "ok" else None)


def test_our_own_source_reads_it_and_marks_missing_images(tmp_path):
    folder = write(tmp_path / "study", ROWS)
    ((records, dropped),) = open_source({"kind": "folder", "path": str(folder)}).read(tmp_path)
    read = {row["id"]: (row["text"], row["image"] is not None) for row in records.to_dicts()}
    assert dropped.is_empty()
    assert read["1_0"] == ("A man, at sea", True)
    assert read["1_1"] == ("A girl", False)
    assert read["0_2"] == ("A cat", True)
    assert len(read) == len(ROWS)


def test_of_more_than_two_classes_a_folder_is_called_by_its_number(tmp_path):
    rows = [("fox", "a", "ok"), ("cat", "b", "ok"), ("dog", "c", "ok"), ("fox", "d", "ok")]
    folder = write(tmp_path, rows, class_numbers(label for label, _, _ in rows))
    assert {path.name for path in folder.glob("*Data.csv")} == {"0Data.csv", "1Data.csv", "2Data.csv"}
    assert (folder / "images" / "2" / "2_1.jpg").read_bytes() == b"3"


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["animal", "persn"], "Did you mean 'person'?"),
        (["animal"], "each of animal, person once"),
        (["animal", "animal", "person"], "each of animal, person once"),
    ],
)
def test_classes_that_are_not_those_of_the_rows_are_refused(classes, message):
    with pytest.raises(ConfigError, match="person") as error:
        class_numbers(["person", "animal"], classes)
    assert message in str(error.value)


def test_one_class_is_no_study():
    with pytest.raises(ConfigError, match="needs two classes, but got animal"):
        class_numbers(["animal", "animal"])


def test_a_table_of_a_split_has_the_columns_of_the_pair_table(tmp_path):
    n_rows = write_pair_table(tmp_path / "train_updated.csv", [Named('a "b".jpg', None, 2, gray(0))])
    table = pd.read_csv(tmp_path / "train_updated.csv")
    assert (n_rows, table.columns.tolist()) == (1, ["Image_name", "Image_desc", "label", *COLUMNS])
    assert table["Image_name"].tolist() == ['a "b".jpg']
