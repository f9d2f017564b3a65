"""Different labels of the same content are found, and inputs that merely repeat are not taken for it."""

import numpy as np
import polars as pl
import pytest

from check_material import evidence, inputs_of, made_pairs, run_check


def copied(pairs, n, columns=("text", "sha256", "phash"), *, differing=0.0, seed=1):
    """Return *pairs* whose last *n* rows copy *columns* of the first, a share of them with another label."""
    rng = np.random.default_rng(seed)
    origin = np.arange(len(pairs))
    origin[-n:] = origin[:n]
    labels = pairs["label"].to_numpy()[origin]
    other = {"class_0": "class_1", "class_1": "class_0"}
    is_other = (np.arange(len(pairs)) >= len(pairs) - n) & (rng.random(len(pairs)) < differing)
    label = [other[name] if wrong else name for name, wrong in zip(labels, is_other, strict=True)]
    return pairs.with_columns(pairs.select(columns)[origin], label=pl.Series(label))


def found(pairs):
    return run_check("CP024", inputs_of(pairs))


def test_copies_with_different_labels_are_counted_and_queued():
    pairs = copied(made_pairs(400), 40, differing=0.3)
    warned = found(pairs)
    assert warned["severity"] == "warn"
    k, n = evidence(warned)["the_same_content"]
    assert (5 < k < 20, n) == (True, 40)
    queue = evidence(warned)["queue"]
    assert len(queue) == 2 * k  # of two rows neither label is the more frequent one, so both are listed as they are
    assert dict(pairs.select("id", "label").iter_rows()).items() >= queue.items()
    assert "relabel" in warned["explanation"]


def test_the_label_of_most_copies_is_suggested():
    pairs = made_pairs(60).with_columns(label=pl.lit("class_0"))
    same = pl.col("row") < 3
    pairs = pairs.with_columns(
        text=pl.when(same).then(pl.lit("one text of this one picture that repeats")).otherwise("text"),
        sha256=pl.when(same).then(pl.lit("s")).otherwise("sha256"),
        label=pl.when(pl.col("row") == 2).then(pl.lit("class_1")).otherwise("label"),
    )
    warned = found(pairs)
    assert evidence(warned)["queue"] == {"0002": "class_0"}
    assert warned["severity"] == "info"  # a single conflict is listed without a warning


def test_copies_with_the_same_label_raise_no_alarm():
    assert found(copied(made_pairs(400), 40))["severity"] == "info"


def test_a_picture_whose_label_follows_it_conflicts_where_the_label_differs():
    warned = found(copied(made_pairs(600), 200, ("sha256", "phash"), differing=0.15))
    assert warned["severity"] == "warn"
    assert "rows with the same picture" in warned["explanation"]


@pytest.mark.parametrize("columns", [("sha256", "phash"), ("text",)])
def test_a_label_that_the_other_modality_decides_is_no_conflict(columns):
    known = found(copied(made_pairs(600), 200, columns, differing=0.5))
    assert known["severity"] == "info"
    assert evidence(known)["n_queue"] == 0
    assert "may decide about" in known["explanation"]


@pytest.mark.parametrize(
    "shared",
    [
        {"sha256": pl.lit("placeholder"), "phash": pl.lit(7, pl.UInt64)},
        {"text": pl.lit("no description")},
        {"sha256": pl.lit("placeholder"), "phash": pl.lit(7, pl.UInt64), "text": pl.lit("no description")},
        {"phash": pl.lit(None, pl.UInt64), "sha256": pl.lit(None, pl.String), "image": pl.lit(None, pl.String)},
        {"text": pl.lit(None, pl.String)},
    ],
    ids=["picture", "text", "both", "no image", "no text"],
)
def test_a_placeholder_is_no_conflict(shared):
    many = pl.col("row") % 2 == 0
    pairs = made_pairs(400)
    changes = {name: pl.when(many).then(value).otherwise(pl.col(name)) for name, value in shared.items()}
    known = found(pairs.with_columns(**changes))
    assert (known["severity"], evidence(known)["n_queue"]) == ("info", 0)


def test_without_images_rows_of_one_text_conflict():
    pairs = made_pairs(400).drop("image", "sha256", "phash")
    assert found(copied(pairs, 40, ("text",), differing=0.3))["severity"] == "warn"


def test_rows_whose_label_is_written_otherwise_are_queued_with_the_usual_label():
    pairs = made_pairs(200)
    odd = pairs.with_columns(
        label=pl.when(pl.col("row") < 5).then(pl.lit("Class_0\u200b")).otherwise(pl.lit("class_0"))
    ).vstack(pairs.with_columns(id=pl.col("id") + "x"))
    known = found(odd)
    queue = evidence(known)["queue"]
    assert {f"{row:04d}": "class_0" for row in range(5)}.items() <= queue.items()
    assert evidence(known)["n_look_alike"] == 5


def test_copies_whose_labels_only_look_different_are_no_conflict():
    pairs = copied(made_pairs(400), 40)
    last = pl.col("row") >= 360
    known = found(pairs.with_columns(label=pl.when(last).then(pl.col("label").str.to_titlecase()).otherwise("label")))
    assert evidence(known)["the_same_content"] == [0, 40]
    assert evidence(known)["n_look_alike"] == 40
