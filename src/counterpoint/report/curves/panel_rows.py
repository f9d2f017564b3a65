"""Panels next to each other, or below each other on a narrow page, each with a legend of lines below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.rowplots import NARROW_PX, WIDE_PX
from counterpoint.report.drawing.svg import TITLE_PX
from counterpoint.safe_text import page_line

_HEAD_PX, _AXIS_PX, _ROW_PX, _LEFT_PX, _GAP_PX, _RIGHT_PX = 22, 46, 19, 54, 20, 16


@dataclass(frozen=True)
class LegendRow:
    """A line or a marker, its name, and its value."""

    name: str
    value: str
    colour: str
    line: Any = "solid"
    marker: str = ""


def draw_panels(titles: Sequence[str], *, inner_px: int, n_rows: int, is_narrow: bool) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels of one height, with room below each for a legend.

    Parameters
    ----------
    titles
        *titles* are the titles of the panels.
    inner_px
        *inner_px* is the height of a panel.
    n_rows
        *n_rows* is the number of rows of the longest legend.
    is_narrow
        *is_narrow* puts the panels below each other.
    """
    n = len(titles)
    columns, lines = (1, n) if is_narrow else (n, 1)
    width_px = NARROW_PX if is_narrow else WIDE_PX
    block_px = _HEAD_PX + inner_px + _AXIS_PX + n_rows * _ROW_PX + (20 if is_narrow else 8)
    height_px = TITLE_PX + lines * block_px
    column_px = (width_px - (columns - 1) * _GAP_PX) / columns
    figure, found = Figure(figsize=(width_px / 72, height_px / 72)), []
    for place, title in enumerate(titles):
        left_px = (place % columns) * (column_px + _GAP_PX) + _LEFT_PX
        top_px = TITLE_PX + (place // columns) * block_px + _HEAD_PX
        axes = figure.add_axes((
            left_px / width_px, 1 - (top_px + inner_px) / height_px, (column_px - _LEFT_PX - _RIGHT_PX) / width_px,
            inner_px / height_px,
        ))  # fmt: skip
        axes.grid(axis="both")
        axes.set_title(
            title, loc="left", x=-_LEFT_PX / (column_px - _LEFT_PX - _RIGHT_PX), size=12, weight="bold", pad=9
        )
        found.append(axes)
    return figure, found


def draw_legend(axes: Axes, rows: Sequence[LegendRow]) -> None:
    """Draw *rows* below the axis of a panel, each value at its right end."""
    box = axes.get_window_extent()
    left, right = -_LEFT_PX / box.width, 1 + _RIGHT_PX / box.width
    for place, row in enumerate(rows):
        y = -(_AXIS_PX + (place + 0.5) * _ROW_PX) / box.height
        style: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False, "color": light(row.colour)}
        sample = [left + 2 / box.width, left + 30 / box.width]
        if row.line:
            axes.plot(sample, [y, y], linestyle=row.line, linewidth=2.2, **style)
        if row.marker:
            axes.plot([sum(sample) / 2], [y], row.marker, markersize=6, **style)
        text: dict[str, Any] = {"transform": axes.transAxes, "va": "center_baseline", "size": 11}
        most = int((box.width + _LEFT_PX + _RIGHT_PX - 46 - 6.2 * len(row.value)) / 6.6)
        axes.text(sample[1] + 8 / box.width, y, page_line(row.name, most=max(4, most)), **text)
        axes.text(right, y, row.value, ha="right", **text)
