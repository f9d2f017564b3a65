"""CP012: settings chosen by test scores.  The record of test evaluations counts the occasions for such a choice."""

from typing import final

from counterpoint.diagnose.check import Check, Finding

MANY = 5
"""The best of five equal contenders is expected to lie more than one standard error above its own mean."""
SUBJECT = "test rows"


@final
class ChosenOnTestRows(Check):
    """Look at how often test rows of this study were scored."""

    code = "CP012"
    title = "Chosen on the test rows"
    advice = "Confirm the result on new rows or a new split. Choose settings by validation rows only."
    needs = ("test_evaluations", "is_record_lost")

    def run(self, *, test_evaluations: int, is_record_lost: bool) -> Finding:
        """Return the finding on the number of test evaluations, or on a lost record of them."""
        n = test_evaluations
        if is_record_lost:
            lost = (
                "The record of test evaluations was damaged or removed. "
                f"Their number is at least {n}, and may be much larger. Confirm the result on new rows or a new split."
            )
            return self.finding("warn", SUBJECT, lost, test_evaluations=n, is_record_lost=True)
        if n <= 1:
            return self.finding("info", SUBJECT, "The test rows were scored once.", test_evaluations=n)
        explanation = (
            f"The test rows of this study were scored {n} times, with different settings or versions of Counterpoint. "
            "A choice by these scores is optimistic. Confirm it on new rows or a new split."
        )
        return self.finding("warn" if n >= MANY else "info", SUBJECT, explanation, test_evaluations=n)
