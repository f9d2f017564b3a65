"""The variance of a score, or of a difference of scores, with its degrees of freedom: from units of rows and seeds."""

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
    """Return the standard error of a value from its changes, with the degrees of freedom of Welch and Satterthwaite.

    Units of rows are a sample, and so are seeds.  The variances of both add up.  A rare class has few units, which
    may make most of the variance: then the degrees of freedom are few (Satterthwaite, Biometrics 1946).

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
    if (n_seeds := len(by_seed)) > 1:
        sums, dfs = np.append(sums, by_seed.var(ddof=1) / n_seeds), np.append(dfs, n_seeds - 1)
    variance = float(sums.sum())
    parts = float((sums**2 / dfs).sum())
    return Spread(variance**0.5, variance**2 / parts if parts else float(n_units - 1))
