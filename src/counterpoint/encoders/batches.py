"""Batches of one fixed size: a row then has the same vector in each call, alone or among others.

Libraries choose their kernels by the shape of a batch, and kernels round differently.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
GPU_BATCH = 64
"""The number of rows of a batch on a GPU."""
MOST_CHARACTERS = 50_000
"""The largest number of characters of texts that are split into tokens at once.  A token needs about 100 bytes."""


def row_batches(rows: Rows, size: int) -> Iterator[Rows]:
    """Yield *rows* in batches of exactly *size* rows.  The last batch repeats its first row.

    >>> [batch.tolist() for batch in row_batches(np.arange(5), 3)]
    [[0, 1, 2], [3, 4, 3]]
    """
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        yield np.concatenate([batch, np.repeat(batch[:1], size - len(batch))])


def length_batches(
    lengths: Sequence[int], size: int, *, step: int, most_tokens: int | None = None
) -> Iterator[tuple[Rows, int]]:
    """Yield batches of *size* rows of similar length, each with its length: a multiple of *step*.

    Parameters
    ----------
    lengths
        *lengths* are the numbers of tokens of the texts.
    size
        *size* is the number of rows of each batch.
    step
        *step* is the smallest difference between the lengths of batches.
    most_tokens
        *most_tokens* is the largest number of tokens of a batch, which has fewer rows of long texts (None: any).

    Examples
    --------
    >>> [(rows.tolist(), length) for rows, length in length_batches([3, 20, 8], 2, step=8)]
    [([0, 2], 8), ([1, 1], 24)]
    """
    rounded = -(-np.asarray(lengths, dtype=np.int64) // step) * step
    for length in np.unique(rounded).tolist():
        fitting = size if most_tokens is None else min(size, max(1, most_tokens // max(1, length)))
        for rows in row_batches(np.flatnonzero(rounded == length), fitting):
            yield rows, length


def padded(tokens: Sequence[Sequence[int]], length: int, *, pad: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return token ids and their mask, int64 of shape (batch, length).

    Parameters
    ----------
    tokens
        *tokens* are the ids of each text, at most *length* of them.
    length
        *length* is the number of columns.
    pad
        *pad* is the id of the padding.

    Examples
    --------
    >>> [array.tolist() for array in padded([[7, 8], [9]], 3)]
    [[[7, 8, 0], [9, 0, 0]], [[1, 1, 0], [1, 0, 0]]]
    """
    ids = np.full((len(tokens), length), pad, dtype=np.int64)
    for row, of_text in zip(ids, tokens, strict=True):
        row[: len(of_text)] = of_text
    mask = np.arange(length) < np.array([len(of_text) for of_text in tokens])[:, None]
    return ids, mask.astype(np.int64)


def text_parts(texts: Sequence[str], most: int = MOST_CHARACTERS) -> Iterator[list[str]]:
    """Yield *texts* in parts of at most *most* characters, or of one text.

    >>> list(text_parts(["a fox", "an owl", "a cat"], most=11))
    [['a fox', 'an owl'], ['a cat']]
    """
    part, n = list[str](), 0
    for text in texts:
        if part and n + len(text) > most:
            yield part
            part, n = [], 0
        part.append(text)
        n += len(text)
    if part:
        yield part
