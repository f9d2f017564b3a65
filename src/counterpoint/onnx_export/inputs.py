"""The inputs of an exported model: of which kind each is, and how its reader makes it from a text and an image.

Does not make them: ``reader`` does.
"""

from collections.abc import Mapping
from typing import Any

from counterpoint.onnx_export.graph import Graph, Port

PORTS: Mapping[str, Port] = {
    "tokens": Port("int64", ("batch", "words")),
    "counts": Port("double", ("batch", "n_grams")),
    "first_word": Port("int64", ("batch",)),
    "pixels": Port("uint8", ("batch", "channels", "side_px", "side_px")),
    "text_vector": Port("float", ("batch", "width")),
    "image_vector": Port("float", ("batch", "width")),
    "has_text": Port("bool", ("batch",)),
    "has_image": Port("bool", ("batch",)),
}
"""The type and the axes of each kind of input.  Settings of an input replace the names of axes."""


class Inputs:
    """The inputs of a graph by name, each with its kind and settings.  Equal inputs are one.

    Examples
    --------
    >>> inputs = Inputs(Graph())
    >>> inputs.add("tokens", words=["a"]), inputs.add("tokens", words=["b"]), inputs.add("tokens", words=["a"])
    ('tokens', 'tokens_2', 'tokens')
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.settings: dict[str, dict[str, Any]] = {}

    def add(self, kind: str, **settings: Any) -> str:
        """Return the name of the input of this *kind* with these *settings*."""
        wanted = {"kind": kind, **settings}
        known = next((name for name, found in self.settings.items() if found == wanted), None)
        if known is not None:
            return known
        n_same = sum(found["kind"] == kind for found in self.settings.values())
        name = f"{kind}_{n_same + 1}" if n_same else kind
        self.settings[name] = wanted
        port = PORTS[kind]
        shape = [settings.get(axis, axis) if isinstance(axis, str) else axis for axis in port.shape]
        return self._graph.input(name, Port(port.kind, shape))
