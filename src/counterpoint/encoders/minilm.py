"""MiniLM for sentences in onnxruntime: a text becomes 384 values.  Reads English best, and no images."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from counterpoint.artifacts import key_of
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.catalogue import entry_of

if TYPE_CHECKING:
    from counterpoint.encoders.onnx_graph import TextGraph

MAX_TOKENS = 256
"""Longer texts are cut here, as by the upstream model.  The file of the tokenizer itself cuts at 128."""
BATCH = 8
_VERSION = 1
"""Of this code: a change of the vectors needs another one."""


class MiniLM(Encoder):
    """The mean of the token vectors of all-MiniLM-L6-v2 [1]_, with int8 weights, scaled to length 1.

    The arithmetic is in 32-bit floats.  It always runs on the CPU.

    Parameters
    ----------
    batch
        *batch* is the number of texts that are read at once.

    References
    ----------
    .. [1] N. Reimers and I. Gurevych, Sentence-BERT, EMNLP 2019.
    """

    name = "minilm"
    modalities = ("text",)

    def __init__(self, *, batch: int = BATCH) -> None:
        self._entry = entry_of(self.name)
        self.width = self._entry.width
        self._batch = batch

    @property
    def fingerprint(self) -> str:
        """A hash of the files, the cut, and the version of this code."""
        return key_of(self.name, self._entry.digests(), MAX_TOKENS, _VERSION)

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, 384)."""
        return self._graph.vectors(texts, width=self.width)

    @cached_property
    def _graph(self) -> "TextGraph":
        from counterpoint.encoders.onnx_graph import TextGraph  # noqa: PLC0415 - loads onnxruntime

        files = self._entry.files
        return TextGraph(
            files["weights"].read(), files["tokenizer"].read(), max_tokens=MAX_TOKENS, batch=self._batch
        )  # fmt: skip
