"""Small figures of example pairs, confusion matrices, learning curves, reliability, and accuracy by text length."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray
from PIL.Image import Image

from counterpoint import number_formats as numbers
from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.svg import TITLE_PX
from counterpoint.report.drawing.text_width import line_of, places
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame

WIDTH_PX = 360
MOST_NUMBERED = 10
_DOT: dict[str, Any] = {"markersize": 5}
_RING: dict[str, Any] = {"markersize": 9, "markerfacecolor": "none", "markeredgewidth": 1.2}
_PARTS = {"train": ("muted", (0, (4, 2))), "valid": ("ink", "solid")}


class Plate(NamedTuple):
    """A pair to show: its class, its text, its picture."""

    label: str
    text: str | None
    picture: Image | None


def draw_examples(plates: Sequence[Plate]) -> Figure:
    """Draw pairs next to each other, each with its class above the image and its text below."""
    side_px, gap_px, text_px, label_px = 128, 40, 92, 26
    width_px = len(plates) * (side_px + gap_px)
    height_px = TITLE_PX + label_px + side_px + text_px
    figure = Figure(figsize=(width_px / 72, height_px / 72))
    for place, plate in enumerate(plates):
        left = place * (side_px + gap_px) / width_px
        axes = figure.add_axes((left, text_px / height_px, side_px / width_px, side_px / height_px))
        axes.set(xlim=(0, side_px), ylim=(side_px, 0), xticks=[], yticks=[], facecolor=light("panel"))
        if plate.picture is not None:
            width, height = plate.picture.size
            top, start = (side_px - height) / 2, (side_px - width) / 2
            axes.imshow(plate.picture, extent=(start, start + width, top + height, top), interpolation="none")
        axes.text(0, -10, page_line(plate.label, most=20), weight="bold", va="center_baseline")
        lines = textwrap.wrap(page_line(plate.text or "no text", most=110), 22)[:5]
        axes.text(0, side_px + 8, "\n".join(lines), va="top", size=10.5)
    return figure


def draw_confusion(shares: NDArray[np.float64], classes: Sequence[str], *, colour: str) -> Figure:
    """Draw a confusion matrix: true classes as rows, predicted classes as columns.

    Parameters
    ----------
    shares
        *shares* has shape (n_classes, n_classes), and rows that sum to 1 or are NaN.
    classes
        *classes* are the names, in the order of the rows.
    colour
        *colour* is a name of the palette.
    """
    n = len(classes)
    rows, columns = ([line_of(name, most=most) for name in classes] for most in (16, 12))
    left_px, top_px = 10 + 7 * max(map(places, rows)), 46 if n <= 3 else 110
    side_px = min(240, 80 * n, WIDTH_PX - left_px - 2)
    height_px = TITLE_PX + top_px + side_px + 8
    figure = Figure(figsize=(WIDTH_PX / 72, height_px / 72))
    axes = figure.add_axes((left_px / WIDTH_PX, 8 / height_px, side_px / WIDTH_PX, side_px / height_px))
    axes.set(xlim=(0, n), ylim=(n, 0))
    axes.set_xlabel("predicted", labelpad=7)
    axes.set_xticks(np.arange(n) + 0.5, columns, rotation=0 if n <= 3 else 90, color=light("ink"))
    axes.set_yticks(np.arange(n) + 0.5, rows, color=light("ink"))
    axes.xaxis.set(label_position="top", ticks_position="top")
    axes.spines[:].set_visible(True)
    for row, column in np.ndindex(n, n):
        _cell(axes, row, column, float(shares[row, column]), colour, is_numbered=n <= MOST_NUMBERED)
    return figure


def _cell(axes: Axes, row: int, column: int, share: float, colour: str, *, is_numbered: bool) -> None:
    alpha = 0.0 if math.isnan(share) else 0.45 * share  # ink stays legible on it
    axes.fill_between([column, column + 1], row, row + 1, color=light(colour), alpha=alpha, linewidth=0)
    if is_numbered:
        weight = "bold" if row == column else "normal"
        axes.text(column + 0.5, row + 0.5, numbers.share(share), ha="center", va="center_baseline", weight=weight)


def draw_learning(history: Frame, kept: Frame | None = None, *, best: Frame | None = None) -> Figure:
    """Draw loss and accuracy by epoch: a thin line for each fit, and a thick line for their median.

    Parameters
    ----------
    history
        *history* has a row for each epoch of each fit.
    kept
        *kept* is the epoch whose weights each fit kept. It has a dot.
    best
        *best* is the epoch of lowest validation loss of each fit. It has a ring.
    """
    quantities = [("loss", "loss")]
    if history["valid_score"].is_not_null().any() or history["train_score"].is_not_null().any():
        quantities.append(("score", "accuracy"))
    panel_px, gap_px, foot_px = 112, 16, 42
    height_px = TITLE_PX + len(quantities) * (panel_px + gap_px) - gap_px + foot_px + 6
    figure = Figure(figsize=(WIDTH_PX / 72, height_px / 72))
    for place, (suffix, label) in enumerate(quantities):
        bottom_px = foot_px + (len(quantities) - 1 - place) * (panel_px + gap_px)
        axes = figure.add_axes((60 / WIDTH_PX, bottom_px / height_px, (WIDTH_PX - 70) / WIDTH_PX, panel_px / height_px))
        for part in _PARTS:
            _curves(axes, history, f"{part}_{suffix}", part)
        for marked, look in ((kept, _DOT), (best, _RING)):
            if marked is not None:
                axes.plot(marked["epoch"], marked[f"valid_{suffix}"], "o", color=light("ink"), clip_on=False, **look)
        axes.set_ylabel(label)
        axes.grid(axis="y")
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.tick_params(labelbottom=place == len(quantities) - 1)
    axes.set_xlabel("epoch (solid: validation, dashed: training)")
    return figure


def _curves(axes: Axes, history: Frame, column: str, part: str) -> None:
    colour, dashes = _PARTS[part]
    seen = history.drop_nulls(column).sort("epoch")
    fits = seen.partition_by("seed", "fold", maintain_order=True)
    for fit in fits:
        axes.plot(fit["epoch"], fit[column], color=light(colour), linewidth=0.8, alpha=0.3)
    # After most fits have stopped, the median of the others would be of other fits than before.
    median = seen.group_by("epoch").agg(pl.col(column).median(), n=pl.len()).sort("epoch")
    median = median.filter(pl.col("n") * 2 >= len(fits))
    axes.plot(median["epoch"], median[column], color=light(colour), linewidth=2, linestyle=dashes)


def draw_reliability(bins: Frame, *, floor: float, colour: str, marker: str) -> Figure:
    """Draw the accuracy at each bin of stated confidence.

    Parameters
    ----------
    bins
        *bins* have confidence, value, low and high.
    floor
        *floor* is the lower end of both axes. The upper end is 1.
    colour
        *colour* is a name of the palette.
    marker
        *marker* is a marker of matplotlib.
    """
    figure, axes = _square(210)
    axes.plot([0, 1], [0, 1], color=light("muted"), linewidth=1, linestyle=(0, (2, 2)))
    _intervals(axes, bins["confidence"], bins, colour, marker)
    axes.set(xlim=(floor, 1.02), ylim=(floor, 1.02), xlabel="stated confidence", ylabel="accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    return figure


def draw_by_length(bins: Frame, *, floor: float, colour: str, marker: str) -> Figure:
    """Draw the accuracy on texts of each length.

    Parameters
    ----------
    bins
        *bins* have bin, value, low and high, in order of length.
    floor
        *floor* is the lower end of the axis. The upper end is 1.
    colour
        *colour* is a name of the palette.
    marker
        *marker* is a marker of matplotlib.
    """
    figure, axes = _square(150)
    places = np.arange(len(bins))
    _intervals(axes, places, bins, colour, marker)
    axes.set(xlim=(-0.5, len(bins) - 0.5), ylim=(floor, 1.01), xlabel="words in the text", ylabel="accuracy")
    axes.set_xticks(places, bins["bin"].to_list())
    return figure


def _square(inner_px: int) -> tuple[Figure, Axes]:
    height_px = TITLE_PX + inner_px + 50
    figure = Figure(figsize=(WIDTH_PX / 72, height_px / 72))
    axes = figure.add_axes((56 / WIDTH_PX, 44 / height_px, (WIDTH_PX - 70) / WIDTH_PX, inner_px / height_px))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.grid(axis="y")
    return figure, axes


def _intervals(axes: Axes, places: Any, bins: Frame, colour: str, marker: str) -> None:
    axes.vlines(places, bins["low"], bins["high"], color=light(colour), linewidth=2)
    axes.plot(places, bins["value"], marker, color=light(colour), markersize=6.5, clip_on=False)
