"""A planted fault changes the rows and the column that it names, and nothing else."""

from typing import get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from counterpoint.config import Fault
from counterpoint.data.plant import PLANT, plant
from counterpoint.errors import ConfigError

KINDS = {
    "shuffle_texts": ["text"], "shuffle_images": ["image"], "shuffle_labels": ["label"],
    "shuffle_pairs": ["text", "image"], "shift_texts": ["text"], "shift_images": ["image"], "shift_labels": ["label"],
    "drop_labels": ["label"], "sort_labels": ["label"], "swap_labels": ["label"], "flip_labels": ["label"],
    "resplit": ["text", "image", "label"],
}  # fmt: skip
PERMUTED = sorted(kind for kind in KINDS if kind.startswith(("shuffle", "shift", "sort")))
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
def test_only_its_columns_of_its_rows_change(kind, part, n, seed):
    before = pairs(n)
    after = plant(before, [Fault(kind=kind, part=part, seed=seed)])
    elsewhere = pl.col("fold") != part if part != "all" else pl.lit(False)
    assert_frame_equal(before.drop(KINDS[kind]), after.drop(KINDS[kind]))
    assert all(set(after[column]) <= set(before[column]) for column in KINDS[kind])
    assert_frame_equal(before.filter(elsewhere), after.filter(elsewhere))


@given(st.integers(6, 40), st.sampled_from(PERMUTED))
def test_nothing_is_lost_where_columns_are_permuted(n, kind):
    before, after = pairs(n), plant(pairs(n), [Fault(kind=kind)])
    assert all(sorted(before[column]) == sorted(after[column]) for column in KINDS[kind])


def test_every_kind_is_planted():
    assert set(PLANT) == set(KINDS) == set(get_args(Fault.model_fields["kind"].annotation))


def test_text_and_image_stay_together_where_pairs_are_shuffled_and_part_where_the_split_is_drawn_again():
    for kind, n_whole in (("shuffle_pairs", 60), ("resplit", 5)):
        after = plant(pairs(60), [Fault(kind=kind)])
        same = [text[1:] == image[1:] for text, image in after.select("text", "image").iter_rows()]
        assert sum(same) <= n_whole
        assert (kind == "resplit") or all(same)
        assert after["text"].to_list() != pairs(60)["text"].to_list()


def test_labels_come_from_as_many_rows_earlier_as_rows_were_dropped_before():
    before = pairs(9).with_columns(pl.Series("label", list("abcdefghi")))
    after = plant(before, [Fault(kind="drop_labels", by=3)])["label"].to_list()
    late = [place - "abcdefghi".index(label) for place, label in enumerate(after)]
    assert late == sorted(late)
    assert (late[0], set(late)) == (0, set(range(max(late) + 1)))
    assert max(late) in (2, 3)  # no row stands behind a drop of the last


def test_labels_are_sorted_and_classes_swapped_in_one_part_only():
    after = plant(pairs(9), [Fault(kind="sort_labels")])
    assert after["label"].to_list() == list("aaabbbccc")
    after = plant(pairs(6), [Fault(kind="swap_labels", part="validation")])
    assert after["label"].to_list() == ["a", "c", "c", "a", "c", "c"]


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
