"""CP001: a rule of a few words predicts the label, so that a text model's score is that rule read back."""

from counterpoint.diagnose import Case
from counterpoint.schema import finding

FAIL_AT, WARN_AT = 0.995, 0.90


def look(case: Case) -> dict[str, str]:
    """Look at the accuracy of the keyword rule, on rows that it was not learned from."""
    rule = case.test_scores("accuracy").filter(contender="keyword-rule")
    if rule.is_empty():
        return finding("CP001", "not_applicable", "label", "The study has no keyword-rule contender with an accuracy.")
    value = rule["value"].item()
    said = f"A rule of at most eight words predicts {value:.1%} of the labels of rows it has not seen"
    if value >= FAIL_AT:
        advice = "the label is a function of the text: take labels from elsewhere, or mask those words (text.mask)."
        return finding("CP001", "fail", "label", f"{said}; {advice}", accuracy=value)
    if value >= WARN_AT:
        advice = "few words suffice, which may be legitimate or a leak: look at where the labels come from."
        return finding("CP001", "warn", "label", f"{said}; {advice}", accuracy=value)
    return finding("CP001", "info", "label", f"{said}; the label is more than a few words.", accuracy=value)
