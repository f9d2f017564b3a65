"""The rows that a reader of the page may look at: a sample of the test rows, their texts and small pictures.

The page of a million rows contains no more of them than that of a few thousand.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint.diagnose.queues import COLUMNS, named_rows, queues_of
from counterpoint.formats.images import ImageReader
from counterpoint.formats.values import MISSING
from counterpoint.measures.disagreements import CELLS, MODALITIES_OF, OUTCOMES
from counterpoint.report.drawing.thumbnails import tiny
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

Content = dict[str, Any]
MOST_ROWS, MOST_NAMED = 1000, 200
"""The most rows on the page, and how many of them a finding may place there although all readers agree on them."""
MOST_CHARACTERS, MOST_IN_ID, MOST_IN_QUEUE = 300, 500, 200_000
"""The most characters of a text and of an id, and the most bytes of the ids of a queue."""
BUDGET = 2_500_000
"""The most bytes of the rows with their pictures.  The last rows have no picture where it is used up."""
CARRIAGE_RETURN = "\r"


class RowFacts(NamedTuple):
    """What is known of rows besides their predictions.

    Attributes
    ----------
    pairs
        *pairs* have the texts and images.
    findings
        *findings* is schema.FINDINGS, whose evidence names rows.
    segments
        *segments* has a row for each row in a segment: id and segment.
    """

    pairs: Frame
    findings: Frame
    segments: Frame

    def tags(self) -> Frame:
        """Return the findings that name each row, and the segments that contain it: id, findings, segments."""
        named = [{"id": each, "finding": code} for code, ids in named_rows(self.findings).items() for each in ids]
        of_findings = pl.DataFrame(named, {"id": pl.String, "finding": pl.String}).group_by("id")
        of_segments = self.segments.group_by("id").agg(segments=pl.col("segment").unique().sort())
        found = of_findings.agg(findings=pl.col("finding").unique().sort())
        return found.join(of_segments, on="id", how="full", coalesce=True)


def sampled_rows(rows: Frame, tags: Frame, *, most: int = MOST_ROWS, seed: int = 0) -> Frame:
    """Return a sample of the test rows with their findings and segments: first those on which the readers disagree.

    Of disagreements, as many as possible of each cell, outcome and class are drawn.  Then come rows that a finding
    names, and then rows on which all are right.

    Parameters
    ----------
    rows
        *rows* are the result of `counterpoint.measures.disagreements.disagreements`.
    tags
        *tags* are the findings and segments of rows, from `RowFacts.tags`.
    most
        *most* is the largest number of rows.
    seed
        *seed* fixes the sample.

    Returns
    -------
    Frame
        The rows in the order of the page: by outcome as in `OUTCOMES`, then by confidence, the highest first.

    Examples
    --------
    >>> row = {"cell": "both", "outcome": "kept", "label": "x", "multimodal_confidence": 0.9}
    >>> rows = pl.DataFrame([row | {"id": str(n)} for n in range(9)] + [row | {"id": "z", "outcome": "lost"}])
    >>> tags = pl.DataFrame(schema={"id": pl.String, "findings": pl.List(pl.String), "segments": pl.List(pl.String)})
    >>> sampled_rows(rows, tags, most=2)["outcome"].to_list()
    ['lost', 'kept']
    """
    known = rows.join(tags, on="id", how="left", maintain_order="left")
    agree, is_named = pl.col("outcome") == "kept", pl.col("findings").is_not_null()
    named = known.filter(agree & is_named)
    drawn = _spread(known.filter(~agree), ["cell", "outcome", "label"], most - min(MOST_NAMED, len(named)), seed)
    for others in (named, known.filter(agree & ~is_named)):
        limit = most - len(drawn) if others is not named else min(MOST_NAMED, most - len(drawn))
        drawn = pl.concat([drawn, _spread(others, ["label"], limit, seed)])
    place = pl.col("outcome").replace_strict({outcome: i for i, outcome in enumerate(OUTCOMES)})
    return drawn.sort(place, "multimodal_confidence", "id", descending=[False, True, False])


def _spread(rows: Frame, strata: Sequence[str], most: int, seed: int) -> Frame:
    """Return at most *most* of the rows, one of each stratum in turn, so that a rare one is whole."""
    shuffled = rows[np.random.default_rng(child_seed(seed, "disagreements")).permutation(len(rows))]
    turn = pl.int_range(pl.len()).over(strata)
    return shuffled.with_columns(turn=turn).sort("turn", maintain_order=True).head(max(0, most)).drop("turn")


def rows_data(sample: Frame, facts: RowFacts, classes: Sequence[str], reader: ImageReader) -> Content:
    """Return the sample as columns for the script of the page, with the queues that it can save.

    Parameters
    ----------
    sample
        *sample* is the result of `sampled_rows`.
    facts
        *facts* have the texts, images and findings.
    classes
        *classes* are the names of the classes.
    reader
        *reader* reads the images.

    Returns
    -------
    dict
        Lists of one value a row, and tables of the names to which their numbers refer. An id that no file of ids can
        hold is null.
    """
    rows = sample.join(facts.pairs.select("id", "text", "image"), on="id", how="left", maintain_order="left")
    data = _columns(rows, classes) | {
        "cells": CELLS,
        "outcomes": OUTCOMES,
        "classes": list(classes),
        "class_names": [page_line(name, most=60) for name in classes],
        "queues": queue_files(facts),
    }
    size = len(json.dumps(data, ensure_ascii=False).encode())
    return data | _pictures(rows["image"].to_list(), reader, BUDGET - size)


def _columns(rows: Frame, classes: Sequence[str]) -> Content:
    findings, segments = (_numbered(rows[name]) for name in ("findings", "segments"))
    texts = [_cut(text) for text in rows["text"]]
    number = {name: place for place, name in enumerate(classes)}
    return {
        "id": [each if is_writable(each) else None for each in rows["id"]],
        "name": [page_line(each, most=80) for each in rows["id"]],
        "text": [text for text, _ in texts],
        "length": [length for _, length in texts],
        "cell": [CELLS.index(cell) for cell in rows["cell"]],
        "outcome": [OUTCOMES.index(outcome) for outcome in rows["outcome"]],
        "label": [number[label] for label in rows["label"]],
        "predicted": [[number[name] for name in rows[f"{reader}_predicted"]] for reader in MODALITIES_OF],
        "confidence": [rows[f"{reader}_confidence"].round(3).to_list() for reader in MODALITIES_OF],
        "finding_names": [page_line(code, most=40) for code in findings[0]],
        "findings": findings[1],
        "segment_names": [page_line(name, most=120) for name in segments[0]],
        "segments": segments[1],
    }


def _numbered(lists: pl.Series) -> tuple[list[str], list[list[int]]]:
    """Return all names in a column of lists, sorted, and the places of those of each row."""
    of_rows = lists.fill_null([]).to_list()
    names = sorted({name for of_row in of_rows for name in of_row})
    place = {name: number for number, name in enumerate(names)}
    return names, [[place[name] for name in of_row] for of_row in of_rows]


def _cut(text: str | None) -> tuple[str | None, int]:
    """Return the first characters of *text* on one line, and its whole length where it is cut, else 0."""
    if text is None:
        return None, 0
    start = page_line(text[: 10 * MOST_CHARACTERS], most=10 * MOST_CHARACTERS)  # the rest is costly and never shown
    is_whole = len(text) <= 10 * MOST_CHARACTERS and len(start) <= MOST_CHARACTERS
    return page_line(start, most=MOST_CHARACTERS), 0 if is_whole else len(text)


def is_writable(name: str) -> bool:
    r"""Report whether a file of ids can hold the id *name*, for ``exclude`` and ``relabel`` to read.

    >>> is_writable('a, "b"'), is_writable("a\rb"), is_writable("nan")
    (True, False, False)
    """
    return CARRIAGE_RETURN not in name and len(name) <= MOST_IN_ID and name.strip() not in ("", *MISSING)


def _pictures(refs: Sequence[str | None], reader: ImageReader, budget: int) -> Content:
    """Return the picture of each distinct image, as long as the budget lasts, and its place for each row, or −1."""
    places: dict[str, int] = {}
    pictures: list[str] = []
    for ref in dict.fromkeys(ref for ref in refs if ref is not None):
        if budget <= 0:
            break
        picture = tiny(ref, reader)
        if picture is not None and len(picture) <= budget:
            places[ref] = len(pictures)
            pictures.append(picture)
            budget -= len(picture) + 3
    has_image = [ref is not None for ref in refs]
    return {
        "picture": [-1 if ref is None else places.get(ref, -1) for ref in refs],
        "pictures": pictures,
        "has_image": has_image,
    }


def queue_files(facts: RowFacts) -> list[Content]:
    """Return the queue of each finding as a file for ``exclude`` or ``relabel``, with the rows that it has in all."""
    known = facts.pairs.select("id")
    files = []
    for code, queue in queues_of(facts.findings):
        rows = queue.join(known, on="id", how="semi", maintain_order="left")
        rows = rows.filter(pl.col("id").map_elements(is_writable, pl.Boolean))
        rows = rows.filter(pl.col("id").str.len_bytes().cum_sum() <= MOST_IN_QUEUE)
        is_labels = COLUMNS[code] == "label"
        files.append({
            "code": code,
            "setting": "relabel" if is_labels else "exclude",
            "ids": rows["id"].to_list(),
            "labels": rows["label"].to_list() if is_labels else None,
            "n": len(queue),
        })  # fmt: skip
    return [file for file in files if file["ids"]]


def page_counts(data: Mapping[str, Any]) -> dict[str, int]:
    """Return how many rows the page has, how many of them lack their picture, and how many texts are cut.

    >>> found = {"id": ["a", "b"], "picture": [0, -1], "has_image": [True, True], "length": [0, 900], "pictures": [""]}
    >>> page_counts(found)
    {'shown': 2, 'unpictured': 1, 'cut': 1}
    """
    n_pictured = sum(place >= 0 for place in data["picture"])
    return {
        "shown": len(data["id"]),
        "unpictured": sum(data["has_image"]) - n_pictured,
        "cut": sum(length > 0 for length in data["length"]),
    }
