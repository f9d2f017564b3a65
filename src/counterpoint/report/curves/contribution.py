"""What each modality contributes: bits that both hold, that one holds alone, and that only the pair holds.

Nothing is computed here: the bits are the evidence of CP010, and the perceptual score that of CP008.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from counterpoint import number_formats as numbers
from counterpoint.report.contenders import Contenders
from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.rowplots import NARROW_PX, WIDE_PX
from counterpoint.report.drawing.svg import TITLE_PX, Gallery
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame

Content = dict[str, Any]
PARTS: Mapping[str, tuple[str, str, str]] = {
    "redundant": ("in both: each has it alone", "muted", ""),
    "unique_text": ("only in the text", "text", "//"),
    "unique_image": ("only in the image", "image", "\\\\"),
    "synergistic": ("only in the pair: no one has it alone", "both", ".."),
}
BITS, SCORE = "bits about the class, a pair", "share of the score that depends on it"
_AXIS_PX, _GAP_PX, _HEAD_PX, _LEFT_PX, _RIGHT_PX = 44, 20, 24, 280, 200


@dataclass(frozen=True)
class Contribution:
    """A part of the information or of the score, with its interval, and its value by chance where it has one."""

    kind: str
    name: str
    value: float
    low: float
    high: float
    share: float | None = None
    chance: float | None = None
    colour: str = "ink"
    hatch: str = ""


def contribution_section(
    findings: Frame, multimodal: str | None, contenders: Contenders, gallery: Gallery
) -> Content | None:
    """Return the figure of the contribution of each modality, in words and as rows, or None without its evidence.

    Parameters
    ----------
    findings
        *findings* is schema.FINDINGS.
    multimodal
        *multimodal* is the contender whose perceptual score is shown, where CP008 measured it.
    contenders
        *contenders* have its title.
    gallery
        *gallery* takes the figure.
    """
    bits, single = information_parts(findings)
    dependent, contender = perceptual_parts(findings, multimodal)
    rows = [*bits, *dependent]
    if not rows:
        return None
    words = [
        *(_information_words(bits) if bits else ()),
        *(_perceptual_words(dependent, contenders.title(contender or ""))),
    ]
    draw = partial(draw_contribution, rows)
    figure = gallery.add_rows(
        "contribution", "What each modality contributes", draw, alt=" ".join(words), data=contribution_data(rows)
    )
    return {
        "figure": figure,
        "words": words,
        "rows": rows,
        "best": single,
    }


def contribution_data(rows: list[Contribution]) -> Frame:
    """Return the numbers of the figure: kind, name, value, low, high, share and chance."""
    columns = ("kind", "name", "value", "low", "high", "share", "chance")
    return pl.DataFrame([{name: getattr(row, name) for name in columns} for row in rows], infer_schema_length=None)


def information_parts(findings: Frame) -> tuple[list[Contribution], str | None]:
    """Return the four parts of the information with their shares of the whole, and the best single contender.

    >>> from counterpoint.schema import FINDINGS, empty
    >>> information_parts(empty(FINDINGS))
    ([], None)
    """
    evidence = _evidence(findings, "CP010")
    known = {str(row.get("information")): row for row in _table(evidence)}
    if not all(_is_whole(known.get(name), "bits") for name in PARTS):
        return [], None
    whole = sum(known[name]["bits"] for name in PARTS)
    parts = [
        Contribution(
            BITS, label, row["bits"], row["low"], row["high"], row["bits"] / whole if whole else None,
            row.get("by chance"), colour, hatch,
        )
        for (label, colour, hatch), row in ((PARTS[name], known[name]) for name in PARTS)
    ]  # fmt: skip
    return parts, evidence.get("single")


def perceptual_parts(findings: Frame, contender: str | None) -> tuple[list[Contribution], str | None]:
    """Return the perceptual score of text and image of *contender*, or of the first one that CP008 measured."""
    rows = [row for row in _table(_evidence(findings, "CP008")) if _is_whole(row, "perceptual")]
    names = [row.get("contender") for row in rows]
    name = contender if contender in names else next(iter(names), None)
    parts = [
        Contribution(
            SCORE, f"the {modality}", row["perceptual"], row["low"], row["high"], colour=modality,
            hatch=PARTS[f"unique_{modality}"][2],
        )
        for row in rows
        if row.get("contender") == name and (modality := row.get("modality")) in ("text", "image")
    ]  # fmt: skip
    return parts, name if parts else None


def draw_contribution(rows: list[Contribution], *, is_narrow: bool = False) -> Figure:
    """Draw each part as a bar with its interval: above the bits, below the shares of the score.

    Parameters
    ----------
    rows
        *rows* are drawn from top to bottom, in one panel for each kind.
    is_narrow
        *is_narrow* draws for a narrow page.
    """
    kinds = list(dict.fromkeys(row.kind for row in rows))
    width_px, row_px = (NARROW_PX, 46) if is_narrow else (WIDE_PX, 32)
    left_px, right_px = (10, 10) if is_narrow else (_LEFT_PX, _RIGHT_PX)
    heights = [sum(row.kind == kind for row in rows) * row_px for kind in kinds]
    height_px = TITLE_PX + sum(heights) + len(kinds) * (_AXIS_PX + _HEAD_PX) + (len(kinds) - 1) * _GAP_PX
    figure, top_px = Figure(figsize=(width_px / 72, height_px / 72)), TITLE_PX + _HEAD_PX
    for kind, inner_px in zip(kinds, heights, strict=True):
        axes = figure.add_axes((
            left_px / width_px, 1 - (top_px + inner_px) / height_px, (width_px - left_px - right_px) / width_px,
            inner_px / height_px,
        ))  # fmt: skip
        own = [row for row in rows if row.kind == kind]
        axes.set(ylim=(len(own) - 0.5, -0.5), yticks=[], xlabel=kind)
        left = 0.0 if is_narrow else left_px / (width_px - left_px - right_px)
        title: dict[str, Any] = {"size": 12, "weight": "bold", "va": "bottom", "transform": axes.transAxes}
        axes.text(-left, 1 + 8 / inner_px, _TITLES[kind], **title)
        _bars(axes, own, left, is_narrow=is_narrow)
        top_px += inner_px + _AXIS_PX + _GAP_PX + _HEAD_PX
    return figure


_TITLES = {BITS: "Information about the class", SCORE: "Dependence of the multimodal contender"}


def _bars(axes: Axes, rows: list[Contribution], left: float, *, is_narrow: bool) -> None:
    height, below = (0.3, 0.2) if is_narrow else (0.5, 0.0)
    for place, row in enumerate(rows):
        y, colour = place + below, light(row.colour)
        axes.barh(y, row.value, height=height, facecolor="none", edgecolor=colour, hatch=row.hatch, linewidth=1.2)
        axes.plot([row.low, row.high], [y, y], color=light("ink"), linewidth=2.2, solid_capstyle="round")
        if row.chance is not None:
            axes.plot([row.chance] * 2, [y - height / 2, y + height / 2], color=light("ink"), linewidth=1.2,
                      linestyle=(0, (1.5, 1.5)))  # fmt: skip
        style: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center_baseline"}
        x, right, up = (0.0, 1.0, place - 0.22) if is_narrow else (-left, 1 + left * _RIGHT_PX / _LEFT_PX, place)
        axes.text(x, up, page_line(row.name, most=40), size=12, **style)
        axes.text(right, up, _note(row), ha="right", size=11.5, **style)
    is_share = rows[0].kind == SCORE
    axes.set_xlim(min(0.0, *(row.low for row in rows)), 1.05 * max(max(row.high, row.value) for row in rows) or 1)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if is_share:
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if not is_narrow:
        axes.grid(axis="x")


def _note(row: Contribution) -> str:
    if row.kind == SCORE:
        return numbers.share_with_interval(row.value, row.low, row.high)
    return numbers.score_with_interval(row.value, row.low, row.high)


def _information_words(rows: list[Contribution]) -> list[str]:
    beyond = [max(0.0, row.value - (row.chance or 0.0)) for row in rows]
    predicted = "The predictions from the text alone and from the image alone"
    if not sum(beyond):
        return [f"{predicted} hold no more bits about the class of a pair than they would by chance."]
    whole, parts = sum(beyond), zip(beyond, rows, strict=True)
    shares = ", ".join(f"{numbers.share(bits / whole)} {row.name.partition(':')[0]}" for bits, row in parts)
    return [f"{predicted} hold {numbers.score(whole)} bits about the class of a pair beyond chance: {shares}."]


def _perceptual_words(rows: list[Contribution], title: str) -> list[str]:
    if not rows:
        return []
    losses = ", and ".join(f"{numbers.share(row.value)} with {row.name} of another" for row in rows)
    return [f"With other inputs, “{page_line(title, most=60)}” loses a share of its score on a pair: {losses}."]


def _evidence(findings: Frame, code: str) -> Content:
    for text in findings.filter(code=code)["evidence"]:
        try:
            found = json.loads(text or "{}")
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def _table(evidence: Content) -> list[Content]:
    rows = evidence.get("table")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _is_whole(row: Content | None, name: str) -> bool:
    """Return whether *row* has the value *name* and both ends of its interval."""
    return row is not None and all(isinstance(row.get(each), int | float) for each in (name, "low", "high"))
