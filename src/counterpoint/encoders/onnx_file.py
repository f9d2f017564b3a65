"""The user's own ONNX file as an encoder: of texts where a ``tokenizer.json`` stands beside it, else of images.

One row is read at a time, because a file may fix its batch to one row, or quantise over a batch.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from counterpoint.artifacts import key_of, why_not_read
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.hub_files import PREPROCESSOR, TOKENIZER
from counterpoint.encoders.onnx_graph import Graph, TextGraph
from counterpoint.errors import ConfigError, SourceError, first_line
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import ImageShape
from counterpoint.files import digest_once, read_bytes, read_text

MAX_TOKENS = 256
_MOST_BYTES = 2 << 30
_VERSION = 1
"""Of this code: a change of the vectors needs another one."""


def open_onnx(name: str) -> Encoder:
    """Return the encoder in the ONNX file *name*.

    Raises
    ------
    SourceError
        When a file cannot be read.
    ConfigError
        When the file is no graph from texts or images to vectors.
    """
    path = Path(name)
    return OnnxTexts(path) if (path.parent / TOKENIZER).exists() else OnnxImages(path)


class OnnxTexts(Encoder):
    """A graph from ``input_ids`` to vectors of tokens, whose mean is taken, or of texts.  They get the length 1.

    Parameters
    ----------
    path
        *path* is the file.  Its tokenizer stands beside it.
    """

    modalities = ("text",)

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path, self._tokenizer = path, path.parent / TOKENIZER
        self.width = _width_of(self._graph.graph, self.name)
        if "input_ids" not in self._graph.graph.inputs:
            raise ConfigError(f"{path} needs an input input_ids; found {', '.join(self._graph.graph.inputs)}.")

    @property
    def fingerprint(self) -> str:
        """A hash of both files, the cut, and the version of this code."""
        return key_of("onnx texts", *map(_digest_of, (self._path, self._tokenizer)), MAX_TOKENS, _VERSION)

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, width)."""
        return self._graph.vectors(texts, width=self.width)

    @cached_property
    def _graph(self) -> TextGraph:
        model, tokenizer = _bytes_of(self._path), _bytes_of(self._tokenizer)
        try:
            return TextGraph(model, tokenizer, max_tokens=MAX_TOKENS, batch=1)
        except Exception as error:  # both libraries raise types of their own
            raise _unusable(self._path, error) from error


class Scaling(NamedTuple):
    """The scaling of pixels: (pixels · *factor* − *mean*) / *std*, for each channel."""

    factor: float
    mean: Sequence[float]
    std: Sequence[float]


class OnnxImages(Encoder):
    """A graph from one image to one vector, or to maps, whose mean over the places is taken.

    Its input has the shape (batch, 3, side_px, side_px).  Floats need a ``preprocessor_config.json`` beside the file,
    with ``image_mean`` and ``image_std``.  Bytes (uint8) are passed as they are.

    Parameters
    ----------
    path
        *path* is the file.
    """

    modalities = ("image",)

    def __init__(self, path: Path) -> None:
        self.name, self._path = str(path), path
        (name, first), *others = self._graph.inputs.items()
        shape = first.shape
        if others or len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3] or not isinstance(shape[2], int):
            found = ", ".join(f"{each.name} {each.shape}" for each in self._graph.inputs.values())
            raise ConfigError(
                f"{path} needs one input of shape (batch, 3, side, side), or a {TOKENIZER} beside it; found {found}."
            )
        self._input = name
        self.shape = ImageShape(shape[2], "rgb", "squash", "area")
        self.width = _width_of(self._graph, self.name, axis=1)
        self._scaling = None if "uint8" in first.type else _scaling(path)

    @property
    def fingerprint(self) -> str:
        """A hash of the file, the scaling, the shape of the images, and the version of this code."""
        return key_of("onnx images", _digest_of(self._path), self._scaling, self.shape, _VERSION)

    def encode_images(self, images: Pixels8) -> Floats:
        """Return the vectors of *images*, shape (n, width), from pixels of shape (n, 3, side_px, side_px)."""
        vectors = np.zeros((len(images), self.width), dtype=np.float32)
        for row in range(len(images)):
            output = self._graph.run(**{self._input: self._scaled(images[row : row + 1])})
            vectors[row] = output.reshape(*output.shape[:2], -1).mean(axis=2)[0]
        return vectors

    def _scaled(self, images: Pixels8) -> Any:
        if self._scaling is None:
            return images
        mean, std = (np.array(values, dtype=np.float32).reshape(1, 3, 1, 1) for values in self._scaling[1:])
        return (images.astype(np.float32) * np.float32(self._scaling.factor) - mean) / std

    @cached_property
    def _graph(self) -> Graph:
        model = _bytes_of(self._path)
        try:
            return Graph(model)
        except Exception as error:  # onnxruntime raises types of its own
            raise _unusable(self._path, error) from error


def _scaling(path: Path) -> Scaling:
    file = path.parent / PREPROCESSOR
    try:
        found = json.loads(read_text(file))
        mean, std = ([float(value) for value in found[key]] for key in ("image_mean", "image_std"))
        factor = float(found.get("rescale_factor", 1 / 255))
        if len(mean) != 3 or len(std) != 3 or not all(std):
            raise ValueError("image_mean and image_std need three values each")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{path} needs {PREPROCESSOR} with image_mean and image_std: {first_line(error)}.") from error
    return Scaling(factor, mean, std)


def _width_of(graph: Graph, name: str, *, axis: int = -1) -> int:
    shape = graph.output.shape
    if len(shape) < 2 or not isinstance(shape[axis], int):
        raise ConfigError(f"The output {graph.output.name} of {name} needs a fixed width; its shape is {shape}.")
    return int(shape[axis])


def _digest_of(path: Path) -> str:
    try:
        return digest_once(path)
    except OSError as error:
        raise SourceError(why_not_read(path, error)) from error


def _bytes_of(path: Path) -> bytes:
    try:
        return read_bytes(path, most_bytes=_MOST_BYTES)
    except OSError as error:
        raise SourceError(why_not_read(path, error)) from error


def _unusable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"Cannot load the encoder {path}: {first_line(error)}.")
