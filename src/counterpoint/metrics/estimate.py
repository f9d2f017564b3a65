"""Estimates: a value of some rows with its interval, from a bootstrap over groups of rows."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from counterpoint.metrics.draws import row_draws
from counterpoint.metrics.intervals import percentiles, tails
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame

Measure = Callable[[Floats], Floats]
"""A function of weights, shape (draws, n).  It returns shape (draws,), or (draws, n_values) for `estimates`."""


class Estimate(NamedTuple):
    """A value and the ends of its interval."""

    value: float
    low: float
    high: float


def estimated(
    measure: Measure, groups: Iterable[Any], *, draws: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """Return the value of *measure* on the rows, and its percentile interval over draws of their groups.

    Parameters
    ----------
    measure
        *measure* returns one value for each row of weights.
    groups
        *groups* are the groups of the rows, which are drawn as a whole.
    draws
        *draws* is the number of bootstrap draws.
    confidence
        *confidence* is the level of the interval.
    seed
        *seed* fixes the draws.

    Examples
    --------
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
    """Return several values of *measure*, each with its interval, from the same draws.

    Parameters
    ----------
    measure
        *measure* returns n_values values for each row of weights.
    groups, draws, confidence, seed
        *groups*, *draws*, *confidence* and *seed* are as in `estimated`.

    Examples
    --------
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
    """Return the units of the bootstrap: *groups*, or each of *n* rows by itself if there are none.

    >>> list(resampling_units(None, 3)), resampling_units("aab", 3)
    ([0, 1, 2], 'aab')
    """
    return range(n) if groups is None else groups


def groups_of(pairs: Frame) -> Iterable[Any]:
    """Return the units of the bootstrap of *pairs*: their ``group``, or each row by itself without such a column.

    >>> import polars as pl
    >>> list(groups_of(pl.DataFrame({"id": ["a", "b"]})))
    [0, 1]
    """
    return resampling_units(pairs["group"].to_list() if "group" in pairs.columns else None, len(pairs))
