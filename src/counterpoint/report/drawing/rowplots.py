"""Figures of rows: dots with their interval, and bars.  On a narrow page a label stands above its row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.svg import TITLE_PX
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame

WIDE_PX, NARROW_PX = 816, 343
_AXIS_PX = 44


@dataclass(frozen=True)
class Dot:
    """A value and its interval (NaN where there is none), in a row of its own."""

    label: str
    value: float
    low: float
    high: float
    note: str
    colour: str = "ink"
    marker: str = "o"
    is_hollow: bool = False
    is_bold: bool = False
    others: tuple[tuple[float, str], ...] = ()
    """Other values in the row, each with its marker. They are small and hollow, without an interval."""
    others_colour: str = "muted"


@dataclass(frozen=True)
class Bar:
    """A stretch from *start* to *end*, in a row of its own."""

    label: str
    start: float
    end: float
    note: str
    colour: str = "muted"
    hatch: str = ""
    is_bold: bool = False


def bar_table(rows: Sequence[Bar]) -> Frame:
    """Return the label, the start and the end of each bar.

    >>> bar_table([Bar("pairs", 0, 5, "5")]).rows()
    [('pairs', 0.0, 5.0)]
    """
    columns = {"label": pl.String, "start": pl.Float64, "end": pl.Float64}
    return pl.DataFrame([(row.label, row.start, row.end) for row in rows], schema=columns, orient="row")


def draw_dots(
    rows: Sequence[Dot],
    *,
    x_label: str,
    zero: float = math.nan,
    band: float = math.nan,
    label_px: int = 210,
    is_narrow: bool = False,
) -> Figure:
    """Draw each value with its interval, in a row of its own.

    Parameters
    ----------
    rows
        *rows* are drawn from top to bottom.
    x_label
        *x_label* is the label of the horizontal axis.
    zero
        *zero* is the place of a vertical line, NaN for none.
    band
        *band* is half the width of a grey zone around *zero*, NaN for none.
    label_px
        *label_px* is the width of the labels on a wide page.
    is_narrow
        *is_narrow* draws for a narrow page.
    """
    written = [(row.label, row.note, row.is_bold) for row in rows]
    figure, axes = _canvas(written, x_label, label_px=label_px, is_narrow=is_narrow)
    reach = 0.16 if is_narrow else 0.5
    for place, row in enumerate(rows):
        y = place + _below(is_narrow)
        axes.plot([zero, zero], [y - reach, y + reach], color=light("ink"), linewidth=1)
        if math.isfinite(zero + band):
            zone = [zero - band, zero + band]
            axes.fill_between(zone, y - reach, y + reach, color=light("muted"), alpha=0.13, linewidth=0)
        _dot(axes, row, y)
    edges = [edge for row in rows for edge in (row.low, row.value, row.high, *(value for value, _ in row.others))]
    _limits(axes, [*edges, zero, zero - band, zero + band])
    return figure


def _dot(axes: Axes, row: Dot, y: float) -> None:
    axes.plot([row.low, row.high], [y, y], color=light(row.colour), linewidth=2.2, solid_capstyle="round")
    small: dict[str, Any] = {"color": light(row.others_colour), "markersize": 6, "markerfacecolor": light("paper")}
    for value, marker in row.others:
        axes.plot([value], [y], marker, **small)
    axes.plot(
        [row.value], [y], row.marker, color=light(row.colour), markersize=8, markeredgewidth=1.6,
        markerfacecolor=light("paper" if row.is_hollow else row.colour),
    )  # fmt: skip


def draw_bars(
    rows: Sequence[Bar], *, x_label: str, cuts: Sequence[Sequence[float]] = (), is_narrow: bool = False
) -> Figure:
    """Draw each stretch as a bar.

    Parameters
    ----------
    rows
        *rows* are drawn from top to bottom.
    x_label
        *x_label* is the label of the horizontal axis.
    cuts
        *cuts* are, for each row, the places at which a thin line divides its bar.
    is_narrow
        *is_narrow* draws for a narrow page.
    """
    figure, axes = _canvas([(row.label, row.note, row.is_bold) for row in rows], x_label, is_narrow=is_narrow)
    height = 0.26 if is_narrow else 0.46
    for place, row in enumerate(rows):
        y = place + _below(is_narrow)
        style = {"facecolor": "none", "hatch": row.hatch, "linewidth": 1.2} if row.hatch else {"linewidth": 0}
        axes.barh(
            y, row.end - row.start, left=row.start, height=height,
            **{"color": light(row.colour)} | style | {"edgecolor": light(row.colour)},
        )  # fmt: skip
        for cut in cuts[place] if cuts else ():
            axes.plot([cut, cut], [y - height / 2, y + height / 2], color=light("paper"), linewidth=2)
    axes.set_xlim(0, max(row.end for row in rows) * 1.001 or 1)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    return figure


def _canvas(
    rows: Sequence[tuple[str, str, bool]], x_label: str, *, label_px: int = 210, is_narrow: bool
) -> tuple[Figure, Axes]:
    is_tall = is_narrow and any(_touch(label, note) for label, note, _ in rows)
    width_px, row_px = (NARROW_PX, 62 if is_tall else 46) if is_narrow else (WIDE_PX, 30)
    left_px, right_px = (10, 10) if is_narrow else (label_px, 200)
    inner_px = width_px - left_px - right_px
    height_px = TITLE_PX + len(rows) * row_px + _AXIS_PX
    figure = Figure(figsize=(width_px / 72, height_px / 72))
    box = (left_px / width_px, _AXIS_PX / height_px, inner_px / width_px, len(rows) * row_px / height_px)
    axes = figure.add_axes(box)
    axes.set(ylim=(len(rows) - 0.5, -0.5), yticks=[], xlabel=x_label)
    if is_narrow:  # lines from top to bottom would cross the labels
        axes.hlines([place + _below(is_narrow) for place in range(len(rows))], 0, 1, light("rule"), linewidth=0.8,
                    transform=axes.get_yaxis_transform(), zorder=0)  # fmt: skip
    else:
        axes.grid(axis="x")
    ends = (0.0, 1.0) if is_narrow else (-left_px / inner_px, 1 + right_px / inner_px)
    for place, (label, note, is_bold) in enumerate(rows):
        most = 40 if is_tall else 30 if is_narrow else label_px // 7
        above = (0.38, 0.12) if is_tall else (0.24, 0.24) if is_narrow else (0.0, 0.0)
        heights = (place - above[0], place - above[1])
        _write(axes, heights, ends, (page_line(label, most=most), note), is_bold=is_bold)
    return figure, axes


def _touch(label: str, note: str) -> bool:
    """Return whether a label and a note would touch in one line of a narrow page."""
    return min(len(label), 30) * 7.4 + len(note) * 6.6 > NARROW_PX - 20


def _write(
    axes: Axes, heights: tuple[float, float], ends: tuple[float, float], texts: tuple[str, str], *, is_bold: bool
) -> None:
    weight = "bold" if is_bold else "normal"
    where = axes.get_yaxis_transform()
    for y, x, text, align, size in zip(heights, ends, texts, ("left", "right"), (13, 12), strict=True):
        axes.text(x, y, text, transform=where, va="center_baseline", ha=align, weight=weight, size=size)


def _below(is_narrow: bool) -> float:
    """Return the distance of a mark below the middle of its row."""
    return 0.2 if is_narrow else 0.0


def _limits(axes: Axes, edges: Sequence[float]) -> None:
    known = [edge for edge in edges if math.isfinite(edge)]
    low, high = min(known), max(known)
    margin = 0.05 * (high - low) or 0.05
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(5))
