"""CP011: a difference that rests on too few fits, or that varies over fits.

A difference that is too small for the test rows is reported, and is no warning: the interval of the answer has this
already.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl
from scipy.special import chdtri

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Finding
from counterpoint.diagnose.inputs import Primary
from counterpoint.schema import Frame

FEW_FITS, ENOUGH_FITS = 3, 5
BEYOND_ROWS = 0.001
"""Fits of folds differ by more than their test rows explain if that had this probability otherwise."""
SUBJECT = "primary contrast"
AGAIN = "Another training may give another result. Use more seeds, or evaluate.repeats."


@final
class Noise(Check):
    """Compare the primary contrast with its spread over fits, and with its minimum detectable difference."""

    code = "CP011"
    title = "Noise read as signal"
    advice = "Use more test rows, and more seeds or folds. Until then, report that the question is open."
    needs = ("primary", "differences", "repeats", "n_fits")

    def run(self, *, primary: Primary | None, differences: Frame, repeats: Frame, n_fits: int) -> Finding:
        """Return the finding on the fits if they are few or differ, else on the test rows."""
        if primary is None:
            return self.not_applicable(SUBJECT, "The study has no primary contrast.")
        row = differences.filter("is_primary").row(0, named=True)
        difference, detectable = row["difference"], row["minimum_detectable"]
        evidence = {"n_fits": n_fits, "difference": difference, "minimum_detectable": detectable}
        if n_fits < FEW_FITS:
            fits = "one fit" if n_fits == 1 else f"{n_fits} fits"
            of_each = f"The comparison has {fits} of each contender that depends on its seed."
            few = f"{of_each} Another seed may reverse the result. "
            return self.finding("warn", SUBJECT, f"{few}Use at least {FEW_FITS} fits.", **evidence)
        if difference is None or detectable is None:
            few = (
                "The primary contrast is not defined on these test rows. There are too few rows, or too few of a class."
            )
            return self.finding("warn", SUBJECT, few, **evidence)
        contrast = f"The primary contrast ({numbers.signed(difference)})"
        found = spread_over_fits(repeats, row["error"])
        if found is not None:
            varies = f"{contrast} varies over the fits of {found.over} with a standard deviation of"
            explained = f"{varies} {numbers.score(found.deviation)}. {found.meaning}"
            evidence |= {f"deviation_over_{found.over}": found.deviation, "expected": found.expected}
            return self.finding("warn", SUBJECT, f"{explained} {AGAIN}", **evidence)
        if abs(difference) <= detectable:
            least = f"the minimum detectable difference at 80% power ({numbers.score(detectable)})"
            small = f"{contrast} does not exceed {least}: the test rows are few. {_meaning(row)} Use more test rows."
            return self.finding("info", SUBJECT, small, **evidence)
        more = "" if n_fits >= ENOUGH_FITS else f" {ENOUGH_FITS} fits or more would show the spread over fits better."
        least = f"the minimum detectable difference ({numbers.score(detectable)})"
        return self.finding("info", SUBJECT, f"{contrast} exceeds {least}, over {n_fits} fits.{more}", **evidence)


class FitSpread(NamedTuple):
    """The standard deviation of the primary contrast over seeds or folds, and the largest that is expected."""

    over: str
    deviation: float
    expected: float
    meaning: str


def spread_over_fits(repeats: Frame, error: float | None) -> FitSpread | None:
    """Return the spread of the primary contrast over fits, if it exceeds its standard error.

    Of several seeds, each is a mean over the same rows, so the standard deviation over seeds itself is compared.  With
    one seed, each fold has a fit and rows of its own.  Then the variance over folds is compared with that of their
    rows, by a χ² test.  The error of several repeats has the variation over fits already.

    Parameters
    ----------
    repeats
        *repeats* is schema.REPEATS.
    error
        *error* is the standard error of the primary contrast.

    Examples
    --------
    >>> rows = {"repeat": 0, "fold": ["0", "1", "2"], "seed": 0, "difference": [0.0, 0.4, 0.0]}
    >>> found = spread_over_fits(pl.DataFrame(rows), 0.02)
    >>> found.over, round(found.deviation, 2), round(found.expected, 2)
    ('folds', 0.23, 0.09)
    """
    if not error or repeats["repeat"].n_unique() != 1 or repeats["difference"].has_nulls():
        return None
    over = "seed" if repeats["seed"].n_unique() > 1 else "fold"
    values = repeats.group_by(over).agg(pl.col("difference").mean())["difference"].to_numpy()
    n = len(values)
    if n < FEW_FITS:
        return None
    deviation = float(np.std(values, ddof=1))
    if over == "seed":
        stated = f"That is more than its standard error of {numbers.score(error)}."
        return FitSpread("seeds", deviation, error, stated) if deviation > error else None
    expected = error * float(n * chdtri(n - 1, BEYOND_ROWS) / (n - 1)) ** 0.5
    stated = "That is more than the test rows explain, and the interval is for these fits only."
    return FitSpread("folds", deviation, expected, stated) if deviation > expected else None


def _meaning(row: Mapping[str, Any]) -> str:
    if row["low"] > 0 or row["high"] < 0:
        return "Its sign is clear, but its size is probably overstated."
    return "This does not show that there is no difference."
