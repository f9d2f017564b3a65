"""The steps of the 2023 study, in pandas and scikit-learn as its authors had them, on the tables that are written."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC
from sklearn.utils import shuffle

from counterpoint.data.export import SplitExport
from counterpoint.formats.study2023 import StudyFolder

N = 50
CLASSES = {"animal": 0, "person": 1}
PIXELS = [f"{row}x{column}" for row in range(1, 65) for column in range(1, 65)]
TEXTS = ("a dog on the grass", "a man on the street")


def number(grays: np.ndarray) -> np.ndarray:
    """Return of which pair each image is: pair *n* is drawn in the gray *n*."""
    assert (grays == grays[:, :1, :1, :1]).all()
    return grays[:, 0, 0, 0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return the study's folder of 50 pairs: an odd number is a person."""
    written = tmp_path_factory.mktemp("study")
    with StudyFolder(written, CLASSES) as study:
        for n in range(N):
            label = "person" if n % 2 else "animal"
            study.add(label, f"{TEXTS[n % 2]} {n}", b"", np.full((64, 64), n, dtype=np.uint8))
    return written


def test_the_pixel_table_gives_images_and_their_labels(folder):
    table = shuffle(pd.read_csv(folder / "pixels.csv"), random_state=42)
    assert table.columns.tolist() == ["label", *PIXELS]
    y = table.iloc[:, 0].to_numpy()
    x = table.iloc[:, 1:].to_numpy() / 255
    x = x.reshape(-1, 64, 64, 1)
    assert (x.min(), x.max()) == (0, (N - 1) / 255)
    n = number(np.rint(x * 255).astype(int))
    assert sorted(n) == list(range(N))
    assert (n % 2 == y).all()
    assert n.tolist() != sorted(n)


def test_sixty_four_sixteen_twenty_of_the_pair_table_each_pair_with_its_own_text(folder):
    table = shuffle(pd.read_csv(folder / "pairs.csv"), random_state=42)
    assert table.columns.tolist() == ["Image_name", "Image_desc", "label", *PIXELS]
    rest, test = train_test_split(table, test_size=0.2, random_state=42)
    train, validation = train_test_split(rest, test_size=0.2, random_state=42)
    assert [len(part) for part in (train, validation, test)] == [32, 8, 10]
    for part in (train, validation, test):
        n = number(part[PIXELS].to_numpy().reshape(-1, 64, 64, 1))
        assert part["Image_desc"].str.rsplit(" ", n=1).str[-1].astype(int).tolist() == n.tolist()
        assert (part["label"] == n % 2).all()
        assert part["Image_name"].tolist() == [f"{k % 2}_{k // 2}.jpg" for k in n]
    words = TfidfVectorizer(stop_words="english").fit(train["Image_desc"])
    machine = LinearSVC().fit(words.transform(train["Image_desc"]), train["label"])
    assert machine.score(words.transform(test["Image_desc"]), test["label"]) == 1


def test_of_the_saved_split_the_first_training_rows_validate_with_both_classes(tmp_path):
    for n in range(N):
        Image.new("L", (80, 60), n).save(tmp_path / f"{n}.png")
    rows = [(n, f"{n % 2}_{n // 2}", f"{TEXTS[n % 2]} {n}", str(tmp_path / f"{n}.png"), list(CLASSES)[n % 2])
            for n in range(N)]  # fmt: skip
    pairs = pl.DataFrame(rows, schema=["row", "id", "text", "image", "label"], orient="row").sort("label")
    parts = {"train": pairs.filter(pl.col("row") >= 5), "test": pairs.filter(pl.col("row") < 5)}
    SplitExport().write({"test": parts}, tmp_path / "out", key="a")
    train, test = (pd.read_csv(tmp_path / "out" / f"{part}_updated.csv") for part in ("train", "test"))
    assert train.columns.tolist() == test.columns.tolist() == ["Image_name", "Image_desc", "label", *PIXELS]
    assert (len(train), len(test)) == (45, 5)
    validation = train[:8]
    assert set(validation["label"]) == {0, 1}
    for part in (train, test):
        n = number(part.iloc[:, 3:].to_numpy().reshape(-1, 64, 64, 1))
        assert (n % 2 == part["label"]).all()
        assert part["Image_desc"].str.rsplit(" ", n=1).str[-1].astype(int).tolist() == n.tolist()
