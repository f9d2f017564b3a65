"""The layers of each network as a drawing and as a table, read from the fitted modules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import dropwhile, groupby, takewhile
from typing import Any

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.report.contenders import Contenders
from counterpoint.report.drawing.boxes import Box, Chain, draw_chains
from counterpoint.report.drawing.svg import Gallery
from counterpoint.schema import Frame

Content = dict[str, Any]
N_PASSED = 8
"""The number of pairs that are passed through a network. A text without a fixed length is as long as their longest."""
BRANCHES = ("text", "image")
"""Parts of a network that are drawn side by side, each in the colour of its modality."""
_ALONGSIDE = ("BatchNorm2d", "LayerNorm")
"""Layers that have parameters and are still no step of their own, because they keep the shape."""


def networks_section(
    pairs: Frame, models: Mapping[str, Any], contenders: Contenders, gallery: Gallery
) -> list[Content]:
    """Return the layers of every contender that is a network.

    Parameters
    ----------
    pairs
        *pairs* are the study's pairs. A few of them are passed through each network.
    models
        *models* are fits by contender.
    contenders
        *contenders* give the order and the colours.
    gallery
        *gallery* takes the figures.
    """
    few, found = pairs.head(N_PASSED), []
    for contender in contenders:
        layer_table = getattr(models.get(contender), "layer_table", None)
        if layer_table is not None and len(few):
            found.append(_architecture(contender, layer_table(few), contenders.style(contender).colour, gallery))
    return found


def _architecture(contender: str, table: Frame, colour: str, gallery: Gallery) -> Content:
    rows, n_parameters = table.to_dicts(), int(table["parameters"].sum())
    drawn = network_chains(rows, colour=colour)
    title = f"Layers: {contender}, {numbers.count(n_parameters)} parameters"
    layers = "; ".join(f"{chain.name or 'layers'}: {', '.join(box.title for box in chain.boxes)}" for chain in drawn)
    shapes = {name: pl.Series([shape(row[name]) for row in rows]) for name in ("input_shape", "output_shape")}
    draw, data = partial(draw_chains, drawn), table.with_columns(**shapes)
    return {
        "contender": contender,
        "n_parameters": n_parameters,
        "rows": [row | {"input": shape(row["input_shape"]), "output": shape(row["output_shape"])} for row in rows],
        "figure": gallery.add_rows(f"layers-{contender}", title, draw, alt=f"{title}. {layers}.", data=data),
    }


def network_chains(rows: Sequence[Mapping[str, Any]], *, colour: str) -> list[Chain]:
    """Return the branches of a network, then the part that joins them. A network without branches is one chain."""
    passed = [row for row in rows if row["output_shape"] is not None and row["kind"] != "Identity"]
    names = {_part(row) for row in passed}
    branches = [name for name in BRANCHES if name in names]
    if len(branches) < 2 or names == set(branches):
        return [Chain("", (_input(passed), *_boxes(passed)), colour)]
    separate = [Chain(name, tuple(_branch(passed, name)), name) for name in branches]
    first, *others = _boxes([row for row in passed if _part(row) not in branches])
    return [*separate, Chain("joined", (replace(first, rule=_taken(passed, branches)), *others), colour)]


def _part(row: Mapping[str, Any]) -> str:
    return str(row["layer"]).partition(".")[0]


def _branch(rows: Sequence[Mapping[str, Any]], name: str) -> Iterator[Box]:
    """Yield the boxes of a branch. Layers that are passed after another branch compute its own prediction."""
    own = list(dropwhile(lambda row: _part(row) != name, rows))
    read = list(takewhile(lambda row: _part(row) == name, own))
    yield _input(read)
    n_read, boxes = len(list(_boxes(read))), list(_boxes([row for row in own if _part(row) == name]))
    yield from (box if i < n_read else replace(box, rule="its own prediction") for i, box in enumerate(boxes))


def _taken(rows: Sequence[Mapping[str, Any]], branches: Sequence[str]) -> str:
    """Return the input shapes of the joined part, from its first layers of one kind."""
    joint = [row for row in rows if _part(row) not in branches]
    alike = takewhile(lambda row: row["kind"] == joint[0]["kind"], joint)
    return f"input {' and '.join(shape(row['input_shape']) for row in alike)}"


def _input(rows: Sequence[Mapping[str, Any]]) -> Box:
    takes = rows[0]["input_shape"]
    return Box("words" if len(takes) == 1 else "pixels", shape(takes), is_input=True)


def _boxes(rows: Sequence[Mapping[str, Any]]) -> Iterator[Box]:
    """Yield a box for each step: a layer with its activation, normalisation and dropout, or a residual block."""
    steps: list[list[Mapping[str, Any]]] = []
    for row in rows:
        if steps and (_belongs(row) or (_block(row) and _block(row) == _block(steps[-1][0]))):
            steps[-1].append(row)
        else:
            steps.append([row])
    for step in steps:
        is_block = _block(step[0]) is not None
        yield Box(
            "Residual block" if is_block else _title(row["kind"] for row in step),
            shape(step[-1]["output_shape"]),
            rule=None if is_block else step[0]["size"],
            n_parameters=sum(row["parameters"] for row in step),
        )


def _title(kinds: Iterable[str]) -> str:
    """Return the kinds of a step. A kind that occurs repeatedly has its number.

    >>> _title(["LayerNorm", "LayerNorm", "Dropout 0.2"])
    '2 × LayerNorm · Dropout 0.2'
    """
    counted = ((kind, len(list(same))) for kind, same in groupby(kinds))
    return " · ".join(kind if n == 1 else f"{n} × {kind}" for kind, n in counted)


def _belongs(row: Mapping[str, Any]) -> bool:
    """Return whether a layer is drawn in the box of the one before it."""
    is_same = row["input_shape"] == row["output_shape"]
    return is_same and _block(row) is None and (row["parameters"] == 0 or row["kind"] in _ALONGSIDE)


def _block(row: Mapping[str, Any]) -> str | None:
    """Return the residual block that a layer belongs to."""
    for part in (".body.", ".skip"):
        before, found, _ = row["layer"].partition(part)
        if found:
            return str(before)
    return None


def shape(sizes: list[int] | None) -> str:
    """Return a shape as text.

    >>> shape([32, 64, 64]), shape([16384]), shape(None)
    ('32 × 64 × 64', '16,384', '–')
    """
    return numbers.NOTHING if sizes is None else " × ".join(map(numbers.count, sizes))
