"""The accuracy of the leading contenders at each stated confidence, one panel for each, on the same axes."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from counterpoint import number_formats as numbers
from counterpoint.report.behaviour.error_analysis import reliability_bins
from counterpoint.report.behaviour.predicted_classes import PredictedClasses
from counterpoint.report.contenders import Contenders
from counterpoint.report.curves.panel_rows import LegendRow, draw_legend, draw_panels
from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.svg import Gallery
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import Frame

Content = dict[str, Any]


def calibration_section(
    predicted: PredictedClasses, names: Sequence[str], scores: ScoreTable, contenders: Contenders, gallery: Gallery
) -> Content | None:
    """Return the figure of the leading contenders, or None where none has predictions.

    Parameters
    ----------
    predicted
        *predicted* are the test rows with the predicted class.
    names
        *names* are the leading contenders.
    scores
        *scores* have the calibration error, where it was computed.
    contenders
        *contenders* give the style.
    gallery
        *gallery* takes the figure.
    """
    bins = {
        name: reliability_bins(rows, confidence=predicted.confidence) for name, rows in predicted.by_contender(names)
    }
    if not bins:
        return None
    errors = {
        row["contender"]: f"error {numbers.score_with_interval(row['value'], row['low'], row['high'])}"
        for row in scores.test.filter(metric="ece").iter_rows(named=True)
    }
    alt = "Accuracy at each stated confidence, one panel for each contender. " + "; ".join(
        f"{contenders.title(name)}: {errors.get(name, 'error not computed')}" for name in bins
    )
    draw = partial(draw_calibration, bins, contenders, errors=errors)
    return {
        "figure": gallery.add_rows(
            "calibration", "Stated confidence and accuracy", draw, alt=alt, data=calibration_data(bins)
        ),
        "names": list(bins),
    }


def calibration_data(bins: Mapping[str, Frame]) -> Frame:
    """Return the bins of all contenders: contender, confidence, accuracy, low, high and n."""
    columns = ("confidence", pl.col("value").alias("accuracy"), "low", "high", "n")
    return pl.concat(of_one.select(pl.lit(name).alias("contender"), *columns) for name, of_one in bins.items())


def draw_calibration(
    bins: Mapping[str, Frame], contenders: Contenders, *, errors: Mapping[str, str], is_narrow: bool = False
) -> Figure:
    """Draw the accuracy in each tenth of stated confidence, one panel for each contender.

    Parameters
    ----------
    bins
        *bins* are by contender, from `reliability_bins`.
    contenders
        *contenders* give the style.
    errors
        *errors* are the texts of the calibration errors, by contender.
    is_narrow
        *is_narrow* draws for a narrow page.
    """
    floor = min(of_one.select(pl.min_horizontal("low", "confidence").min()).item() for of_one in bins.values()) - 0.02
    titles = [contenders.title(name) for name in bins]
    figure, panels = draw_panels(titles, inner_px=150, n_lines=1, is_narrow=is_narrow)
    for axes, (name, of_one) in zip(panels, bins.items(), strict=True):
        style = contenders.style(name)
        axes.plot([0, 1], [0, 1], color=light("muted"), linewidth=1, linestyle=(0, (2, 2)))
        axes.vlines(of_one["confidence"], of_one["low"], of_one["high"], color=light(style.colour), linewidth=2)
        axes.plot(of_one["confidence"], of_one["value"], style.marker, color=light(style.colour), markersize=6)
        axes.set(xlim=(floor, 1.03), ylim=(floor, 1.03), xlabel="stated confidence")
        if name in errors:
            draw_legend(axes, [LegendRow("", errors[name], style.colour, line="")])
        if is_narrow or name == next(iter(bins)):
            axes.set_ylabel("accuracy")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure
