"""CP012: settings chosen after looking at test scores; the record of looks says how often that could have happened."""

from counterpoint.diagnose.case import Case
from counterpoint.schema import finding

TITLE = "Chosen on the test rows"
MANY_LOOKS = 5
"""The best of five like contenders is expected to lie over one standard error above its own mean."""


def look(case: Case) -> dict[str, str]:
    """Look at how often test rows of this study were scored."""
    n = case.test_looks
    if case.is_record_of_looks_lost:
        lost = f"The record of test evaluations was damaged or removed: there were at least {n}, and maybe many more."
        return finding("CP012", "warn", "test rows", lost, looks=n, is_record_lost=True)
    if n <= 1:
        return finding("CP012", "info", "test rows", "The test rows were scored once.", looks=n)
    said = (
        f"The test rows of this study were scored {n} times with different settings; what was chosen after a look is "
        "optimistic: confirm it on new rows, or on a new split."
    )
    return finding("CP012", "warn" if n >= MANY_LOOKS else "info", "test rows", said, looks=n)
