"""Figures in which curves of the study stand in the same axes as ours."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.panels import WIDTH_PX, draw_learning
from counterpoint.report.drawing.svg import TITLE_PX
from counterpoint.schema import Frame
from page.inquest_results import QUANTITIES, Found
from page.their_figures import TheirFigures

THEIRS, DASHED = "image", (0, (4, 2))
_LABELS = {"train_accuracy": "training accuracy", "accuracy": "validation accuracy", "loss": "validation loss"}
_LOOKS = (("both", "solid"), ("text", DASHED), ("muted", (0, (1, 1))))
_PANEL_PX, _GAP_PX, _LEFT_PX = 112, 16, 60
_MOST_NAMES = 15
"""Names that fit below each other in a panel of 200 pixels."""


class Line(NamedTuple):
    """One curve by epoch with its name."""

    name: str
    epochs: Sequence[int]
    values: Sequence[float]


def draw_learning_with_theirs(history: Frame, theirs: TheirFigures, figure: str) -> Figure:
    """Draw loss and accuracy by epoch as `panels.draw_learning`, and their values in the same axes.

    Parameters
    ----------
    history
        *history* has a row for each epoch of each fit, with epochs counted from 1.
    theirs, figure
        *figure* is the name of one of *theirs*.
    """
    drawn = draw_learning(history)
    for axes, quantity in zip(drawn.axes, ("loss", "accuracy"), strict=False):
        for part, dashes in (("train", DASHED), ("validation", "solid")):
            points = theirs.points(figure, f"{part}_{quantity}")
            if points:
                epochs, values = [epoch + 1 for epoch, _ in points], [value for _, value in points]
                axes.plot(
                    epochs, values, color=light(THEIRS), linestyle=dashes, linewidth=1.2, marker="o", markersize=3
                )
    drawn.axes[-1].set_xlabel("epoch (dashed: training; with dots: their figure)")
    return drawn


def draw_inquest(theirs: TheirFigures, candidates: Sequence[Found]) -> Figure:
    """Draw training accuracy, validation accuracy and validation loss by epoch, with the range over runs.

    Parameters
    ----------
    theirs
        *theirs* are drawn with dots.
    candidates
        *candidates* are at most three, each with the mean over its runs and a band for their range.
    """
    foot_px = 46 + 17 * (len(candidates) + 1)
    height_px = TITLE_PX + 3 * (_PANEL_PX + _GAP_PX) - _GAP_PX + foot_px
    figure = Figure(figsize=(WIDTH_PX / 72, height_px / 72))
    for place, quantity in enumerate(QUANTITIES):
        bottom_px = foot_px + (2 - place) * (_PANEL_PX + _GAP_PX)
        axes = _axes(figure, bottom_px, height_px, _LABELS[quantity])
        axes.tick_params(labelbottom=place == 2)
        name = quantity if quantity == "train_accuracy" else f"validation_{quantity}"
        their = theirs.curve(name)
        epochs = list(range(1, len(their) + 1))
        axes.plot(
            epochs, their, color=light(THEIRS), linewidth=1.6, marker="o", markersize=3.5, label="their figures 6 and 7"
        )
        for found, (colour, dashes) in zip(candidates, _LOOKS, strict=False):
            curves = found.curves[quantity]
            own = list(range(1, curves.shape[1] + 1))
            axes.fill_between(own, curves.min(axis=0), curves.max(axis=0), color=light(colour), alpha=0.18, linewidth=0)
            axes.plot(own, curves.mean(axis=0), color=light(colour), linewidth=2, linestyle=dashes, label=found.title)
    axes.set_xlabel("epoch")
    figure.legend(
        *axes.get_legend_handles_labels(), loc="lower left", frameon=False, fontsize=10.5, borderaxespad=0.2,
        handlelength=2.4, labelspacing=0.35,
    )  # fmt: skip
    return figure


def draw_shares(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the share of each class, one bar for each data set.

    Parameters
    ----------
    shares
        *shares* are the shares of the classes by the name of the data.
    """
    height_px = TITLE_PX + 34 * len(shares) + 66
    figure = Figure(figsize=(WIDTH_PX / 72, height_px / 72))
    axes = figure.add_axes((96 / WIDTH_PX, 60 / height_px, (WIDTH_PX - 116) / WIDTH_PX, 34 * len(shares) / height_px))
    for place, of in enumerate(shares.values()):
        start = 0.0
        for name, colour in zip(sorted(of, reverse=True), ("text", "rule"), strict=False):
            axes.barh(place, of[name], left=start, height=0.6, color=light(colour), label=name if place == 0 else None)
            start += of[name]
    axes.set(xlim=(0, 1), ylim=(len(shares) - 0.5, -0.5))
    axes.set_yticks(range(len(shares)), list(shares), color=light("ink"))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(*axes.get_legend_handles_labels(), loc="lower left", ncols=2, frameon=False, fontsize=10.5)
    return figure


def draw_training(lines: Sequence[Line], theirs: TheirFigures, figure: str) -> Figure:
    """Draw training accuracy by epoch, one line for each name at its end, and theirs with dots.

    Parameters
    ----------
    lines
        *lines* are our curves, with epochs counted from 1.
    theirs, figure
        *figure* is the name of one of *theirs*.
    """
    height_px = TITLE_PX + 200 + 46
    drawn = Figure(figsize=(WIDTH_PX / 72, height_px / 72))
    axes = _axes(drawn, 44, height_px, "training accuracy", panel_px=200, right_px=86)
    points = theirs.points(figure, "train_accuracy")
    their = Line("theirs", [epoch + 1 for epoch, _ in points], [value for _, value in points])
    axes.plot(their.epochs, their.values, "o", color=light(THEIRS), linestyle=(0, (1, 2)), markersize=3.5)
    for line in lines:
        axes.plot(line.epochs, line.values, color=light("ink"), linewidth=1.4)
    last = max(line.epochs[-1] for line in (*lines, their))
    low, high = axes.get_ylim()
    ends = sorted((*lines, their), key=lambda line: line.values[-1])
    place = low
    for line in ends:
        place = max(place + (high - low) / _MOST_NAMES, line.values[-1])
        colour = light(THEIRS if line is their else "ink")
        axes.text(last * 1.03, place, line.name, va="center_baseline", fontsize=10, color=colour)
    axes.set_xlabel("epoch")
    return drawn


def _axes(figure: Figure, bottom_px: float, height_px: float, label: str, **sizes: Any) -> Axes:
    panel_px, right_px = sizes.get("panel_px", _PANEL_PX), sizes.get("right_px", 10)
    box = (
        _LEFT_PX / WIDTH_PX,
        bottom_px / height_px,
        (WIDTH_PX - _LEFT_PX - right_px) / WIDTH_PX,
        panel_px / height_px,
    )
    axes = figure.add_axes(box)
    axes.set_ylabel(label)
    axes.grid(axis="y")
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return axes
