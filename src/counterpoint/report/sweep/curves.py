"""Figures of curves: all curves with their bands, and each alone with its training and validation scores."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.panels import WIDTH_PX
from counterpoint.report.drawing.rowplots import NARROW_PX, WIDE_PX
from counterpoint.report.drawing.svg import TITLE_PX
from counterpoint.report.sweep.points import ScoreCurve, short_key
from counterpoint.report.sweep.scale import Scale
from counterpoint.safe_text import page_line


class LineStyle(NamedTuple):
    """The colour, marker and dashes of a line. Each of them alone distinguishes it from the others."""

    colour: str
    marker: str
    dashes: Any
    is_hollow: bool = False


LINE_STYLES = (
    LineStyle("text", "o", "solid"), LineStyle("image", "s", (0, (5, 2))), LineStyle("both", "D", (0, (1, 1.2))),
    LineStyle("ink", "^", "solid"), LineStyle("warn", "v", (0, (5, 2))), LineStyle("fail", "X", (0, (1, 1.2))),
)  # fmt: skip
"""The styles of the lines of one figure. They repeat after six."""
_PARTS = (("train", "training", "^", (0, (4, 2))), ("validation", "validation", "s", (0, (1, 1.2))))
_LEFT_PX, _RIGHT_PX, _TOP_PX, _FOOT_PX, _LEGEND_PX, _DODGE = 52, 12, 8, 46, 22, 0.09


def draw_together(curves: Sequence[ScoreCurve], *, y_label: str, is_narrow: bool = False) -> Figure:
    """Draw all *curves* of one key in one figure, each with its band.

    Parameters
    ----------
    curves
        *curves* are by variant and contender.
    y_label
        *y_label* is the label of the vertical axis.
    is_narrow
        *is_narrow* draws for a narrow page.
    """
    scale = Scale([row["value"] for curve in curves for row in curve.rows])
    n_columns = 1 if is_narrow else 2
    legend_px = -(-len(curves) // n_columns) * _LEGEND_PX + 8
    figure, axes = _axes(NARROW_PX if is_narrow else WIDE_PX, 230 if is_narrow else 280, legend_px)
    for place, (curve, label) in enumerate(zip(curves, curve_labels(curves), strict=True)):
        dodge = 0.0 if scale.is_numeric else (place - (len(curves) - 1) / 2) * _DODGE
        _line(axes, curve, scale, LINE_STYLES[place % len(LINE_STYLES)], dodge=dodge, label=label)
    _finish(axes, scale, curves[0].key, y_label)
    top = 1 - TITLE_PX / (figure.get_figheight() * 72)
    figure.legend(
        loc="upper left", bbox_to_anchor=(0, top), borderaxespad=0, frameon=False, ncols=n_columns, fontsize=12,
        handlelength=3, borderpad=0, labelspacing=0.35,
    )  # fmt: skip
    return figure


def curve_labels(curves: Sequence[ScoreCurve]) -> list[str]:
    """Return the label that distinguishes each curve: its variant, its contender, or both.

    >>> curve_labels([ScoreCurve("gray", "image-cnn", "side_px", []), ScoreCurve("colour", "image-cnn", "side_px", [])])
    ['gray', 'colour']
    """
    variants, contenders = {curve.variant for curve in curves}, {curve.contender for curve in curves}
    if len(variants) == 1:
        return [curve.contender for curve in curves]
    return [curve.variant if len(contenders) == 1 else f"{curve.variant}: {curve.contender}" for curve in curves]


def draw_alone(curve: ScoreCurve, *, y_label: str, style: LineStyle) -> Figure:
    """Draw one curve with its band, and its scores on training and validation rows.

    Parameters
    ----------
    curve
        *curve* has the scores at each value.
    y_label
        *y_label* is the label of the vertical axis.
    style
        *style* is the colour and marker of the test scores.
    """
    scale = Scale([row["value"] for row in curve.rows])
    figure, axes = _axes(WIDTH_PX, 170, _TOP_PX)
    for part, _, marker, dashes in _PARTS:
        known = [row for row in _in_order(curve, scale) if row[part] is not None]
        axes.plot(
            [scale.places[row["value"]] for row in known], [row[part] for row in known], marker, color=light("muted"),
            linestyle=dashes if scale.is_numeric else "none", linewidth=1.3, markersize=5,
            markerfacecolor=light("paper"),
        )  # fmt: skip
    _line(axes, curve, scale, style._replace(dashes="solid"))
    _finish(axes, scale, curve.key, y_label)
    return figure


def _axes(width_px: int, inner_px: int, legend_px: int) -> tuple[Figure, Axes]:
    height_px = TITLE_PX + legend_px + inner_px + _FOOT_PX
    figure = Figure(figsize=(width_px / 72, height_px / 72))
    box = (_LEFT_PX / width_px, _FOOT_PX / height_px, _inner_px(figure) / width_px, inner_px / height_px)
    return figure, figure.add_axes(box)


def _inner_px(figure: Figure) -> float:
    return float(figure.get_figwidth() * 72 - _LEFT_PX - _RIGHT_PX)


def _line(
    axes: Axes, curve: ScoreCurve, scale: Scale, style: LineStyle, *, dodge: float = 0.0, label: str = ""
) -> None:
    rows = [row for row in _in_order(curve, scale) if row["score"] is not None]
    places = [scale.places[row["value"]] + dodge for row in rows]
    colour = light(style.colour)
    dashes = style.dashes if scale.is_numeric else "none"
    axes.plot(places, [row["score"] for row in rows], style.marker, color=colour, linestyle=dashes, linewidth=2,
              markersize=6.5, label=page_line(label, most=44))  # fmt: skip
    banded = [(place, row) for place, row in zip(places, rows, strict=True) if row["low"] is not None]
    places, lows, highs = (
        [place for place, _ in banded],
        *([row[end] for _, row in banded] for end in ("low", "high")),
    )
    if scale.is_numeric and len(banded) > 1:
        axes.fill_between(places, lows, highs, color=colour, alpha=0.14, linewidth=0)
    else:
        axes.vlines(places, lows, highs, color=colour, linewidth=2)


def _in_order(curve: ScoreCurve, scale: Scale) -> list[dict[str, Any]]:
    return sorted(curve.rows, key=lambda row: scale.places[row["value"]])


def _finish(axes: Axes, scale: Scale, key: str, y_label: str) -> None:
    axes.grid(axis="y")
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_ylabel(y_label)
    axes.set_xlabel(page_line(f"{short_key(key)} (logarithmic)" if scale.is_log else short_key(key), most=50))
    assert isinstance(axes.figure, Figure)
    scale.dress(axes, _inner_px(axes.figure))
