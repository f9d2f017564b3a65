"""Which of two contenders is simpler: by the places that their classes declare, or else by their trained parameters."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from counterpoint.schema import Frame

LESS = 0.5
"""A contender without a declared place is simpler if it has less than this share of the parameters of the other."""


class Simplicity(NamedTuple):
    """The order of simplicity: the declared place of a contender, and its number of trained parameters."""

    complexity: Mapping[str, int]
    parameters: Mapping[str, float]

    def is_simpler(self, one: str, other: str) -> bool:
        """Return whether contender *one* is simpler than contender *other*.

        >>> order = Simplicity({"svm": 2, "lstm": 4}, {"svm": 9000, "lstm": 500, "mine": 100})
        >>> order.is_simpler("svm", "lstm"), order.is_simpler("mine", "lstm"), order.is_simpler("lstm", "mine")
        (True, True, False)
        """
        if {one, other} <= set(self.complexity):
            return self.complexity[one] < self.complexity[other]
        sizes = self.parameters.get(one) or 0, self.parameters.get(other) or 0
        return 0 < sizes[0] < LESS * sizes[1]


def simplicity(complexity: Mapping[str, int], costs: Frame) -> Simplicity:
    """Return the order of simplicity, with the mean number of parameters over the fits of each contender.

    Parameters
    ----------
    complexity
        *complexity* are the declared places, 0 for the simplest.
    costs
        *costs* is schema.COSTS.

    Examples
    --------
    >>> costs = pl.DataFrame({"contender": ["svm", "svm"], "parameters": [10, 20]})
    >>> simplicity({"svm": 2}, costs)
    Simplicity(complexity={'svm': 2}, parameters={'svm': 15.0})
    """
    parameters = dict(costs.group_by("contender").agg(pl.col("parameters").mean()).iter_rows())
    return Simplicity(complexity, parameters)
