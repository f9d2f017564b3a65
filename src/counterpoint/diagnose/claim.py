"""The claim of an answer: one of a closed list, with its headline, its numbers, and the alarm that undermines it most.

A claim is printed with the quantity that decided it.  docs/verdict.md has the rules.
"""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, NamedTuple

import polars as pl

from counterpoint import number_formats
from counterpoint.compare.equivalence import chances, interval_within_margin, smallest_margin
from counterpoint.compare.holm import holm
from counterpoint.compare.repeated import n_repeats
from counterpoint.compare.selected import PROCEDURES
from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.diagnose.verdict_list import Verdict
from counterpoint.metrics.metric import Metric
from counterpoint.metrics.table import find_metric
from counterpoint.schema import ALARMS, Frame

NOT_COMPARABLE = ("leak", "misaligned", "training_failed", "branch_ignored")
"""Verdicts on comparisons whose difference is not a difference of modalities."""
NO_JOINT_GAIN = ("redundant", "text_only", "image_only", "no_signal")
"""Verdicts that a second modality adds nothing.  They rest on more than the gain: its interval may end above
`VerdictInputs.worthless`."""
OPENINGS: Mapping[str, str] = {
    "better": "Yes, reading both helps",
    "better_alone": "A better score, but not from reading both",
    "same": "No difference that matters",
    "worse": "No, reading both does worse",
    "none": "No gain from reading both is shown",
    "open": "A gain from reading both is neither shown nor ruled out",
    "not_shown": "Not shown: the score is better, but that reading both is the reason is not known",
    "not_asked": "Cannot be asked: no trained contender reads the {unread} alone",
    "not_comparable": "{a} {relation} {b}",
}
"""The beginning of the headline of each claim."""
DOUBTS: Mapping[str, str] = {
    "CP001": "a rule of a few words predicts most labels",
    "CP004": "texts and images of some pairs may not belong together",
    "CP002": "test pairs have near-duplicates among the training pairs",
    "CP022": "test pairs differ from training pairs",
    "CP021": "simple properties of the image files predict the label",
    "CP013": "metadata alone predict the label",
    "CP025": "many pairs share a placeholder picture or a stock phrase",
    "CP024": "equal pairs have different labels",
    "CP020": "some labels look wrong",
    "CP016": "a network was not trained well",
    "CP003": "lost rows differ from the others",
    "CP012": "the test pairs were scored several times",
    "CP011": "another training or other test pairs may reverse the difference",
    "CP023": "a contender loses to a simpler one",
    "CP005": "the two contenders had unequal budgets",
}
"""The alarms that undermine an answer, the most serious first, in words."""
BETTER = ("better", "better_alone", "not_shown")
"""Claims whose contender of both modalities has the better score."""
BEATEN = "CP023"
"""The alarm that a contender loses to a simpler one, which has a sentence of its own where an answer rests on it."""
NOISE = "CP011"
"""The alarm that a difference may be noise, which undermines no answer that claims no difference."""
FIRST = ("CP001", "CP004")
"""Alarms that come before a single-entity contender that loses to a simpler one: the pairs may be no pairs."""


def claim_of(inputs: VerdictInputs, verdict: Verdict) -> str:
    """Return the claim of a *verdict*: a key of `OPENINGS`."""
    gain, name = inputs.gain, verdict.name
    if name in NOT_COMPARABLE:
        return "not_comparable"
    if name in ("not_asked", "equivalent"):
        return {"not_asked": "not_asked", "equivalent": "same"}[name]
    if gain.low > 0:
        if name in NO_JOINT_GAIN:
            return "better_alone"
        # Other open verdicts leave open whether both are the reason of the gain, and not only its kind.
        return "better" if verdict.is_gain_of_both else "not_shown"
    if gain.high < 0:
        return "worse"
    return "none" if gain.high < inputs.worthless or name in NO_JOINT_GAIN else "open"


def headline_of(inputs: VerdictInputs, claim: str) -> str:
    """Return the headline of a *claim*: one sentence with the primary contrast and its interval."""
    contrast, gain, unit = inputs.contrast, inputs.gain, find_metric(inputs.metric).name_within
    a, b, measured = contrast["a"], contrast["b"], number_formats.signed_with_interval(*gain)
    better = "does better than" if gain.low > 0 else "does worse than"
    relation = better if gain.low > 0 or gain.high < 0 else "is not shown to differ from"
    opening = OPENINGS[claim].format(a=a, b=b, relation=relation, unread=" or the ".join(inputs.unread()))
    if claim == "not_asked":
        return f"{opening}, so the difference in {unit} between {a} and {b}, {measured}, is no answer."
    chosen = ", as they were chosen in each fit," if inputs.choices else ""
    between = chosen if claim == "not_comparable" else f" between {a} and {b}{chosen}"
    return f"{opening}: the difference in {unit}{between} is {measured}."


class Doubt(NamedTuple):
    """The alarm that undermines an answer most: its code, one sentence, and a contender that an answer about b lacks.

    Attributes
    ----------
    code
        *code* is that of the check.
    sentence
        *sentence* names it in words.
    better
        *better* is the simpler contender to which the single-entity one of the primary contrast loses (CP023), or None.
    """

    code: str
    sentence: str
    better: str | None = None


def doubt_of(inputs: VerdictInputs, claim: str) -> Doubt | None:
    """Return the alarm that undermines the claim most, or None."""
    beaten = _beaten(inputs) if claim in BETTER else None
    is_claimed = claim in (*BETTER, "worse", "not_comparable")  # otherwise no difference is claimed
    findings = inputs.findings if is_claimed else inputs.findings.filter(pl.col("code") != NOISE)
    return first_doubt(findings, beaten)


def first_doubt(findings: Frame, beaten: Doubt | None = None) -> Doubt | None:
    """Return the most serious alarm of *findings*, or None.

    *beaten* is the doubt that a single-entity contender loses to a simpler one, where an answer rests on it.
    """
    alarms = set(findings.filter(pl.col("severity").is_in(ALARMS))["code"])
    order = [*FIRST, *([BEATEN] if beaten else []), *DOUBTS]
    first = next((code for code in order if code in alarms), None)
    if first is None:
        return None
    return beaten if first == BEATEN and beaten else Doubt(first, f"But {DOUBTS[first]} ({first}).")


def _beaten(inputs: VerdictInputs) -> Doubt | None:
    """Return the doubt that a simpler contender is better than the single-entity one of the contrast, or None."""
    a, b = inputs.contrast["a"], inputs.contrast["b"]
    simpler = (inputs.alarm(BEATEN, "warn") or {}).get("losses", {}).get(b)
    if simpler is None:
        return None
    against = inputs.known_difference(a, simpler, inputs.metric)
    measured = f": {a} against it is {number_formats.signed_with_interval(*against)}" if against else ""
    return Doubt(BEATEN, f"But {b} is worse than {simpler}, which is simpler{measured} ({BEATEN}).", simpler)


def numbers_of(inputs: VerdictInputs, claim: str, more: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the numbers behind a *claim*, a sentence each: probabilities, rows to add, ties, and other metrics.

    Parameters
    ----------
    inputs
        *inputs* are the numbers behind the verdict.
    claim
        *claim* is a key of `OPENINGS`.
    more
        *more* is the result of `counterpoint.diagnose.more_rows.more_rows`.
    """
    if claim != "not_comparable":
        yield from _probabilities(inputs, claim)
        yield from _to_settle(more)
        yield from _class_alone(inputs)
        yield from _ties(inputs)
        yield from _other_metrics(inputs)
        yield from scope_of(inputs)


def scores_of(inputs: VerdictInputs) -> str:
    """Return the test scores of the two contenders of the primary contrast, in one sentence."""
    value, a, b = inputs.test_scores, inputs.contrast["a"], inputs.contrast["b"]
    scores = inputs.chosen_scores.get(inputs.metric) or (value[a], value[b])
    ours, other = map(number_formats.score, scores)
    where = " in the first repeat" if n_repeats(inputs.inputs["repeats"]) > 1 else ""
    if inputs.choices:
        return (
            f"Chosen on validation rows in each fit, contenders of both modalities (most often {a}) reach {ours}, and "
            f"those of one (most often {b}) {other}{where}."
        )
    return f"{a} reaches {ours}, and {b}, the contender of one modality chosen on validation rows, {other}{where}."


def scope_of(inputs: VerdictInputs) -> Iterator[str]:
    """Yield one sentence on the variation that the interval of the primary contrast has or leaves out."""
    repeats: Frame = inputs.inputs["repeats"]
    n, n_seeds = n_repeats(repeats), repeats["seed"].n_unique()
    if n > 1:
        splits = "each with another split and other fits"
        yield f"The difference is over {n} repeats, {splits}. The scores are those of the first repeat."
    elif n_seeds > 1:
        yield f"The interval includes the variation over {n_seeds} seeds, but not that of other training pairs."
    elif n:
        yield "The interval is for these fits: another training may differ (evaluate.repeats)."


def _probabilities(inputs: VerdictInputs, claim: str) -> Iterator[str]:
    row, margin, confidence = inputs.contrast, inputs.inputs["margin"], inputs.inputs["confidence"]
    if row["error"] is None:
        return
    if row["error"] == 0 and row["difference"] == 0:
        yield "Both answer with the same score in every group of rows."
        return
    measured = row["difference"], row["error"], row["df"]
    found = chances(*measured, margin=margin or 0.0)
    better, same, worse = (number_formats.probability(chance) for chance in found)
    least = smallest_margin(*measured, confidence=confidence)
    if margin is not None:
        more = f"by more than {number_formats.score(margin)}"
        yield f"The probabilities are {better} for better {more}, {worse} for worse {more}, and {same} for neither."
    elif least < 1:
        yield (
            f"Reading both is better with a probability of {better}, and “no difference that matters” could be claimed "
            f"with a margin of {number_formats.score(least)} or more."
        )
    else:
        yield f"Reading both is better with a probability of {better}."
    if claim == "same":
        ends = number_formats.interval(*interval_within_margin(*measured, confidence=confidence), is_signed=True)
        level = number_formats.level(2 * confidence - 1)
        yield f"The two one-sided tests compare the {level} interval with the margin: {ends}."


def _to_settle(more: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield about how many more test pairs would settle the answer, or why no number of them does."""
    if more is None:
        return
    if more["is_of_fits"]:
        yield "More test pairs alone would not settle it: fits differ too much. More seeds or repeats may."
    else:
        rows = f"About {more['rows']:,} more" if more["rows"] else "More than a hundred times as many"
        yield f"{rows} test pairs would settle it, if the difference stays as it is."
        if more["by_folds"]:
            yield f"A k-fold of the same pairs has so many: it tests all {more['by_folds']:,} (split.kind: kfold)."


def _class_alone(inputs: VerdictInputs) -> Iterator[str]:
    """Yield that nothing beyond the class links text and image, where CP004 finds it."""
    if (inputs.alarm("CP004", "info") or {}).get("association") == "of the class alone":
        yield (
            "Nothing beyond the class links text and image (CP004), so reading both is two independent guesses. Pairs "
            "that were joined on the class alone look like this too."
        )


def _ties(inputs: VerdictInputs) -> Iterator[str]:
    """Yield the contenders that are not shown to differ from the best one on test rows (Holm's correction).

    The primary contrast needs no correction: where its interval excludes 0, its two contenders are no tie.  With
    several repeats, nothing is said: the scores are those of the first repeat alone.
    """
    if len(inputs.test_scores) < 3 or n_repeats(inputs.inputs["repeats"]) > 1:
        return
    sign = 1 if _metric(inputs).higher_is_better else -1
    best = max(inputs.test_scores, key=lambda name: sign * inputs.test_scores[name])
    differences: Frame = inputs.inputs["differences"].filter(pl.col("p").is_not_null(), metric=inputs.metric)
    pairs = differences.filter((pl.col("a") == best) | (pl.col("b") == best)).select("a", "b", "p").rows()
    p_of = {(a if b == best else b): p for a, b, p in pairs}
    corrected = dict(zip(p_of, holm(list(p_of.values())), strict=True))
    tied = [name for name, p in corrected.items() if p > 1 - inputs.inputs["confidence"]]
    shown = {name: number_formats.score(value) for name, value in inputs.test_scores.items()}
    top = [name for name in shown if shown[name] == shown[best]]
    sides = {inputs.contrast[side] for side in PROCEDURES}
    differ = sides if best in sides and _sign(inputs.contrast) else set()
    others, named = [name for name in tied if name not in {*top, *differ}], ", ".join(top)
    has, is_not = ("has", "is not") if len(top) == 1 else ("have", "are not")
    if others:
        yield f"{named} {has} the best score, and {is_not} shown to differ from {', '.join(others)}."
    elif len(top) > 1:
        yield f"{named} have the best score."


def _other_metrics(inputs: VerdictInputs) -> Iterator[str]:
    """Yield the metrics whose difference points the other way, or to one where the primary metric shows none.

    With several repeats, nothing is said: the other metrics are those of the first repeat alone.
    """
    if n_repeats(inputs.inputs["repeats"]) > 1:
        return
    a, b, own = inputs.contrast["a"], inputs.contrast["b"], _sign(inputs.contrast)
    for row in _in_other_metrics(inputs):
        towards = _sign(row) * (1 if find_metric(row["metric"]).higher_is_better else -1)
        if row["metric"] != inputs.metric and towards and towards != own:
            label = find_metric(row["metric"]).name_within
            measured = number_formats.signed_with_interval(row["difference"], row["low"], row["high"])
            relation = "better" if towards > 0 else "worse"
            yield f"By {label} the answer differs: {a} does {relation} than {b}, {measured}."


def _in_other_metrics(inputs: VerdictInputs) -> Iterator[Mapping[str, Any]]:
    """Yield the difference of the two sides in each metric that has an interval, as they were chosen."""
    if inputs.choices is not None:
        found = (inputs.choices.difference(PROCEDURES["a"], PROCEDURES["b"], metric) for metric in inputs.chosen_scores)
        yield from (row for row in found if isfinite(row["low"]))
        return
    a, b = inputs.contrast["a"], inputs.contrast["b"]
    rows: Frame = inputs.inputs["differences"].filter(pl.col("low").is_not_null(), a=a, b=b, is_primary=False)
    yield from rows.unique("metric", keep="first", maintain_order=True).iter_rows(named=True)


def _sign(row: Mapping[str, Any]) -> int:
    """Return 1 or -1 where the interval of a difference excludes 0, else 0."""
    return int(row["low"] > 0) - int(row["high"] < 0)


def _metric(inputs: VerdictInputs) -> Metric:
    return find_metric(inputs.metric)
