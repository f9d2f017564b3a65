"""ONNX files of one operation, written as protocol buffers, so that no test needs the package ``onnx``."""

from collections.abc import Sequence

import numpy as np

FLOAT, UINT8, INT64 = 1, 2, 7
_KINDS = {np.dtype(np.float32): FLOAT, np.dtype(np.uint8): UINT8, np.dtype(np.int64): INT64}
Shape = Sequence[int | str]


def varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def value_info(name: str, kind: int, shape: Shape) -> bytes:
    dims = (number(1, each) if isinstance(each, int) else message(2, each) for each in shape)
    tensor = number(1, kind) + message(2, b"".join(message(1, dim) for dim in dims))
    return message(1, name) + message(2, message(1, tensor))


def tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(number(1, size) for size in values.shape)
    return dims + number(2, _KINDS[values.dtype]) + message(8, name) + message(9, values.tobytes())


def onnx_file(
    operation: str,
    inputs: dict[str, tuple[int, Shape]],
    output: tuple[int, Shape],
    *,
    weights: np.ndarray | None = None,
    attributes: dict[str, int] | None = None,
) -> bytes:
    """Return a model that applies *operation* to its weights, if there are any, and to the first of its inputs."""
    names = [*(["weights"] if weights is not None else []), next(iter(inputs))]
    node = b"".join(message(1, name) for name in names) + message(2, "output") + message(4, operation)
    for name, value in (attributes or {}).items():
        node += message(5, message(1, name) + number(3, value) + number(20, 2))
    graph = message(1, node) + message(2, "graph")
    if weights is not None:
        graph += message(5, tensor("weights", weights))
    graph += b"".join(message(11, value_info(name, *kind)) for name, kind in inputs.items())
    graph += message(12, value_info("output", *output))
    return number(1, 8) + message(7, graph) + message(8, message(1, "") + number(2, 13))
