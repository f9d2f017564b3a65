"""Intervals: percentiles of draws, and Wilson's interval of a share.  Every percentile of the package is taken here."""

import numpy as np
from scipy.special import ndtri

from counterpoint.metrics.rows import Floats

Tails = tuple[float, float]
TAILS_95: Tails = (0.025, 0.975)


def tails(confidence: float) -> Tails:
    """Return the two quantiles of a central interval.

    >>> tails(0.5)
    (0.25, 0.75)
    """
    return (1 - confidence) / 2, (1 + confidence) / 2


def percentiles(draws: Floats, ends: Tails) -> tuple[float, float]:
    """Return the percentile interval of the *draws* that are not NaN, or NaN if all are.

    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Parameters
    ----------
    draws
        *draws* are values of one statistic, shape (n_draws,).
    ends
        *ends* are the two quantiles.  ``tails(0.95)`` differs from `TAILS_95` by rounding (about 2e-17): the last digit
        of an interval may depend on which of the two a caller uses.

    Examples
    --------
    >>> percentiles(np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan]), tails(0.5))
    (1.0, 3.0)
    """
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return np.nan, np.nan
    low, high = np.quantile(defined, ends)
    return float(low), float(high)


def widened(ends: tuple[float, float], value: float) -> tuple[float, float]:
    """Return an interval that contains *value*.

    The draws of a biased metric, such as ece, may be almost all above or below it.

    >>> widened((0.2, 0.4), 0.1), widened((np.nan, np.nan), 0.1)
    ((0.1, 0.4), (nan, nan))
    """
    low, high = ends
    return (min(low, value), max(high, value)) if low <= high else ends


def standard_errors(confidence: float) -> float:
    """Return the half-width of a normal interval in standard errors.

    >>> round(standard_errors(0.95), 3)
    1.96
    """
    return float(-ndtri((1 - confidence) / 2))


def wilson(k: float, n: int, *, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of the share *k* / *n*, within 0 to 1 (Wilson, JASA 1927).

    Parameters
    ----------
    k
        *k* is the number of successes.  A mean over seeds need not be an integer.
    n
        *n* is the number of trials.  With none, the interval is 0 to 1.
    z
        *z* is the half-width in standard errors: 1.96 for 95 %.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(10, 200)], wilson(0, 0)
    ([0.027, 0.09], (0.0, 1.0))
    """
    if n == 0:
        return 0.0, 1.0
    share, spread = k / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
