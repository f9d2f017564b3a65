"""CP011: a difference that rests on too few fits, or that is smaller than the test rows can detect."""

from collections.abc import Mapping
from typing import Any, final

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Finding
from counterpoint.diagnose.inputs import Primary
from counterpoint.schema import Frame

FEW_FITS, ENOUGH_FITS = 3, 5
SUBJECT = "primary contrast"


@final
class Noise(Check):
    """Look at the number of fits, and compare the primary contrast with its minimum detectable difference."""

    code = "CP011"
    title = "Noise read as signal"
    needs = ("primary", "differences", "n_fits")

    def run(self, *, primary: Primary | None, differences: Frame, n_fits: int) -> Finding:
        """Return the finding on the fits if they are few, else on the test rows."""
        if primary is None:
            return self.not_applicable(SUBJECT, "The study has no primary contrast.")
        row = differences.filter("is_primary").row(0, named=True)
        difference, detectable = row["difference"], row["minimum_detectable"]
        evidence = {"n_fits": n_fits, "difference": difference, "minimum_detectable": detectable}
        if n_fits < FEW_FITS:
            fits = "one fit" if n_fits == 1 else f"{n_fits} fits"
            few = f"The comparison has {fits} of each contender. Another seed may reverse the result. "
            return self.finding("warn", SUBJECT, f"{few}Use at least {FEW_FITS} fits.", **evidence)
        if difference is None or detectable is None:
            few = (
                "The primary contrast is not defined on these test rows. There are too few rows, or too few of a class."
            )
            return self.finding("warn", SUBJECT, few, **evidence)
        contrast = f"The primary contrast ({numbers.signed(difference)})"
        if abs(difference) <= detectable:
            least = f"the minimum detectable difference at 80% power ({numbers.score(detectable)})"
            small = f"{contrast} does not exceed {least}. {_meaning(row)} Use more test rows."
            return self.finding("warn", SUBJECT, small, **evidence)
        more = "" if n_fits >= ENOUGH_FITS else f" {ENOUGH_FITS} fits or more would show the spread over fits better."
        least = f"the minimum detectable difference ({numbers.score(detectable)})"
        return self.finding("info", SUBJECT, f"{contrast} exceeds {least}, over {n_fits} fits.{more}", **evidence)


def _meaning(row: Mapping[str, Any]) -> str:
    if row["low"] > 0 or row["high"] < 0:
        return "Its sign is clear, but its size is probably overstated."
    return "This does not show that there is no difference."
