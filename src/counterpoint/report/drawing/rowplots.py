"""Figures of rows: dots with their interval, and bars.  On a narrow page a label stands above its row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.svg import TITLE_PX
from counterpoint.report.drawing.text_width import line_of, places
from counterpoint.schema import Frame

WIDE_PX, NARROW_PX = 816, 343
_AXIS_PX, _LINE_PX, _NOTE_PX = 44, 16, 200
_LABEL_PX = (210, 420)
"""The least and the largest width of the labels on a wide page."""


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
    second: str = ""
    """A second line of the label."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the label."""
        return (self.label, self.second) if self.second else (self.label,)


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
    is_narrow
        *is_narrow* draws for a narrow page.
    """
    written = [_Written(row.lines, row.note, row.is_bold) for row in rows]
    figure, axes = _canvas(written, x_label, is_narrow=is_narrow)
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
    figure, axes = _canvas(
        [_Written((row.label,), row.note, row.is_bold) for row in rows], x_label, is_narrow=is_narrow
    )
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


class _Written(NamedTuple):
    """The text of a row: the lines of its label on the left, its note on the right."""

    lines: tuple[str, ...]
    note: str
    is_bold: bool

    @property
    def needs_px(self) -> float:
        """The width of the longest line of the label."""
        return max(map(places, self.lines)) * self.place_px

    @property
    def place_px(self) -> float:
        """The width of a place of a line of the label."""
        return 7.2 if self.is_bold else 6.8


def _canvas(rows: Sequence[_Written], x_label: str, *, is_narrow: bool) -> tuple[Figure, Axes]:
    more_px = (max(len(row.lines) for row in rows) - 1) * _LINE_PX
    is_tall = is_narrow and (more_px > 0 or any(map(_touch, rows)))
    width_px, row_px = (NARROW_PX, (62 if is_tall else 46) + more_px) if is_narrow else (WIDE_PX, 30 + more_px)
    label_px = min(max(_LABEL_PX[0], *(row.needs_px for row in rows)), _LABEL_PX[1])
    left_px, right_px = (10.0, 10) if is_narrow else (label_px, _NOTE_PX)
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
    most_px = NARROW_PX - 10 if is_tall else 220 if is_narrow else label_px
    for place, row in enumerate(rows):
        heights_px = _heights_px(len(row.lines), row_px, is_narrow=is_narrow, is_tall=is_tall)
        _write(axes, row, [place + height / row_px for height in heights_px], ends, most_px)
    return figure, axes


def _touch(row: _Written) -> bool:
    """Return whether a label and a note would touch in one line of a narrow page."""
    return min(row.needs_px, 220) + len(row.note) * 6.6 > NARROW_PX - 20


def _heights_px(n_lines: int, row_px: int, *, is_narrow: bool, is_tall: bool) -> list[float]:
    """Return the places of the lines of a label and of the note, below the middle of the row."""
    first = 8 - row_px / 2 if is_tall else -11 if is_narrow else -(n_lines - 1) * _LINE_PX / 2
    lines = [first + line * _LINE_PX for line in range(n_lines)]
    return [*lines, lines[-1] + _LINE_PX if is_tall else lines[-1] if is_narrow else 0.0]


def _write(axes: Axes, row: _Written, heights: Sequence[float], ends: tuple[float, float], most_px: float) -> None:
    style: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(), "va": "center_baseline", "weight": "bold" if row.is_bold else "normal",
    }  # fmt: skip
    for line, y in zip(row.lines, heights, strict=False):
        axes.text(ends[0], y, line_of(line, most=int(most_px / row.place_px + 0.5)), ha="left", size=13, **style)
    axes.text(ends[1], heights[-1], row.note, ha="right", size=12, **style)


def _below(is_narrow: bool) -> float:
    """Return the distance of a mark below the middle of its row."""
    return 0.2 if is_narrow else 0.0


def _limits(axes: Axes, edges: Sequence[float]) -> None:
    known = [edge for edge in edges if math.isfinite(edge)]
    low, high = min(known), max(known)
    margin = 0.05 * (high - low) or 0.05
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(5))
