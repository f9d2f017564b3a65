"""Vectors of rows, of which only the requested ones are read."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Vectors(Protocol):
    """The vectors of rows for one modality, such as `counterpoint.encoders.encodings.Encodings`."""

    width: int
    is_missing: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, rows: Any, /) -> NDArray[np.float32]:
        """Return the vectors of *rows*, shape (n, width), with zeros where one is missing."""


class NoVectors:
    """The vectors of *n* rows that all lack the modality.

    >>> NoVectors(3, 2)[[0, 1]].tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """

    def __init__(self, n: int, width: int) -> None:
        self.width, self.is_missing = width, np.ones(n, dtype=bool)

    def __len__(self) -> int:
        return len(self.is_missing)

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        return np.zeros((len(self.is_missing[rows]), self.width), dtype=np.float32)
