"""The page's figures: copies of those that runs have, and drawings of what sweeps found.

Never a photo or a caption of Flickr8k: a picture within a figure is copied from studies of OpenMoji only.
"""

import math
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, NullLocator

from counterpoint.report import glossary, numbers, panels
from counterpoint.report.palette import light
from counterpoint.report.rowplots import WIDE_PX, Dot, dots
from counterpoint.report.svg import TITLE_PX, Gallery, drawing
from found_study import StudyFound
from values import NOT_RUN, Change, Series

SHOWN_FREELY = "emoji"
"""The kind of source whose pictures may be shown."""
COLOURS = ("text", "image", "both", "ink")
MARKERS = ("o", "s", "D", "^")
_CURVE_PX = 300


class Pictures:
    """The folder of the page's figures; each method returns the markdown that shows one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gallery = Gallery(folder)
        self._stems: list[str] = []

    def copied(self, study: StudyFound, figure: str, alt: str) -> str:
        """Copy a figure of a study's run folder, as SVG and PNG."""
        where = study.root / "figures"
        if not (where / f"{figure}.svg").is_file():
            return f"Figure {figure}: {NOT_RUN}."
        check_may_be_shown(study, where / f"{figure}.svg")
        name = _stem(f"{study.name.removeprefix('study-2023-')}-{figure}")
        self.folder.mkdir(parents=True, exist_ok=True)
        for ending in (".svg", ".png"):
            shutil.copyfile(where / f"{figure}{ending}", self.folder / f"{name}{ending}")
        return self._shown(name, alt)

    def changes(self, name: str, title: str, changes: Sequence[Change]) -> str:
        """Draw what each change does, with its interval."""
        known = [change for change in changes if change.difference.is_known]
        if not known:
            return f"Figure {title}: {NOT_RUN}."
        rows = [_dot(change) for change in known]
        label = f"loses ← difference in {glossary.metric(known[0].metric).name_within} → gains"
        return self._drawn(
            name, title, lambda: dots(rows, x_label=label, zero=0), f"{title}; the table has the numbers"
        )

    def curves(self, name: str, title: str, series: Series, *, x_label: str) -> str:
        """Draw the score against what a sweep goes along, a line a series, with its band."""
        known = [(label, points) for label, points in series if points]
        if not known:
            return f"Figure {title}: {NOT_RUN}."
        return self._drawn(name, title, lambda: _curves(known, x_label), f"{title}; the table has the numbers")

    def learning(self, name: str, title: str, point: StudyFound, contender: str) -> str:
        """Draw loss and accuracy by epoch of a point of a sweep."""
        history = point.table("history")
        if history is None:
            return f"Figure {title}: {NOT_RUN}."
        rows = history.filter(pl.col("contender") == contender)
        return self._drawn(name, title, lambda: panels.learning(rows), f"Loss and accuracy by epoch; {title}")

    def remove_others(self) -> None:
        """Remove figures of an earlier page that this one does not show."""
        for path in self.folder.glob("*.*"):
            if path.stem not in self._stems:
                path.unlink()

    def _drawn(self, name: str, title: str, draw: Callable[[], Figure], alt: str) -> str:
        with drawing():
            self.gallery.save(name, title, draw())
        return self._shown(_stem(name), alt)

    def _shown(self, stem: str, alt: str) -> str:
        self._stems.append(stem)
        return f"![{alt}](images/{self.folder.name}/{stem}.svg)"


def check_may_be_shown(study: StudyFound, figure: Path) -> None:
    """Hold what is copied to what may be passed on: drawings by anyone, pictures by OpenMoji only."""
    is_free = study.config.source["kind"] == SHOWN_FREELY
    has_pictures = figure.stem.startswith("examples") or b"<image" in figure.read_bytes()
    assert is_free or not has_pictures, f"{figure.stem} of {study.name} has pictures that may not be shown"


def _stem(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60]


def _dot(change: Change) -> Dot:
    difference, colour = change.difference, "muted"
    if difference.told(more="gains", less="loses", neither="") in ("gains", "loses"):
        colour = "ink"
    low, high = (math.nan if edge is None else edge for edge in (difference.low, difference.high))
    return Dot(change.choice or "", difference.value or 0.0, low, high, str(difference), colour=colour)


def _curves(series: Series, x_label: str) -> Figure:
    height_px = TITLE_PX + _CURVE_PX + 50
    figure = Figure(figsize=(WIDE_PX / 72, height_px / 72))
    axes = figure.add_axes((64 / WIDE_PX, 44 / height_px, (WIDE_PX - 90) / WIDE_PX, _CURVE_PX / height_px))
    for (label, points), colour, marker in zip(series, COLOURS, MARKERS, strict=False):
        places = [float(point.value or 0) for point in points]
        values = [point.score.value or math.nan for point in points]
        lows, highs = ([edge(point) for point in points] for edge in (_low, _high))
        axes.fill_between(places, lows, highs, color=light(colour), alpha=0.15, linewidth=0)
        axes.plot(places, values, marker=marker, color=light(colour), linewidth=2, label=label)
    ticks = sorted({float(point.value or 0) for _, points in series for point in points})
    axes.set(xscale="log", xlabel=x_label, ylabel=f"{glossary.metric(series[0][1][0].metric).name_within}, test pairs")
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticklabels([numbers.count(tick) for tick in ticks])
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.grid(axis="y")
    axes.legend(frameon=False, loc="best")
    return figure


def _low(point: Change) -> float:
    return math.nan if point.score.low is None else point.score.low


def _high(point: Change) -> float:
    return math.nan if point.score.high is None else point.score.high
