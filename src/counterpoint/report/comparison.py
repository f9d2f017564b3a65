"""The first sections of the page: the answer with its uncertainty, the scores, the differences."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.compare.repeated import n_repeats
from counterpoint.measures.chosen_contenders import chosen_sentences
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.metrics import find_metric
from counterpoint.report import glossary
from counterpoint.report.contenders import Contenders
from counterpoint.report.drawing.figure_data import table_of
from counterpoint.report.drawing.rowplots import Dot, draw_dots
from counterpoint.report.drawing.svg import Gallery
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import Frame

Content = dict[str, Any]
MOST_DRAWN = 14
BEST_OF_EACH = "those between a contender of both and the best one, on these pairs, of the text or of the image"
SCORE_COLUMNS = ("contender", "metric", "value", "low", "high", "n")
DIFFERENCE_COLUMNS = ("a", "b", "metric", "difference", "low", "high", "p_holm", "minimum_detectable", "is_primary")
PARTS = {"validation": "Validation", "train": "Training"}


def answer_section(answer: Mapping[str, Any], contrast: Content | None) -> Content:
    """Return the parts of the *answer* of results.json, with the verdict in words."""
    return {
        "headline": answer.get("headline") or "This study has no answer yet.",
        "doubt": answer.get("doubt"),
        "reasons": answer.get("reasons") or [],
        "recommendation": answer.get("recommendation"),
        "untried": answer.get("untried"),
        "verdict": _verdict(answer, contrast),
        "evidence": answer.get("evidence") or [],
    }


def _verdict(answer: Mapping[str, Any], contrast: Content | None) -> str:
    verdict, claim = answer.get("verdict") or "", answer.get("claim")
    if verdict == "cannot_tell" and contrast and _known(contrast["low"]) > 0:
        return glossary.GAIN_OF_UNKNOWN_KIND if claim == "better" else glossary.GAIN_OF_UNKNOWN_REASON
    if verdict == "cannot_tell" and claim in ("worse", "none"):
        return glossary.NO_GAIN_OF_UNKNOWN_REASON
    return glossary.VERDICTS.get(verdict, verdict)


def contrast_section(
    differences: Frame,
    scores: ScoreTable,
    contenders: Contenders,
    gallery: Gallery,
    *,
    primary: Mapping[str, Any] | None = None,
    modalities: Modalities | None = None,
    repeats: Frame | None = None,
) -> Content | None:
    """Return the primary contrast with its interval, its two scores and its figure.

    Parameters
    ----------
    differences
        *differences* is the table of paired differences.
    scores
        *scores* hold the scores of the two contenders.
    contenders
        *contenders* have their titles.
    gallery
        *gallery* takes the figure.
    primary
        *primary* is the primary contrast of results.json, with the choices of its contenders.
    modalities
        *modalities* are the modalities that each contender reads.
    repeats
        *repeats* is the primary contrast in each fold of each repeat.

    Returns
    -------
    dict or None
        The row of the difference, with n (pairs), seeds, scores, figure, sentences on the choice, n_repeats, and the
        rows of several repeats. None without a primary contrast.
    """
    marked = differences.filter("is_primary").head(1)
    if marked.is_empty():
        return None
    row = marked.row(0, named=True)
    both = scores.test.filter(pl.col("contender").is_in([row["a"], row["b"]]), metric=row["metric"])
    by_name = {score["contender"]: score for score in both.iter_rows(named=True)}
    return row | {
        "chosen": chosen_sentences(primary, scores.table, modalities or {}) if primary else [],
        "n": both["n"].max(),
        "seeds": both["seeds"].max(),
        "repeats": repeats.to_dicts() if repeats is not None and n_repeats(repeats) > 1 else [],
        "n_repeats": 1 if repeats is None else max(1, n_repeats(repeats)),
        "scores": [by_name[name] for name in (row["a"], row["b"]) if name in by_name],
        "figure": _contrast_figure(row, contenders, gallery) if math.isfinite(_known(row["difference"])) else None,
    }


def _contrast_figure(row: Mapping[str, Any], contenders: Contenders, gallery: Gallery) -> str:
    band, label = _known(row["minimum_detectable"]), _axis(row["metric"])
    draw = partial(draw_dots, [_difference(row, contenders)], zero=0, band=band, x_label=label)
    return gallery.add_rows(
        "answer", "The primary contrast", draw, alt=_in_words([row], contenders), data=_numbers([row])
    )


def best_score(scores: ScoreTable, contenders: Contenders) -> Content | None:
    """Return the best test score in the metric that decides."""
    return next(_by_rank(scores.test.filter(metric=scores.metric), contenders).iter_rows(named=True), None)


def scores_section(table: ScoreTable, contenders: Contenders, gallery: Gallery) -> Content | None:
    """Return the test scores, as a table and one figure for each metric, and the scores of the other parts.

    Parameters
    ----------
    table
        *table* holds the scores of every part.
    contenders
        *contenders* give the order and the style of each row.
    gallery
        *gallery* takes the figures.

    Returns
    -------
    dict or None
        rows, parts (rows by title) and figures by metric. None without test scores.
    """
    if table.test.is_empty():
        return None
    parts = {title: table.table.filter(part=part) for part, title in PARTS.items()}
    return {
        "rows": _by_contender(table.test, table.metrics, contenders),
        "parts": {title: _by_contender(rows, table.metrics, contenders) for title, rows in parts.items() if len(rows)},
        "figures": {name: _score_figure(table, name, contenders, gallery) for name in table.metrics},
    }


def _by_contender(rows: Frame, metrics: Sequence[str], contenders: Contenders) -> list[Content]:
    cells = {(row["contender"], row["metric"]): row for row in rows.iter_rows(named=True)}
    sizes = {row["contender"]: row for row in rows.iter_rows(named=True)}
    return [
        {
            "contender": name,
            "n": sizes[name]["n"],
            "seeds": sizes[name]["seeds"],
            "cells": [cells.get((name, metric)) for metric in metrics],
        }
        for name in contenders
        if name in sizes
    ]


def _score_figure(table: ScoreTable, metric: str, contenders: Contenders, gallery: Gallery) -> str:
    known = find_metric(metric)
    rows = _by_rank(table.test.filter(metric=metric), contenders).to_dicts()
    if not rows:
        return ""
    label = f"{known.name_within}, test pairs"
    draw = partial(
        draw_dots, [_score(row, contenders) for row in rows],
        x_label=label if known.higher_is_better else f"{label} (lower is better)",
    )  # fmt: skip
    in_words = [f"{contenders.title(row['contender'])} {_value(row)}" for row in rows]
    title = f"{known.label} on test pairs, {numbers.level(table.confidence)} interval"
    alt = f"{title}: {'; '.join(in_words)}."
    return gallery.add_rows(f"scores-{metric}", title, draw, alt=alt, data=table_of(rows, SCORE_COLUMNS))


def _by_rank(rows: Frame, contenders: Contenders) -> Frame:
    """Return the rows that have a score, in the order of the contenders."""
    return contenders.sorted(rows.filter(pl.col("value").is_finite()))


def _value(row: Mapping[str, Any]) -> str:
    return numbers.score_with_interval(row["value"], row["low"], row["high"])


def _score(row: Mapping[str, Any], contenders: Contenders) -> Dot:
    style = contenders.style(row["contender"])
    return Dot(
        contenders.title(row["contender"]), row["value"], _known(row["low"]), _known(row["high"]), _value(row),
        colour=style.colour, marker=style.marker, is_hollow=style.is_hollow,
    )  # fmt: skip


def differences_section(table: Frame, scores: ScoreTable, contenders: Contenders, gallery: Gallery) -> Content | None:
    """Return every paired difference, and a figure of the differences that bear on the question.

    Parameters
    ----------
    table
        *table* is the table of paired differences.
    scores
        *scores* hold the metric that decides and the confidence level.
    contenders
        *contenders* have the modalities that select the differences to draw.
    gallery
        *gallery* takes the figure.

    Returns
    -------
    dict or None
        rows, figure, which are drawn, n_drawn and n_of_metric. None without differences.
    """
    if table.is_empty():
        return None
    table = table.sort("is_primary", pl.col("metric") == scores.metric, descending=True, maintain_order=True)
    # Two rows of one pair and metric: the contrast of the two choices, and that of the two contenders themselves.
    table = table.with_columns(is_of_choices=pl.col("is_primary") & (pl.len().over("a", "b", "metric") > 1))
    decisive = table.filter(metric=scores.metric)
    matter, words = drawn_differences(decisive, contenders)
    drawn = matter.to_dicts()
    figure = None
    if drawn:
        draw = partial(draw_dots, [_difference(row, contenders) for row in drawn], zero=0, x_label=_axis(scores.metric))
        name = find_metric(scores.metric).name_within
        title = f"Differences in {name}, {numbers.level(scores.confidence)} interval"
        figure = gallery.add_rows("differences", title, draw, alt=_in_words(drawn, contenders), data=_numbers(drawn))
    counts = {"n_drawn": len(drawn), "n_of_metric": len(decisive)}
    return {"rows": table.to_dicts(), "figure": figure, "which": words} | counts


def _numbers(rows: Iterable[Mapping[str, Any]]) -> Frame:
    return table_of(rows, DIFFERENCE_COLUMNS)


def drawn_differences(table: Frame, contenders: Contenders) -> tuple[Frame, str]:
    """Return the differences that answer the question best, and which they are, in words.

    A contender of both modalities stands against the best of each single one: a weak one would flatter it.
    """
    both, a, b = contenders.of_modality("text and image"), pl.col("a"), pl.col("b")
    single = [*contenders.of_modality("text")[:1], *contenders.of_modality("image")[:1]]
    crossed = (a.is_in(both) & b.is_in(single)) | (a.is_in(single) & b.is_in(both))
    known = table.filter(pl.col("difference").is_finite())
    matter, words = known.filter(crossed | pl.col("is_primary")), BEST_OF_EACH
    if matter.is_empty():
        matter, words = known, "all"
    if len(matter) > MOST_DRAWN:
        matter = matter.sort("is_primary", pl.col("difference").abs(), descending=True)
        words = f"the largest of {words}"
    drawn = matter.head(MOST_DRAWN).sort("is_primary", "difference", descending=True, maintain_order=True)
    return drawn, words


def _difference(row: Mapping[str, Any], contenders: Contenders) -> Dot:
    return Dot(
        contenders.title(row["a"]),
        row["difference"], _known(row["low"]), _known(row["high"]), _with_interval(row),
        colour="ink" if row["is_primary"] else "muted",
        marker="D" if row["is_primary"] else "o",
        is_bold=bool(row["is_primary"]),
        second=f"− {contenders.title(row['b'])}{_as_chosen(row)}",
    )  # fmt: skip


def _as_chosen(row: Mapping[str, Any]) -> str:
    return ", as chosen" if row.get("is_of_choices") else ""


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _axis(metric: str) -> str:
    known = find_metric(metric)
    left, right = ("second", "first") if known.higher_is_better else ("first", "second")
    return f"{left} better ← {known.name_within} → {right} better"


def _in_words(rows: Iterable[Mapping[str, Any]], contenders: Contenders) -> str:
    title = contenders.title
    differences = [f"{title(row['a'])} minus {title(row['b'])}{_as_chosen(row)} {_with_interval(row)}" for row in rows]
    return f"Differences: {'; '.join(differences)}."


def _with_interval(row: Mapping[str, Any]) -> str:
    return numbers.signed_with_interval(row["difference"], row["low"], row["high"])
