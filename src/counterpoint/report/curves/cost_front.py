"""Score against cost, with the front: the contenders that none beats in both."""

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullLocator

from counterpoint import number_formats as numbers
from counterpoint.metrics import find_metric
from counterpoint.report.contenders import Contenders
from counterpoint.report.curves.point_labels import draw_point_labels
from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.rowplots import NARROW_PX, WIDE_PX
from counterpoint.report.drawing.svg import TITLE_PX, Gallery
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import Frame

Content = dict[str, Any]
COSTS = {
    "ms_a_pair": ("Time of a prediction", "milliseconds to predict a pair"),
    "fit_s": ("Time of a fit", "seconds of a fit"),
}
ALL_PREDICTIONS_S = pl.col("predict_s") + pl.col("encode_s").fill_null(0)
"""The seconds of all predictions of a fit, with those of its encoders where they are known."""
_INNER_PX, _LEFT_PX, _AXIS_PX, _TOP_PX = 300, 58, 46, 12


def cost_section(
    predictions: Frame, costs: Frame, scores: ScoreTable, contenders: Contenders, gallery: Gallery
) -> Content | None:
    """Return the figure of the score against each cost, the table behind both, and the contenders on each front.

    Parameters
    ----------
    predictions
        *predictions* count the pairs that each fit predicted.
    costs
        *costs* is schema.COSTS.
    scores
        *scores* have the metric that decides.
    contenders
        *contenders* give the order and the style.
    gallery
        *gallery* takes the figures.

    Returns
    -------
    dict or None
        figures by cost, rows, front by cost, and a note on what is not counted. None where fewer than two contenders
        have a score and a cost.
    """
    table = cost_table(predictions, costs, scores)
    if len(table) < 2:
        return None
    table = contenders.sorted(table)
    figures, fronts = {}, {}
    for cost, (title, label) in COSTS.items():
        known = table.drop_nulls(cost)
        if len(known) < 2:
            continue
        is_front = on_front(known, cost, is_more_better=scores.is_more_better)
        fronts[cost] = known.filter(is_front).sort(cost)["contender"].to_list()
        draw = partial(
            draw_front, known, is_front, contenders, cost=cost, x_label=label, y_label=find_metric(scores.metric).label
        )
        in_front = "; ".join(map(contenders.title, fronts[cost]))
        alt = f"{find_metric(scores.metric).label} against {label}. On the front: {in_front}."
        data = known.with_columns(is_front)
        figures[cost] = gallery.add_rows(
            f"score-and-{cost}", f"Score and cost: {title.lower()}", draw, alt=alt, data=data
        )
    if not figures:
        return None
    return {
        "figures": figures,
        "titles": {cost: COSTS[cost][0] for cost in figures},
        "words": [in_words([contenders.title(name) for name in front], cost) for cost, front in fronts.items()],
        "has_others": any(len(front) < len(table.drop_nulls(cost)) for cost, front in fronts.items()),
        "rows": [_in_table(row, fronts) for row in table.to_dicts()],
        "front": fronts,
        "note": _note(costs, contenders),
    }


def _note(costs: Frame, contenders: Contenders) -> str:
    """Return what the times do not count."""
    unknown = costs.filter(pl.col("encode_s").is_null())["contender"].unique(maintain_order=True)
    names = "; ".join(map(contenders.title, unknown))
    pixels = "Stored pixels are read, so the time to make them is not counted."
    if not names:
        return f"{pixels} That of encoders is included, as it was when the vectors were stored."
    return f"{pixels} Stored vectors of encoders are read as well, whose time is not known for: {names}."


def _in_table(row: Content, fronts: dict[str, list[str]]) -> Content:
    ms = row["ms_a_pair"]
    own = [COSTS[cost][0].lower() for cost, front in fronts.items() if row["contender"] in front]
    return row | {"fronts": own, "ms_text": numbers.NOTHING if ms is None else f"{ms:.3g} ms"}


def cost_table(predictions: Frame, costs: Frame, scores: ScoreTable) -> Frame:
    """Return the score and the costs of each contender: medians over its fits.

    Parameters
    ----------
    predictions
        *predictions* count the pairs that each fit predicted.
    costs
        *costs* is schema.COSTS.
    scores
        *scores* have the metric that decides.

    Returns
    -------
    Frame
        Columns contender, value, low, high, ms_a_pair and fit_s.  An outside model has no costs, and no row.
    """
    keys = ["contender", "seed", "fold"]
    n_pairs = predictions.group_by(keys).len("n_pairs")
    by_fit = costs.join(n_pairs, on=keys, how="left").with_columns(
        ms_a_pair=1000 * ALL_PREDICTIONS_S / pl.col("n_pairs")
    )
    medians = by_fit.group_by("contender").agg(pl.col("ms_a_pair", "fit_s").median())
    own = scores.test.filter(metric=scores.metric).drop_nulls("value").select("contender", "value", "low", "high")
    return own.join(medians, on="contender", maintain_order="left")


def on_front(table: Frame, cost: str, *, is_more_better: bool = True) -> pl.Series:
    """Return whether each contender is on the front: none other costs no more, scores no less, and differs in one.

    Parameters
    ----------
    table
        *table* has a row for each contender, with value and *cost*.
    cost
        *cost* is the name of a column.
    is_more_better
        *is_more_better* is False for a loss.

    Examples
    --------
    >>> table = pl.DataFrame({"value": [0.9, 0.8, 0.95, 0.9], "ms": [2.0, 1.0, 9.0, 3.0]})
    >>> on_front(table, "ms").to_list()
    [True, True, True, False]
    """
    value = table["value"].to_numpy() * (1 if is_more_better else -1)
    spent = table[cost].to_numpy()
    no_worse = (spent[:, None] <= spent) & (value[:, None] >= value)  # row i is no worse than row j
    better = no_worse & ((spent[:, None] < spent) | (value[:, None] > value))
    return pl.Series("is_front", ~better.any(axis=0))


def draw_front(
    table: Frame,
    is_front: pl.Series,
    contenders: Contenders,
    *,
    cost: str,
    x_label: str,
    y_label: str,
    is_narrow: bool = False,
) -> Figure:
    """Draw each contender by its cost and its score with the interval, and a line along the front.

    Parameters
    ----------
    table
        *table* is the result of `cost_table`.
    is_front
        *is_front* is whether each row is on the front.
    contenders
        *contenders* give the style.
    cost
        *cost* is the column of the horizontal axis.
    x_label, y_label
        *x_label* and *y_label* are the labels of the axes.
    is_narrow
        *is_narrow* draws for a narrow page, with the names of the front only.
    """
    width_px, height_px = NARROW_PX if is_narrow else WIDE_PX, TITLE_PX + _TOP_PX + _INNER_PX + _AXIS_PX
    figure = Figure(figsize=(width_px / 72, height_px / 72))
    axes = figure.add_axes((
        _LEFT_PX / width_px, _AXIS_PX / height_px, (width_px - _LEFT_PX - 12) / width_px, _INNER_PX / height_px,
    ))  # fmt: skip
    axes.grid(axis="both")
    _axis(axes, table, cost)
    front = table.filter(is_front).sort(cost)
    axes.plot(front[cost], front["value"], color=light("muted"), linewidth=1.4, drawstyle="steps-post", zorder=1)
    for row in table.iter_rows(named=True):
        _point(axes, row, cost, contenders)
    axes.set(xlabel=x_label if is_narrow else f"{x_label} ({_steps(axes)})", ylabel=y_label)
    points = [
        (row[cost], row["value"], contenders.way(row["contender"]), bool(is_best))
        for row, is_best in zip(table.iter_rows(named=True), is_front, strict=True)
        if is_best or not is_narrow
    ]
    draw_point_labels(axes, points, lines=_lines(table, front, cost))
    return figure


def _lines(table: Frame, front: Frame, cost: str) -> list[tuple[float, float, float, float]]:
    """Return the intervals and the steps of the front."""
    known = table.drop_nulls("low").select(cost, "low", "high").iter_rows()
    intervals = [(spent, low, spent, high) for spent, low, high in known]
    steps = pairwise(front.select(cost, "value").iter_rows())
    return [
        *intervals,
        *(line for (x, y), (end_x, end_y) in steps for line in ((x, y, end_x, y), (end_x, y, end_x, end_y))),
    ]


def _point(axes: Axes, row: Content, cost: str, contenders: Contenders) -> None:
    style = contenders.style(row["contender"])
    colour = light(style.colour)
    if row["low"] is not None:
        axes.plot([row[cost]] * 2, [row["low"], row["high"]], color=colour, linewidth=1.8, alpha=0.55)
    face = light("paper") if style.is_hollow else colour
    axes.plot([row[cost]], [row["value"]], style.marker, color=colour, markersize=8, markerfacecolor=face)


def _axis(axes: Axes, table: Frame, cost: str) -> None:
    """Set a logarithmic axis with room for labels on both sides, and the limits of the scores."""
    spent = np.maximum(table[cost].to_numpy(), 1e-6)
    low, high = np.log10(spent.min()), np.log10(spent.max())
    margin = 0.16 * max(high - low, 0.5)
    axes.set_xscale("log")
    axes.set_xlim(10 ** (low - margin), 10 ** (high + 1.6 * margin))
    axes.xaxis.set_major_locator(_locator(high - low + 2.6 * margin))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    ends = table.select(pl.min_horizontal("low", "value").min(), pl.max_horizontal("high", "value").max()).row(0)
    margin = 0.08 * (ends[1] - ends[0]) or 0.05
    axes.set_ylim(ends[0] - margin, ends[1] + margin)


def _locator(decades: float) -> Locator:
    """Return powers of ten as ticks, or on a short axis round numbers between them, so that two or more are in view."""
    if decades < 1:
        return MaxNLocator(5)
    return LogLocator(10, subs=(1, 2, 5)) if decades < 2 else LogLocator(10, numticks=7)


def _steps(axes: Axes) -> str:
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    is_tenfold = all(np.isclose(after, 10 * before) for before, after in pairwise(ticks))
    return "each step is ten times as long" if is_tenfold else "logarithmic"


def in_words(front: list[str], cost: str) -> str:
    """Return one sentence on the contenders of a front, from the cheapest to the best.

    Parameters
    ----------
    front
        *front* are the titles of the contenders, the cheapest first.
    cost
        *cost* is a key of `COSTS`.
    """
    label = COSTS[cost][0].lower()
    if len(front) == 1:
        return f"By {label}, the cheapest has the best score: {front[0]}."
    return f"By {label}, the front is, from the cheapest to the best: {'; '.join(front)}."
