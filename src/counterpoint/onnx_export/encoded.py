"""The vectors of the shipped encoders as values of a graph of ONNX: inputs, or made of inputs.

The encoder "joint" has no graph of its own: its vectors are a few nodes behind those of MiniLM and EfficientNet-Lite0.
"""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from counterpoint.encoders.base import Floats
from counterpoint.encoders.catalogue import CATALOGUE, entry_of
from counterpoint.encoders.joint import PROMPT, TEMPERATURE, Joint
from counterpoint.errors import ConfigError
from counterpoint.onnx_export.graph import Graph
from counterpoint.onnx_export.inputs import Inputs


def encoded(encoder: str, modality: str, graph: Graph, inputs: Inputs) -> str:
    """Return the vectors of a modality by an encoder, float of shape (batch, width).

    Parameters
    ----------
    encoder, modality
        *encoder* is the name of the encoder, and *modality* is "text" or "image".
    graph, inputs
        *graph* gets the nodes, and *inputs* the inputs.

    Raises
    ------
    ConfigError
        When the encoder is another one, or not installed.
    """
    make = _ENCODED.get((encoder, modality))
    if make is None:
        allowed = ", ".join(name for name, known in _ENCODED if known == modality)
        raise ConfigError(f"The encoder {encoder!r} of {modality}s cannot be exported to ONNX. Allowed: {allowed}.")
    entry_of(encoder)
    return make(graph, inputs)


def _minilm(_: Graph, inputs: Inputs) -> str:
    return inputs.add("text_vector", encoder="minilm", width=CATALOGUE["minilm"].width)


def _lite0(_: Graph, inputs: Inputs) -> str:
    return inputs.add("image_vector", encoder="lite0", width=CATALOGUE["lite0"].width)


def _joint_of_text(graph: Graph, inputs: Inputs) -> str:
    return graph.node("Sub", _minilm(graph, inputs), _prompts().mean(0))


def _joint_of_image(graph: Graph, inputs: Inputs) -> str:
    """Return the mean of the vectors of the classes of ImageNet, weighted by their probabilities, as `Joint` does."""
    from counterpoint.encoders.lite0_network import Lite0Network  # noqa: PLC0415 - an optional package

    weight, bias = Lite0Network(entry_of("lite0").files["weights"].read(), "cpu").head
    logits = graph.node("Gemm", _lite0(graph, inputs), weight, bias, transB=1)
    powers = graph.node("Pow", graph.node("Softmax", logits, axis=1), np.float32(1 / TEMPERATURE))
    total = graph.node("ReduceSum", powers, np.array([1]), keepdims=1)
    prompts = _prompts()
    return graph.node("MatMul", graph.node("Div", powers, total), prompts - prompts.mean(0))


@cache
def _prompts() -> Floats:
    joint = Joint(device="cpu")
    return joint.texts.encode_texts([PROMPT.format(name) for name in joint.images.class_names()])


_ENCODED: Mapping[tuple[str, str], Callable[[Graph, Inputs], str]] = {
    ("minilm", "text"): _minilm,
    ("lite0", "image"): _lite0,
    ("joint", "text"): _joint_of_text,
    ("joint", "image"): _joint_of_image,
}
"""The encoders that are exported, with the modality that each reads."""
