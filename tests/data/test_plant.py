"""A planted fault changes the rows and the column that it names, and nothing else."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from counterpoint.config import Fault
from counterpoint.data.plant import plant
from counterpoint.errors import ConfigError

KINDS = {"shuffle_texts": "text", "shift_images": "image", "flip_labels": "label"}
FOLDS = ("train", "validation", "test")


def pairs(n: int) -> pl.DataFrame:
    rows = range(n)
    return pl.DataFrame({
        "id": [f"i{row}" for row in rows],
        "text": [f"t{row}" for row in rows],
        "image": [f"m{row}" for row in rows],
        "label": ["abc"[row % 3] for row in rows],
        "fold": [FOLDS[row % 3] for row in rows],
    })  # fmt: skip


@given(st.sampled_from(sorted(KINDS)), st.sampled_from([*FOLDS, "all"]), st.integers(6, 40), st.integers(0, 9))
def test_only_its_column_of_its_rows_changes(kind, part, n, seed):
    before = pairs(n)
    after = plant(before, [Fault(kind=kind, part=part, seed=seed)])
    elsewhere = pl.col("fold") != part if part != "all" else pl.lit(False)
    assert_frame_equal(before.drop(KINDS[kind]), after.drop(KINDS[kind]))
    assert_frame_equal(before.filter(elsewhere), after.filter(elsewhere))


@given(st.integers(6, 40), st.sampled_from(["shuffle_texts", "shift_images"]))
def test_nothing_is_lost_where_columns_are_permuted(n, kind):
    before, after = pairs(n), plant(pairs(n), [Fault(kind=kind)])
    assert sorted(before[KINDS[kind]]) == sorted(after[KINDS[kind]])


@given(st.integers(10, 60), st.sampled_from([0.1, 0.5, 1.0]))
def test_a_share_of_the_labels_becomes_another_class(n, share):
    before, after = pairs(n), plant(pairs(n), [Fault(kind="flip_labels", share=share)])
    assert (before["label"] != after["label"]).sum() == round(share * n)
    assert set(after["label"]) <= set("abc")


def test_images_are_from_later_pairs():
    after = plant(pairs(6), [Fault(kind="shift_images", by=2)])
    assert after["image"].to_list() == ["m2", "m3", "m4", "m5", "m0", "m1"]


def test_the_same_seed_plants_the_same():
    fault = Fault(kind="shuffle_texts", share=0.5, seed=3)
    assert_frame_equal(plant(pairs(30), [fault]), plant(pairs(30), [fault]))


def test_a_fold_that_is_not_there_is_an_error():
    folds = pairs(6).with_columns(fold=pl.lit("0"))
    with pytest.raises(ConfigError, match=r"no fold 'test' in these pairs. Found 0"):
        plant(folds, [Fault(kind="shift_images", part="test")])
