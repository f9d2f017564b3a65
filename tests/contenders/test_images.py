"""Images of a contender that cannot be read are counted, once a call, or refused."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

from contender_material import make_pairs
from counterpoint.contenders import images, make
from counterpoint.contenders.inputs import as_pairs
from counterpoint.errors import ImageWarning, SchemaError
from counterpoint.features.pixels import load_pixels

CNN = {"side_px": 8, "width": 4, "epochs": 1, "batch": 8}
LSTM = {"embed": 8, "hidden": 8, "epochs": 1, "batch": 8}
READING = {
    "image-cnn": CNN,
    "lstm-cnn": {"text": LSTM, "image": CNN, "hidden": 8, "epochs": 1},
    "late-fusion": {"branches": {"text-lstm": LSTM, "image-cnn": CNN}},
    "image-probe": {"encoder": "tiny_encoders:Colours"},
    "pair-probe": {"text_encoder": "tiny_encoders:Words", "image_encoder": "tiny_encoders:Colours"},
    "probe-average": {"members": ("text-svm", "image-cnn"), "branches": {"image-cnn": CNN}},
    "zero-shot": {"encoder": "tiny_encoders:Joint"},
    "paper-image-cnn": {"side_px": 16, "layers": 4, "epochs": 1, "batch": 8},
    "paper-lstm-cnn": {"hidden": 8, "length": 6, "epochs": 1, "batch": 8, "side_px": 16},
}
who_reads = pytest.mark.parametrize("kind", READING)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> pl.DataFrame:
    return make_pairs(tmp_path_factory.mktemp("images"), n=24, n_classes=2)  # two of them without an image


@pytest.fixture(scope="module")
def some_wrong(pairs) -> pl.DataFrame:
    is_wrong = pl.int_range(pl.len()).is_in([1, 2, 9])
    return pairs.with_columns(image=pl.when(is_wrong).then(pl.lit("wrong.png")).otherwise("image"))


@who_reads
def test_some_wrong_paths_are_one_warning_a_call(kind, some_wrong):
    message = re.escape(
        "3 of 22 images cannot be read and count as missing. The first, in row 1, is wrong.png "
        f"(No such file or directory). Relative paths start from the current folder, {Path.cwd()}."
    )
    with pytest.warns(ImageWarning, match=f"^{message}$") as of_fit:
        model = make(kind, **READING[kind]).fit(some_wrong, some_wrong["label"])
    for call in (model.predict_proba, model.predict, model.encoded):
        if call != model.encoded or set(model.modalities) == {"text", "image"}:
            with pytest.warns(ImageWarning, match=f"^{message}$") as of_call:
                call(some_wrong)
            assert len(of_call) <= 1
    assert len(of_fit) == 1
    assert of_fit[0].filename == __file__  # the line of the caller, not one of ours


@who_reads
def test_wrong_paths_alone_are_refused_before_anything_is_trained(kind, pairs, monkeypatch):
    wrong = pairs.with_columns(image=pl.format("wrong/{}.png", "id"))
    model = make(kind, **READING[kind])
    line = r"^None of the 24 images can be read\. The first, in row 0, is wrong/0\.png \(No such file .*\)\. Relative"
    with pytest.raises(SchemaError, match=line):
        model.fit(wrong, wrong["label"])
    model.fit(pairs, pairs["label"])
    with pytest.raises(SchemaError, match=line):
        model.predict(wrong)


@who_reads
def test_images_that_are_null_are_no_mistake_but_of_a_model_of_images_alone(kind, pairs):
    nothing = pairs.with_columns(image=pl.lit(None, pl.String))
    model = make(kind, **READING[kind])
    with nullcontext() if "text" in model.modalities else pytest.warns(ImageWarning, match="None of the 24 pairs has"):
        model.fit(nothing, nothing["label"])
    model.predict_proba(nothing)


@pytest.mark.parametrize("kind", ["majority", "metadata", "text-svm", "text-lstm", "keyword-rule"])
def test_nobody_warns_of_images_that_it_does_not_read(kind, pairs):
    wrong = pairs.with_columns(image=pl.lit("wrong.png"))
    make(kind).fit(wrong, wrong["label"]).predict(wrong)


def test_wrong_paths_among_validation_rows_are_counted_and_named_so(pairs):
    wrong = pairs.with_columns(image=pl.lit("wrong.png"))
    with pytest.warns(ImageWarning, match=r"24 of 46 images .* The first, in validation row 0, is wrong\.png"):
        make("image-cnn", **CNN).fit(pairs, pairs["label"], validation=(wrong, wrong["label"]))


def test_what_is_no_image_is_counted_with_the_reason(pairs, tmp_path):
    (tmp_path / "note.png").write_text("not a picture")
    rows = pairs.with_columns(
        image=pl.when(pl.col("id") == "0").then(pl.lit(f"{tmp_path}/note.png")).otherwise("image")
    )
    with pytest.warns(ImageWarning, match=r"^1 of 22 .* in row 0, is .*/note\.png \(not_image[^)]*\)\.$"):
        make("image-cnn", **CNN).fit(rows, rows["label"])


def test_an_address_is_refused_with_the_reason(pairs):
    rows = pairs.with_columns(image=pl.lit("https://example.org/a.jpg"))
    with pytest.raises(SchemaError, match="Addresses are not fetched here: download the images first"):
        make("image-cnn", **CNN).fit(rows, rows["label"])


def test_each_image_is_decoded_once_a_call(pairs, monkeypatch):
    decoded = []

    def counting(refs, **settings):
        decoded.append(len(refs))
        return load_pixels(refs, **settings)

    monkeypatch.setattr(images, "load_pixels", counting)
    model = make("lstm-cnn", **READING["lstm-cnn"]).fit(pairs, pairs["label"])
    assert decoded == [23]  # 22 images, and what is missing
    model.encoded(pairs)
    assert decoded == [23, 23]


def in_memory(pairs: pl.DataFrame, kind: str) -> list[object]:
    made: Callable[[Path], object] = {
        "paths": lambda path: path,
        "pil": lambda path: Image.open(path).convert("RGB"),
        "arrays": lambda path: np.asarray(Image.open(path).convert("RGB")),
        "bytes": Path.read_bytes,
        "structs": lambda path: {"bytes": path.read_bytes(), "path": None},
    }[kind]
    return [None if ref is None else made(Path(ref)) for ref in pairs["image"]]


@pytest.mark.parametrize("frame", ["pandas", "polars"])
@pytest.mark.parametrize("kind", ["paths", "pil", "arrays", "bytes", "structs"])
def test_images_in_memory_are_read_as_their_files(frame, kind, pairs):
    values = in_memory(pairs, kind)
    column = pd.Series(values, dtype=object) if frame == "pandas" else pl.Series(values, dtype=pl.Object)
    X = {"pandas": pd.DataFrame, "polars": pl.DataFrame}[frame]({"text": pairs["text"].to_list(), "image": column})
    model = make("late-fusion", **READING["late-fusion"])
    expected = clone(model).fit(pairs.select("text", "image"), pairs["label"]).predict_proba(pairs)
    fitted = model.fit(X, pairs["label"])
    np.testing.assert_array_equal(fitted.predict_proba(X), expected)


@pytest.mark.parametrize("frame", ["pandas", "polars"])
def test_scikit_learn_works_with_images_in_memory(frame, pairs):
    values = in_memory(pairs, "pil")
    X = (
        pd.DataFrame({"image": pd.Series(values, dtype=object)}).set_index(pd.Index(range(50, 74)))
        if frame == "pandas"
        else pl.DataFrame({"image": pl.Series(values, dtype=pl.Object)})
    )
    y = pairs["label"].to_numpy()
    search = GridSearchCV(make("image-cnn", **CNN), {"width": [2, 4]}, cv=2, error_score="raise").fit(X, y)
    assert search.best_params_["width"] in (2, 4)
    assert len(cross_val_score(Pipeline([("model", make("image-cnn", **CNN))]), X, y, cv=2, error_score="raise")) == 2


def test_bytes_that_are_no_image_are_named_by_their_row(pairs):
    values = [b"xx", *in_memory(pairs, "bytes")[1:]]
    X = pl.DataFrame({"image": pl.Series(values, dtype=pl.Binary)})
    with pytest.warns(ImageWarning, match=r"^1 of 22 .* in row 0, is an image in memory \(not_image"):
        make("image-cnn", **CNN).fit(X, pairs["label"])


def test_who_reads_no_images_leaves_them_alone(pairs):
    X = pd.DataFrame({"text": pairs["text"].to_list(), "image": pd.Series(in_memory(pairs, "pil"), dtype=object)})
    rows = as_pairs(X, keep_images=False)
    assert rows["image"].unique().sort().to_list() == [None, "in memory"]
    assert make("metadata").fit(X, pairs["label"]).facts_[:1] == ["has_text"]


@pytest.mark.parametrize(
    ("X", "line"),
    [
        ({"text": ["a"]}, r"got dict\. Try polars\.DataFrame\(X\)\."),
        (["a", "b"], r"got list\. Try polars\.DataFrame\(\{'text': X\}\)\."),
        (pd.Series(["a"]), r"got Series\. Try X\.to_frame\(\)\."),
        (pl.Series(["a"]), r"got Series\. Try X\.to_frame\(\)\."),
        (pl.DataFrame({"text": ["a"]}).lazy(), r"got LazyFrame\. Try X\.collect\(\)\."),
        (np.array([["a", "b"]]), r"got ndarray\. Try polars\.DataFrame"),
        (None, r"got NoneType\.$"),
        (pd.DataFrame({"text": ["a", 1]}), "^Column 'text' of the table in memory has mixed types: "),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), r"two columns of one name\. .*'text' 2 times$"),
        (pl.DataFrame({"text": ["a"], "image": [1]}), "paths, bytes, PIL images or arrays, but it is Int64"),
    ],
)
def test_what_is_no_table_of_pairs_is_one_line_with_what_to_pass(X, line):
    with pytest.raises(SchemaError, match=line) as raised:
        as_pairs(X)
    assert "\n" not in str(raised.value)


def test_a_column_of_pandas_in_which_all_is_missing_is_missing():
    rows = as_pairs(pd.DataFrame({"text": [np.nan, np.nan], "image": [np.nan, np.nan]}))
    assert rows.select("text", "image").rows() == [(None, None), (None, None)]
