"""The encoders of an exported model: the file of MiniLM with its tokenizer, and a graph of EfficientNet-Lite0."""

from collections.abc import Collection
from typing import Any

import numpy as np

from counterpoint.encoders.catalogue import entry_of
from counterpoint.encoders.lite0 import Lite0
from counterpoint.encoders.minilm import MAX_TOKENS
from counterpoint.encoders.onnx_graph import STEP
from counterpoint.features.shaped_images import ImageShape
from counterpoint.onnx_export.graph import Graph, Port
from counterpoint.onnx_export.layers import lite0_vector

TEXT_GRAPH, TOKENIZER, IMAGE_GRAPH = "text-encoder.onnx", "tokenizer.json", "image-encoder.onnx"


def encoder_files(names: Collection[str]) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of the encoders *names*, and for each encoder the settings of its reader.

    Raises
    ------
    ConfigError
        When a package of an encoder is not installed.

    Examples
    --------
    >>> encoder_files([])
    ({}, {})
    """
    files: dict[str, bytes] = {}
    settings: dict[str, Any] = {}
    if "minilm" in names:
        stored = entry_of("minilm").files
        files |= {TEXT_GRAPH: stored["weights"].read(), TOKENIZER: stored["tokenizer"].read()}
        settings["minilm"] = {"graph": TEXT_GRAPH, "tokenizer": TOKENIZER, "max_tokens": MAX_TOKENS, "step": STEP}
    if "lite0" in names:
        files[IMAGE_GRAPH] = _lite0()
        settings["lite0"] = {"graph": IMAGE_GRAPH, "shape": _shape()._asdict()}
    return files, settings


def _shape() -> ImageShape:
    shape = Lite0().shape
    assert shape is not None
    return shape


def _lite0() -> bytes:
    """Return the graph from pixels, uint8 of shape (batch, 3, 224, 224), to vectors of EfficientNet-Lite0."""
    from counterpoint.encoders.lite0_network import MEAN, SCALE, Lite0Network  # noqa: PLC0415 - an optional package

    entry, side_px = entry_of("lite0"), _shape().side_px
    network = Lite0Network(entry.files["weights"].read(), "cpu").module
    graph = Graph()
    pixels = graph.cast(graph.input("pixels", Port("uint8", ("batch", 3, side_px, side_px))), "float")
    centred = graph.node("Sub", pixels, np.float32(MEAN))
    vector = lite0_vector(graph, network, graph.node("Div", centred, np.float32(SCALE)))
    model = graph.finished({"vector": (vector, Port("float", ("batch", entry.width)))})
    data: bytes = model.SerializeToString()
    return data
