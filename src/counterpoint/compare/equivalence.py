"""What one difference allows to say: better, no difference that matters, worse, or not yet.

Every function takes a difference with its standard error and degrees of freedom, as schema.DIFFERENCES has them.
"""

from math import hypot, isfinite, nan
from typing import NamedTuple

from scipy.special import stdtr, stdtrit

from counterpoint.metrics.spread import POWER

MOST_TIMES = 100
"""With so many times the rows, a study is another study."""


class Chances(NamedTuple):
    """The probabilities that a difference is above a margin, within it on both sides, or below it."""

    better: float
    same: float
    worse: float


def chances(difference: float, error: float, df: float, *, margin: float = 0.0) -> Chances:
    """Return the probabilities of a true difference above, within and below a *margin*.

    With a flat prior, the true difference has Student's t distribution around the measured one (the Bayesian t-test of
    Benavoli, Corani, Demšar and Zaffalon, JMLR 2017, with the standard error of the comparison).

    Parameters
    ----------
    difference, error, df
        *difference* is a difference of scores, *error* its standard error, and *df* the degrees of freedom.
    margin
        *margin* is the largest difference that does not matter.

    Examples
    --------
    >>> [round(chance, 2) for chance in chances(0.01, 0.01, 500, margin=0.02)]
    [0.16, 0.84, 0.0]
    """
    if not error > 0:
        return Chances(nan, nan, nan) if error != 0 else _certain(difference, margin)
    worse = float(stdtr(df, (-margin - difference) / error))
    better = float(stdtr(df, (difference - margin) / error))
    return Chances(better, max(0.0, 1 - better - worse), worse)


def _certain(difference: float, margin: float) -> Chances:
    is_same = abs(difference) <= margin
    return Chances(float(difference > margin), float(is_same), float(difference < -margin))


def smallest_margin(difference: float, error: float, df: float, *, confidence: float = 0.95) -> float:
    """Return the smallest margin for which "no difference that matters" may be said.

    Two one-sided tests at the level 1 − *confidence* (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics
    1987) both reject a difference outside of it.

    Parameters
    ----------
    difference, error, df
        *difference* is a difference of scores, *error* its standard error, and *df* the degrees of freedom.
    confidence
        *confidence* is 1 minus the level of each test.

    Examples
    --------
    >>> round(smallest_margin(0.01, 0.01, 500), 4)
    0.0265
    """
    return max(map(abs, interval_within_margin(difference, error, df, confidence=confidence)))


def interval_within_margin(
    difference: float, error: float, df: float, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval that must lie within the margin for "no difference that matters" to be said.

    Its level is 2 *confidence* − 1, because each of the two one-sided tests reads one end of it.

    Parameters
    ----------
    difference, error, df
        *difference* is a difference of scores, *error* its standard error, and *df* the degrees of freedom.
    confidence
        *confidence* is 1 minus the level of each test.

    Examples
    --------
    >>> [round(end, 4) for end in interval_within_margin(0.01, 0.01, 500)]
    [-0.0065, 0.0265]
    """
    half_width = max(0.0, float(stdtrit(df, confidence))) * error
    return difference - half_width, difference + half_width


class Needed(NamedTuple):
    """The number of rows that would settle a comparison, or None with the reason why no number of rows does.

    Attributes
    ----------
    n
        *n* is the number of rows, or None if it is more than `MOST_TIMES` as many as now.
    is_of_fits
        *is_of_fits* is whether the fits vary too much, which more rows do not change.
    """

    n: int | None
    is_of_fits: bool = False


def rows_needed(
    difference: float,
    error: float,
    df: float,
    n: int,
    *,
    error_of_fits: float = 0.0,
    margin: float | None = None,
    worthless: float | None = None,
    confidence: float = 0.95,
) -> Needed:
    """Return how many rows would settle a comparison with a power of 80 %.

    They show that *difference* is not 0, that it is within the *margin*, or that it is below *worthless*, whichever
    takes fewest rows.  The error of rows is taken to fall with the square root of their number, and that of fits to
    stay.  Without an error of fits, the degrees of freedom grow with the rows.

    Parameters
    ----------
    difference, error, df
        *difference* is a difference of scores, *error* its standard error, and *df* the degrees of freedom.
    n
        *n* is the number of rows now.
    error_of_fits
        *error_of_fits* is the part of the *error* that is due to fits, so that more rows do not reduce it.
    margin
        *margin* is the largest difference that does not matter, if there is one.
    worthless
        *worthless* is a gain that counts as none: the upper end of the interval must lie below it.
    confidence
        *confidence* is the level of the interval.

    Examples
    --------
    >>> rows_needed(0.01, 0.01, 500, 1000).n, rows_needed(0.001, 0.01, 500, 1000, margin=0.02).n
    (7853, 1716)
    >>> rows_needed(0.01, 0.01, 4, 1000, error_of_fits=0.009)
    Needed(n=None, is_of_fits=True)
    """
    from scipy.optimize import brentq  # noqa: PLC0415 - takes long, and only open answers need it

    if not (isfinite(difference) and error > 0):
        return Needed(None)
    of_rows = max(0.0, error**2 - error_of_fits**2) ** 0.5

    def excess(times: float) -> float:
        """Return by how much the error with so many times the rows is larger than the largest one that settles it."""
        most = _error_that_settles(difference, df if error_of_fits else df * times, margin, worthless, confidence)
        return hypot(of_rows / times**0.5, error_of_fits) - most

    if excess(MOST_TIMES) > 0:
        most = _error_that_settles(difference, df, margin, worthless, confidence)
        return Needed(None, is_of_fits=error_of_fits >= most)
    if excess(1 / n) <= 0:
        return Needed(1)
    return Needed(round(n * brentq(excess, 1 / n, MOST_TIMES)))


def _error_that_settles(
    difference: float, df: float, margin: float | None, worthless: float | None, confidence: float
) -> float:
    """Return the largest standard error at which a *difference* is settled with a power of 80 %."""
    power = float(stdtrit(df, POWER))
    width = float(stdtrit(df, (1 + confidence) / 2)) + power
    errors = [abs(difference) / width]
    if worthless is not None:
        errors.append((worthless - difference) / width)
    if margin is not None and abs(difference) < margin:
        errors.append((margin - abs(difference)) / (float(stdtrit(df, confidence)) + power))
    return max(errors)
