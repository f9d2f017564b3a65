"""The sections of a sweep's page, in the form that its template reads. Saves their figures."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from counterpoint import number_formats as numbers
from counterpoint.metrics import Metric
from counterpoint.report import glossary
from counterpoint.report.behaviour.section import best_epochs, learning_numbers
from counterpoint.report.drawing import panels
from counterpoint.report.drawing.figure_data import table_of
from counterpoint.report.drawing.palette import ModalityStyle
from counterpoint.report.drawing.rowplots import Dot, draw_dots
from counterpoint.report.drawing.svg import Gallery
from counterpoint.report.sweep import curves as figures
from counterpoint.report.sweep.points import Changes, Row, ScoreCurve, short_key
from counterpoint.report.sweep.scale import Scale
from counterpoint.report.sweep.sentences import by_chance
from counterpoint.report.sweep.swept import Learned
from counterpoint.schema import Frame

Content = dict[str, Any]
SCORE_COLUMNS = ("variant", "choice", "value", "contender", "score", "low", "high", "n", "train", "validation")
DIFFERENCE_COLUMNS = (
    "variant",
    "choice",
    "contender",
    "difference",
    "difference_low",
    "difference_high",
    "p",
    "p_holm",
)
TERMS = {
    "variant": ("Variant", "A state of the study from which changes are made, one at a time."),
    "change": ("Change", "One setting, or a few that belong together, whose value differs from the variant's own."),
    "p": (
        "p",
        "The probability of a difference at least this large if the change had no effect. It is computed only where "
        "both scores are of the same test pairs.",
    ),
    "p_holm": (
        "p (Holm)",
        "The same, corrected for the number of changes that were tried on that variant and contender.",
    ),
}
SHARED_TERMS = ("interval", "contender", "validation", "seed", "group")


def clear_changes_section(changes: Sequence[Changes], confidence: float) -> Content:
    """Return the changes by variant and contender, and how many intervals would exclude 0 by chance."""
    n = sum(len(each.known) for each in changes)
    return {
        "variants": [each for each in changes if each.known],
        "by_chance": by_chance(n, confidence),
        "n": n,
    }


def effects_section(changes: Sequence[Changes], metric: Metric, gallery: Gallery) -> list[Content]:
    """Return, for each variant and contender, every difference to the variant's own score, the largest gain first.

    Parameters
    ----------
    changes
        *changes* are by variant and contender.
    metric
        *metric* is the metric of the scores.
    gallery
        *gallery* takes the figures.
    """
    return [_differences(each, metric, gallery) for each in changes if each.known]


def _differences(changes: Changes, metric: Metric, gallery: Gallery) -> Content:
    rows = [_difference(row) for row in changes.known]
    label = f"loses ← {metric.name_within} → gains"
    draw = partial(draw_dots, rows, zero=0, x_label=label)
    title = f"From {changes.variant}: each change's difference, {changes.contender}"
    alt = f"{title}: " + "; ".join(f"{row.label} {row.note}" for row in rows) + "."
    name = f"differences-{changes.variant}-{changes.contender}"
    return {
        "variant": changes.variant,
        "contender": changes.contender,
        "figure": gallery.add_rows(name, title, draw, alt=alt, data=table_of(changes.known, DIFFERENCE_COLUMNS)),
        "n": len(rows),
        "n_unpaired": sum(row["p"] is None for row in changes.known),
    }


def _difference(row: Row) -> Dot:
    return Dot(
        _label(row), row["difference"], _known(row["difference_low"]), _known(row["difference_high"]),
        numbers.signed_with_interval(row["difference"], row["difference_low"], row["difference_high"]),
        colour="ink" if row["is_clear"] else "muted", is_hollow=not row["is_clear"], is_bold=row["is_clear"],
    )  # fmt: skip


def point_scores_section(
    changes: Sequence[Changes],
    metric: Metric,
    style_of: Callable[[str], ModalityStyle],
    gallery: Gallery,
) -> list[Content]:
    """Return, for each variant and contender, the scores on test, validation and training rows, the best first.

    Parameters
    ----------
    changes
        *changes* are by variant and contender.
    metric
        *metric* is the metric of the scores.
    style_of
        *style_of* returns the style of a contender.
    gallery
        *gallery* takes the figures.
    """
    found = []
    for each in changes:
        rows = [row for row in each.rows if row["score"] is not None]
        rows.sort(key=lambda row: -row["score"])
        if each.own and each.own["score"] is not None:
            rows.insert(0, each.own)
        if rows:
            colour = style_of(each.contender).colour
            found.append(_scores(each, rows, colour, metric, gallery))
    return found


def _scores(changes: Changes, rows: list[Row], colour: str, metric: Metric, gallery: Gallery) -> Content:
    dots = [_score(row, colour) for row in rows]
    label = f"{metric.name_within}: ● test, □ validation, △ training"
    title = f"From {changes.variant}: scores of {changes.contender}"
    alt = f"{title} on test pairs: " + "; ".join(f"{row.label} {row.note}" for row in dots) + "."
    draw, data = partial(draw_dots, dots, x_label=label), table_of(rows, SCORE_COLUMNS)
    figure = gallery.add_rows(f"scores-{changes.variant}-{changes.contender}", title, draw, alt=alt, data=data)
    return {"variant": changes.variant, "contender": changes.contender, "figure": figure}


def _score(row: Row, colour: str) -> Dot:
    others = tuple(
        (row[part], marker) for part, marker in (("train", "^"), ("validation", "s")) if row[part] is not None
    )
    return Dot(
        _label(row), row["score"], _known(row["low"]), _known(row["high"]),
        numbers.score_with_interval(row["score"], row["low"], row["high"]),
        colour=colour, is_bold=row["choice"] is None, others=others,
        others_colour="warn" if row["is_gap"] else "muted",
    )  # fmt: skip


def _label(row: Row) -> str:
    return f"{row['variant']} as it is" if row["choice"] is None else row["choice"]


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def score_curves_section(
    drawn: Sequence[ScoreCurve], metric: Metric, gallery: Gallery, *, confidence: float
) -> Content | None:
    """Return the curves in one figure, and each on its own with its training and validation scores.

    Parameters
    ----------
    drawn
        *drawn* are the curves, of one key.
    metric
        *metric* is the metric of the scores.
    gallery
        *gallery* takes the figures.
    confidence
        *confidence* is the level of the intervals.

    Returns
    -------
    dict or None
        key, figure and panels. None without curves.
    """
    if not drawn:
        return None
    key = drawn[0].key
    draw = partial(figures.draw_together, drawn, y_label=metric.name_within)
    title = f"{metric.label} on test pairs against {short_key(key)}, {numbers.level(confidence)} interval"
    alt = f"{title}: " + "; ".join(_in_words(curve) for curve in drawn) + "."
    styles = (figures.LINE_STYLES[place % len(figures.LINE_STYLES)] for place in range(len(drawn)))
    alone = [_alone(curve, style, metric, gallery) for curve, style in zip(drawn, styles, strict=True)]
    data = table_of([row for curve in drawn for row in curve.rows], SCORE_COLUMNS)
    return {"key": key, "figure": gallery.add_rows("curve", title, draw, alt=alt, data=data), "panels": alone}


def _alone(curve: ScoreCurve, style: figures.LineStyle, metric: Metric, gallery: Gallery) -> Content:
    title = f"{curve.variant}: {curve.contender}"
    figure = figures.draw_alone(curve, y_label=metric.name_within, style=style)
    alt = f"Training, validation and test scores of {_in_words(curve)}."
    svg = gallery.add(f"curve-{title}", f"Train, validation, test: {title}", figure, alt=alt,
                      data=table_of(curve.rows, SCORE_COLUMNS))  # fmt: skip
    return {"style": style, "title": title, "figure": svg}


def _in_words(curve: ScoreCurve) -> str:
    rows = (f"{row['value']} {numbers.score(row['score'])}" for row in curve.rows)
    return f"{curve.variant}, {curve.contender}: {', '.join(rows)}"


def learning_section(histories: Iterable[tuple[Learned, str, Frame]], gallery: Gallery) -> list[Content]:
    """Return loss and accuracy by epoch of each variant's own point, the epoch of lowest validation loss marked."""
    return [_learning(learned, learner, rows, gallery) for learned, learner, rows in histories]


def _learning(learned: Learned, learner: str, rows: Frame, gallery: Gallery) -> Content:
    best = best_epochs(rows)
    at = f" at {learned.value}" if learned.value is not None else ""
    title = f"{learned.variant}{at}: {learner}"
    figure = panels.draw_learning(rows, best=best if len(best) else None)
    n_fits = rows.select("seed", "fold").n_unique()
    alt = f"Loss and accuracy by epoch, {title}."
    svg = gallery.add(f"learning-{title}", f"Learning: {title}", figure, alt=alt, data=learning_numbers(rows))
    return {
        "contender": rows["contender"][0],
        "title": title,
        "figure": svg,
        "n_fits": n_fits,
        "n_epochs": rows["epoch"].max(),
        "best": (best["epoch"].min(), best["epoch"].max()) if len(best) else None,
    }


def table_section(changes: Sequence[Changes], drawn: Sequence[ScoreCurve]) -> Content:
    """Return every row of the sweep, by variant and contender, a variant's own first, and which columns are filled."""
    rows = [row for each in changes for row in ([each.own] if each.own else []) + each.rows]
    rows += [row for curve in drawn for row in curve.rows]
    return {
        "rows": rows,
        "has_changes": bool(changes),
        "has_values": bool(drawn),
        "key": short_key(drawn[0].key) if drawn else "",
        "is_numeric": Scale([row["value"] for row in rows if row["value"] is not None]).is_numeric,
        "n_gaps": sum(row["is_gap"] for row in rows),
        "n_pairs": sorted({row["n"] for row in rows}),
        "seeds": sorted({row["seeds"] for row in rows}),
        "n_points": len({(row["variant"], row["choice"], row["value"]) for row in rows}),
    }


def sweep_terms(metric_key: str, metric: Metric) -> list[tuple[str, str, str]]:
    """Return the terms to explain: the metric, the sweep's own, and the terms of every study that the page uses."""
    first = (metric_key, metric.label, metric.explanation)
    shared = {key: glossary.TERMS[key] for key in SHARED_TERMS}
    return [first, *((key, name, meaning) for key, (name, meaning) in (TERMS | shared).items())]
