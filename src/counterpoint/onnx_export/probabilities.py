"""The probabilities of a fitted contender, as nodes of a graph of ONNX."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.contenders import MODELS
from counterpoint.contenders.calibrate import Scaling
from counterpoint.contenders.members import FLOOR
from counterpoint.contenders.ngrams import END
from counterpoint.contenders.zero_shot import SHARPNESS
from counterpoint.errors import ConfigError
from counterpoint.features.shaped_images import ImageShape
from counterpoint.lookup import path_of
from counterpoint.onnx_export import layers
from counterpoint.onnx_export.encoded import encoded
from counterpoint.onnx_export.graph import Graph
from counterpoint.onnx_export.histograms import histograms
from counterpoint.onnx_export.inputs import Inputs


def probabilities(model: Any, graph: Graph, inputs: Inputs) -> str:
    """Return the probabilities of a fitted contender, shape (batch, classes), as double.

    Parameters
    ----------
    model
        *model* is the contender.
    graph, inputs
        *graph* gets the nodes, and *inputs* the inputs.

    Returns
    -------
    The name of the probabilities in the graph.

    Raises
    ------
    ConfigError
        When the contender, or one that it combines, cannot be exported, or is not fitted.
    """
    name = name_of(model)
    if name not in EXPORTED:
        raise ConfigError(f"The contender {name!r} cannot be exported to ONNX. Allowed: {', '.join(sorted(EXPORTED))}.")
    if not hasattr(model, "classes_"):
        raise ConfigError(f"The contender {name!r} is not fitted. Call fit first.")
    return EXPORTED[name](model, graph, inputs)


def name_of(model: Any) -> str:
    """Return the name of a contender in ``MODELS``, or the path of its class.

    >>> from counterpoint.contenders.majority import Majority
    >>> name_of(Majority())
    'majority'
    """
    path = path_of(type(model))
    return next((name for name, known in MODELS.items() if known == path), path)


def _softmax(graph: Graph, logits: str) -> str:
    return graph.node("Softmax", logits, axis=1)


def _scaled(graph: Graph, scaling: Scaling, *scores: str) -> str:
    """Return the logits of the scores of models, each double of shape (batch, classes)."""
    parts = [graph.node("Mul", each, np.float64(w)) for each, w in zip(scores, scaling.weights, strict=True)]
    return graph.node("Add", graph.node("Sum", *parts), scaling.bias.astype(np.float64))


def _log(graph: Graph, proba: str) -> str:
    return graph.node("Log", graph.node("Max", proba, np.float64(FLOOR)))


def _chosen(graph: Graph, condition: str, first: str | NDArray[Any], second: str | NDArray[Any]) -> str:
    return graph.node("Where", graph.column(condition), first, second)


# Networks


def _text_lstm(model: Any, graph: Graph, inputs: Inputs) -> str:
    return _network(graph, model, layers.solo(graph, model.network_, _tokens(model, inputs)))


def _image_cnn(model: Any, graph: Graph, inputs: Inputs) -> str:
    return _network(graph, model, layers.solo(graph, model.network_, _pixels(model, inputs)))


def _lstm_cnn(model: Any, graph: Graph, inputs: Inputs) -> str:
    text, image = (model.branches_[name] for name in ("text-lstm", "image-cnn"))
    both = _tokens(text, inputs) | _pixels(image, inputs)
    return _network(graph, model, layers.concatenation(graph, model.network_, both))


def _network(graph: Graph, model: Any, logits: str) -> str:
    return _softmax(graph, _scaled(graph, model.scaling_, graph.cast(logits, "double")))


def _tokens(model: Any, inputs: Inputs) -> dict[str, str]:
    return {"tokens": inputs.add("tokens", vocabulary=list(model.vocabulary_.words), max_words=model.max_words)}


def _pixels(model: Any, inputs: Inputs) -> dict[str, str]:
    shape = ImageShape(**model.pixel_settings())
    return {"pixels": inputs.add("pixels", **_image_settings(shape)), "has_image": inputs.add("has_image")}


def _image_settings(shape: ImageShape) -> dict[str, Any]:
    return {"channels": shape.slot[0], **shape._asdict()}


# Linear models of n-grams


def _text_svm(model: Any, graph: Graph, inputs: Inputs) -> str:
    svm, n_classes = model.machine_.svm, len(model.classes_)
    coef, intercept = svm.coef_, svm.intercept_
    if len(coef) == 1:
        coef, intercept = np.vstack([-coef, coef]), np.concatenate([-intercept, intercept])
    weights, bias = np.zeros((n_classes, coef.shape[1])), np.full(n_classes, -1.0)
    weights[svm.classes_], bias[svm.classes_] = coef, intercept
    scores = _linear(graph, _tf_idf(model, model.machine_.weight, graph, inputs), weights, bias)
    return _softmax(graph, _scaled(graph, model.scaling_, scores))


def _text_ngrams(model: Any, graph: Graph, inputs: Inputs) -> str:
    vectors = _tf_idf(model, model.weight_, graph, inputs)
    return _softmax(graph, _linear(graph, vectors, model.coef_, model.bias_))


def _linear(graph: Graph, vectors: str, weights: NDArray[Any], bias: NDArray[Any]) -> str:
    product = graph.node("MatMul", vectors, np.ascontiguousarray(weights.T, dtype=np.float64))
    return graph.node("Add", product, bias.astype(np.float64))


def _tf_idf(model: Any, weight: NDArray[Any], graph: Graph, inputs: Inputs) -> str:
    """Return the vectors of the texts, double of shape (batch, n_grams), as `ngrams.weighed` makes them."""
    grams = model.grams_
    state = grams.state().values
    counts = inputs.add(
        "counts", n_grams=len(weight), words=state["words"], characters=state["characters"], end=END,
        word_span=[1, model.words], character_span=list(model.characters) if model.characters else None,
    )  # fmt: skip
    is_there = graph.node("Greater", counts, np.float64(0))
    damped = graph.node("Add", graph.node("Log", graph.node("Max", counts, np.float64(1))), np.float64(1))
    values = graph.node("Mul", graph.node("Where", is_there, damped, np.float64(0)), weight.astype(np.float64))
    return _unit(graph, values)


def _unit(graph: Graph, values: str) -> str:
    """Return double rows with length 1, or zeros where they are zeros."""
    squares = graph.node("ReduceSum", graph.node("Mul", values, values), np.array([1]), keepdims=1)
    is_zero = graph.node("Equal", squares, np.float64(0))
    return graph.node("Div", values, graph.node("Where", is_zero, np.float64(1), graph.node("Sqrt", squares)))


# Linear probes


def _probe(model: Any, graph: Graph, inputs: Inputs) -> str:
    readings = model.encodings_read()
    vectors = {each.modality: encoded(each.encoder, each.modality, graph, inputs) for each in readings}
    return _of_terms(model, vectors, graph, inputs)


def _image_hog(model: Any, graph: Graph, inputs: Inputs) -> str:
    pixels = _pixels(model, inputs)["pixels"]
    settings = {"side_px": model.side_px, "cell_px": model.cell_px, "orientations": model.orientations}
    return _of_terms(model, {"image": histograms(graph, pixels, **settings)}, graph, inputs)


def _of_terms(model: Any, vectors: Mapping[str, str], graph: Graph, inputs: Inputs) -> str:
    """Return the probabilities of a linear probe on *vectors* of each modality, float of shape (batch, width)."""
    logits = []
    for modality, vector in vectors.items():
        term = model.terms_[modality]
        there = _linear(graph, graph.cast(vector, "double"), term.weights, term.offset)
        logits.append(_chosen(graph, inputs.add(f"has_{modality}"), there, term.missing.astype(np.float64)))
    return _softmax(graph, graph.node("Add", graph.node("Sum", *logits), model.bias_.astype(np.float64)))


def _zero_shot(model: Any, graph: Graph, inputs: Inputs) -> str:
    (reading,) = model.encodings_read()
    vectors = _unit(graph, graph.cast(encoded(reading.encoder, "image", graph, inputs), "double"))
    cosines = graph.node("MatMul", vectors, SHARPNESS * model.directions_.T)
    proba = _softmax(graph, _scaled(graph, model.scaling_, cosines))
    return _chosen(graph, inputs.add("has_image"), proba, model.class_shares_)


# Rules and combinations


def _majority(model: Any, graph: Graph, inputs: Inputs) -> str:
    # The product with an input gives the batch: a graph of constants has one row.
    zero = graph.node("Mul", graph.column(graph.cast(inputs.add("has_text"), "double")), np.float64(0))
    return graph.node("Add", zero, model.prior_.astype(np.float64))


def _keyword_rule(model: Any, graph: Graph, inputs: Inputs) -> str:
    if model.preset or model.classes:
        raise ConfigError("A keyword-rule whose words are given cannot be exported to ONNX. Allowed: a learned one.")
    first = inputs.add("first_word", words=list(model.leaves_[:-1]))
    scores = graph.node("Gather", np.log(model.shares_), first, axis=0)
    return _softmax(graph, _scaled(graph, model.scaling_, scores))


def _calibrated(member: Any, graph: Graph, inputs: Inputs) -> str:
    """Return the calibrated logits of a member of a combination."""
    return _scaled(graph, member.scaling, _log(graph, probabilities(member.model, graph, inputs)))


def _late_fusion(model: Any, graph: Graph, inputs: Inputs) -> str:
    text, image = (_calibrated(branch, graph, inputs) for branch in model.branches_)
    has_text, has_image = inputs.add("has_text"), inputs.add("has_image")
    alone = _chosen(graph, has_text, text, _chosen(graph, has_image, image, model.log_prior_))
    both = graph.node("And", has_text, has_image)
    return _softmax(graph, _chosen(graph, both, _scaled(graph, model.scaling_, text, image), alone))


def _probe_average(model: Any, graph: Graph, inputs: Inputs) -> str:
    terms, there = [], []
    for member in model.members_:
        is_there = graph.column(graph.cast(inputs.add(f"has_{member.model.modalities[0]}"), "double"))
        terms.append(graph.node("Mul", _calibrated(member, graph, inputs), is_there))
        there.append(is_there)
    n_members = graph.node("Sum", *there)  # (batch, 1)
    mean = graph.node("Div", graph.node("Sum", *terms), graph.node("Max", n_members, np.float64(1)))
    average = graph.node("Where", graph.node("Greater", n_members, np.float64(0)), mean, model.log_prior_)
    is_whole = graph.node("Equal", n_members, np.float64(len(terms)))
    return _softmax(graph, graph.node("Where", is_whole, _scaled(graph, model.scaling_, average), average))


def _ensemble(model: Any, graph: Graph, inputs: Inputs) -> str:
    parts = [
        graph.node("Mul", probabilities(model.members_[name], graph, inputs), np.float64(weight))
        for name, weight in model.weights_.items()
    ]
    return graph.node("Sum", *parts)


EXPORTED: Mapping[str, Callable[[Any, Graph, Inputs], str]] = {
    "majority": _majority,
    "keyword-rule": _keyword_rule,
    "text-svm": _text_svm,
    "text-ngrams": _text_ngrams,
    "text-lstm": _text_lstm,
    "text-probe": _probe,
    "image-hog": _image_hog,
    "image-cnn": _image_cnn,
    "image-probe": _probe,
    "zero-shot": _zero_shot,
    "lstm-cnn": _lstm_cnn,
    "late-fusion": _late_fusion,
    "pair-probe": _probe,
    "probe-average": _probe_average,
    "ensemble": _ensemble,
}
"""The contenders that are exported, each with the function that builds its nodes."""
