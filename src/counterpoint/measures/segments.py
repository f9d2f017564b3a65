"""Where reading both helps: segments that are found on validation rows, and tested on test rows that did not find them.

In a hold-out, the validation rows find and the test rows test.  In a k-fold, a row is a validation row of one fold and
a test row of another.  So the groups are divided into two halves at random.  The validation rows of one half find, and
the test rows of the other half test.  Then the halves change places.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint.compare.holm import holm
from counterpoint.measures.conditions import Condition, condition_of
from counterpoint.measures.fact_models import sampled
from counterpoint.measures.row_facts import fact_columns, fact_names, facts_of
from counterpoint.measures.row_gains import Contrast, contrast, gains_of, halves, row_gains
from counterpoint.measures.segment_search import (
    ALIKE,
    LEAST_GROUPS,
    Candidate,
    contrast_outside,
    holds,
    jaccard,
    search_segments,
)
from counterpoint.schema import SEGMENT_SEARCHES, SEGMENTS, Frame, empty
from counterpoint.seeds import child_seed

SEGMENTS_RULE = "shallow trees over facts and clusters, found on validation rows, tested on test rows of other groups"
"""The rule of the search, a part of the key of its tables."""
ALPHA = 0.02
"""A segment is confirmed if its p after Holm's correction is at most this: in 2 of 100 studies without any segment."""
LEAST_ROWS = 200
"""A search needs this number of validation rows, and a test this number of test rows."""
MOST_SEARCHED = 20_000
"""The largest number of rows of one search.  More are sampled."""
WHOLE, HALVES = "all rows", ("first half", "second half")
NO_CONTRAST = "The study has no primary contrast."
NO_VALIDATION = "The contenders of the primary contrast have no predictions of validation pairs."


class Found(NamedTuple):
    """The tables schema.SEGMENTS and schema.SEGMENT_SEARCHES."""

    segments: Frame
    searches: Frame


class Rows(NamedTuple):
    """The rows that find, and the rows that test.

    Attributes
    ----------
    name
        *name* is `WHOLE`, or the half that finds.
    search, test
        *search* and *test* are results of `row_gains`.
    """

    name: str
    search: Frame
    test: Frame


def find_segments(
    pairs: Frame, predictions: Frame, primary: Mapping[str, Any] | None, *, metric: str, confidence: float
) -> Found:
    """Return the segments of rows in which the primary contrast differs from that of all other rows.

    Parameters
    ----------
    pairs
        *pairs* is schema.PAIRS with the columns that describe images.
    predictions
        *predictions* is schema.PREDICTIONS.
    primary
        *primary* is the primary contrast, or None.
    metric
        *metric* is the primary metric.
    confidence
        *confidence* is the level of the intervals.

    Examples
    --------
    >>> found = find_segments(empty({}), empty({}), None, metric="accuracy", confidence=0.95)
    >>> len(found.segments), found.searches["reason"].to_list()
    (0, ['The study has no primary contrast.'])
    """
    if not primary:
        return Found(empty(SEGMENTS), _searches([_skipped(WHOLE, 0, 0, NO_CONTRAST)]))
    search, test = (row_gains(predictions, primary, metric, part) for part in ("validation", "test"))
    parts = divided(search, test)
    reason = _too_few(parts)
    made = [_made(rows, pairs, metric) if reason is None else _not_made(rows, reason) for rows in parts]
    rows = [each for found in made for each in found.tested]
    return Found(_table(rows, pairs, confidence), _searches([found.search for found in made]))


def divided(search: Frame, test: Frame) -> list[Rows]:
    """Return the rows that find and the rows that test: no group is in both.

    Parameters
    ----------
    search, test
        *search* and *test* are the results of `row_gains` on validation and on test rows.

    Examples
    --------
    >>> rows = pl.DataFrame({"id": list("abcd"), "group": list("wxyz"), "label": "p", "gain": 0.0})
    >>> [len(half.search) for half in divided(rows, rows)], len(divided(rows.head(2), rows.tail(2)))
    ([2, 2], 1)
    """
    if not set(search["group"]) & set(test["group"]):
        return [Rows(WHOLE, search, test)]
    rng = np.random.default_rng(child_seed(0, "halves of segments"))
    own = halves([*search["group"], *test["group"]], rng)
    return [
        Rows(name, search.filter(pl.col("group").is_in(finds)), test.filter(pl.col("group").is_in(tests)))
        for name, finds, tests in zip(HALVES, own, reversed(own), strict=True)
    ]


class Tested(NamedTuple):
    """A segment of one search with its gain on the rows that test, and its one-sided p."""

    half: str
    candidate: Candidate
    found: Contrast
    p: float


class _Made(NamedTuple):
    search: dict[str, Any]
    tested: list[Tested]


def _made(rows: Rows, pairs: Frame, metric: str) -> _Made:
    """Return the account of one search, and its segments with their gain on the rows that test."""
    own = _joined(sampled(rows.search, "rows of segments", MOST_SEARCHED), pairs)
    names = fact_names(own)
    candidates = search_segments(facts_of(own, names), gains_of(own, metric))
    tested = _tested(rows.name, candidates, _joined(rows.test, pairs), metric)
    n_words = sum(name.startswith("word:") for name in names)
    account = {"half": rows.name, "n_search": len(own), "n_test": len(rows.test), "n_facts": len(names) - n_words}
    return _Made(account | {"n_words": n_words, "n_segments": len(tested), "reason": None}, tested)


def _tested(half: str, candidates: Sequence[Candidate], rows: Frame, metric: str) -> list[Tested]:
    """Return the candidates with their gain on *rows*, without those that have too few groups there."""
    gains = gains_of(rows, metric)
    facts = facts_of(rows, sorted({condition.fact for each in candidates for condition in each.conditions}))
    tested, outside = [], np.ones(len(rows), dtype=bool)
    for each in candidates:
        inside = holds(each.conditions, facts)
        if all(len(np.unique(gains.groups[mask])) >= LEAST_GROUPS for mask in (inside, ~inside)):
            found = contrast(gains, inside)
            without = found if outside.all() else contrast_outside(gains, inside, outside)
            p = max(_p(each, found), 1.0 if without is None else _p(each, without))
            tested.append(Tested(half, each, found, p))
        outside &= ~inside
    return tested


def _p(candidate: Candidate, found: Contrast) -> float:
    """Return the one-sided p of a difference in the direction of the search."""
    two_sided = found.spread.p(found.difference)
    if np.isnan(two_sided):
        return 1.0
    return two_sided / 2 if found.difference * candidate.t > 0 else 1 - two_sided / 2


def _not_made(rows: Rows, reason: str) -> _Made:
    return _Made(_skipped(rows.name, len(rows.search), len(rows.test), reason), [])


def _too_few(parts: Sequence[Rows]) -> str | None:
    """Return the reason why nothing is searched, or None."""
    n_search, n_test = (min(len(rows) for rows in each) for each in zip(*(part[1:] for part in parts), strict=True))
    if not n_search:
        return NO_VALIDATION
    if min(n_search, n_test) >= LEAST_ROWS:
        return None
    where = " in each half of the pairs" if len(parts) > 1 else ""
    needed = f"The search needs {LEAST_ROWS} validation pairs and {LEAST_ROWS} test pairs{where}"
    return f"{needed}. There are {n_search} and {n_test}."


def _joined(rows: Frame, pairs: Frame) -> Frame:
    """Return *rows* with the columns of their pairs from which facts are computed."""
    own = pairs.select("id", *fact_columns(pairs))
    return rows.join(own, on="id", how="left", maintain_order="left", validate="m:1")


def _table(tested: Sequence[Tested], pairs: Frame, confidence: float) -> Frame:
    """Return schema.SEGMENTS: the confirmed segments first, each with the one of the other half that is alike."""
    rows = [_row(each, p_holm, confidence) for each, p_holm in zip(tested, _corrected(tested), strict=True)]
    table = pl.DataFrame(rows, schema=dict(SEGMENTS)).fill_nan(None)
    table = table.with_columns(twin=pl.Series(_twins(table, pairs), dtype=pl.String))
    return table.sort("is_confirmed", "p_holm", "p", "segment", descending=[True, False, False, False])


def _twins(table: Frame, pairs: Frame) -> list[str | None]:
    """Return for each segment the one of the other half with nearly the same rows, or None."""
    facts, found = segment_facts(table, pairs), []
    inside = [rows_in_segment(each, facts).to_numpy() for each in table["conditions"]]
    for half, mask in zip(table["half"], inside, strict=True):
        alike = [
            0.0 if other == half else jaccard(mask, each) for other, each in zip(table["half"], inside, strict=True)
        ]
        nearest = int(np.argmax(alike))
        found.append(table["segment"][nearest] if alike[nearest] >= ALIKE else None)
    return found


def _corrected(tested: Sequence[Tested]) -> list[float]:
    """Return each p after Holm's correction within its search, times the number of searches.

    The number of segments of a search depends on rows that test the segments of the other search.  So one correction
    over both would not be exact.
    """
    names = [each.half for each in tested]
    n_searches = len(HALVES) if set(names) <= set(HALVES) else 1
    of_search = {name: [each.p for each in tested if each.half == name] for name in names}
    own = {name: iter(holm(p_values)) for name, p_values in of_search.items()}
    return [min(1.0, n_searches * next(own[name])) for name in names]


def _row(tested: Tested, p_holm: float, confidence: float) -> dict[str, Any]:
    half, candidate, found, p = tested
    width = found.own.half_width(confidence)
    return {
        "segment": " and ".join(condition.in_words() for condition in candidate.conditions),
        "conditions": json.dumps([condition.as_json() for condition in candidate.conditions]),
        "half": half,
        "n_searched": candidate.found.n,
        "gain_searched": candidate.found.gain,
        "n": found.n,
        "groups": found.n_groups,
        "gain": found.gain,
        "low": found.gain - width,
        "high": found.gain + width,
        "rest": found.rest,
        "difference": found.difference,
        "error": found.spread.error,
        "df": found.spread.df,
        "p": p,
        "p_holm": p_holm,
        "is_confirmed": bool(p_holm <= ALPHA),
    }


def _skipped(half: str, n_search: int, n_test: int, reason: str) -> dict[str, Any]:
    counts = dict.fromkeys(("n_facts", "n_words", "n_segments"), 0)
    return {"half": half, "n_search": n_search, "n_test": n_test, **counts, "reason": reason}


def _searches(rows: Sequence[Mapping[str, Any]]) -> Frame:
    return pl.DataFrame(rows, schema=dict(SEGMENT_SEARCHES))


def segment_facts(segments: Frame, pairs: Frame) -> Frame:
    """Return the facts that *segments* are made of, a row for each pair.

    Parameters
    ----------
    segments
        *segments* is schema.SEGMENTS.
    pairs
        *pairs* is schema.PAIRS with the columns that describe images.

    Examples
    --------
    >>> segments = pl.DataFrame({"conditions": ['[{"fact": "words", "high": 3.0}]']})
    >>> segment_facts(segments, pl.DataFrame({"text": ["A dog", "A dog on grass"]}))["words"].to_list()
    [2.0, 4.0]
    """
    conditions = [condition for each in segments["conditions"] for condition in _conditions(each)]
    return facts_of(pairs, list({condition.fact: None for condition in conditions}))


def _conditions(segment: str) -> list[Condition]:
    return [condition_of(each) for each in json.loads(segment)]


def rows_in_segment(segment: str, facts: Frame) -> pl.Series:
    """Return whether each row is in a segment.

    Parameters
    ----------
    segment
        *segment* is the value of ``conditions`` in schema.SEGMENTS.
    facts
        *facts* is the result of `segment_facts`.

    Examples
    --------
    >>> few = '[{"fact": "words", "high": 3.0}]'
    >>> rows_in_segment(few, pl.DataFrame({"words": [2.0, 4.0, 0.0]})).to_list()
    [True, False, True]
    """
    return pl.Series("inside", holds(_conditions(segment), facts))


def segment_of_rows(segments: Frame, pairs: Frame) -> Frame:
    """Return the first confirmed segment of each pair: columns id and segment, null for a pair in none.

    Parameters
    ----------
    segments
        *segments* is schema.SEGMENTS.
    pairs
        *pairs* is schema.PAIRS with the columns that describe images.

    Examples
    --------
    >>> pairs = pl.DataFrame({"id": ["a"], "text": ["A dog"]})
    >>> segment_of_rows(empty(SEGMENTS), pairs).rows()
    [('a', None)]
    """
    confirmed = segments.filter("is_confirmed")
    facts = segment_facts(confirmed, pairs)
    inside = {name: rows_in_segment(own, facts) for name, own in confirmed.select("segment", "conditions").iter_rows()}
    named = [pl.when(mask).then(pl.lit(name)) for name, mask in inside.items()]
    return pairs.select("id", segment=pl.coalesce(*named) if named else pl.lit(None, pl.String))
