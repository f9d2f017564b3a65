"""Panels next to each other, or below each other on a narrow page, each with a legend of lines below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.rowplots import NARROW_PX, WIDE_PX
from counterpoint.report.drawing.svg import TITLE_PX
from counterpoint.safe_text import page_line

_HEAD_PX, _AXIS_PX, _ROW_PX, _LEFT_PX, _GAP_PX, _RIGHT_PX = 22, 46, 19, 54, 20, 16
_TITLE_LINE_PX = 15


@dataclass(frozen=True)
class LegendRow:
    """A line, its name, and its value."""

    name: str
    value: str
    colour: str
    line: Any = "solid"


def draw_panels(titles: Sequence[str], *, inner_px: int, n_lines: int, is_narrow: bool) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels of one height, with room below each for a legend.

    Parameters
    ----------
    titles
        *titles* are the titles of the panels.
    inner_px
        *inner_px* is the height of a panel.
    n_lines
        *n_lines* is the number of lines of the longest legend: two for a row with a name and a value.
    is_narrow
        *is_narrow* puts the panels below each other.
    """
    n = len(titles)
    columns, lines = (1, n) if is_narrow else (n, 1)
    width_px = NARROW_PX if is_narrow else WIDE_PX
    column_px = (width_px - (columns - 1) * _GAP_PX) / columns
    wrapped = [wrap(page_line(title), int(column_px / 7.2), max_lines=2, placeholder="…") for title in titles]
    head_px = _HEAD_PX + (max(map(len, wrapped), default=1) - 1) * _TITLE_LINE_PX
    block_px = head_px + inner_px + _AXIS_PX + n_lines * _ROW_PX + (20 if is_narrow else 8)
    height_px = TITLE_PX + lines * block_px
    figure, found = Figure(figsize=(width_px / 72, height_px / 72)), []
    for place, title in enumerate(wrapped):
        left_px = (place % columns) * (column_px + _GAP_PX) + _LEFT_PX
        top_px = TITLE_PX + (place // columns) * block_px + head_px
        axes = figure.add_axes((
            left_px / width_px, 1 - (top_px + inner_px) / height_px, (column_px - _LEFT_PX - _RIGHT_PX) / width_px,
            inner_px / height_px,
        ))  # fmt: skip
        axes.grid(axis="both")
        axes.set_title(
            "\n".join(title),
            loc="left",
            x=-_LEFT_PX / (column_px - _LEFT_PX - _RIGHT_PX),
            size=12,
            weight="bold",
            pad=9,
        )
        found.append(axes)
    return figure, found


def draw_legend(axes: Axes, rows: Sequence[LegendRow]) -> None:
    """Draw *rows* below the axis of a panel, each value in a line below its name."""
    box = axes.get_window_extent()
    left, line = -_LEFT_PX / box.width, 0.5
    most = int((box.width + _LEFT_PX + _RIGHT_PX - 38) / 6.3)
    text: dict[str, Any] = {"transform": axes.transAxes, "va": "center_baseline", "size": 11}
    for row in rows:
        y = -(_AXIS_PX + line * _ROW_PX) / box.height
        style: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False, "color": light(row.colour)}
        sample = [left + 2 / box.width, left + 30 / box.width]
        if row.line:
            axes.plot(sample, [y, y], linestyle=row.line, linewidth=2.2, **style)
        for words in filter(None, (row.name, row.value)):
            y = -(_AXIS_PX + line * _ROW_PX) / box.height
            axes.text(sample[1] + 8 / box.width, y, page_line(words, most=most), **text)
            line += 1
