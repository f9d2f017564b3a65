"""A value with its interval, by drawing groups of rows with replacement."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from counterpoint.metrics.draws import row_draws
from counterpoint.metrics.intervals import percentiles, tails
from counterpoint.schema import Frame

Floats = NDArray[np.float64]
Measure = Callable[[Floats], Floats]
"""From weights of shape (draws, n) to values of shape (draws,); for `estimates`, of shape (draws, n_values)."""


class Estimate(NamedTuple):
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float


def estimated(
    measure: Measure, groups: Iterable[Any], *, draws: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """Return what *measure* makes of the rows, and the percentiles of what it makes of draws of their groups.

    >>> hits = np.array([1.0, 1.0, 0.0, 1.0])
    >>> found = estimated(lambda weights: weights @ hits / weights.sum(1), range(4), draws=200)
    >>> found.value, found.low < found.value < found.high
    (0.75, True)
    """
    (found,) = estimates(
        lambda weights: measure(weights)[:, None], groups, draws=draws, confidence=confidence, seed=seed
    )
    return found


def estimates(
    measure: Measure, groups: Iterable[Any], *, draws: int = 1000, confidence: float = 0.95, seed: int = 0
) -> list[Estimate]:
    """Return the same of each of several values that *measure* makes at once, of the same draws.

    >>> hits = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    >>> [found.value for found in estimates(lambda weights: weights @ hits / weights.sum(1)[:, None], range(4))]
    [0.75, 0.25]
    """
    _, codes = np.unique(np.asarray(list(groups)), return_inverse=True)
    values = measure(np.ones((1, len(codes))))[0]
    drawn = np.concatenate([measure(weights) for weights in row_draws(codes, draws, seed=seed)])  # (draws, n_values)
    ends = tails(confidence)
    return [Estimate(float(value), *percentiles(own, ends)) for value, own in zip(values, drawn.T, strict=True)]


def resampling_units(groups: Iterable[Any] | None, n: int) -> Iterable[Any]:
    """Return what is drawn together: *groups*, or each of *n* rows by itself where there are none.

    >>> list(resampling_units(None, 3)), resampling_units("aab", 3)
    ([0, 1, 2], 'aab')
    """
    return range(n) if groups is None else groups


def groups_of(pairs: Frame) -> Iterable[Any]:
    """Return what is drawn together: the pairs' ``group``, or each row by itself where there is none.

    >>> import polars as pl
    >>> list(groups_of(pl.DataFrame({"id": ["a", "b"]})))
    [0, 1]
    """
    return resampling_units(pairs["group"].to_list() if "group" in pairs.columns else None, len(pairs))
