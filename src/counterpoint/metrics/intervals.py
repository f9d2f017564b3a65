"""Every interval of the package: from percentiles of draws, from counts, and from independent values."""

import numpy as np
from scipy.special import ndtri, stdtrit

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

    The interval of a share with half groups ends below 1 where all rows are right.

    >>> widened((0.2, 0.4), 0.1), widened((np.nan, np.nan), 0.1)
    ((0.1, 0.4), (nan, nan))
    """
    low, high = ends
    return (min(low, value), max(high, value)) if low <= high else ends


def scaled_interval(centre: float, half_width: float, scale: str) -> tuple[float, float]:
    """Return the interval around *centre* that is symmetric on the scale of a metric.

    Shares have the scale of angles, arcsin √x, on which the variance of a share does not depend on it (Anscombe,
    Biometrika 1948).  Losses have that of logarithms.  The half-width is carried over by the derivative of the scale.

    Parameters
    ----------
    centre, half_width
        *centre* and *half_width* are in units of the metric.
    scale
        *scale* is "share", "loss", or "plain".

    Examples
    --------
    >>> [round(end, 3) for end in scaled_interval(0.9, 0.1, "share")]
    [0.78, 0.976]
    >>> [round(end, 3) for end in scaled_interval(0.5, 0.1, "loss")], scaled_interval(0.5, 0.25, "plain")
    ([0.409, 0.611], (0.25, 0.75))
    """
    if half_width == 0:
        return centre, centre
    if scale == "share" and 0 < centre < 1:
        angle, half = np.arcsin(centre**0.5), half_width / (2 * (centre * (1 - centre)) ** 0.5)
        low, high = np.sin(np.clip([angle - half, angle + half], 0, np.pi / 2)) ** 2
        return float(low), float(high)
    if scale == "loss" and centre > 0:
        ratio = float(np.exp(half_width / centre))
        return centre / ratio, centre * ratio
    low = centre - half_width
    return max(low, min(centre, 0.0)) if scale == "loss" else low, centre + half_width


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


def normal_interval(values: Floats, *, z: float = 1.96) -> tuple[float, float, float]:
    """Return the mean of independent *values* and its normal interval.

    >>> [round(end, 2) for end in normal_interval(np.array([0.0, 1.0] * 50))]
    [0.5, 0.4, 0.6]
    """
    half = z * float(values.std()) / len(values) ** 0.5
    mean = float(values.mean())
    return mean, mean - half, mean + half


def t_interval(values: Floats, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Return the mean of few independent *values* and its interval by Student's t (Student, Biometrika 1908).

    >>> [round(end, 2) for end in t_interval(np.array([0.0, 1.0, 2.0]))]
    [1.0, -1.48, 3.48]
    """
    critical = stdtrit(len(values) - 1, (1 + confidence) / 2)
    half = float(critical * values.std(ddof=1) / len(values) ** 0.5)
    mean = float(values.mean())
    return mean, mean - half, mean + half


def independent_difference(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return the difference of two independent estimates, each a value with the ends of its interval.

    The half-widths of each end are added in quadrature (Newcombe, Statistics in Medicine 1998, 873–890, method 10).

    >>> independent_difference((0.75, 0.5, 1.0), (0.5, 0.25, 0.75))[0]
    0.25
    """
    (a, a_low, a_high), (b, b_low, b_high) = one, other
    below = ((a - a_low) ** 2 + (b_high - b) ** 2) ** 0.5
    above = ((a_high - a) ** 2 + (b - b_low) ** 2) ** 0.5
    return a - b, a - b - below, a - b + above
