"""The answer: one verdict of a closed list and a few sentences that carry their numbers.

Draws on the primary contrast, the scores beside it and the findings; does not look inside the models.  In the order of
the questions: does the label leak (CP001), do the pairs belong together (CP004), were the models trained (CP016), do
they listen (CP008; what does not, gains nothing from reading both), was a gain shown, and of which kind (CP009), which
voices carry the label, do they say the same?  Where the intervals leave a question open that the next one builds on, it
cannot tell.
"""

from collections.abc import Callable
from math import hypot, isfinite
from typing import Any

import polars as pl

from counterpoint.diagnose import Case
from counterpoint.diagnose.cp016_training_failed import MISREADS
from counterpoint.diagnose.verdict_inputs import UNKNOWN, Grounds
from counterpoint.measures import Estimate
from counterpoint.measures.information_gain import SUM
from counterpoint.schema import Frame

VERDICTS = (
    "leak", "misaligned", "training_failed", "branch_ignored", "redundant", "text_only", "image_only",
    "additive_gain", "interaction_gain", "no_signal", "cannot_tell",
)  # fmt: skip
WORTHLESS = 0.02
"""A gain whose whole interval lies below this is called none."""
HALF = 0.5
"""Of a gain: an interaction that makes less than this is not its reason.  Of the gain that two voices that err
independently would have: a pair that gains less than this says mostly the same."""
LITTLE = 0.2
"""A modality that cannot make more than this share of the way from chance to perfect is taken to carry nothing."""
UNTRAINED = 0.05
"""A network within this of chance on its own training rows has learned nothing."""
UNKNOWN_HELD = "what both hold is not known"
UNKNOWN_GAIN = "Whether a sum of the two voices would do as well, or they must be read together, is not shown."
SPOILT = ("leak", "misaligned", "training_failed", "branch_ignored")
"""Verdicts on comparisons whose difference is not one of reading both."""
ENOUGH = ("redundant", "text_only", "image_only", "no_signal")
"""Verdicts that rest on more than the interval of the gain: it may end above `WORTHLESS`, and none was to be had."""
Found = tuple[str, str]


def answer(case: Case, findings: Frame, metric: str) -> dict[str, Any]:
    """Return ``{verdict, sentence, evidence}`` of a finished comparison on *metric*.

    Parameters
    ----------
    case
        *case* is what the checks looked at.
    findings
        *findings* is schema.FINDINGS; the codes that warn or fail are the evidence, of what there is to doubt.
    metric
        *metric* is the primary metric.
    """
    alarms = findings.filter(pl.col("severity").is_in(["warn", "fail"]))
    evidence = alarms["code"].unique(maintain_order=True).to_list()
    if case.primary is None:
        sentence = "There is nothing to compare: the study lacks a single-entity or a multimodal contender."
        return {"verdict": "cannot_tell", "sentence": sentence, "evidence": evidence}
    grounds = Grounds(case, findings, metric)
    if grounds.contrast["low"] is None:
        sentence = "The test rows are too few to compare on: the primary contrast has no interval."
        return {"verdict": "cannot_tell", "sentence": sentence, "evidence": evidence}
    verdict, reason = next(found for question in QUESTIONS if (found := question(grounds)) is not None)
    return {"verdict": verdict, "sentence": f"{_outcome(grounds, verdict)} {reason}".strip(), "evidence": evidence}


def _leak(grounds: Grounds) -> Found | None:
    found = grounds.alarm("CP001", "fail")
    if found is None:
        return None
    value = f" {found['accuracy']:.1%} of the labels" if "accuracy" in found else " the label away"
    return "leak", f"But a few words of the text give{value}: the text score is that rule read back."


def _misaligned(grounds: Grounds) -> Found | None:
    # That nothing binds text and image but the class, or nothing at all, may be their nature: that warns, and no more.
    found = grounds.alarm("CP004", "fail", "warn")
    if found is None or not (grounds.alarm("CP004", "fail") or "lapses" in found):
        return None
    said = "But texts, images and labels of some rows do not belong together (CP004)"
    return "misaligned", f"{said}: these scores say nothing of what both hold. Find where they were paired."


def _gain(grounds: Grounds) -> Found | None:
    if grounds.gain.low <= 0:
        return None
    if _is_mostly_shared(grounds):
        return (
            "cannot_tell",
            "But it is small: most of what the two say is the same, and better readers of one may close it.",
        )
    part, gain = _beyond(grounds)
    kind = _kind(grounds, part, gain)
    if kind == "cannot_tell":
        return kind, UNKNOWN_GAIN
    heard = [side for side in ("text", "image") if isfinite(grounds.above_chance(side).value)]
    silent = next((side for side in heard if not _carries(grounds, side)), None)
    if kind == "additive_gain" and silent:
        return _better_reading(grounds, silent)
    measured = f"{part.value:+.3f} ({part.low:+.3f} to {part.high:+.3f})" if isfinite(part.value) else ""
    if kind == "additive_gain" and part.low > 0:
        return kind, f"Most of what is gained is a sum's of what each modality says; an interaction adds {measured}."
    said = (
        "It does better than any sum of the two voices: text and image must be read together"
        if kind == "interaction_gain"
        else "A sum of what each modality says on its own is enough: no interaction between them is needed"
    )
    return kind, f"{said}{measured and f'; beyond a sum, {measured}'}."


def _better_reading(grounds: Grounds, silent: str) -> Found:
    """Answer a gain of a sum of two voices of which one is not shown to tell anything."""
    above, other = grounds.above_chance(silent), "image" if silent == "text" else "text"
    if _is_little(grounds, silent, above) and _carries(grounds, other):
        said = _only(other, grounds.above_chance(other), silent, above)
        return f"{other}_only", f"{said}: what is gained is a better reading of the {other}."
    said = f"But the {silent} alone is not shown to tell anything ({_above(above)})"
    return "cannot_tell", f"{said}: what is gained may be a better reading of the other."


def _kind(grounds: Grounds, part: Estimate, gain: Estimate) -> str:
    """Tell a *gain* that a sum over modalities reaches from one of which *part* needs both read together."""
    a, b, sums = grounds.contrast["a"], grounds.contrast["b"], grounds.case.additive
    if a in sums:
        return "additive_gain" if part.low <= 0 or part.value <= gain.value else "cannot_tell"
    is_beaten = {name: grounds.difference(a, name).low > 0 for name in sums}
    if part.value > HALF * gain.value:
        return "interaction_gain" if part.low > 0 and all(is_beaten.values()) else "cannot_tell"
    is_sum = any(grounds.difference(name, b).low > 0 and not is_beaten[name] for name in sums)
    return "additive_gain" if is_sum or _least(gain, part) > 0 else "cannot_tell"


def _beyond(grounds: Grounds) -> tuple[Estimate, Estimate]:
    """Return what reading together makes beyond a sum, and the gain in the same metric.

    By CP009, whose metric is balanced accuracy, else by the contenders that are sums.
    """
    a, b, sums, reads = grounds.contrast["a"], grounds.contrast["b"], grounds.case.additive, grounds.case.modalities
    if a in sums:
        joint = [name for name in reads if len(reads[name]) > 1 and name not in sums]
        most = max((grounds.difference(name, a) for name in joint), key=lambda found: found.low, default=UNKNOWN)
        return most, grounds.gain
    balanced = grounds.case.difference(a, b, "balanced_accuracy")
    if isfinite(grounds.interaction.value) and balanced is not None:
        return grounds.interaction, balanced
    least = min((grounds.difference(a, name) for name in sums), key=lambda found: found.low, default=UNKNOWN)
    return least, grounds.gain


def _least(gain: Estimate, part: Estimate) -> float:
    """Return the least that is gained without *part*, as if the two erred independently: they share a score."""
    return gain.value - part.value - hypot(gain.value - gain.low, part.high - part.value)


def _untrained(grounds: Grounds) -> Found | None:
    a, reads = grounds.contrast["a"], grounds.case.modalities
    failed = dict.fromkeys(_at_chance(grounds), "has not learned even its own training rows")
    failed |= (grounds.alarm("CP016", "fail") or {}).get("failed", {})
    for name in sorted(failed, key=lambda name: name != a):
        rivals = [other for other in reads if reads[other] == reads[name] and other not in failed]
        if name == a and failed[name] == MISREADS and grounds.gain.low > 0:
            continue  # test rows are read as those of training: what is gained on them is
        if name == a or (len(reads[name]) == 1 and not rivals):
            return "training_failed", f"But {name} {failed[name]}: {UNKNOWN_HELD}. Find why (CP016) and run again."
    return None


def _at_chance(grounds: Grounds) -> set[str]:
    """Return the multimodal contender, where it is at chance on its own training rows although one modality is not."""
    train = grounds.case.scores.filter(part="train", metric="balanced_accuracy")
    ends = {row["contender"]: row for row in train.iter_rows(named=True)}
    a, least = grounds.contrast["a"], grounds.chance + UNTRAINED
    value = ends.get(a, {}).get("high")
    is_told = any(grounds.above_chance(side).low > 0 for side in ("text", "image"))
    return {a} if value is not None and value < least and is_told else set()


def _ignored(grounds: Grounds) -> Found | None:
    found, a = grounds.alarm("CP008", "warn") or {}, grounds.contrast["a"]
    modality = next((row["modality"] for row in found.get("ignored", []) if row["contender"] == a), None)
    if modality is None or not _lacks(grounds, a):
        return None
    single = grounds.above_chance(modality)
    said = f"{a} does not use the {modality}, which alone is {_above(single)}"
    flat = (grounds.alarm("CP016", "warn", "fail") or {}).get("flat", {}).get(a, [])
    layer = next((name for name in flat if name.startswith(f"{modality}.")), None)
    if layer is not None:
        reason = f"its layer {layer} says nearly the same of all rows (CP016)"
        return "training_failed", f"{said}. That branch was not trained: {reason}, and {UNKNOWN_HELD}."
    return "branch_ignored", f"{said}: {UNKNOWN_HELD} (CP008)."


def _lacks(grounds: Grounds, name: str) -> bool:
    """Say whether *name*, over all its fits, tells less than a plain sum: CP008 looks at the first fit alone."""
    known = grounds.knowledge
    return known is None or known.beyond(SUM, name).low > 0


def _voices(grounds: Grounds) -> Found | None:
    text, image = grounds.above_chance("text"), grounds.above_chance("image")
    if _carries(grounds, "text") and _carries(grounds, "image"):
        return _same(grounds)
    if grounds.gain.high >= LITTLE * (1 - grounds.chance):
        return None
    for side, voice, other, silent in (("text", text, "image", image), ("image", image, "text", text)):
        if _carries(grounds, side) and _is_little(grounds, other, silent):
            return f"{side}_only", f"{_only(side, voice, other, silent)}."
    if _is_little(grounds, "text", text) and _is_little(grounds, "image", image):
        if "bound_by_class" in (grounds.alarm("CP004", "info") or {}):
            said = "But text and image go together in each class in another way (CP004)"
            return "cannot_tell", f"{said}: both together tell it, and no contender here has learned to read them so."
        said = f"Neither the text ({_above(text)}) nor the image ({_above(image)}) does better than chance, or hardly"
        return "no_signal", f"{said}: look at the labels first."
    return None


def _only(side: str, voice: Estimate, other: str, silent: Estimate) -> str:
    said = f"Only the {side} carries the label ({_above(voice)})"
    return f"{said}; the {other} does no better than chance, or hardly ({_above(silent)})"


def _same(grounds: Grounds) -> Found | None:
    """Say that both say the same where less is gained than half of what independent errors would leave to gain.

    Or where one voice leaves the other nothing: then independent errors would leave as little.
    """
    said = "Both modalities carry the label, and the second adds nothing that the first has not"
    if grounds.bits is None:
        # A multimodal model that does worse has failed at something: it says nothing of what the second voice holds.
        return ("redundant", f"{said}.") if 0 <= grounds.gain.high < WORTHLESS else None
    gain, apart = grounds.bits
    measured = f"{gain.value:+.3f} bits a row ({gain.low:+.3f} to {gain.high:+.3f})"
    least = min(grounds.above_chance(side).value for side in ("text", "image"))
    is_told = least >= LITTLE * (1 - grounds.chance) and 0 <= grounds.gain.high < WORTHLESS
    if is_told and grounds.alarm("CP010", "warn"):
        return "redundant", f"{said}: {measured} (CP010)."
    if not _is_mostly_shared(grounds):
        return None
    return "redundant", f"{said}: {measured}, where two that err independently would add {apart.value:+.3f}."


def _is_mostly_shared(grounds: Grounds) -> bool:
    """Say whether the gain in bits is clearly less than half of what independent errors would leave to gain."""
    if grounds.bits is None:
        return False
    gain, apart = grounds.bits
    return apart.low > 0 and gain.high < HALF * apart.value


def _open(grounds: Grounds) -> Found:  # noqa: ARG001
    return "cannot_tell", ""


QUESTIONS: tuple[Callable[[Grounds], Found | None], ...] = (
    _leak, _misaligned, _untrained, _ignored, _gain, _voices, _open,
)  # fmt: skip


def _carries(grounds: Grounds, modality: str) -> bool:
    """Say whether a modality alone does better than chance, in the score and, where known, in bits."""
    known = grounds.knowledge
    return grounds.above_chance(modality).low > 0 and (known is None or known.knows(modality).low > 0)


def _is_little(grounds: Grounds, modality: str, above: Estimate) -> bool:
    return not _carries(grounds, modality) and above.high < LITTLE * (1 - grounds.chance)


def _above(above: Estimate) -> str:
    return f"{above.value:+.3f} above guessing, {above.low:+.3f} to {above.high:+.3f}"


def _outcome(grounds: Grounds, verdict: str) -> str:
    contrast, gain = grounds.contrast, grounds.gain
    value = dict(grounds.case.test_scores(grounds.metric).select("contender", "value").iter_rows())
    a, b, unit = contrast["a"], contrast["b"], grounds.metric.replace("_", " ")
    rest = f"the difference is {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})."
    if verdict in SPOILT:
        does = (
            "does better than"
            if gain.low > 0
            else "does worse than"
            if gain.high < 0
            else "is not shown to differ from"
        )
        values = f"({value[a]:.3f} and {value[b]:.3f} {unit})"
        return f"{a} {does} {b}, the best of those that read one modality {values}; {rest}"
    if gain.low > 0:
        opening = "A better score, but not from reading both" if verdict in ENOUGH else "Yes, reading both helps"
    elif gain.high < 0:
        opening = "No, reading both does worse"
    elif gain.high < WORTHLESS or verdict in ENOUGH:
        opening = "No gain from reading both is shown"
    else:
        opening = "A gain from reading both is not shown, nor ruled out"
    return (
        f"{opening}: {a} reaches {value[a]:.3f} {unit} and {b}, the best of those that "
        f"read one modality, {value[b]:.3f}; {rest}"
    )
