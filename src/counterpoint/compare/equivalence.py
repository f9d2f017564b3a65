"""What one difference allows to say: better, no difference that matters, worse, or not yet.

Every function takes a difference with its standard error and degrees of freedom, as schema.DIFFERENCES has them.
"""

from math import isfinite, nan
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
    return abs(difference) + max(0.0, float(stdtrit(df, confidence))) * error


def rows_needed(
    difference: float,
    error: float,
    df: float,
    n: int,
    *,
    margin: float | None = None,
    worthless: float | None = None,
    confidence: float = 0.95,
) -> int | None:
    """Return how many rows would settle a comparison with a power of 80 %, or None if more than `MOST_TIMES` as many.

    They show that *difference* is not 0, that it is within the *margin*, or that it is below *worthless*, whichever
    takes fewest rows.  The standard error is taken to fall with the square root of the number of rows.

    Parameters
    ----------
    difference, error, df
        *difference* is a difference of scores, *error* its standard error, and *df* the degrees of freedom.
    n
        *n* is the number of rows now.
    margin
        *margin* is the largest difference that does not matter, if there is one.
    worthless
        *worthless* is a gain that counts as none: the upper end of the interval must lie below it.
    confidence
        *confidence* is the level of the interval.

    Examples
    --------
    >>> rows_needed(0.01, 0.01, 500, 1000), rows_needed(0.001, 0.01, 500, 1000, margin=0.02)
    (7880, 1718)
    """
    if not (isfinite(difference) and error > 0):
        return None
    power = float(stdtrit(df, POWER))
    width = float(stdtrit(df, (1 + confidence) / 2)) + power
    errors = [abs(difference) / width]
    if worthless is not None:
        errors.append((worthless - difference) / width)
    if margin is not None and abs(difference) < margin:
        errors.append((margin - abs(difference)) / (float(stdtrit(df, confidence)) + power))
    needed = max(errors)  # the largest error that settles one of them
    times = (error / needed) ** 2 if needed > 0 else float("inf")
    return round(n * times) if times <= MOST_TIMES else None
