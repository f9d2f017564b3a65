"""ONNX graphs in onnxruntime, with one thread on the CPU: of texts by their tokens, and of images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from counterpoint.encoders.base import Floats
from counterpoint.encoders.batches import length_batches, padded, text_parts
from counterpoint.encoders.pooling import mean_of_tokens, unit
from counterpoint.engines.caps import give_memory_back

STEP = 8
"""Texts are padded to a multiple of this number of tokens."""
_ERRORS_ONLY = 3
MOST_TOKENS = 512
"""The most tokens of a batch, which has fewer rows of long texts."""
LARGE = 512
"""The number of values in an input from which a run gives its memory back.  Else the arena, which grows in powers of
two, keeps 150 MB after one long text.  It takes no longer, and the bits are the same."""


class Graph:
    """A graph that turns its inputs into one output.

    Parameters
    ----------
    model
        *model* is the content of an ONNX file.
    """

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        # One thread: two of one process are slower than two processes, and sums would depend on their number.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # A plan of the memory for each shape takes 130 MB more with long texts, and saves no time.
        options.enable_mem_pattern = False
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        give_memory_back()  # reading the graph leaves 65 MB behind
        self.inputs = {each.name: each for each in self._session.get_inputs()}
        self.output = self._session.get_outputs()[0]
        self._shrinks = onnxruntime.RunOptions()
        self._shrinks.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, **inputs: NDArray[Any]) -> Floats:
        """Return the first output.  Inputs that the graph lacks are left out."""
        known = {name: value for name, value in inputs.items() if name in self.inputs}
        options = self._shrinks if max(value.size for value in known.values()) >= LARGE else None
        output: Floats = self._session.run([self.output.name], known, options)[0]
        return output


class TextGraph:
    """A tokenizer and a graph from ``input_ids`` to one vector for each token, or for each text.

    Parameters
    ----------
    model, tokenizer
        *model* and *tokenizer* are the contents of an ONNX file and of a ``tokenizer.json``.
    max_tokens
        *max_tokens* is the number of tokens at which a text is cut.
    batch
        *batch* is the number of texts at once.
    """

    def __init__(self, model: bytes, tokenizer: bytes, *, max_tokens: int, batch: int) -> None:
        self.graph = Graph(model)
        self._batch = batch
        self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()

    def vectors(self, texts: Sequence[str], *, width: int) -> Floats:
        """Return the mean of the token vectors of each text, with length 1, shape (n, width)."""
        tokens = [encoding.ids for part in text_parts(texts) for encoding in self._tokenizer.encode_batch(part)]
        vectors = np.zeros((len(tokens), width), dtype=np.float32)
        lengths = [len(ids) for ids in tokens]
        for rows, length in length_batches(lengths, self._batch, step=STEP, most_tokens=MOST_TOKENS):
            ids, mask = padded([tokens[row] for row in rows], length)
            output = self.graph.run(input_ids=ids, attention_mask=mask, token_type_ids=np.zeros_like(ids))
            vectors[rows] = unit(mean_of_tokens(output, mask) if output.ndim == 3 else output)
        return vectors
