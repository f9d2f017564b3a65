"""The term of one modality in the logits of a linear probe."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from counterpoint.contenders.probes.rows_file import Scale, chunks
from counterpoint.contenders.vectors import Vectors

Floats = NDArray[np.float64]


class Term(NamedTuple):
    """A linear function of unscaled vectors, and the logits of a missing vector.

    Attributes
    ----------
    weights, offset
        *weights* has shape (n_classes, width), and *offset* shape (n_classes,).
    missing
        *missing* are the logits of a missing vector, shape (n_classes,).
    """

    weights: Floats
    offset: Floats
    missing: Floats

    @classmethod
    def of_scaled(cls, weights: Floats, scale: Scale) -> Self:
        """Return the term whose *weights*, shape (n_classes, width + 1), are of scaled vectors and the missing mark."""
        unscaled = weights[:, :-1] * scale.factor
        return cls(unscaled, -unscaled @ scale.mean, weights[:, -1])

    def logits(self, vectors: Vectors) -> Floats:
        """Return the logits of *vectors*, shape (n, n_classes)."""
        logits = np.tile(self.missing, (len(vectors), 1))
        there = np.flatnonzero(~vectors.is_missing)
        for part in chunks(len(there)):
            logits[there[part]] = vectors[there[part]] @ self.weights.T + self.offset
        return logits

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the parameters under *name*, as `of` reads them."""
        return {f"{name}.{part}": array for part, array in self._asdict().items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> Self:
        """Return the term whose parameters are in *arrays* under *name*."""
        return cls(*(arrays[f"{name}.{part}"] for part in cls._fields))
