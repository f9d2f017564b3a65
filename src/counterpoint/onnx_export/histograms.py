"""Histograms of oriented gradients as nodes of a graph of ONNX, with the same values as ``skimage.feature.hog``."""

import numpy as np
from numpy.typing import NDArray

from counterpoint.contenders.image_hog import BLOCK
from counterpoint.onnx_export.graph import Graph

_EPSILON, _CLIP = 1e-5, 0.2
_END = np.iinfo(np.int64).max
_ROWS, _COLUMNS = 2, 3
_EXACT = {0.0: (1.0, 0.0), 45.0: (1.0, 1.0), 90.0: (0.0, 1.0), 135.0: (-1.0, 1.0)}
"""The directions that gradients of integers have exactly, on the border between two bins."""


def histograms(graph: Graph, pixels: str, *, side_px: int, cell_px: int, orientations: int) -> str:
    """Return the histograms of gray images, float of shape (batch, width), as `image_hog.Histograms` does.

    Parameters
    ----------
    graph
        *graph* gets the nodes.
    pixels
        *pixels* is the name of the images, uint8 of shape (batch, 1, side_px, side_px).
    side_px, cell_px, orientations
        *side_px*, *cell_px* and *orientations* are settings of image-hog.
    """
    gray = graph.cast(pixels, "double")
    down, across = (_gradient(graph, gray, axis) for axis in (_ROWS, _COLUMNS))
    squares = [graph.node("Mul", each, each) for each in (down, across)]
    strength = graph.node("Sqrt", graph.node("Sum", *squares))
    weighed = graph.node("Mul", _bins(graph, down, across, orientations), strength)
    n_cells = side_px // cell_px
    whole = _sliced(graph, _sliced(graph, weighed, 0, n_cells * cell_px, _ROWS), 0, n_cells * cell_px, _COLUMNS)
    divided = graph.node("Reshape", whole, np.array([0, orientations, n_cells, cell_px, n_cells, cell_px]))
    cells = graph.node("ReduceMean", divided, np.array([3, 5]), keepdims=0)  # (batch, orientations, rows, columns)
    blocks = _normalised(graph, _clipped(graph, _normalised(graph, _blocks(graph, cells, n_cells - BLOCK + 1))))
    width = (n_cells - BLOCK + 1) ** 2 * BLOCK**2 * orientations
    return graph.cast(graph.node("Reshape", blocks, np.array([-1, width])), "float")


def _gradient(graph: Graph, gray: str, axis: int) -> str:
    """Return the difference of both neighbours along an *axis*, and 0 at the edges."""
    inner = graph.node("Sub", _sliced(graph, gray, 2, _END, axis), _sliced(graph, gray, 0, -2, axis))
    before = np.eye(4, dtype=np.int64)[axis]
    return graph.node("Pad", inner, np.concatenate([before, before]), np.float64(0))


def _bins(graph: Graph, down: str, across: str, orientations: int) -> str:
    """Return 1 where the direction of a gradient, modulo 180°, is in a bin: (batch, orientations, rows, columns)."""
    level = graph.node("And", graph.node("Equal", down, np.float64(0)), graph.node("Less", across, np.float64(0)))
    is_below = graph.node("Or", graph.node("Less", down, np.float64(0)), level)
    upper = [graph.node("Where", is_below, graph.node("Neg", each), each) for each in (down, across)]
    cosines, sines = (part.reshape(1, -1, 1, 1) for part in _borders(orientations).T)
    turned = graph.node("Sub", graph.node("Mul", upper[0], cosines), graph.node("Mul", upper[1], sines))
    is_past = graph.cast(graph.node("GreaterOrEqual", turned, np.float64(0)), "double")
    is_past_next = graph.node("Concat", _sliced(graph, is_past, 1, _END, 1), _zeros(graph, down), axis=1)
    return graph.node("Sub", is_past, is_past_next)


def _borders(orientations: int) -> NDArray[np.float64]:
    """Return the direction at which each bin begins, shape (orientations, 2).

    >>> _borders(4).tolist()
    [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 1.0]]
    """
    degrees = 180 / orientations * np.arange(orientations)
    radians = np.deg2rad(degrees)
    plain = zip(np.cos(radians), np.sin(radians), strict=True)
    return np.array([_EXACT.get(float(angle), each) for angle, each in zip(degrees, plain, strict=True)])


def _blocks(graph: Graph, cells: str, n_blocks: int) -> str:
    """Return the cells of each block: (batch, rows, columns, 2, 2, orientations), the last three as one."""
    parts = [
        _sliced(graph, _sliced(graph, cells, row, row + n_blocks, _ROWS), column, column + n_blocks, _COLUMNS)
        for row in range(BLOCK)
        for column in range(BLOCK)
    ]
    return graph.node("Transpose", graph.node("Concat", *parts, axis=1), perm=[0, 2, 3, 1])


def _normalised(graph: Graph, blocks: str) -> str:
    squares = graph.node("ReduceSum", graph.node("Mul", blocks, blocks), np.array([3]), keepdims=1)
    return graph.node("Div", blocks, graph.node("Sqrt", graph.node("Add", squares, np.float64(_EPSILON**2))))


def _clipped(graph: Graph, blocks: str) -> str:
    return graph.node("Min", blocks, np.float64(_CLIP))


def _zeros(graph: Graph, like: str) -> str:
    return graph.node("Mul", like, np.float64(0))


def _sliced(graph: Graph, value: str, start: int, end: int, axis: int) -> str:
    return graph.node("Slice", value, np.array([start]), np.array([end]), np.array([axis]))
