"""CP011: a difference smaller than the test rows can show, or one that rests on too few fits, read as a result."""

from collections.abc import Mapping
from typing import Any, final

from counterpoint.diagnose.check import Check, Finding
from counterpoint.diagnose.inputs import Primary
from counterpoint.schema import Frame

FEW_FITS, ENOUGH_FITS = 3, 5
SUBJECT = "primary contrast"


@final
class Noise(Check):
    """Look at the number of fits, and at the primary contrast beside its minimum detectable difference."""

    code = "CP011"
    title = "Noise read as signal"
    needs = ("primary", "differences", "n_fits")

    def run(self, *, primary: Primary | None, differences: Frame, n_fits: int) -> Finding:
        """Return the finding on fits where they are few, else on the rows."""
        if primary is None:
            return self.not_applicable(SUBJECT, "The study has no primary contrast.")
        row = differences.filter("is_primary").row(0, named=True)
        difference, detectable = row["difference"], row["minimum_detectable"]
        evidence = {"n_fits": n_fits, "difference": difference, "minimum_detectable": detectable}
        if n_fits < FEW_FITS:
            fits = "one fit" if n_fits == 1 else f"{n_fits} fits"
            few = f"The comparison rests on {fits} of each network, and another seed may turn it: use at least 3."
            return self.finding("warn", SUBJECT, few, **evidence)
        if difference is None or detectable is None:
            few = "The primary contrast is not defined on these test rows: there are too few of them, or of a class."
            return self.finding("warn", SUBJECT, few, **evidence)
        contrast = f"The primary contrast ({difference:+.3f})"
        if abs(difference) <= detectable:
            least = f"the least difference that these test rows show with 80 % power ({detectable:.3f})"
            small = f"{contrast} is smaller than {least}: {_meaning(row)}; more rows are needed."
            return self.finding("warn", SUBJECT, small, **evidence)
        more = "" if n_fits >= ENOUGH_FITS else " Five or more would show the spread over fits better."
        clear = f"{contrast} exceeds what noise of this size hides ({detectable:.3f}), over {n_fits} fits.{more}"
        return self.finding("info", SUBJECT, clear, **evidence)


def _meaning(row: Mapping[str, Any]) -> str:
    if row["low"] > 0 or row["high"] < 0:
        return "its sign is clear, but the size of a difference that was just found is likely overstated"
    return "that none was found does not say that there is none"
