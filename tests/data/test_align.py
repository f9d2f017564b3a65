import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.config import Align, Text
from counterpoint.data.align import align
from counterpoint.errors import ConfigError
from data_material import SOME, inspected_records, is_partition, reasons, records

POLICY = st.sampled_from(["drop", "keep"])
POLICIES = st.builds(Align, missing_text=POLICY, missing_image=POLICY)
NO_MASK = Text()


def labelled(n, **columns):
    return records(n, **columns).with_columns(label_source=pl.lit("column"))


@SOME
@given(inspected_records(), POLICIES)
def test_pairs_and_dropped_partition_the_records(before, rules):
    before = before.with_columns(label_source=pl.lit("column"))
    pairs, dropped = align(before, rules, NO_MASK)
    assert is_partition(before, pairs, dropped)
    assert pairs.columns[:6] == ["id", "row", "text", "image", "label", "label_source"]
    assert not {"image_status", "text_id", "image_id"} & set(pairs.columns)
    assert {"source", "host", "sha256", "phash"} <= set(pairs.columns)


@SOME
@given(inspected_records(), POLICIES)
def test_no_image_but_its_own_and_a_sound_one_is_ever_kept(before, rules):
    before = before.with_columns(label_source=pl.lit("column"))
    pairs, _ = align(before, rules, NO_MASK)
    own = {row["row"]: row["image"] if row["image_status"] == "ok" else None for row in before.iter_rows(named=True)}
    assert all(own[row["row"]] == row["image"] for row in pairs.iter_rows(named=True))


BROKEN = {
    "text": ["a", None, "a", None, "a"],
    "image": ["1", "2", None, None, "5"],
    "image_status": ["ok", "ok", "missing", "missing", "missing"],
}


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, ["missing_text", "missing_image", "missing_both", "missing_image"]),
        ({"missing_text": "keep"}, ["missing_image", "missing_both", "missing_image"]),
        ({"missing_image": "keep"}, ["missing_text", "missing_both"]),
        ({"missing_text": "keep", "missing_image": "keep"}, ["missing_both"]),
    ],
)
def test_each_policy_drops_what_it_says_and_both_missing_always_leaves(policies, expected):
    pairs, dropped = align(labelled(5, **BROKEN), Align(**policies), NO_MASK)
    assert reasons(dropped) == expected
    assert len(pairs) == 5 - len(expected)


def test_a_missing_modality_that_is_kept_is_null():
    pairs, _ = align(labelled(5, **BROKEN), Align(missing_text="keep", missing_image="keep"), NO_MASK)
    assert pairs.select("text", "image").rows() == [("a", "1"), (None, "2"), ("a", None), ("a", None)]


def test_ids_that_disagree_are_refused_and_one_alone_is_not():
    before = labelled(4, text_id=["7", "7", "7", None], image_id=["7", "8", None, "8"])
    pairs, dropped = align(before, Align(), NO_MASK)
    assert dropped.select("row", "reason").rows() == [(1, "ids_disagree")]
    assert pairs["row"].to_list() == [0, 2, 3]


def test_disagreement_is_the_reason_before_anything_missing():
    before = labelled(1, text=[None], text_id=["7"], image_id=["8"])
    assert reasons(align(before, Align(), NO_MASK)[1]) == ["ids_disagree"]


def test_words_are_masked_and_a_text_of_nothing_else_stays_as_an_empty_one():
    before = labelled(3, text=["A red fox", "Red!", "red"])
    pairs, dropped = align(before, Align(), Text(mask=("red",)))
    assert pairs["text"].to_list() == ["A fox", "!", ""]
    assert dropped.is_empty()


def test_a_mask_that_is_no_pattern_is_one_line():
    with pytest.raises(ConfigError, match=r"^text.mask: .* is not a regular expression: .*$"):
        align(labelled(1), Align(), Text(mask=("(",), match="regex"))
