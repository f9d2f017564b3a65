"""Facts of pairs are numbers that need no model, and a missing text or image is no error."""

import polars as pl
import pytest

from counterpoint.measures.row_facts import FACTS, LONGEST_WORD, MOST_WORDS, fact_names, facts_of

PAIRS = pl.DataFrame({
    "id": ["a", "b", "c"],
    "text": ["A red dog", None, "naïve Ärger 猫"],
    "width_px": [200, 100, None],
    "height_px": [100, 0, None],
    "image_format": ["png", "jpeg", None],
    "source": ["web", "web", "shop"],
})  # fmt: skip


def test_words_of_any_script_are_counted_and_a_missing_text_has_none():
    assert facts_of(PAIRS, ["words"])["words"].to_list() == [3, 0, 3]
    assert facts_of(PAIRS, ["word:猫", "word:dog"]).rows() == [(0, 1), (0, 0), (1, 0)]


def test_a_number_that_is_not_finite_is_not_known():
    assert facts_of(PAIRS, ["shape"])["shape"].to_list() == [2, None, None]


def test_a_fact_without_its_column_is_not_known_of_any_pair():
    found = facts_of(PAIRS.select("text"), ["brightness", "format:png", "words"])
    assert found["brightness"].null_count() == found["format:png"].null_count() == 3
    assert facts_of(pl.DataFrame({"width_px": [1]}), ["words", "word:dog"]).rows() == [(None, None)]


def test_facts_that_are_equal_for_all_pairs_are_left_out():
    assert "width" not in fact_names(PAIRS.with_columns(width_px=64))
    assert "width" in fact_names(PAIRS)


def test_only_frequent_words_are_facts_and_not_too_many():
    texts = [f"common w{place} {'x' * (LONGEST_WORD + 1)}" if place % 2 else "other" for place in range(100)]
    words = [name for name in fact_names(pl.DataFrame({"text": texts})) if name.startswith("word:")]
    assert words == ["word:common", "word:other"]
    many = [" ".join(f"w{(place + k) % 100}" for k in range(50)) for place in range(100)]
    assert len([name for name in fact_names(pl.DataFrame({"text": many})) if "word:" in name]) == MOST_WORDS


def test_neither_labels_nor_row_numbers_are_facts():
    rows = pl.DataFrame({"text": ["a b", "c"] * 20, "label": ["x", "y"] * 20, "row": range(40), "group": "g"})
    assert set(fact_names(rows)) == {"words", "characters", "word:a", "word:b", "word:c"}


def test_a_hostile_source_is_a_fact_like_any_other():
    rows = pl.DataFrame({"text": ["a"] * 40, "source": ["<script>:", "b"] * 20})
    assert facts_of(rows, ["source:<script>:"])["source:<script>:"].sum() == 20


@pytest.mark.parametrize("name", FACTS)
def test_each_fact_has_a_sentence_with_one_place_for_its_number(name):
    assert FACTS[name].phrase.count("{}") == 1
