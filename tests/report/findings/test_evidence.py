"""Evidence of any form is shown as named values and tables, in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.report.findings.evidence import NAMES, evidence_of, in_words, value_in_words

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["value", "low", "high", "table", "queue", "n_queue", "x"]), JSON, max_size=6))
def test_evidence_of_any_form_becomes_text(found):
    evidence = evidence_of(json.dumps(found))
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in evidence.facts)
    assert all(len(row) == len(table.columns) for table in evidence.tables for row in table.rows)


@pytest.mark.parametrize("text", ["no JSON", "[1, 2", '"a"', "3", "[" * 100_000])
def test_text_that_is_no_object_is_one_value(text):
    assert [name for name, _ in evidence_of(text).facts] == ["evidence"]


def test_the_ends_of_an_interval_stand_with_their_value():
    found = evidence_of('{"n": 4, "difference": 0.5, "low": 0.25, "high": 0.75}')
    assert found.facts == [("rows", "4"), ("difference", "0.500 (0.250 to 0.750)")]
    alone = evidence_of('{"low": 0.25, "high": 0.75}')
    assert alone.facts == [("from", "0.250"), ("to", "0.750")]


def test_numbers_that_are_no_interval_are_listed():
    assert value_in_words([0.5, 0.7, 0.9]) == "0.500, 0.700, 0.900"
    assert value_in_words([1, 0, 2]) == "1, 0, 2"


def test_each_list_of_rows_is_a_table_and_the_main_one_has_no_caption():
    found = evidence_of('{"table": [{"a": 1}, {"fit_s": 2}], "readings": [{"p": 0.5}], "ignored": []}')
    assert [table.caption for table in found.tables] == ["", "how well the rows predict their part"]
    assert found.tables[0].columns == ["a", "seconds for a fit"]
    assert found.tables[0].rows == [[1, None], [None, 2]]
    assert found.facts == [("modalities that are ignored", "none")]


def test_a_queue_is_counted_and_not_listed():
    found = evidence_of('{"queue": {"a": 0.5, "b": 0.25}, "n_queue": 2}')
    assert (found.facts, found.n_queue) == ([], 2)


def test_no_key_in_words_has_an_underscore():
    assert not [name for name in NAMES if "_" in in_words(name)]


def test_the_p_of_an_estimate_is_named():
    found = evidence_of(json.dumps({"own_image": {"Cheap features": [0.719, 0.705, 0.733, 1.6e-100]}}))
    assert [value for _, value in found.facts] == ["Cheap features 0.719 (0.705 to 0.733), p < 0.001"]


def test_a_table_without_rows_is_no_value():
    assert evidence_of('{"n_fits": 2, "table": []}').facts == [("fits", "2")]


def test_every_name_is_understood_without_the_one_before_it():
    assert not [name for name, words in NAMES.items() if words.startswith("the same,")]
