"""The share of each class in the training rows: what a model must beat to have read anything."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.schema import Frame


class Majority(Contender):
    """Gives every pair the class shares of the training rows.

    Parameters
    ----------
    smoothing
        *smoothing* is added to each class's count (1: Laplace).
    seed
        *seed* changes nothing here; every contender takes one.

    Examples
    --------
    >>> import polars as pl
    >>> pairs = pl.DataFrame({"text": ["a cat", "a dog", "a wolf"]})
    >>> Majority().fit(pairs, ["cat", "dog", "dog"]).predict_proba(pairs[:1])
    array([[0.4, 0.6]])
    """

    def __init__(self, *, smoothing: Annotated[float, Field(gt=0)] = 1.0, seed: int = 0) -> None:
        self.smoothing = smoothing
        self.seed = seed

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        counts = np.bincount(train.codes) + self.smoothing
        self.prior_ = counts / counts.sum()
        self.n_parameters_ = len(counts) - 1

    def _proba(self, pairs: Frame) -> Proba:
        return np.tile(self.prior_, (len(pairs), 1))
