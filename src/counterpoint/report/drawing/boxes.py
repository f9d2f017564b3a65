"""A network drawn as boxes in sequence: branches next to each other, and below them the part that joins them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from counterpoint.number_formats import count
from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.rowplots import NARROW_PX, WIDE_PX
from counterpoint.report.drawing.svg import TITLE_PX
from counterpoint.safe_text import page_line

_BOX_PX, _INPUT_PX, _GAP_PX, _NAME_PX, _JOIN_PX = 46, 28, 16, 26, 40
_WIDTH_PX, _PAD_PX = 380, 12


@dataclass(frozen=True)
class Box:
    """A step of a network: its title, the shape of its output, the rule of its size, and its parameters."""

    title: str
    shape: str
    rule: str | None = None
    n_parameters: int = 0
    is_input: bool = False

    @property
    def height_px(self) -> int:
        """The height of the drawing."""
        return _INPUT_PX if self.is_input else _BOX_PX


@dataclass(frozen=True)
class Chain:
    """Boxes one below the other, under a name."""

    name: str
    boxes: tuple[Box, ...]
    colour: str

    @property
    def height_px(self) -> int:
        """The height of the drawing."""
        boxes_px = sum(box.height_px + _GAP_PX for box in self.boxes) - _GAP_PX
        return boxes_px + (_NAME_PX if self.name else 0)


def draw_chains(drawn: Sequence[Chain], *, is_narrow: bool = False) -> Figure:
    """Draw one chain, or two next to each other that the last one joins. A narrow page has them in one column."""
    *branches, joint = drawn
    width_px = NARROW_PX if is_narrow else WIDE_PX
    box_px = min(_WIDTH_PX, width_px - 2)
    if is_narrow or not branches:
        left_px = 1 if is_narrow else (width_px - box_px) / 2
        height_px = sum(chain.height_px + _GAP_PX for chain in drawn) - _GAP_PX
        figure, axes = _paper(width_px, height_px)
        top_px = 0
        for chain in drawn:
            _chain(axes, chain, left_px, top_px, box_px)
            top_px += chain.height_px + _GAP_PX
        return figure
    return _joined(branches, joint, box_px)


def _joined(branches: Sequence[Chain], joint: Chain, box_px: float) -> Figure:
    branch_px = max(chain.height_px for chain in branches)
    figure, axes = _paper(WIDE_PX, branch_px + _JOIN_PX + joint.height_px)
    middle = WIDE_PX / 2
    for chain, left_px in zip(branches, (1, WIDE_PX - box_px - 1), strict=True):
        _chain(axes, chain, left_px, 0, box_px)
        x, turn_px = left_px + box_px / 2, branch_px + _JOIN_PX / 2
        axes.plot([x, x, middle], [chain.height_px, turn_px, turn_px], color=light("muted"), linewidth=1.2)
    _arrow(axes, middle, branch_px + _JOIN_PX / 2, branch_px + _JOIN_PX)
    plain = Chain("", joint.boxes, joint.colour)
    _chain(axes, plain, middle - box_px / 2, branch_px + _JOIN_PX, box_px)
    return figure


def _paper(width_px: float, height_px: float) -> tuple[Figure, Axes]:
    """Return a figure and its axes in pixels, counted from the top left, under the band of the title."""
    whole_px = height_px + TITLE_PX + 2
    figure = Figure(figsize=(width_px / 72, whole_px / 72))
    axes = figure.add_axes((0, 0, 1, (height_px + 2) / whole_px))
    axes.set(xlim=(0, width_px), ylim=(height_px + 1, -1), xticks=[], yticks=[])
    return figure, axes


def _chain(axes: Axes, chain: Chain, left_px: float, top_px: float, box_px: float) -> None:
    if chain.name:
        axes.text(left_px, top_px + 10, chain.name, weight="bold", va="center_baseline", color=light(chain.colour))
        top_px += _NAME_PX
    for place, box in enumerate(chain.boxes):
        if place:
            _arrow(axes, left_px + box_px / 2, top_px - _GAP_PX, top_px)
        _box(axes, box, left_px, top_px, box_px, colour=chain.colour)
        top_px += box.height_px + _GAP_PX


def _box(axes: Axes, box: Box, left_px: float, top_px: float, box_px: float, *, colour: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (left_px, top_px), box_px, box.height_px, boxstyle="round,pad=0,rounding_size=5", linewidth=1.2,
            edgecolor=light(colour), facecolor="none", linestyle=(0, (3, 2)) if box.is_input else "solid",
        )
    )  # fmt: skip
    left, right = left_px + _PAD_PX, left_px + box_px - _PAD_PX
    first = top_px + (box.height_px / 2 if box.is_input else 15)
    axes.text(left, first, page_line(box.title, most=34), va="center_baseline", size=12.5)
    axes.text(right, first, box.shape, va="center_baseline", ha="right", size=12.5, weight="bold")
    if box.is_input:
        return
    small: dict[str, Any] = {"va": "center_baseline", "size": 10.5, "color": light("muted")}
    axes.text(left, top_px + 34, page_line(box.rule or "", most=44), **small)
    size = f"{count(box.n_parameters)} parameters" if box.n_parameters else "no parameters"
    axes.text(right, top_px + 34, size, ha="right", **small)


def _arrow(axes: Axes, x: float, start_px: float, end_px: float) -> None:
    axes.plot([x, x], [start_px, end_px - 1], color=light("muted"), linewidth=1.2)
    axes.plot([x - 4, x, x + 4], [end_px - 6, end_px - 1, end_px - 6], color=light("muted"), linewidth=1.2)
