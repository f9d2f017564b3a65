"""CP012: settings chosen after looking at test scores; the record of test evaluations says how often that could be."""

from typing import final

from counterpoint.diagnose.check import Check, Finding

MANY = 5
"""The best of five like contenders is expected to lie over one standard error above its own mean."""
SUBJECT = "test rows"


@final
class ChosenOnTestRows(Check):
    """Look at how often test rows of this study were scored."""

    code = "CP012"
    title = "Chosen on the test rows"
    needs = ("test_evaluations", "is_record_lost")

    def run(self, *, test_evaluations: int, is_record_lost: bool) -> Finding:
        """Return the finding on the record, or on its loss."""
        n = test_evaluations
        if is_record_lost:
            lost = f"The record of test evaluations was damaged or removed: there were at least {n}, and maybe many"
            return self.finding("warn", SUBJECT, f"{lost} more.", test_evaluations=n, is_record_lost=True)
        if n <= 1:
            return self.finding("info", SUBJECT, "The test rows were scored once.", test_evaluations=n)
        explanation = (
            f"The test rows of this study were scored {n} times with different settings; what was chosen after a look "
            "is optimistic: confirm it on new rows, or on a new split."
        )
        return self.finding("warn" if n >= MANY else "info", SUBJECT, explanation, test_evaluations=n)
