"""The section about more pairs: scores on parts of the training pairs, and the expected scores with more of them."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from counterpoint import number_formats as numbers
from counterpoint.measures.size_curve import FURTHEST, NO_CONTRAST, NOT_WANTED
from counterpoint.metrics import find_metric
from counterpoint.report.contenders import Contenders
from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.rowplots import NARROW_PX, WIDE_PX
from counterpoint.report.drawing.svg import TITLE_PX, Gallery
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame

Content = dict[str, Any]
IN_WORDS = {2.0: "twice", 3.0: "three times"}
HIDDEN = (NOT_WANTED, NO_CONTRAST)
"""Reasons for which the page has no such section."""
_LEFT_PX, _RIGHT_PX, _FOOT_PX, _LEGEND_PX, _APART_PX = 56, 16, 50, 24, 44


def size_of_data_section(sizes: Frame, curves: Frame, contenders: Contenders, gallery: Gallery) -> Content | None:
    """Return the figure, the sentences and the tables about more pairs, or the reason that there are none.

    Parameters
    ----------
    sizes
        *sizes* is schema.SIZES.
    curves
        *curves* is schema.SIZE_CURVES.
    contenders
        *contenders* give the style of each curve.
    gallery
        *gallery* takes the figure.

    Returns
    -------
    dict or None
        ``reason`` is set where nothing was fitted.  None if there is nothing to say.
    """
    reasons = curves.drop_nulls("reason").select("contender", "reason").to_dicts()
    if sizes.is_empty():
        reason = next((row["reason"] for row in reasons if row["reason"] not in HIDDEN), None)
        return None if reason is None else {"reason": reason}
    expected = curves.filter(pl.col("reason").is_null())
    metric = find_metric(sizes["metric"][0])
    draw = partial(_draw, sizes, expected, contenders, y_label=metric.label)
    return {
        "reason": None,
        "reasons": reasons,
        "metric": sizes["metric"][0],
        "scores": _changes(expected.filter(pl.col("minus").is_null())),
        "gain": next(iter(_changes(expected.drop_nulls("minus"))), None),
        "figure": gallery.add_rows(
            "size-of-data", f"{metric.label} with more pairs", draw, alt=_alt(sizes, expected, contenders)
        ),
        "has_band": not expected.is_empty(),
        "measured": _measured(sizes),
        "expected": expected.filter(pl.col("times").is_in([1.0, *IN_WORDS])).to_dicts(),
    }


def _changes(expected: Frame) -> list[Content]:
    """Return the value now and with the most rows of each score or difference."""
    found = []
    for (contender, minus), rows in expected.group_by("contender", "minus", maintain_order=True):
        ends = {name: rows.filter(times=times).to_dicts() for name, times in (("now", 1.0), ("then", FURTHEST))}
        if all(ends.values()):
            found.append({"contender": contender, "minus": minus, **{name: row[0] for name, row in ends.items()}})
    return found


def _measured(sizes: Frame) -> list[Content]:
    """Return one row for each contender and size: the number of parts, and the mean, lowest and highest score."""
    by_size = sizes.group_by("contender", "share", "n_train", maintain_order=True).agg(
        pl.len().alias("draws"),
        pl.col("value").mean(),
        pl.col("value").min().alias("lowest"),
        pl.col("value").max().alias("highest"),
    )
    return by_size.to_dicts()


def _alt(sizes: Frame, expected: Frame, contenders: Contenders) -> str:
    """Return the figure in words."""
    parts = []
    for (contender,), rows in sizes.group_by("contender", maintain_order=True):
        means = rows.group_by("share").agg(pl.col("value").mean()).sort("share")["value"]
        first, last = numbers.score(means[0]), numbers.score(means[-1])
        text = f"{contenders.title(contender)}: {first} with the fewest pairs, {last} with all of them"
        then = expected.filter(pl.col("minus").is_null(), contender=contender, times=FURTHEST).to_dicts()
        if then:
            value = numbers.score_with_interval(*(then[0][name] for name in ("value", "low", "high")))
            text += f", and about {value} with three times as many"
        parts.append(text)
    return f"Score by number of training pairs. {'; '.join(parts)}."


def _draw(sizes: Frame, expected: Frame, contenders: Contenders, *, y_label: str, is_narrow: bool = False) -> Figure:
    """Draw the scores on each size, and the curves: solid up to today's size, dashed beyond it."""
    names = sizes["contender"].unique(maintain_order=True).to_list()
    width_px, inner_px = (NARROW_PX, 220) if is_narrow else (WIDE_PX, 270)
    legend_px = (len(names) if is_narrow else 1) * _LEGEND_PX + 8
    height_px = TITLE_PX + legend_px + inner_px + _FOOT_PX
    figure = Figure(figsize=(width_px / 72, height_px / 72))
    plot_px = width_px - _LEFT_PX - _RIGHT_PX
    box = (_LEFT_PX / width_px, _FOOT_PX / height_px, plot_px / width_px, inner_px / height_px)
    axes = figure.add_axes(box)
    for name in names:
        _curve(axes, sizes.filter(contender=name), expected.filter(pl.col("minus").is_null(), contender=name),
               contenders, name)  # fmt: skip
    _finish(axes, sizes, expected, plot_px, y_label)
    figure.legend(
        loc="upper left", bbox_to_anchor=(0, 1 - TITLE_PX / height_px), borderaxespad=0, frameon=False, borderpad=0,
        ncols=1 if is_narrow else len(names), fontsize=12, handlelength=2.5, labelspacing=0.35,
    )  # fmt: skip
    return figure


def _curve(axes: Axes, measured: Frame, expected: Frame, contenders: Contenders, name: str) -> None:
    style = contenders.style(name)
    colour = light(style.colour)
    means = measured.group_by("n_train").agg(pl.col("value").mean()).sort("n_train")
    axes.plot(measured["n_train"], measured["value"], style.marker, color=colour, markersize=4, alpha=0.35)
    axes.plot(means["n_train"], means["value"], style.marker, color=colour, markersize=7, linestyle="none",
              label=page_line(contenders.title(name), most=50))  # fmt: skip
    for rows, dashes, alpha in (
        (expected.filter(pl.col("times") <= 1), "solid", 0.16),
        (expected.filter(pl.col("times") >= 1), (0, (4, 3)), 0.09),
    ):
        axes.plot(rows["n_train"], rows["value"], color=colour, linestyle=dashes, linewidth=2)
        axes.fill_between(rows["n_train"], rows["low"], rows["high"], color=colour, alpha=alpha, linewidth=0)


def _finish(axes: Axes, sizes: Frame, expected: Frame, plot_px: float, y_label: str) -> None:
    axes.set_xscale("log")
    known = sizes["n_train"].unique().sort().to_list()
    further = expected.filter(pl.col("times").is_in(list(IN_WORDS)))["n_train"].unique().sort().to_list()
    now = max(known)
    low, high = min(known), max([*known, *further])
    axes.set_xlim(low * 0.92, high * 1.08)
    axes.axvline(now, color=light("muted"), linewidth=1, linestyle=(0, (1, 2)))
    axes.xaxis.set_minor_locator(NullLocator())
    ticks = _apart([now, high, *known, *further], plot_px / math.log(high * 1.08 / (low * 0.92)))
    axes.set_xticks(ticks, [f"{numbers.count(tick)}{' (now)' if tick == now else ''}" for tick in ticks])
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.grid(axis="y")
    axes.set_ylabel(y_label)
    axes.set_xlabel("training pairs (logarithmic)")


def _apart(ticks: Sequence[int], px_a_log: float) -> list[int]:
    """Return the *ticks* that have room, of which the first ones count most.

    >>> _apart([100, 300, 101], 200.0)
    [100, 300]
    """
    kept: list[int] = []
    for tick in ticks:
        if all(abs(math.log(tick / other)) * px_a_log >= _APART_PX for other in kept):
            kept.append(tick)
    return sorted(kept)
