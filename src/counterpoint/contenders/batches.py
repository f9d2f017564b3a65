"""The inputs of networks: batches of rows with texts of similar length, padded to the longest of the batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from counterpoint.contenders.base import Codes
from counterpoint.features.pixels import Pixels
from counterpoint.features.tokens import PAD

Order = NDArray[np.int64]
Batch = tuple[dict[str, Tensor], Tensor]
_NEIGHBOURS = 16

WATCHED = {
    "train_loss": "train_entropy",
    "valid_loss": "valid_entropy",
    "scaled_loss": "scaled_entropy",
    "train_score": "train_score",
    "valid_score": "valid_score",
    "gradient_norm": "gradient_norm",
}
"""Columns of the history, and their names in the history of skorch."""
PREDICTED_AT_ONCE = 256


@dataclass(frozen=True)
class Material(Dataset[Batch]):
    """The inputs of a network and the classes of its rows.  A modality that it does not read is None.

    Examples
    --------
    >>> words = [np.array([2, 3, 4], dtype=np.int32), np.array([5], dtype=np.int32)]
    >>> inputs, codes = Material(np.array([1, 0]), tokens=words)[np.array([0, 1])]
    >>> inputs["tokens"].tolist(), codes.tolist()
    ([[2, 3, 4], [5, 0, 0]], [1, 0])
    """

    codes: Codes
    tokens: Sequence[NDArray[np.int32]] | None = None
    pixels: Pixels | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Order) -> Batch:
        """Return the keyword arguments of the network for *rows*, and their classes."""
        inputs: dict[str, Tensor] = {}
        if self.tokens is not None:
            inputs["tokens"] = padded([self.tokens[row] for row in rows])
        if self.pixels is not None:
            inputs["pixels"] = torch.from_numpy(self.pixels[rows])
            inputs["has_image"] = torch.from_numpy(~self.pixels.is_missing[rows])
        return inputs, torch.from_numpy(self.codes[rows])

    def lengths(self) -> Order:
        """Return the number of words of each row, or 0 where the network reads no text."""
        if self.tokens is None:
            return np.zeros(len(self), dtype=np.int64)
        return np.array([len(tokens) for tokens in self.tokens], dtype=np.int64)


def padded(texts: Sequence[NDArray[np.int32]]) -> Tensor:
    """Return word ids, shape (batch, longest), with at least one column.

    >>> padded([np.array([2, 3], dtype=np.int32), np.array([], dtype=np.int32)]).tolist()
    [[2, 3], [0, 0]]
    """
    longest = max([1, *map(len, texts)])
    ids = np.full((len(texts), longest), PAD, dtype=np.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    return torch.from_numpy(ids)


class Batches:
    """The batches of one epoch after another, as skorch iterates over them.

    Parameters
    ----------
    material
        *material* holds the rows.
    batch_size
        *batch_size* is the largest number of rows of a batch.
    seed
        *seed* shuffles the rows, differently in each epoch.  With None the rows are sorted by length.

    Examples
    --------
    >>> batches = Batches(Material(np.arange(5)), batch_size=2, seed=0)
    >>> sorted(np.concatenate([codes.numpy() for _, codes in batches]).tolist())
    [0, 1, 2, 3, 4]
    """

    def __init__(self, material: Material, *, batch_size: int, seed: int | None = None) -> None:
        self.material, self.batch_size = material, batch_size
        self._lengths = material.lengths()
        self._rng = None if seed is None else np.random.default_rng(seed)

    def __iter__(self) -> Iterator[Batch]:
        for rows in self.orders():
            yield self.material[rows]

    def orders(self) -> list[Order]:
        """Return the rows of each batch of one epoch."""
        if self._rng is None:
            return self._cut(np.argsort(self._lengths, kind="stable"))
        shuffled = self._rng.permutation(len(self._lengths))
        # Sorted only among neighbours of the shuffle: texts in a batch are similar in length, and epochs still differ.
        size = _NEIGHBOURS * self.batch_size
        pools = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
        batches = [batch for pool in pools for batch in self._cut(pool[np.argsort(self._lengths[pool], kind="stable")])]
        return [batches[i] for i in self._rng.permutation(len(batches))]

    def _cut(self, rows: Order) -> list[Order]:
        # Parts of equal size: batch normalisation cannot use a last batch of one row.
        return np.array_split(rows, -(-len(rows) // self.batch_size))


class ClassOrdered(Batches):
    """Batches in which all rows of one class stand before those of the next, in the same order in each epoch.

    >>> [codes.tolist() for _, codes in ClassOrdered(Material(np.array([1, 0, 1, 0])), batch_size=2, seed=0)]
    [[0, 0], [1, 1]]
    """

    def orders(self) -> list[Order]:
        """Return the rows of each batch of one epoch."""
        return self._cut(np.argsort(self.material.codes, kind="stable"))
