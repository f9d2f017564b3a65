"""The answer: one verdict of a closed list and a few sentences that carry their numbers.

Draws on the primary contrast, the scores beside it and the findings; does not look inside the models.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from counterpoint.diagnose import Case
from counterpoint.schema import Frame

VERDICTS = (
    "leak", "misaligned", "training_failed", "branch_ignored", "redundant", "text_only", "image_only",
    "additive_gain", "interaction_gain", "no_signal", "cannot_tell",
)  # fmt: skip
WORTHLESS = 0.02
"""A gain whose whole interval lies below this is called none."""

REASONS = {
    "leak": "But a few words of the text give the label away: the text score is that rule read back.",
    "redundant": "Both modalities carry the label, and the second adds nothing that the first has not.",
    "text_only": "Only the text carries the label; the image does no better than chance.",
    "image_only": "Only the image carries the label; the text does no better than chance.",
    "additive_gain": "A sum of what each modality says on its own is enough: no interaction between them is needed.",
    "interaction_gain": "It does better than any sum of the two voices: text and image must be read together.",
    "no_signal": "Neither modality does better than chance: look at the labels first.",
    "cannot_tell": "",
}
UNKNOWN_GAIN = "Whether a sum of the two voices would do as well, or they must be read together, is not shown."


def answer(case: Case, findings: Frame, metric: str) -> dict[str, Any]:
    """Return ``{verdict, sentence, evidence}`` of a finished comparison on *metric*.

    Parameters
    ----------
    case
        *case* is what the checks looked at.
    findings
        *findings* is schema.FINDINGS; the codes that warn or fail are the evidence.
    metric
        *metric* is the primary metric.
    """
    alarms = findings.filter(pl.col("severity").is_in(["warn", "fail"]))
    evidence = alarms["code"].unique(maintain_order=True).to_list()
    if case.primary is None:
        sentence = "There is nothing to compare: the study lacks a single-entity or a multimodal contender."
        return {"verdict": "cannot_tell", "sentence": sentence, "evidence": evidence}
    contrast = case.differences.filter("is_primary").row(0, named=True)
    if contrast["low"] is None:
        sentence = "The test rows are too few to compare on: the primary contrast has no interval."
        return {"verdict": "cannot_tell", "sentence": sentence, "evidence": evidence}
    is_leak = not alarms.filter(code="CP001", severity="fail").is_empty()
    verdict = "leak" if is_leak else _verdict(case, contrast, metric)
    reason = UNKNOWN_GAIN if verdict == "cannot_tell" and contrast["low"] > 0 else REASONS[verdict]
    sentence = f"{_outcome(case, contrast, metric)} {reason}".strip()
    return {"verdict": verdict, "sentence": sentence, "evidence": evidence}


def _verdict(case: Case, contrast: Mapping[str, Any], metric: str) -> str:
    if contrast["low"] > 0:
        return _kind_of_gain(case, contrast, metric)
    text, image = (_is_above_chance(case, (modality,), metric) for modality in ("text", "image"))
    if text and image:
        # A multimodal model that does worse has failed at something: it says nothing of what the second voice holds.
        return "redundant" if 0 <= contrast["high"] < WORTHLESS else "cannot_tell"
    if text or image:
        return "text_only" if text else "image_only"
    return "no_signal"


def _kind_of_gain(case: Case, contrast: Mapping[str, Any], metric: str) -> str:
    """Tell a gain that a sum over modalities reaches from one that needs both read together."""
    if contrast["a"] in case.additive:
        return "additive_gain"
    over = [_difference(case, contrast["a"], name, metric) for name in case.additive]
    if over and all(low > 0 for low, _ in over):
        return "interaction_gain"
    gains = [_difference(case, name, contrast["b"], metric) for name in case.additive]
    return "additive_gain" if any(low > 0 for low, _ in gains) else "cannot_tell"


def _difference(case: Case, a: str, b: str, metric: str) -> tuple[float, float]:
    """Return the interval of *a* minus *b*, whichever way round the table has it."""
    for first, second, sign in ((a, b, 1), (b, a, -1)):
        found = case.differences.filter(a=first, b=second, metric=metric)
        if found["low"].count():
            low, high = sorted((sign * found["low"].item(), sign * found["high"].item()))
            return low, high
    return float("-inf"), float("inf")


def _is_above_chance(case: Case, modalities: Sequence[str], metric: str) -> bool:
    """Say whether a contender of these modalities beats the majority, its interval clear of zero."""
    names = [name for name, reads in case.modalities.items() if tuple(reads) == tuple(modalities)]
    if "majority" in case.modalities:
        return any(_difference(case, name, "majority", metric)[0] > 0 for name in names)
    chance = 1 / case.pairs["label"].n_unique()
    lows = case.test_scores("balanced_accuracy").filter(pl.col("contender").is_in(names))["low"]
    return bool((lows > chance).any())


def _outcome(case: Case, contrast: Mapping[str, Any], metric: str) -> str:
    a, b, low, high = contrast["a"], contrast["b"], contrast["low"], contrast["high"]
    value = dict(case.test_scores(metric).select("contender", "value").iter_rows())
    if low > 0:
        opening = "Yes, reading both helps"
    elif high < 0:
        opening = "No, reading both does worse"
    else:
        opening = (
            "No gain from reading both is shown"
            if high < WORTHLESS
            else "A gain from reading both is not shown, nor ruled out"
        )
    return (
        f"{opening}: {a} reaches {value[a]:.3f} {metric.replace('_', ' ')} and {b}, the best of those that read one "
        f"modality, {value[b]:.3f}; the difference is {contrast['difference']:+.3f} ({low:+.3f} to {high:+.3f})."
    )
