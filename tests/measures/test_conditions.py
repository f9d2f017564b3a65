"""A condition reads as a clause, and holds for exactly the rows that the clause describes."""

import json
import math

import polars as pl
import pytest

from counterpoint.measures.conditions import Condition, condition_of

IN_WORDS = [
    (Condition("words", high=1), "the text has no words"),
    (Condition("words", low=1), "the text has at least one word"),
    (Condition("words", low=4, high=10), "the text has four to nine words"),
    (Condition("words", low=4, high=5), "the text has exactly four words"),
    (Condition("characters", low=1200), "the text has at least 1,200 characters"),
    (Condition("brightness", low=0.31, high=0.5), "the brightness of the image is from 0.31 to 0.5"),
    (
        Condition("brightness", high=0.31, has_unknown=True),
        "the brightness of the image is below 0.31, or the pair has no image",
    ),
    (Condition("quality", has_known=False, has_unknown=True), "the image is no JPEG file"),
    (Condition("quality"), "the image is a JPEG file"),
    (Condition("word:dog", high=0.5), "the text lacks “dog”"),
    (Condition("source:a:b", low=0.5), "the source is a:b"),
]


@pytest.mark.parametrize(("condition", "words"), IN_WORDS, ids=[words for _, words in IN_WORDS])
def test_a_condition_reads_as_a_clause(condition, words):
    assert condition.in_words() == words


@pytest.mark.parametrize("condition", [condition for condition, _ in IN_WORDS], ids=[words for _, words in IN_WORDS])
def test_a_condition_survives_json(condition):
    assert condition_of(json.loads(json.dumps(condition.as_json()))) == condition


def test_rows_of_an_unknown_fact_are_in_one_of_two_sides():
    facts = pl.DataFrame({"brightness": [0.1, 0.5, None]})
    left, right = Condition("brightness", high=0.5, has_unknown=True), Condition("brightness", low=0.5)
    assert left.holds(facts).tolist() == [True, False, True]
    assert right.holds(facts).tolist() == [False, True, False]


def test_two_conditions_on_one_fact_become_one():
    both = Condition("words", low=2, has_unknown=True).and_also(Condition("words", high=5))
    assert both == Condition("words", 2, 5)
    assert both.n_limits == 2
    assert Condition("words", math.inf, has_known=False).n_limits == 1


def test_no_word_of_a_text_is_shown_where_words_are_hidden():
    assert "dog" not in Condition("word:dog", low=0.5).in_words(shows_words=False)
    assert Condition("words", high=3).in_words(shows_words=False) == "the text has fewer than three words"
