"""A graph of ONNX, built node by node.  Does not translate models."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 18, 9
"""The versions of the operators and of the file.  onnxruntime reads them since 1.14."""
TYPES = {
    "bool": TensorProto.BOOL, "double": TensorProto.DOUBLE, "float": TensorProto.FLOAT, "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8,
}  # fmt: skip
Axes = Sequence[str | int]


class Port(NamedTuple):
    """An input or an output of a graph.

    Attributes
    ----------
    kind
        *kind* is the type of its values: a key of `TYPES`.
    shape
        *shape* has a number, or a name for any number, for each axis.
    """

    kind: str
    shape: Axes


class Graph:
    """Nodes, constants and inputs of a graph.

    Examples
    --------
    >>> graph = Graph()
    >>> x = graph.input("x", Port("double", ("batch", 2)))
    >>> model = graph.finished({"y": (graph.node("Add", x, np.ones(2)), Port("double", ("batch", 2)))})
    >>> [node.op_type for node in model.graph.node]
    ['Add', 'Identity']
    """

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], tuple[str, NDArray[Any]]] = {}
        self._inputs: dict[str, Port] = {}

    def input(self, name: str, port: Port) -> str:
        """Return the *name* of an input, which is added if the graph lacks it."""
        self._inputs.setdefault(name, port)
        return name

    def constant(self, value: ArrayLike) -> str:
        """Return the name of a constant.  Equal constants are stored once."""
        array = np.asarray(value, order="C")
        key = array.dtype.str, array.shape, array.tobytes()
        return self._constants.setdefault(key, (f"constant_{len(self._constants)}", array))[0]

    def node(self, kind: str, *inputs: str | ArrayLike, **attributes: Any) -> str:
        """Return the name of the output of a new node.

        Parameters
        ----------
        kind
            *kind* is the name of the operator.
        inputs
            *inputs* are names of values, or arrays, which become constants.  An empty name is an input that is not
            given.
        attributes
            *attributes* are those of the operator.
        """
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output

    def cast(self, value: str, kind: str) -> str:
        """Return *value* as the type *kind* of `TYPES`."""
        return self.node("Cast", value, to=TYPES[kind])

    def column(self, value: str) -> str:
        """Return *value* of shape (batch,) as shape (batch, 1)."""
        return self.node("Unsqueeze", value, np.array([1]))

    def finished(self, outputs: Mapping[str, tuple[str, Port]]) -> Any:
        """Return the checked model with these *outputs*: a value and its type and shape, by name."""
        for name, (value, _) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [name]))
        graph = helper.make_graph(
            self._nodes,
            "counterpoint",
            [_described(name, port) for name, port in self._inputs.items()],
            [_described(name, port) for name, (_, port) in outputs.items()],
            [numpy_helper.from_array(array, name) for name, array in self._constants.values()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="counterpoint")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model


def _described(name: str, port: Port) -> Any:
    return helper.make_tensor_value_info(name, TYPES[port.kind], list(port.shape))
