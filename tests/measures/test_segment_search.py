"""Trees find segments that differ, in clauses that a reader understands."""

import numpy as np
import polars as pl
import pytest

from counterpoint.measures.row_gains import Gains
from counterpoint.measures.segment_search import (
    LEAST_GROUPS,
    MOST_EACH,
    contrast_outside,
    holds,
    least_rows,
    search_segments,
)

N = 1500


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(3)


def made(rng, chance, *, groups=None):
    gain = (rng.random(N) < chance).astype(float) - (rng.random(N) < 0.05)
    own = np.arange(N) if groups is None else groups
    return Gains(gain, np.ones(N), own, np.zeros(N, dtype=np.intp))


def facts(rng):
    return pl.DataFrame({
        "words": rng.integers(1, 20, N), "brightness": rng.random(N), "sharpness": rng.random(N),
        "word:dog": rng.integers(0, 2, N).astype(float),
    })  # fmt: skip


def test_a_planted_segment_is_the_first(rng):
    own = facts(rng)
    found = search_segments(own, made(rng, np.where(own["words"] < 5, 0.3, 0.05)))
    assert [each.in_words() for each in found[0].conditions] == ["the text has fewer than five words"]
    assert found[0].t > 5


def test_no_segment_repeats_an_earlier_one(rng):
    own = facts(rng).with_columns(characters=pl.col("words") * 5)
    found = search_segments(own, made(rng, np.where(own["words"] < 5, 0.4, 0.05)))
    names = {condition.fact for each in found for condition in each.conditions}
    assert len(names & {"words", "characters"}) == 1
    assert sum(each.t > 0 for each in found) <= MOST_EACH


def test_a_limit_in_words_is_the_rule_that_is_tested(rng):
    own = facts(rng)
    found = search_segments(own, made(rng, np.where(own["brightness"] < 0.31, 0.3, 0.05)))[0]
    assert len(f"{found.conditions[0].high:g}") <= 5
    assert (holds(found.conditions, own) == found.inside).all()


def test_two_facts_together_are_found(rng):
    own = facts(rng)
    both = (own["words"] < 10) & (own["word:dog"] == 1)
    found = search_segments(own, made(rng, np.where(both, 0.5, 0.05)))[0]
    assert {condition.fact for condition in found.conditions} == {"words", "word:dog"}


def test_rows_of_an_unknown_fact_can_be_a_segment(rng):
    own = facts(rng).with_columns(brightness=pl.when(pl.col("words") > 5).then("brightness"))
    found = search_segments(own.select("brightness", "sharpness"), made(rng, np.where(own["words"] > 5, 0.05, 0.4)))
    assert found[0].conditions[0].has_unknown


def test_a_segment_of_few_groups_is_not_looked_at(rng):
    own, groups = facts(rng), np.arange(N)
    few = (own["words"] < 5).to_numpy()
    groups[few] = groups[few] % (LEAST_GROUPS - 1)
    groups = np.unique(groups, return_inverse=True)[1]
    found = search_segments(own.select("words"), made(rng, np.where(few, 0.4, 0.05), groups=groups))
    assert all(len(np.unique(groups[each.inside])) >= LEAST_GROUPS for each in found)


def test_segments_have_enough_rows_and_the_search_has_no_chance(rng):
    own, gains = facts(rng), made(rng, 0.1)
    first, second = search_segments(own, gains), search_segments(own, gains)
    assert [each.conditions for each in first] == [each.conditions for each in second]
    assert all(least_rows(N) <= each.inside.sum() <= N / 2 for each in first)


def test_equal_facts_give_no_segment(rng):
    assert search_segments(pl.DataFrame({"words": [3.0] * N, "shape": [None] * N}), made(rng, 0.1)) == []


def test_a_part_of_an_earlier_segment_has_nothing_left_outside(rng):
    gains, first = made(rng, 0.1), np.arange(N) < 400
    assert contrast_outside(gains, np.arange(N) < 200, ~first) is None
    assert contrast_outside(gains, np.arange(N) < 700, ~first).n == 300
