"""The share of each class in the training rows: the baseline of every model that reads its input."""

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.schema import Frame


@settings_as_fields
class Majority(Contender):
    """Predicts the class shares of the training rows for every pair.

    Examples
    --------
    >>> import polars as pl
    >>> pairs = pl.DataFrame({"text": ["a cat", "a dog", "a wolf"]})
    >>> Majority().fit(pairs, ["cat", "dog", "dog"]).predict_proba(pairs[:1])
    array([[0.33333333, 0.66666667]])
    """

    complexity: ClassVar[int | None] = 0

    smoothing: Annotated[float, Field(ge=0)] = 0.0
    """The number that is added to the count of each class.  1 is the smoothing of Laplace."""
    seed: int = 0
    """Changes nothing in this contender."""

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        counts = np.bincount(train.codes) + self.smoothing
        self.prior_ = counts / counts.sum()
        self.n_parameters_ = len(counts) - 1

    def _proba(self, pairs: Frame) -> Proba:
        return np.tile(self.prior_, (len(pairs), 1))
