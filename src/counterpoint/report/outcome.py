"""The first sections of the page: the answer with its doubt, the scores, the differences."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.report import glossary
from counterpoint.report.material import Material
from counterpoint.report.rowplots import Dot, dots
from counterpoint.report.svg import Gallery
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame

Content = dict[str, Any]
MOST_DRAWN = 14
PARTS = {"validation": "Validation", "train": "Training"}


def answer(material: Material, gallery: Gallery) -> Content:
    """Return the answer, what it rests on, and the primary contrast with its doubt where there is one."""
    found = material.results.get("answer") or {}
    contrast = _contrast(material, gallery)
    return {
        "headline": found.get("headline") or "This study has no answer yet.",
        "reasons": found.get("reasons") or [],
        "recommendation": found.get("recommendation"),
        "verdict": _verdict(found.get("verdict") or "", contrast),
        "evidence": found.get("evidence") or [],
        "contrast": contrast,
        "best": next(_by_rank(material, material.metric).iter_rows(named=True), None),
    }


def _verdict(verdict: str, contrast: Content | None) -> str:
    if verdict == "cannot_tell" and contrast and _known(contrast["low"]) > 0:
        return glossary.GAIN_OF_UNKNOWN_KIND
    return glossary.VERDICTS.get(verdict, verdict)


def _contrast(material: Material, gallery: Gallery) -> Content | None:
    primary = material.table("differences").filter("is_primary").head(1)
    if primary.is_empty():
        return None
    row = primary.row(0, named=True)
    sides = material.test_scores.filter(pl.col("contender").is_in([row["a"], row["b"]]), metric=row["metric"])
    scores = {side["contender"]: side for side in sides.iter_rows(named=True)}
    draw = partial(
        dots, [_difference(row)], zero=0, band=_known(row["minimum_detectable"]), x_label=_axis(row["metric"])
    )
    is_known = math.isfinite(_known(row["difference"]))
    return row | {
        "chosen_on": (material.results.get("primary") or {}).get("chosen_on"),
        "n": sides["n"].max(),
        "seeds": sides["seeds"].max(),
        "sides": [scores[name] for name in (row["a"], row["b"]) if name in scores],
        "figure": gallery.add_rows("answer", "The primary contrast", draw, alt=_in_words(primary))
        if is_known
        else None,
    }


def scores(material: Material, gallery: Gallery) -> Content | None:
    """Return the test scores, as a table and one figure a metric, and the scores on the other rows."""
    if material.test_scores.is_empty():
        return None
    parts = {PARTS[part]: material.table("scores").filter(part=part) for part in PARTS}
    return {
        "rows": _by_contender(material, material.test_scores),
        "parts": {part: _by_contender(material, rows) for part, rows in parts.items() if len(rows)},
        "figures": {name: _score_figure(material, gallery, name) for name in material.metrics},
    }


def _by_contender(material: Material, rows: Frame) -> list[Content]:
    cells = {(row["contender"], row["metric"]): row for row in rows.iter_rows(named=True)}
    sizes = {row["contender"]: row for row in rows.iter_rows(named=True)}
    return [
        {
            "contender": name,
            "n": sizes[name]["n"],
            "seeds": sizes[name]["seeds"],
            "cells": [cells.get((name, metric)) for metric in material.metrics],
        }
        for name in material.contenders
        if name in sizes
    ]


def _score_figure(material: Material, gallery: Gallery, metric: str) -> str:
    known = glossary.metric(metric)
    rows = _by_rank(material, metric)
    if rows.is_empty():
        return ""
    label = f"{known.name_within}, test pairs"
    draw = partial(
        dots, [_score(material, row) for row in rows.iter_rows(named=True)],
        x_label=label if known.is_more_better else f"{label} (lower is better)",
    )  # fmt: skip
    in_words = [f"{row['contender']} {_value(row)}" for row in rows.iter_rows(named=True)]
    title = f"{known.label} on test pairs, {material.confidence} interval"
    return gallery.add_rows(f"scores-{metric}", title, draw, alt=f"{title}: {'; '.join(in_words)}.")


def _by_rank(material: Material, metric: str) -> Frame:
    """Return the test scores in *metric* of those that have one, in the order of the contenders."""
    rows = material.test_scores.filter(metric=metric).filter(pl.col("value").is_finite())
    places = {name: place for place, name in enumerate(material.contenders)}
    return rows.sort(pl.col("contender").replace_strict(places, return_dtype=pl.Int64))


def _value(row: Mapping[str, Any]) -> str:
    return numbers.score_with_interval(row["value"], row["low"], row["high"])


def _score(material: Material, row: Mapping[str, Any]) -> Dot:
    voice = material.voice(row["contender"])
    return Dot(
        row["contender"], row["value"], _known(row["low"]), _known(row["high"]), _value(row),
        colour=voice.colour, marker=voice.marker, is_hollow=voice.is_hollow,
    )  # fmt: skip


def differences(material: Material, gallery: Gallery) -> Content | None:
    """Return every paired difference, and a figure of those that bear on the question."""
    table = material.table("differences")
    if table.is_empty():
        return None
    table = table.sort("is_primary", pl.col("metric") == material.metric, descending=True, maintain_order=True)
    drawn = _that_matter(material, table.filter(metric=material.metric))
    rows = [_difference(row) for row in drawn.iter_rows(named=True)]
    figure = None
    if rows:
        draw = partial(dots, rows, zero=0, x_label=_axis(material.metric))
        title = f"Differences in {glossary.metric(material.metric).name_within}, {material.confidence} interval"
        figure = gallery.add_rows("differences", title, draw, alt=_in_words(drawn))
    return {"rows": table.to_dicts(), "figure": figure, "n_drawn": len(rows)}


def _that_matter(material: Material, table: Frame) -> Frame:
    """Return the differences between a contender of both and one of a single modality; all, where there is none."""
    heard = {name: material.voice(name).label for name in material.contenders}
    both = pl.Series("both", [name for name, label in heard.items() if label == "text and image"], pl.String)
    single = pl.Series("single", [name for name, label in heard.items() if label in ("text", "image")], pl.String)
    a, b = pl.col("a"), pl.col("b")
    crossed = (a.is_in(both.implode()) & b.is_in(single.implode())) | (
        a.is_in(single.implode()) & b.is_in(both.implode())
    )
    matter = table.filter(crossed | pl.col("is_primary"))
    chosen = (matter if len(matter) else table).filter(pl.col("difference").is_finite())
    return chosen.sort("is_primary", "difference", descending=True, maintain_order=True).head(MOST_DRAWN)


def _difference(row: Mapping[str, Any]) -> Dot:
    return Dot(
        f"{page_line(row['a'], most=17)} − {page_line(row['b'], most=17)}",
        row["difference"], _known(row["low"]), _known(row["high"]), _with_interval(row),
        colour="ink" if row["is_primary"] else "muted",
        marker="D" if row["is_primary"] else "o",
        is_bold=bool(row["is_primary"]),
    )  # fmt: skip


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _axis(metric: str) -> str:
    known = glossary.metric(metric)
    left, right = ("second", "first") if known.is_more_better else ("first", "second")
    return f"{left} better ← {known.name_within} → {right} better"


def _in_words(rows: Frame) -> str:
    differences = [f"{row['a']} minus {row['b']} {_with_interval(row)}" for row in rows.iter_rows(named=True)]
    return f"Differences: {'; '.join(differences)}."


def _with_interval(row: Mapping[str, Any]) -> str:
    return numbers.signed_with_interval(row["difference"], row["low"], row["high"])
