"""The answer: one verdict of a closed list, a headline with its numbers, the reasons, and a recommendation.

Reads the primary contrast, the scores and the findings, and no model.  `counterpoint.diagnose.verdict_questions` has
the questions that lead to the verdict.
"""

from typing import NamedTuple

import polars as pl

from counterpoint import number_formats
from counterpoint.diagnose.inputs import Inputs
from counterpoint.diagnose.untried_readers import untried_readers
from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.diagnose.verdict_questions import QUESTIONS, WORTHLESS
from counterpoint.metrics.estimate import Estimate
from counterpoint.schema import Frame

VERDICTS = (
    "leak", "misaligned", "training_failed", "branch_ignored", "redundant", "text_only", "image_only",
    "additive_gain", "interaction_gain", "no_signal", "cannot_tell",
)  # fmt: skip
NOT_COMPARABLE = ("leak", "misaligned", "training_failed", "branch_ignored")
"""Verdicts on comparisons whose difference is not a difference of modalities."""
NO_JOINT_GAIN = ("redundant", "text_only", "image_only", "no_signal")
"""Verdicts that a second modality adds nothing.  They rest on more than the gain: its interval may end above
`WORTHLESS`."""


class Answer(NamedTuple):
    """The answer of a finished comparison.

    Attributes
    ----------
    verdict
        *verdict* is one of `VERDICTS`.
    headline
        *headline* is one sentence with the primary contrast and its interval.
    reasons
        *reasons* are the numbers behind the verdict, a sentence each.
    recommendation
        *recommendation* is the next step, or None.
    evidence
        *evidence* are the codes of the findings that warn or fail.
    untried
        *untried* is the limit of the answer where no pretrained reader of a modality was tried, or None.
    """

    verdict: str
    headline: str
    reasons: tuple[str, ...] = ()
    recommendation: str | None = None
    evidence: tuple[str, ...] = ()
    untried: str | None = None


def answer(inputs: Inputs, findings: Frame) -> Answer:
    """Return the answer of a finished comparison.

    Parameters
    ----------
    inputs
        *inputs* are the inputs of the checks.
    findings
        *findings* is schema.FINDINGS.  The codes that warn or fail are the evidence.
    """
    alarms = findings.filter(pl.col("severity").is_in(["warn", "fail"]))
    evidence = tuple(alarms["code"].unique(maintain_order=True))
    if inputs["primary"] is None:
        headline = "There is nothing to compare: the study lacks a single-entity or a multimodal contender."
        return Answer("cannot_tell", headline, evidence=evidence)
    numbers = VerdictInputs(inputs, findings)
    if numbers.contrast["low"] is None:
        headline = "The test rows are too few to compare on: the primary contrast has no interval."
        return Answer("cannot_tell", headline, evidence=evidence)
    verdict = next(found for question in QUESTIONS if (found := question(numbers)) is not None)
    headline, reasons = _headline(numbers, verdict.name), (_scores(numbers), *verdict.reasons)
    untried = None if verdict.name in NOT_COMPARABLE else untried_readers(inputs["modalities"], inputs["pretrained"])
    return Answer(verdict.name, headline, reasons, verdict.recommendation, evidence, untried)


def _headline(inputs: VerdictInputs, verdict: str) -> str:
    contrast, gain, unit = inputs.contrast, inputs.gain, inputs.metric.replace("_", " ")
    a, b, measured = contrast["a"], contrast["b"], f"is {number_formats.signed_with_interval(*gain)}"
    if verdict in NOT_COMPARABLE:
        better = "does better than" if gain.low > 0 else "does worse than"
        relation = better if gain.low > 0 or gain.high < 0 else "is not shown to differ from"
        return f"{a} {relation} {b}: the difference in {unit} {measured}."
    return f"{_opening(gain, verdict)}: the difference in {unit} between {a} and {b} {measured}."


def _opening(gain: Estimate, verdict: str) -> str:
    if gain.low > 0:
        return "A better score, but not from reading both" if verdict in NO_JOINT_GAIN else "Yes, reading both helps"
    if gain.high < 0:
        return "No, reading both does worse"
    if gain.high < WORTHLESS or verdict in NO_JOINT_GAIN:
        return "No gain from reading both is shown"
    return "A gain from reading both is neither shown nor ruled out"


def _scores(inputs: VerdictInputs) -> str:
    value, a, b = inputs.test_scores, inputs.contrast["a"], inputs.contrast["b"]
    ours, other = number_formats.score(value[a]), number_formats.score(value[b])
    return f"{a} reaches {ours}, and {b}, the best contender of one modality, {other}."
