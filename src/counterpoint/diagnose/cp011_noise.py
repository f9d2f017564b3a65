"""CP011: a difference smaller than the test rows can show, or one that rests on too few fits, read as a result."""

from collections.abc import Mapping
from typing import Any

from counterpoint.diagnose.case import Case
from counterpoint.schema import finding

TITLE = "Noise read as signal"
FEW_FITS, ENOUGH_FITS = 3, 5


def look(case: Case) -> dict[str, str]:
    """Look at the number of fits, and at the primary contrast beside its minimum detectable difference."""
    if case.primary is None:
        return finding("CP011", "not_applicable", "primary contrast", "The study has no primary contrast.")
    row = case.differences.filter("is_primary").row(0, named=True)
    difference, detectable = row["difference"], row["minimum_detectable"]
    evidence = {"n_fits": case.n_fits, "difference": difference, "minimum_detectable": detectable}
    if case.n_fits < FEW_FITS:
        fits = "one fit" if case.n_fits == 1 else f"{case.n_fits} fits"
        said = f"The comparison rests on {fits} of each network, and another seed may turn it: use at least 3."
        return finding("CP011", "warn", "primary contrast", said, **evidence)
    if difference is None or detectable is None:
        said = "The primary contrast is not defined on these test rows: there are too few of them, or of a class."
        return finding("CP011", "warn", "primary contrast", said, **evidence)
    if abs(difference) <= detectable:
        least = f"the least difference that these test rows show with 80 % power ({detectable:.3f})"
        said = (
            f"The primary contrast ({difference:+.3f}) is smaller than {least}: {_meaning(row)}; more rows are needed."
        )
        return finding("CP011", "warn", "primary contrast", said, **evidence)
    more = "" if case.n_fits >= ENOUGH_FITS else " Five or more would show the spread over fits better."
    said = (
        f"The primary contrast ({difference:+.3f}) exceeds what noise of this size hides ({detectable:.3f}), "
        f"over {case.n_fits} fits.{more}"
    )
    return finding("CP011", "info", "primary contrast", said, **evidence)


def _meaning(row: Mapping[str, Any]) -> str:
    if row["low"] > 0 or row["high"] < 0:
        return "its sign is clear, but the size of a difference that was just found is likely overstated"
    return "that none was found does not say that there is none"
