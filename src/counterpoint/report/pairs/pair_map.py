"""The section with the map of the test pairs: near points are alike, marks show the class or the outcome.

`counterpoint.measures.pair_map` makes the places.  A script draws the map on the page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from counterpoint.measures.disagreements import MODALITIES_OF, OUTCOMES, ReadRows
from counterpoint.report.drawing.palette import light
from counterpoint.report.drawing.rowplots import WIDE_PX
from counterpoint.report.drawing.svg import TITLE_PX, Gallery
from counterpoint.report.pairs.page_data import script_data
from counterpoint.safe_text import page_line
from counterpoint.schema import Frame

Content = dict[str, Any]
MOST_CHARACTERS, MOST_IN_ID = 160, 500
MARKS: Sequence[tuple[str, str]] = (
    ("both", "o"), ("image", "s"), ("text", "D"), ("fail", "^"), ("warn", "v"), ("ink", "P"),
)  # fmt: skip
"""The colour and the marker of each of the most frequent classes.  The script of the page has the same."""
OTHERS = ("muted", "o")
OUTCOME_WORDS: Mapping[str, str] = {
    "rescued": "rescued: one alone wrong, both together right",
    "lost": "lost: one alone right, both together wrong",
    "missed": "never right",
    "kept": "always right",
}


def map_section(
    tables: Mapping[str, Frame],
    read: ReadRows | None,
    gallery: Gallery,
    *,
    classes: Sequence[str],
    shows_examples: bool,
) -> Content | None:
    """Return the data of the map for its script, its counts and its legend, or None without places.

    Parameters
    ----------
    tables
        *tables* are those of the page: map, pairs and predictions.
    read
        *read* are the test rows as the text alone, the image alone and both answer them.
    gallery
        *gallery* takes the figure, of which the page shows the form that the script draws.
    classes
        *classes* are the names of the classes.
    shows_examples
        *shows_examples* is False where the page may show neither texts nor images.
    """
    if tables["map"].is_empty() or tables["pairs"].is_empty():
        return None
    rows = map_rows(tables, read)
    names = [*classes] or sorted(rows["label"].drop_nulls().unique())
    order = ordered_classes(rows, names)
    data = rows.select("id", "label", "outcome", "x", "y")
    gallery.save("map", "Map of the test pairs", draw_map(rows, order), data=data)
    counted = dict(rows["outcome"].value_counts().iter_rows())
    n_tested = tables["predictions"].filter(part="test")["id"].n_unique()
    return {
        "n": len(rows),
        "n_tested": max(n_tested, len(rows)),
        "basis": tables["map"]["basis"][0],
        "classes": [(place, name, rows["label"].eq(name).sum()) for place, name in enumerate(order)],
        "outcomes": [
            (OUTCOMES.index(name), words, counted[name]) for name, words in OUTCOME_WORDS.items() if counted.get(name)
        ],
        "data": script_data(map_data(rows, order, shows_examples=shows_examples)),
    }


def map_rows(tables: Mapping[str, Frame], read: ReadRows | None) -> Frame:
    """Return the placed pairs: id, x, y, label, text, outcome, and the class that each reader predicts.

    Parameters
    ----------
    tables
        *tables* are those of the page: map and pairs.
    read
        *read* are the test rows as the text alone, the image alone and both answer them.

    Returns
    -------
    Frame
        Outcome and predictions are null where the study has no contender of the text, of the image, or of both.
    """
    pairs = tables["pairs"].select("id", "label", "text").unique("id", keep="first", maintain_order=True)
    placed = tables["map"].select("id", "x", "y").join(pairs, on="id", maintain_order="left")
    predicted = [f"{reader}_predicted" for reader in MODALITIES_OF]
    if read is None:
        return placed.with_columns(pl.lit(None, pl.String).alias(name) for name in ("outcome", *predicted))
    rows = read.rows.unique("id", keep="first", maintain_order=True)
    return placed.join(rows.select("id", "outcome", *predicted), on="id", how="left", maintain_order="left")


def ordered_classes(rows: Frame, classes: Sequence[str]) -> list[str]:
    """Return the classes, the most frequent first, so that these have marks of their own.

    >>> ordered_classes(pl.DataFrame({"label": ["b", "b", "a"]}), ["a", "b", "c"])
    ['b', 'a', 'c']
    """
    counts = dict(rows["label"].value_counts().iter_rows())
    return sorted(classes, key=lambda name: (-counts.get(name, 0), name))


def map_data(rows: Frame, classes: Sequence[str], *, shows_examples: bool) -> Content:
    """Return the points as columns for the script of the page.

    Parameters
    ----------
    rows
        *rows* are the result of `map_rows`.
    classes
        *classes* are in the order of `ordered_classes`.
    shows_examples
        *shows_examples* is False where the texts are left out.

    Returns
    -------
    dict
        Lists of one value a point. A number is the place of a name, or −1 where there is none.
    """
    number = {name: place for place, name in enumerate(classes)}
    texts = rows["text"] if shows_examples else [None] * len(rows)
    return {
        "id": [_whole_id(name) for name in rows["id"]],
        "name": [page_line(name, most=80) for name in rows["id"]],
        "x": rows["x"].to_list(),
        "y": rows["y"].to_list(),
        "label": [number.get(label, -1) for label in rows["label"]],
        "outcome": [-1 if outcome is None else OUTCOMES.index(outcome) for outcome in rows["outcome"]],
        "predicted": [[number.get(name, -1) for name in rows[f"{reader}_predicted"]] for reader in MODALITIES_OF],
        "text": [None if text is None else page_line(text, most=MOST_CHARACTERS) for text in texts],
        "classes": [page_line(name, most=60) for name in classes],
        "outcomes": OUTCOMES,
        "has_texts": shows_examples,
    }


def _whole_id(name: str) -> str | None:
    """Return the id *name*, or None where a file of ids cannot hold it."""
    return name if len(name) <= MOST_IN_ID and "\r" not in name else None


def draw_map(rows: Frame, classes: Sequence[str]) -> Figure:
    """Draw the places of the pairs with a mark for each class.

    Parameters
    ----------
    rows
        *rows* are the result of `map_rows`.
    classes
        *classes* are in the order of `ordered_classes`.
    """
    side_px, row_px = WIDE_PX - 8, 20
    shown = list(enumerate(classes))[: len(MARKS)]
    span = max(0.3, float(np.ptp(rows["y"].to_numpy())))
    foot_px = row_px * (len(shown) + 1)
    height_px = TITLE_PX + span * side_px + foot_px
    figure = Figure(figsize=(WIDE_PX / 72, height_px / 72))
    axes = figure.add_axes((4 / WIDE_PX, foot_px / height_px, side_px / WIDE_PX, span * side_px / height_px))
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    own = [rows.filter(label=name) for _, name in shown]
    others = rows.filter(~pl.col("label").is_in([name for _, name in shown]))
    marks = [*MARKS[: len(shown)], OTHERS]
    for (colour, marker), part in zip(marks, [*own, others], strict=True):
        axes.plot(part["x"], part["y"], marker, color=light(colour), markersize=4.5, alpha=0.7, linewidth=0)
    legend = [page_line(name, most=60) for _, name in shown] + (["other classes"] if len(others) else [])
    for place, ((colour, marker), name) in enumerate(zip(marks, legend, strict=False)):
        y = -(place + 0.8) * row_px / (span * side_px)
        axes.plot([0.01], [y], marker, color=light(colour), transform=axes.transAxes, clip_on=False)
        axes.text(0.025, y, name, transform=axes.transAxes, va="center_baseline", size=11)
    return figure
