"""The answer: one verdict of a closed list, a headline with its numbers, the reasons, and a recommendation.

Reads the primary contrast, the scores and the findings, and no model.  `counterpoint.diagnose.verdict_questions` has
the questions that lead to the verdict.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from counterpoint.diagnose.claim import (
    NOT_COMPARABLE,
    Doubt,
    claim_of,
    doubt_of,
    first_doubt,
    headline_of,
    numbers_of,
    scores_of,
)
from counterpoint.diagnose.inputs import Inputs
from counterpoint.diagnose.more_rows import more_rows
from counterpoint.diagnose.to_use import to_use
from counterpoint.diagnose.untried_readers import untried_readers
from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.diagnose.verdict_list import BETTER_MODELS
from counterpoint.diagnose.verdict_questions import QUESTIONS
from counterpoint.schema import ALARMS, Frame


class Answer(NamedTuple):
    """The answer of a finished comparison.

    Attributes
    ----------
    verdict
        *verdict* is one of `counterpoint.diagnose.verdict_list.VERDICTS`.
    headline
        *headline* is one sentence with the primary contrast and its interval.
    claim
        *claim* is what the headline claims: a key of `counterpoint.diagnose.claim.OPENINGS`, or "nothing".
    doubt
        *doubt* is the alarm that undermines the claim most, in one sentence, or None.
    doubt_code, better_single
        *doubt_code* is the code of that alarm, or None.  *better_single* is the simpler contender to which the
        single-entity one of the primary contrast loses, where the doubt is about this.
    reasons
        *reasons* are the numbers behind the verdict, a sentence each.
    recommendation
        *recommendation* is the next step, or None.
    evidence
        *evidence* are the codes of the findings that warn or fail.
    untried
        *untried* is the limit of the answer where no pretrained reader of a modality was tried, or None.
    to_use
        *to_use* is the contender that the answer recommends to use, or None.
    chosen_scores
        *chosen_scores* are the test scores of the two sides by metric, where a side is another contender in some folds
        or seeds.  None where both sides are one contender each.
    more
        *more* is the number of further test rows that would settle the claim (`counterpoint.diagnose.more_rows`).
    unread
        *unread* are the modalities that no trained contender reads alone.
    """

    verdict: str
    headline: str
    claim: str = "nothing"
    doubt: str | None = None
    doubt_code: str | None = None
    better_single: str | None = None
    reasons: tuple[str, ...] = ()
    recommendation: str | None = None
    evidence: tuple[str, ...] = ()
    untried: str | None = None
    to_use: str | None = None
    chosen_scores: Mapping[str, tuple[float, float]] | None = None
    more: Mapping[str, Any] | None = None
    unread: tuple[str, ...] = ()


def answer(inputs: Inputs, findings: Frame) -> Answer:
    """Return the answer of a finished comparison.

    Parameters
    ----------
    inputs
        *inputs* are the inputs of the checks.
    findings
        *findings* is schema.FINDINGS.  The codes that warn or fail are the evidence.
    """
    alarms = findings.filter(pl.col("severity").is_in(ALARMS))
    evidence = tuple(alarms["code"].unique(maintain_order=True))
    numbers = VerdictInputs(inputs, findings)
    common: dict[str, Any] = {"evidence": evidence, "unread": numbers.unread()}
    if inputs["primary"] is None:
        return Answer("cannot_tell", _nothing(inputs), **common, **_named(first_doubt(findings)))
    if numbers.contrast["low"] is None:
        headline = "The test rows are too few to compare on: the primary contrast has no interval."
        return Answer("cannot_tell", headline, **common, **_named(first_doubt(findings)))
    verdict = next(found for question in QUESTIONS if (found := question(numbers)) is not None)
    claim = claim_of(numbers, verdict)
    more, used = more_rows(numbers, claim), to_use(numbers, verdict, claim)
    is_comparable = verdict.name not in NOT_COMPARABLE
    return Answer(
        verdict.name,
        headline_of(numbers, claim),
        claim,
        **_named(doubt_of(numbers, claim)),
        reasons=(scores_of(numbers), *verdict.reasons, *numbers_of(numbers, claim, more)),
        recommendation=verdict.recommendation if used or claim != "same" else BETTER_MODELS,
        untried=untried_readers(inputs["modalities"], inputs["pretrained"]) if is_comparable else None,
        to_use=used,
        chosen_scores=numbers.chosen_scores or None,
        more=more,
        **common,
    )


def _named(doubt: Doubt | None) -> dict[str, Any]:
    """Return a doubt as the fields of an answer."""
    return {"doubt": doubt.sentence, "doubt_code": doubt.code, "better_single": doubt.better} if doubt else {}


def _nothing(inputs: Inputs) -> str:
    """Return the headline of a study without a primary contrast."""
    kinds = {len(reads) for reads in inputs["modalities"].values()}
    if not {1, 2} <= kinds:
        return "There is nothing to compare: the study lacks a single-entity or a multimodal contender."
    validated = set(inputs["predictions"].filter(part="validation")["contender"])
    known = {len(inputs["modalities"].get(name, ())) for name in validated}
    side = "a multimodal contender" if 2 not in known else "a contender of one modality"
    return f"Nothing can be chosen: no predictions of validation rows by {side}."
