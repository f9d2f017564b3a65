import json
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.config import Group
from counterpoint.data.group import group
from data_material import SOME, inspected_records

LONG = "one two three four five six seven eight nine ten"
ALL = Group()


def rows(n, **columns):
    values = {"id": [f"id{row}" for row in range(n)], "row": range(n), "text": [None] * n, **columns}
    return pl.DataFrame(values, schema_overrides={"row": pl.Int64, "text": pl.String, "phash": pl.UInt64})


def groups(frame, rules=ALL):
    return group(frame, rules)[0]["group"].to_list()


def test_a_group_is_named_after_its_smallest_row():
    assert groups(rows(3, sha256=["a", "b", "a"]).with_columns(pl.col("row") + 7)) == ["g000007", "g000008", "g000007"]


def test_given_groups_sha256_phash_and_texts_join_into_one_component():
    frame = rows(
        6,
        group=["x", "x", None, None, None, None],
        sha256=[None, "a", "a", None, None, None],
        phash=[None, None, 0b1111, 0b0, None, None],
        text=[None, None, None, LONG, LONG.replace("ten", "10"), "zero"],
    )
    assert groups(frame) == ["g000000"] * 5 + ["g000005"]


def test_nulls_join_nothing():
    frame = rows(3, group=[None] * 3, sha256=[None] * 3, phash=[None] * 3)
    assert len(set(groups(frame))) == 3


@pytest.mark.parametrize(("bits", "n_groups"), [(4, 1), (5, 2)])
def test_images_are_near_within_four_bits(bits, n_groups):
    assert len(set(groups(rows(2, phash=[0, 2**bits - 1])))) == n_groups


def test_texts_are_near_by_their_sets_of_words_whatever_order_and_case():
    same = rows(2, text=["A red fox, in the deep snow!", "in the deep snow: a RED fox"])
    assert len(set(groups(same))) == 1


def test_short_texts_join_nothing_even_when_they_are_the_same():
    assert len(set(groups(rows(2, text=["a red fox here now"] * 2)))) == 2
    assert len(set(groups(rows(2, text=["a red fox here now"] * 2), Group(min_words=5)))) == 1


@pytest.mark.parametrize(("setting", "joins"), [("exact", "sha256"), ("near_images", "phash"), ("near_texts", "text")])
def test_each_kind_of_near_duplicate_can_be_left_out(setting, joins):
    values = {"sha256": ["a", "a"], "phash": [1, 1], "text": [LONG, LONG]}
    assert len(set(groups(rows(2, **{joins: values[joins]})))) == 1
    assert len(set(groups(rows(2, **{joins: values[joins]}), Group(**{setting: False})))) == 2


def test_a_large_component_is_reported_with_its_cause_and_keeps_its_exact_links_only():
    frame = rows(100, text=[LONG] * 30 + [None] * 70, sha256=["a"] * 3 + [None] * 97)
    grouped, (found,) = group(frame, ALL)
    assert grouped["group"].n_unique() == 98
    assert grouped["group"].head(3).n_unique() == 1
    assert (found["code"], found["severity"]) == ("CP002", "warn")
    assert found["explanation"].startswith(
        "30 rows (30%) are linked to each other, most of them by near-identical texts. Only"
    )
    evidence = json.loads(found["evidence"])
    assert (evidence["rows"], evidence["cause"], evidence["left"]) == (30, "near-identical texts", 3)


def test_a_large_component_of_identical_images_stays_whole_and_is_reported():
    grouped, (found,) = group(rows(100, sha256=["a"] * 12 + [None] * 88), ALL)
    assert grouped["group"].n_unique() == 89
    assert found["severity"] == "warn"
    assert "exact links" not in found["explanation"]


def test_a_large_given_group_is_worth_an_info():
    _, (found,) = group(rows(100, group=["x"] * 40 + [None] * 60), ALL)
    assert found["severity"] == "info"


def test_a_pair_is_no_chain_in_a_small_set():
    frame = rows(4, text=[LONG, LONG, None, None])
    assert group(frame, ALL)[1] == []
    assert len(set(groups(frame))) == 3


def test_no_rows_have_no_groups():
    grouped, found = group(rows(0, sha256=[], phash=[]), ALL)
    assert grouped.is_empty()
    assert "group" in grouped.columns
    assert found == []


@SOME
@given(inspected_records(max_rows=20), st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_the_rows(frame, chance: random.Random):
    order = list(range(frame.height))
    chance.shuffle(order)
    grouped, _ = group(frame, ALL)
    shuffled, _ = group(frame[order], ALL)
    assert grouped.select("row", "group").rows() == shuffled.sort("row").select("row", "group").rows()


@SOME
@given(inspected_records(max_rows=10))
def test_rows_of_one_image_or_one_given_group_are_always_in_one_group(frame):
    frame = frame.with_columns(group=pl.col("host"))
    grouped, _ = group(frame, ALL)
    for name, links in (("sha256", frame["sha256"]), ("group", frame["group"])):
        torn = (
            pl.DataFrame({name: links, "to": grouped["group"]}).drop_nulls().group_by(name).agg(pl.col("to").n_unique())
        )
        assert (torn["to"] == 1).all()
