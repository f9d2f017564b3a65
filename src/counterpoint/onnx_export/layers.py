"""Modules of torch as nodes of a graph of ONNX, in evaluation mode.  Does not build contenders."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from counterpoint.networks.encoders import PAD, BiLSTM, ImageEncoder, Residual, TextEncoder
from counterpoint.networks.fusions import Concatenation, Solo
from counterpoint.onnx_export.graph import Graph


def layer(graph: Graph, module: nn.Module, x: str) -> str:
    """Return the output of a *module* for the value *x*.

    Parameters
    ----------
    graph
        *graph* gets the nodes.
    module, x
        *module* is fitted, and *x* is the name of its input.

    Examples
    --------
    >>> graph = Graph()
    >>> layer(graph, nn.Sequential(nn.Dropout(0.5), nn.ReLU()), "x")
    'relu_0'
    """
    for kind, translate in _LAYERS.items():
        if isinstance(module, kind):
            return translate(graph, module, x)
    raise AssertionError(f"no translation of {type(module).__name__}")


def solo(graph: Graph, network: Solo, inputs: Mapping[str, str]) -> str:
    """Return the logits of a network of one encoder, shape (batch, classes).

    Parameters
    ----------
    graph
        *graph* gets the nodes.
    network
        *network* is fitted.
    inputs
        *inputs* are the names of the inputs: tokens, or pixels and has_image.

    Returns
    -------
    The name of the logits.
    """
    return layer(graph, network.head, _vector(graph, network, inputs))


def concatenation(graph: Graph, network: Concatenation, inputs: Mapping[str, str]) -> str:
    """Return the logits of a network of two encoders, shape (batch, classes).

    Parameters
    ----------
    graph
        *graph* gets the nodes.
    network
        *network* is fitted.
    inputs
        *inputs* are the names of the inputs: tokens, pixels and has_image.

    Returns
    -------
    The name of the logits.
    """
    is_word = _is_word(graph, inputs["tokens"])
    n_words = graph.node("ReduceSum", graph.cast(is_word, "float"), np.array([1]), keepdims=1)
    has_text = graph.cast(graph.node("Greater", n_words, np.float32(0)), "float")  # (batch, 1)
    seen = has_text, graph.cast(graph.column(inputs["has_image"]), "float")
    alone, normal = [], []
    for network_alone, norm, is_there in zip((network.text, network.image), network.norms, seen, strict=True):
        vector = _vector(graph, network_alone, inputs)
        alone.append(graph.node("Mul", layer(graph, network_alone.head, vector), is_there))
        normal.append(graph.node("Mul", layer(graph, norm, vector), is_there))
    joint = layer(graph, network.joint, graph.node("Concat", *normal, axis=1))
    return graph.node("Sum", joint, *alone)


def image_vector(graph: Graph, encoder: ImageEncoder, inputs: Mapping[str, str]) -> str:
    """Return the vector of an image, shape (batch, features), and zeros where it is missing.

    Parameters
    ----------
    graph
        *graph* gets the nodes.
    encoder
        *encoder* is fitted.
    inputs
        *inputs* are the names of pixels and has_image.
    """
    centred = graph.node("Sub", graph.cast(inputs["pixels"], "float"), _array(encoder.mean))
    x = graph.node("Div", centred, _array(encoder.std))
    maps = layer(graph, encoder.stages, layer(graph, encoder.stem, x))
    is_there = graph.cast(graph.column(inputs["has_image"]), "float")
    return graph.node("Mul", mean_of_places(graph, maps), is_there)


def text_vector(graph: Graph, encoder: TextEncoder, tokens: str) -> str:
    """Return the vector of a text, shape (batch, width), from word ids, shape (batch, time).

    Parameters
    ----------
    graph
        *graph* gets the nodes.
    encoder
        *encoder* is fitted.
    tokens
        *tokens* is the name of the word ids.
    """
    is_word = _is_word(graph, tokens)
    mask = graph.node("Unsqueeze", graph.cast(is_word, "float"), np.array([2]))  # (batch, time, 1)
    n_words = graph.node("ReduceSum", mask, np.array([1]), keepdims=0)  # (batch, 1)
    embedded = graph.node("Gather", _array(encoder.embed.weight), tokens, axis=0)
    hidden = _states(graph, encoder.lstm, embedded, n_words)  # (batch, time, 2 · hidden)
    total = graph.node("ReduceSum", graph.node("Mul", hidden, mask), np.array([1]), keepdims=0)
    mean = graph.node("Div", total, graph.node("Max", n_words, np.float32(1)))
    lowered = graph.node("Mul", graph.node("Sub", np.float32(1), mask), np.float32(2))
    largest = graph.node("ReduceMax", graph.node("Sub", hidden, lowered), np.array([1]), keepdims=0)
    has_text = graph.cast(graph.node("Greater", n_words, np.float32(0)), "float")
    return graph.node("Concat", mean, graph.node("Mul", largest, has_text), axis=1)


def lite0_vector(graph: Graph, network: Any, pixels: str) -> str:
    """Return the vector of an image by EfficientNet-Lite0, shape (batch, 1280).

    Parameters
    ----------
    graph
        *graph* gets the nodes.
    network
        *network* is the module of ``encoders.lite0_network``, with the normalisations in its convolutions.
    pixels
        *pixels* is the name of scaled pixels, shape (batch, 3, 224, 224).
    """
    x = layer(graph, network._swish, layer(graph, network._conv_stem, pixels))
    for block in network._blocks:
        x = _inverted_bottleneck(graph, block, x)
    return mean_of_places(graph, layer(graph, network._swish, layer(graph, network._conv_head, x)))


def mean_of_places(graph: Graph, maps: str) -> str:
    """Return the mean over height and width of feature *maps*, shape (batch, features)."""
    return graph.node("ReduceMean", maps, np.array([2, 3]), keepdims=0)


def _inverted_bottleneck(graph: Graph, block: Any, x: str) -> str:
    parts = ("_expand_conv", "_depthwise_conv")
    out = x
    for convolution in (getattr(block, name) for name in parts if hasattr(block, name)):
        out = layer(graph, block._swish, layer(graph, convolution, out))
    out = layer(graph, block._project_conv, out)
    settings = block._block_args
    is_skipped = block.id_skip and settings.stride == 1 and settings.input_filters == settings.output_filters
    return graph.node("Add", out, x) if is_skipped else out


def _vector(graph: Graph, network: Solo, inputs: Mapping[str, str]) -> str:
    if isinstance(network.encoder, TextEncoder):
        return text_vector(graph, network.encoder, inputs["tokens"])
    return image_vector(graph, network.encoder, inputs)


def _is_word(graph: Graph, tokens: str) -> str:
    return graph.node("Not", graph.node("Equal", tokens, np.int64(PAD)))


def _states(graph: Graph, lstm: BiLSTM, embedded: str, n_words: str) -> str:
    """Return the states of both directions, shape (batch, time, 2 · hidden)."""
    weights = [[_gates(part.detach().numpy()) for part in parts] for parts in lstm.all_weights]
    of_input, of_state = (np.stack([parts[i] for parts in weights]) for i in (0, 1))
    bias = np.stack([np.concatenate(parts[2:]) for parts in weights])
    # An empty text has one step of padding, which the mask leaves out: a length of 0 is refused.
    lengths = graph.node("Max", graph.node("Squeeze", n_words, np.array([1])), np.float32(1))
    lengths = graph.node("Cast", lengths, to=6)  # int32
    steps = graph.node("Transpose", embedded, perm=[1, 0, 2])
    states = graph.node(
        "LSTM", steps, of_input, of_state, bias, lengths, direction="bidirectional", hidden_size=lstm.hidden_size
    )  # (time, 2, batch, hidden)
    turned = graph.node("Transpose", states, perm=[2, 0, 1, 3])
    return graph.node("Reshape", turned, np.array([0, 0, 2 * lstm.hidden_size]))


def _gates(weights: NDArray[Any]) -> NDArray[Any]:
    """Return the weights of the gates in the order of ONNX (input, output, forget, cell) from that of torch."""
    of_input, of_forget, of_cell, of_output = np.split(weights, 4)
    return np.concatenate([of_input, of_output, of_forget, of_cell])


def _sequential(graph: Graph, module: nn.Sequential, x: str) -> str:
    return reduce(lambda value, part: layer(graph, part, value), module, x)


def _residual(graph: Graph, module: Residual, x: str) -> str:
    return graph.node("Relu", graph.node("Add", layer(graph, module.body, x), layer(graph, module.skip, x)))


def _convolution(graph: Graph, module: nn.Conv2d, x: str) -> str:
    padding = getattr(module, "static_padding", None)  # of EfficientNet-Lite0
    x = _padded(graph, padding, x) if isinstance(padding, nn.ZeroPad2d) else x
    bias = [] if module.bias is None else [_array(module.bias)]
    height, width = (int(n) for n in module.padding)
    return graph.node(
        "Conv", x, _array(module.weight), *bias, strides=list(module.stride), pads=[height, width, height, width],
        dilations=list(module.dilation), group=module.groups,
    )  # fmt: skip


def _padded(graph: Graph, module: nn.ZeroPad2d, x: str) -> str:
    left, right, top, bottom = module.padding
    return graph.node("Pad", x, np.array([0, 0, top, left, 0, 0, bottom, right]), np.float32(0))


def _normalisation(graph: Graph, module: nn.BatchNorm2d, x: str) -> str:
    parts = module.weight, module.bias, module.running_mean, module.running_var
    return graph.node("BatchNormalization", x, *map(_array, parts), epsilon=module.eps)


def _layer_norm(graph: Graph, module: nn.LayerNorm, x: str) -> str:
    return graph.node("LayerNormalization", x, _array(module.weight), _array(module.bias), epsilon=module.eps)


def _average(graph: Graph, module: nn.AvgPool2d, x: str) -> str:
    kernel, stride = ([int(n)] * 2 for n in (module.kernel_size, module.stride))  # type: ignore[arg-type]
    return graph.node("AveragePool", x, kernel_shape=kernel, strides=stride, ceil_mode=int(module.ceil_mode))


def _linear(graph: Graph, module: nn.Linear, x: str) -> str:
    return graph.node("Gemm", x, _array(module.weight), _array(module.bias), transB=1)


def _array(value: Tensor | None) -> NDArray[Any]:
    assert value is not None
    return value.detach().cpu().contiguous().numpy()


_LAYERS: Mapping[type, Callable[[Graph, Any, str], str]] = {
    nn.Sequential: _sequential,
    Residual: _residual,
    nn.Conv2d: _convolution,
    nn.BatchNorm2d: _normalisation,
    nn.LayerNorm: _layer_norm,
    nn.AvgPool2d: _average,
    nn.Linear: _linear,
    nn.ReLU6: lambda graph, _, x: graph.node("Clip", x, np.float32(0), np.float32(6)),
    nn.ReLU: lambda graph, _, x: graph.node("Relu", x),
    nn.Dropout: lambda _, __, x: x,
    nn.Identity: lambda _, __, x: x,
}
"""The translation of each kind of module.  The first that fits is used."""
