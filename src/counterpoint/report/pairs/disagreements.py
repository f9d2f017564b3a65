"""The section on disagreements: the 2 × 2 of text and image, right or wrong, and the outcome of reading both."""

from collections.abc import Mapping, Sequence
from typing import Any

from counterpoint.formats.images import ImageReader
from counterpoint.measures.chosen_contenders import how_often
from counterpoint.measures.clusters import with_clusters
from counterpoint.measures.disagreements import (
    CELLS,
    OUTCOMES,
    ChosenReaders,
    ReadRows,
    cell_counts,
    changes_against,
)
from counterpoint.measures.segments import segment_of_rows
from counterpoint.report.pairs.disagreement_rows import RowFacts, page_counts, rows_data, sampled_rows
from counterpoint.report.pairs.page_data import script_data
from counterpoint.schema import Frame

Content = dict[str, Any]
CELL_WORDS: Mapping[str, str] = {
    "both": "text right, image right",
    "text_only": "text right, image wrong",
    "image_only": "text wrong, image right",
    "neither": "text wrong, image wrong",
}
OUTCOME_WORDS: Mapping[str, str] = {
    "lost": "lost: one alone was right, both together wrong",
    "rescued": "rescued: one alone was wrong, both together right",
    "missed": "never right: each alone and both together wrong",
    "kept": "kept: each alone and both together right",
}


def disagreements_section(
    read: ReadRows | None,
    facts: RowFacts,
    *,
    classes: Sequence[str],
    titles: Mapping[str, str],
    confidence: float,
    reader: ImageReader | None,
) -> Content | None:
    """Return the counts of each cell and outcome, and the rows to look at.

    Parameters
    ----------
    read
        *read* are the test rows as the text alone, the image alone and both answer them.
    facts
        *facts* have the texts and images of rows, their findings and segments.
    classes, titles
        *classes* are the names of the predicted classes, and *titles* those of the checks, by code.
    confidence
        *confidence* is the level of intervals.
    reader
        *reader* reads the images. Without one, there are counts and no rows.

    Returns
    -------
    dict or None
        None where no contender of the text, of the image or of both could be chosen on validation rows.
    """
    if read is None:
        return None
    chosen, rows = read
    cells = cell_counts(rows, confidence=confidence)
    return {
        "n": len(rows),
        "readers": _readers(chosen),
        "n_seeds": chosen.n_seeds,
        "cells": {row["cell"]: row for row in cells.to_dicts()},
        "totals": {outcome: int(cells[outcome].sum()) for outcome in OUTCOMES},
        "changes": {alone: changes_against(rows, alone) for alone in ("text", "image")},
        "browser": None if reader is None else _browser(rows, facts, classes, titles, reader),
    }


def row_facts(tables: Mapping[str, Frame]) -> RowFacts:
    """Return the facts of rows from the tables of a page: pairs, findings, segments and clusters."""
    pairs = tables["pairs"].unique("id", keep="first", maintain_order=True)
    segments = segment_of_rows(tables["segments"], with_clusters(pairs, tables["clusters"]))
    return RowFacts(pairs, tables["findings"], segments.drop_nulls())


def _readers(chosen: ChosenReaders) -> Content:
    return {
        reader: {"name": name, "often": how_often({reader: name, "choices": chosen.choices}, reader)}
        for reader, name in chosen.names.items()
    }


def _browser(
    rows: Frame, facts: RowFacts, classes: Sequence[str], titles: Mapping[str, str], reader: ImageReader
) -> Content:
    sample = sampled_rows(rows, facts.tags())
    every = [*classes, *sorted(set(sample["label"]) - {*classes})]
    data = rows_data(sample, facts, every, reader)
    return page_counts(data) | {
        "data": script_data(data),
        "filters": _filters(data, titles),
        "queues": [
            {"place": place, "n_saved": len(file["ids"])} | {key: file[key] for key in ("code", "setting", "n")}
            for place, file in enumerate(data["queues"])
        ],
        "classes": data["class_names"],
        "n_disagreements": int((rows["outcome"] != "kept").sum()),
        "n_disagreements_shown": int((sample["outcome"] != "kept").sum()),
    }


def _filters(data: Content, titles: Mapping[str, str]) -> list[Content]:
    """Return the choices of each filter that has any: their values, their names and their numbers of rows."""
    findings = [f"{code} {titles.get(code, '')}".strip() for code in data["finding_names"]]
    offered = [
        ("cell", "Alone", _options([[cell] for cell in data["cell"]], [CELL_WORDS[cell] for cell in CELLS])),
        ("outcome", "Together", _options([[each] for each in data["outcome"]], list(OUTCOME_WORDS.values()))),
        ("label", "True class", _options([[label] for label in data["label"]], data["class_names"])),
        ("finding", "Finding", _options(data["findings"], findings)),
        ("segment", "Segment", _options(data["segments"], data["segment_names"])),
    ]
    return [{"name": name, "title": title, "options": options} for name, title, options in offered if options]


def _options(of_rows: Sequence[Sequence[int]], names: Sequence[str]) -> list[tuple[int, str, int]]:
    counts = [0] * len(names)
    for of_row in of_rows:
        for place in of_row:
            counts[place] += 1
    return [(place, name, counts[place]) for place, name in enumerate(names) if counts[place]]
