"""The section on segments: the pairs for which reading both modalities helps more, or less, than for all others."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from counterpoint import number_formats as numbers
from counterpoint.config import Evaluate
from counterpoint.measures.conditions import condition_of
from counterpoint.measures.row_gains import gain_name
from counterpoint.measures.segments import ALPHA, WHOLE
from counterpoint.report.drawing.rowplots import Dot, draw_dots
from counterpoint.report.drawing.svg import Gallery
from counterpoint.schema import Frame

Content = dict[str, Any]


def content(
    results: Mapping[str, Any], tables: Mapping[str, Frame], rules: Evaluate, gallery: Gallery, *, shows_words: bool
) -> Content:
    """Return the content of the section under the name ``helps``.

    Parameters
    ----------
    results
        *results* is the content of results.json.
    tables
        *tables* are the tables of the page.
    rules
        *rules* is the section ``evaluate``.
    gallery
        *gallery* takes the figure.
    shows_words
        *shows_words* is False if no word of a text may stand on the page.
    """
    metric = str((results.get("primary") or {}).get("metric") or rules.primary)
    found = tables["segments"], tables["segment_searches"]
    return {"helps": segments_section(*found, gallery, metric=metric, shows_words=shows_words)}


def segments_section(
    segments: Frame, searches: Frame, gallery: Gallery, *, metric: str, shows_words: bool = True
) -> Content | None:
    """Return the confirmed segments in words, all tested ones as rows and as a figure, and an account of the search.

    Parameters
    ----------
    segments
        *segments* is schema.SEGMENTS.
    searches
        *searches* is schema.SEGMENT_SEARCHES.
    gallery
        *gallery* takes the figure.
    metric
        *metric* is the primary metric.
    shows_words
        *shows_words* is False if no word of a text may stand on the page.

    Returns
    -------
    dict or None
        rows, confirmed (the rows that are, of two that are alike the first), reasons (why nothing was searched),
        account, measure and figure.  None if no search was made.
    """
    if searches.is_empty():
        return None
    rows = segments.to_dicts() if shows_words else [_without_words(row) for row in segments.iter_rows(named=True)]
    searched = searches.filter(searches["reason"].is_null()).to_dicts()
    return {
        "rows": rows,
        "confirmed": _first_of_twins([row for row in rows if row["is_confirmed"]]),
        "reasons": searches["reason"].drop_nulls().unique(maintain_order=True).to_list(),
        "is_halved": searches["half"][0] != WHOLE,
        "account": _account(searched) if searched else None,
        "measure": gain_name(metric),
        "alpha": ALPHA,
        "figure": _figure(rows, gallery, gain_name(metric)) if rows else None,
    }


def _without_words(row: Mapping[str, Any]) -> Content:
    """Return a row whose description has no word of any text."""
    conditions = [condition_of(each) for each in json.loads(row["conditions"])]
    segment = " and ".join(condition.in_words(shows_words=False) for condition in conditions)
    return {**row, "segment": segment, "twin": row["twin"] and "one that is not named here"}


def _first_of_twins(confirmed: Sequence[Content]) -> list[Content]:
    """Return the confirmed segments without those that are nearly the same as an earlier one."""
    chosen: list[Content] = []
    for row in confirmed:
        if row["segment"] not in {each["twin"] for each in chosen}:
            chosen.append(row)
    return chosen


def _account(searched: Sequence[Mapping[str, Any]]) -> Content:
    """Return the numbers of pairs, facts, words and segments of all searches, as text."""
    most = {key: max(each[key] for each in searched) for key in ("n_facts", "n_words")}
    together = {key: sum(each[key] for each in searched) for key in ("n_search", "n_test", "n_segments")}
    return {key: numbers.count(value) for key, value in (most | together).items()}


def _figure(rows: Sequence[Mapping[str, Any]], gallery: Gallery, measure: str) -> str:
    draw = partial(draw_dots, [_dot(row) for row in rows], zero=0, x_label=f"gain in {measure}")
    in_words = [f"{_gain(row)} where {row['segment']}, {numbers.signed(row['rest'])} elsewhere" for row in rows]
    title = "Gain of reading both, by segment"
    return gallery.add_rows("where-it-helps", title, draw, alt=f"{title}: {'; '.join(in_words)}.")


def _dot(row: Mapping[str, Any]) -> Dot:
    is_confirmed = row["is_confirmed"]
    low, high = (math.nan if row[key] is None else row[key] for key in ("low", "high"))
    return Dot(
        _label(row["segment"]), row["gain"], low, high, _gain(row), colour="both" if is_confirmed else "muted",
        marker="D" if is_confirmed else "o", is_hollow=not is_confirmed, is_bold=is_confirmed,
        others=((row["rest"], "o"),),
    )  # fmt: skip


def _label(segment: str) -> str:
    """Return a description that fits a figure.

    >>> _label("the brightness of the image is below 0.3 and the text has no words")
    'brightness is below 0.3 and text has no words'
    """
    return segment.removeprefix("the ").replace(" and the ", " and ").replace(" of the image", "")


def _gain(row: Mapping[str, Any]) -> str:
    return numbers.signed_with_interval(row["gain"], row["low"], row["high"])
