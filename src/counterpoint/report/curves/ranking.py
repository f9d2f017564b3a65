"""ROC and precision-recall curves of the leading contenders, with the area under each."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from counterpoint import number_formats as numbers
from counterpoint.errors import SchemaError
from counterpoint.metrics import find_metric, read_part
from counterpoint.report.contenders import Contenders
from counterpoint.report.curves.leading import dashes
from counterpoint.report.curves.panel_rows import LegendRow, draw_legend, draw_panels
from counterpoint.report.curves.step_curves import StepCurve, precision_recall_curve, roc_curve
from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.svg import Gallery
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import Frame, class_names

Content = dict[str, Any]
Curves = Mapping[str, StepCurve]
ROC, PRECISION = "roc_auc", "pr_auc"
_AXES = {
    ROC: ("ROC", "other pairs taken for the class", "pairs of the class found"),
    PRECISION: ("Precision and recall", "pairs of the class found (recall)", "of the pairs found, right (precision)"),
}


def ranking_curves(predictions: Frame, names: Sequence[str]) -> dict[str, dict[str, StepCurve]]:
    """Return the ROC and the precision-recall curve of each contender on its test rows, by metric and contender.

    A contender whose test rows have one class only, or no valid probabilities, has none.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    names
        *names* are the contenders.
    """
    found: dict[str, dict[str, StepCurve]] = {ROC: {}, PRECISION: {}}
    for name in names:
        try:
            trials = read_part(predictions, "test", [name]).trials[name]
        except SchemaError:
            continue
        for metric, make in ((ROC, roc_curve), (PRECISION, precision_recall_curve)):
            curve = make(trials)
            if curve is not None:
                found[metric][name] = curve
    return found


def ranking_section(
    predictions: Frame, names: Sequence[str], scores: ScoreTable, contenders: Contenders, gallery: Gallery
) -> Content | None:
    """Return the figure of both curves of the leading contenders, and the class that the ROC curve is of.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    names
        *names* are the leading contenders.
    scores
        *scores* have the area under each curve with its interval, where these metrics were computed.
    contenders
        *contenders* give the style.
    gallery
        *gallery* takes the figure.
    """
    curves, classes = ranking_curves(predictions, names), class_names(predictions)
    if not curves[ROC]:
        return None
    areas = {metric: _areas(scores, metric) for metric in curves}
    draw = partial(draw_ranking, curves, contenders, areas=areas, chance=1 / len(classes))
    alt = "; ".join(
        f"{find_metric(metric).label} of {contenders.title(name)}: {areas[metric].get(name, 'not computed')}"
        for metric, of_metric in curves.items()
        for name in of_metric
    )
    return {
        "figure": gallery.add_rows(
            "roc-and-pr", "ROC, precision and recall", draw, alt=f"Two panels of curves. {alt}.",
            data=ranking_data(curves),
        ),
        "n_classes": len(classes),
        "positive": classes[1] if len(classes) == 2 else None,
    }  # fmt: skip


def ranking_data(curves: Mapping[str, Curves]) -> Frame:
    """Return the points of the curves: metric, contender, x and y, in the order in which a curve passes them."""
    tables = [
        pl.DataFrame({"x": x, "y": y}).select(pl.lit(metric).alias("metric"), pl.lit(name).alias("contender"), "x", "y")
        for metric, of_metric in curves.items()
        for name, (x, y) in ((name, curve.points) for name, curve in of_metric.items())
    ]
    return pl.concat(tables)


def draw_ranking(
    curves: Mapping[str, Curves],
    contenders: Contenders,
    *,
    areas: Mapping[str, Mapping[str, str]],
    chance: float,
    is_narrow: bool = False,
) -> Figure:
    """Draw the ROC curves and the precision-recall curves, and below each panel the areas.

    Parameters
    ----------
    curves
        *curves* are by metric and contender.
    contenders
        *contenders* give the colours.
    areas
        *areas* are the texts of the areas, by metric and contender.
    chance
        *chance* is the precision of guessing.
    is_narrow
        *is_narrow* draws for a narrow page.
    """
    titles, n_lines = [_AXES[metric][0] for metric in curves], 2 * max(map(len, curves.values()))
    figure, panels = draw_panels(titles, inner_px=260, n_lines=n_lines, is_narrow=is_narrow)
    for axes, (metric, of_metric) in zip(panels, curves.items(), strict=True):
        guess = ([0, 1], [0, 1]) if metric == ROC else ([0, 1], [chance, chance])
        axes.plot(*guess, color=light("muted"), linewidth=1, linestyle=(0, (2, 2)))
        lines = dashes(list(of_metric), contenders)
        for name, curve in of_metric.items():
            style = {"color": light(contenders.style(name).colour), "linestyle": lines[name], "linewidth": 2}
            axes.plot(*curve.points, **style)
        _, x_label, y_label = _AXES[metric]
        axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), xlabel=x_label, ylabel=y_label)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        draw_legend(axes, [
            LegendRow(contenders.title(name), areas[metric].get(name, ""), contenders.style(name).colour, lines[name])
            for name in of_metric
        ])  # fmt: skip
    return figure


def _areas(scores: ScoreTable, metric: str) -> dict[str, str]:
    rows = scores.test.filter(pl.col("metric") == metric).iter_rows(named=True)
    return {row["contender"]: numbers.score_with_interval(row["value"], row["low"], row["high"]) for row in rows}
