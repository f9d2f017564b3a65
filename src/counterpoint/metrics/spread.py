"""The variance of a score, or of a difference of scores, with its degrees of freedom: from units of rows and seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from counterpoint.metrics.rows import Floats, Ints

POWER = 0.8
"""The power of `Spread.detectable`."""


class Spread(NamedTuple):
    """A standard error and its degrees of freedom.  Both are NaN where they are not known.

    Examples
    --------
    >>> spread = Spread(0.01, 60.0)
    >>> round(spread.half_width(0.95), 4), round(spread.p(0.03), 4), round(spread.detectable(0.95), 4)
    (0.02, 0.0039, 0.0285)
    """

    error: float
    df: float

    def half_width(self, confidence: float) -> float:
        """Return the half-width of the interval of Student's t."""
        return float(stdtrit(self.df, (1 + confidence) / 2)) * self.error

    def p(self, value: float) -> float:
        """Return the two-sided p of a *value* if the true one were 0."""
        if not self.error > 0:
            return float("nan") if np.isnan(self.error) else float(value == 0)
        return float(2 * stdtr(self.df, -abs(value) / self.error))

    def detectable(self, confidence: float) -> float:
        """Return the smallest true difference that an interval excludes 0 for, with a power of `POWER`."""
        return self.half_width(confidence) + float(stdtrit(self.df, POWER)) * self.error


UNKNOWN = Spread(float("nan"), float("nan"))


def spread_of(changes: Floats, half_changes: Floats, strata: tuple[Ints, Ints], by_seed: Floats) -> Spread:
    """Return the standard error of a value from its changes, with its degrees of freedom.

    Units of rows are a sample, and so are seeds.  The variances of both add up (`added`).  A rare class has few units,
    which may make most of the variance of the rows: then their degrees of freedom are few (Satterthwaite, Biometrics
    1946).

    Parameters
    ----------
    changes
        *changes* are the changes of the value when a unit of rows is left out, shape (n_units,).
    half_changes
        *half_changes* are those of half groups, divided by the square root of their share of a group.
    strata
        *strata* are the classes of the units and of the half groups.
    by_seed
        *by_seed* are the values by seed.  With one seed, nothing is known of the variance of fits.

    Examples
    --------
    >>> changes = (np.arange(100) % 2 - 0.5) / 100
    >>> found = spread_of(changes, np.empty(0), (np.zeros(100, dtype=np.intp), np.empty(0, dtype=np.intp)), np.ones(1))
    >>> round(found.error, 3), round(found.df)
    (0.05, 99)
    """
    n_units = len(changes)
    if n_units < 2 or not np.isfinite(changes).all():
        return UNKNOWN
    squares = np.append((n_units - 1) / n_units * (changes - changes.mean()) ** 2, half_changes**2)
    stratum = np.concatenate(strata)
    n_classes = int(stratum.max()) + 1
    sums = np.bincount(stratum, weights=squares, minlength=n_classes)
    dfs = np.maximum(np.bincount(strata[0], minlength=n_classes) - 1, 1)
    variance = float(sums.sum())
    parts = float((sums**2 / dfs).sum())
    over_rows = Spread(variance**0.5, variance**2 / parts if parts else float(n_units - 1))
    return added([over_rows, spread_of_mean(by_seed)]) if len(by_seed) > 1 else over_rows


def spread_of_mean(values: Floats) -> Spread:
    """Return the spread of the mean of two or more independent *values*, shape (n,).

    >>> spread_of_mean(np.array([0.2, 0.4, 0.6, 0.4]))
    Spread(error=0.0816496580927726, df=3.0)
    """
    return Spread(float((values.var(ddof=1) / len(values)) ** 0.5), float(len(values) - 1))


def added(parts: Sequence[Spread]) -> Spread:
    """Return the spread of a sum of independent *parts*, some of which may have few degrees of freedom.

    1 / df is the mean over the parts, each weighted by its share of the variance.  Welch and Satterthwaite square the
    shares.  That rejects up to 8 % of true nulls at 5 % where three seeds make most of the variance, because three
    values often show less variance than there is.

    Parameters
    ----------
    parts
        *parts* are the spreads of the terms of the sum.

    Examples
    --------
    >>> found = added([Spread(3.0, 10.0), Spread(4.0, 5.0)])
    >>> found.error, round(found.df, 2)
    (5.0, 6.1)
    """
    errors, dfs = np.array(parts, dtype=float).T
    variance = float((errors**2).sum())
    inverse = float((errors**2 / dfs).sum())
    return Spread(variance**0.5, variance / inverse if inverse else float(dfs.min()))
