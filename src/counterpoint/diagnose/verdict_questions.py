"""The questions that lead to a verdict, in their order.  Each returns a verdict with its reasons, or None.

Does the label leak (CP001)?  Do the pairs belong together (CP004)?  Does a trained contender read each modality alone?
Were the models trained (CP016)?  Do they use both modalities (CP008)?  Is the difference too small to matter?  Is a
gain shown, and which kind of gain (CP009)?  Which contenders beat guessing?  Where an interval leaves a question open
that a later one needs, the verdict is ``cannot_tell``.  docs/verdict.md has the rules and the thresholds.
"""

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

from counterpoint.compare.equivalence import smallest_margin
from counterpoint.diagnose.cp016_training_failed import MISREADS
from counterpoint.diagnose.untried_readers import PROBES
from counterpoint.diagnose.verdict_inputs import UNKNOWN, VerdictInputs
from counterpoint.measures.comparison_tables import joint_members
from counterpoint.measures.information_gain import SUM
from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.intervals import independent_difference
from counterpoint.number_formats import interval, score, share, signed, signed_with_interval

WORTHLESS = 0.02
"""A gain counts as none where its whole interval lies below this."""
HALF = 0.5
"""An interaction that makes less than this share of a gain is not its reason.  Two modalities carry mostly the same
information where their sum gains less than this share of the gain that independent errors would allow."""
LITTLE = 0.2
"""A contender is at most a little better than guessing if its interval ends below this share of the way to perfect."""
UNTRAINED = 0.05
"""A network within this of chance on its own training rows has learned nothing."""
SUM_NOT_SHOWN = "Whether a sum over the modalities would do as well, without interaction, is not shown."
AVERAGE_NOT_EXCLUDED = "Whether the second modality gains, or the average of several models, is not shown."
NOT_KNOWN = "So the information in both modalities is not known."
RUN_AGAIN = "Find the cause (CP016) and run again."


class Verdict(NamedTuple):
    """The outcome of one question: a verdict, its reasons, and the next step."""

    name: str
    reasons: tuple[str, ...] = ()
    recommendation: str | None = None


def _leak(inputs: VerdictInputs) -> Verdict | None:
    found = inputs.alarm("CP001", "fail")
    if found is None:
        return None
    labels = f"{share(found['accuracy'], decimals=1)} of the labels" if "accuracy" in found else "the labels"
    reason = f"A rule of a few words of the text predicts {labels}: the text score is the score of that rule."
    return Verdict("leak", (reason,), "Take the labels from another source, or mask those words.")


def _misaligned(inputs: VerdictInputs) -> Verdict | None:
    # Pairs that share nothing but the class, or nothing at all, may be so by their nature: CP004 warns, and no more.
    found = inputs.alarm("CP004", "fail", "warn")
    if found is None or not (inputs.alarm("CP004", "fail") or "lapse_rate" in found):
        return None
    if inputs.alarm("CP004", "fail"):
        reason = "Texts, images and labels of some rows do not belong together (CP004)."
        return Verdict("misaligned", (reason, NOT_KNOWN), "Find the step that paired them.")
    reason = "Texts of some rows belong to other rows, or are about something else (CP004)."
    return Verdict("misaligned", (reason, NOT_KNOWN), "Look at the rows in the queue of CP004.")


def _unread_alone(inputs: VerdictInputs) -> Verdict | None:
    unread = inputs.unread()
    if not unread:
        return None
    names = " or the ".join(unread)
    reason = f"Without a trained contender that reads the {names} alone, nothing is known of what the other adds."
    probes = " and ".join(PROBES[modality] for modality in unread)
    return Verdict("not_asked", (reason,), f"Add {probes}, or another trained contender of that kind.")


def _untrained(inputs: VerdictInputs) -> Verdict | None:
    a, reads = inputs.contrast["a"], inputs.modalities
    failed = dict.fromkeys(_at_chance(inputs), "has not learned even its own training rows")
    failed |= (inputs.alarm("CP016", "fail") or {}).get("failed", {})
    for name in sorted(failed, key=lambda name: name != a):
        rivals = [other for other in reads if reads[other] == reads[name] and other not in failed]
        if name == a and failed[name] == MISREADS and inputs.gain.low > 0:
            continue  # it reads test rows as it reads training rows, so that a gain on test rows is one
        if name == a or (len(reads[name]) == 1 and not rivals):
            return Verdict("training_failed", (f"{name} {failed[name]}.", NOT_KNOWN), RUN_AGAIN)
    return None


def _at_chance(inputs: VerdictInputs) -> set[str]:
    """Return the multimodal contender where it is at chance on its training rows and one modality is above chance."""
    a, least = inputs.contrast["a"], inputs.chance + UNTRAINED
    high = inputs.training_score_high(a)
    is_readable = any(inputs.above_chance(modality).low > 0 for modality in ("text", "image"))
    return {a} if high is not None and high < least and is_readable else set()


def _ignored(inputs: VerdictInputs) -> Verdict | None:
    found, a = inputs.alarm("CP008", "warn") or {}, inputs.contrast["a"]
    modality = next((row["modality"] for row in found.get("ignored", []) if row["contender"] == a), None)
    if modality is None or not _lacks(inputs, a):
        return None
    ignored = f"{a} does not use the {modality}, which alone is {_above(inputs.above_chance(modality))} (CP008)."
    flat = (inputs.alarm("CP016", "warn", "fail") or {}).get("flat", {}).get(a, [])
    layer = next((name for name in flat if name.startswith(f"{modality}.")), None)
    if layer is not None:
        untrained = f"That branch was not trained: its layer {layer} has nearly the same output for all rows (CP016)."
        return Verdict("training_failed", (ignored, untrained, NOT_KNOWN), RUN_AGAIN)
    apart = "Train the branches apart and fuse them late (CP008)."
    combined = "Look at the validation rows on which its members are combined (CP008)."
    return Verdict("branch_ignored", (ignored, NOT_KNOWN), combined if a in inputs.members else apart)


def _lacks(inputs: VerdictInputs, name: str) -> bool:
    """Return whether *name*, over all its fits, has less information than a plain sum.  CP008 reads one fit."""
    known = inputs.information_gain
    return known is None or known.beyond(SUM, name).low > 0


def _equivalent(inputs: VerdictInputs) -> Verdict | None:
    margin, row, confidence = inputs.inputs["margin"], inputs.contrast, inputs.inputs["confidence"]
    if margin is None or row["error"] is None:
        return None
    if (least := smallest_margin(row["difference"], row["error"], row["df"], confidence=confidence)) > margin:
        return None
    shown = f"Any margin from {score(least)} on would allow to say so, and the margin fixed before is {score(margin)}."
    return Verdict("equivalent", (shown,), f"Use the cheaper of {row['a']} and {row['b']}.")


def _gain(inputs: VerdictInputs) -> Verdict | None:
    if inputs.gain.low <= 0:
        return None
    verdict, b = _kind_of_gain(inputs), inputs.contrast["b"]
    is_joint = verdict.name == "interaction_gain" and inputs.is_above_baseline(inputs.contrast["a"])
    if not (inputs.is_above_baseline(b) or is_joint):
        guess = f"{inputs.baseline}, which reads neither text nor image" if inputs.baseline else "guessing"
        reason = f"{b}, the contender of one modality, is not shown to do better than {guess}."
        return Verdict("cannot_tell", (reason,), "Try better models of one modality, or more pairs.")
    return verdict


def _kind_of_gain(inputs: VerdictInputs) -> Verdict:
    """Return the verdict on a gain that is shown."""
    if _is_mostly_shared(inputs):
        reason = "Most of the information in the two modalities is the same, and two readings even out their errors."
        return Verdict("averaging_gain", (reason,), "Try better models of one modality, which may close the gap.")
    if inputs.contrast["a"] in inputs.members and inputs.contrast["a"] not in inputs.additive:
        return _gain_of_combination(inputs)
    part, gain = _beyond(inputs)
    kind = _kind(inputs, part, gain)
    if kind == "cannot_tell":
        return Verdict(kind, (SUM_NOT_SHOWN,))
    if kind == "additive_gain" and (empty := _empty(inputs)):
        return _better_reading(inputs, empty)
    return Verdict(kind, _reasons_of_gain(kind, part))


def _gain_of_combination(inputs: VerdictInputs) -> Verdict:
    """Return the verdict on the gain of a combination that is no sum, such as an ensemble.

    Its members may read text and image together.  And it may gain from several models of one modality.
    """
    a, sums = inputs.contrast["a"], inputs.additive
    together = [name for name in joint_members(a, inputs.members, inputs.modalities) if name not in sums]
    if together:
        if not any(_gains(inputs, name) and inputs.difference(a, name).low <= 0 for name in sums):
            reason = f"{a} combines models, of which {' and '.join(together)} may read text and image together."
            is_of_both = _has_no_more_models(inputs) or any(_gains(inputs, name) for name in (*together, *sums))
            return Verdict("cannot_tell", (reason, SUM_NOT_SHOWN if is_of_both else AVERAGE_NOT_EXCLUDED))
        reason = "A sum over the modalities is enough: no interaction between them is needed."
    else:
        if not (_has_no_more_models(inputs) or any(_gains(inputs, name) for name in (SUM, *sums))):
            return Verdict("cannot_tell", (AVERAGE_NOT_EXCLUDED,), "Give each modality an ensemble of its own.")
        reason = "None of its members needs an interaction of text and image."
    empty = _empty(inputs)
    return _better_reading(inputs, empty) if empty else Verdict("additive_gain", (reason,))


def _has_no_more_models(inputs: VerdictInputs) -> bool:
    """Return whether the single-entity contender has all models of its modality that the combination has."""
    a, b, reads, members = inputs.contrast["a"], inputs.contrast["b"], inputs.modalities, inputs.members
    own = {name for name in members[a] if reads.get(name) == reads[b]}
    return own <= {b, *members.get(b, ())}


def _gains(inputs: VerdictInputs, name: str) -> bool:
    """Return whether a contender is better than the single-entity one, or `SUM` than each modality, in bits."""
    if name != SUM:
        return inputs.difference(name, inputs.contrast["b"]).low > 0
    known = inputs.information_gain
    return known is not None and min(known.beyond(SUM, modality).low for modality in ("text", "image")) > 0


def _empty(inputs: VerdictInputs) -> str | None:
    """Return a modality that is not shown to predict the label."""
    known = [modality for modality in ("text", "image") if isfinite(inputs.above_chance(modality).value)]
    return next((modality for modality in known if not _is_read(inputs, modality)), None)


def _reasons_of_gain(kind: str, part: Estimate) -> tuple[str, ...]:
    measured = signed_with_interval(*part)
    if kind == "additive_gain" and part.low > 0:
        return (f"Most of the gain is a sum over the modalities, and an interaction adds {measured}.",)
    reason = (
        "It does better than any sum over the modalities: text and image must be read together."
        if kind == "interaction_gain"
        else "A sum over the modalities is enough: no interaction between them is needed."
    )
    beyond = "Contenders that are more than a sum do worse" if part.high < 0 else "The gain beyond a sum"
    return (reason, f"{beyond}: {measured}.") if isfinite(part.value) else (reason,)


def _better_reading(inputs: VerdictInputs, empty: str) -> Verdict:
    """Return the verdict on a sum that gains although no contender of the modality *empty* is shown to predict much."""
    other = "image" if empty == "text" else "text"
    if _is_little(inputs, empty) and _is_read(inputs, other):
        return Verdict(
            f"{other}_only", (*_only(inputs, other, empty), f"So the gain may be a better reading of the {other}.")
        )
    reason = f"No contender that reads only the {empty} is shown to beat guessing{_best(inputs, empty)}."
    return Verdict("cannot_tell", (reason, f"So the gain may be a better reading of the {other}."))


def _kind(inputs: VerdictInputs, part: Estimate, gain: Estimate) -> str:
    """Return the kind of a *gain* whose *part* needs both modalities read together."""
    a, b, sums = inputs.contrast["a"], inputs.contrast["b"], inputs.additive
    if a in sums:
        return "additive_gain" if part.low <= 0 or part.value <= gain.value else "cannot_tell"
    is_beaten = {name: inputs.difference(a, name).low > 0 for name in sums}
    if part.value > HALF * gain.value:
        return "interaction_gain" if part.low > 0 and all(is_beaten.values()) else "cannot_tell"
    is_sum = any(inputs.difference(name, b).low > 0 and not is_beaten[name] for name in sums)
    return "additive_gain" if is_sum or _least(gain, part) > 0 else "cannot_tell"


def _beyond(inputs: VerdictInputs) -> tuple[Estimate, Estimate]:
    """Return the part of the gain beyond a sum, and the gain in the same metric.

    From CP009, in balanced accuracy, or else from the contenders that are sums.
    """
    a, b, sums, reads = inputs.contrast["a"], inputs.contrast["b"], inputs.additive, inputs.modalities
    if a in sums:
        joint = [name for name in reads if len(reads[name]) > 1 and name not in {*sums, *inputs.members}]
        most = max((inputs.difference(name, a) for name in joint), key=lambda found: found.low, default=UNKNOWN)
        return most, inputs.gain
    balanced = inputs.known_difference(a, b, "balanced_accuracy")
    if isfinite(inputs.interaction.value) and balanced is not None:
        return inputs.interaction, balanced
    least = min((inputs.difference(a, name) for name in sums), key=lambda found: found.low, default=UNKNOWN)
    return least, inputs.gain


def _least(gain: Estimate, part: Estimate) -> float:
    """Return the lower end of *gain* minus *part*, as if their errors were independent: they share a score."""
    return independent_difference(gain, part)[1]


def _modalities(inputs: VerdictInputs) -> Verdict | None:
    if _is_read(inputs, "text") and _is_read(inputs, "image"):
        return _redundant(inputs)
    if inputs.gain.high >= LITTLE * (1 - inputs.chance):
        return None
    for modality, other in (("text", "image"), ("image", "text")):
        if _is_read(inputs, modality) and _is_little(inputs, other):
            return Verdict(f"{modality}_only", _only(inputs, modality, other))
    if _is_little(inputs, "text") and _is_little(inputs, "image"):
        return _no_signal(inputs)
    return None


def _no_signal(inputs: VerdictInputs) -> Verdict:
    if "own_image_by_class" in (inputs.alarm("CP004", "info") or {}):
        bound = "Text and image go together in another way in each class (CP004)."
        unread = "So both together predict the label, and no contender here has learned to read them together."
        return Verdict("cannot_tell", (bound, unread))
    reasons = _little(inputs, "text"), _little(inputs, "image")
    if (inputs.alarm("CP004", "info", "warn") or {}).get("contrast") == "absent":
        return Verdict("no_signal", reasons, "Look at the labels first.")
    both = "Whether both together predict the label is not ruled out."
    return Verdict("no_signal", (*reasons, both), "Look at the labels, and try contenders that read both.")


def _only(inputs: VerdictInputs, modality: str, other: str) -> tuple[str, str]:
    name, above = inputs.reader(modality), inputs.above_chance(modality)
    return f"{name} reads only the {modality} and beats guessing ({_above(above)}).", _little(inputs, other)


def _little(inputs: VerdictInputs, modality: str) -> str:
    best = _best(inputs, modality)
    return f"No contender here that reads only the {modality} is more than a little better than guessing{best}."


def _best(inputs: VerdictInputs, modality: str) -> str:
    """Return the best contender of a *modality* on test rows and its distance from guessing, in brackets."""
    best = next(iter(inputs.readers(modality).items()), None)
    return "" if best is None else f" (the best, {best[0]}: {_above(best[1])})"


def _redundant(inputs: VerdictInputs) -> Verdict | None:
    """Return "redundant" where the sum gains less than half of the gain that independent errors would allow.

    Or where one modality leaves the other nothing to add: then independent errors would allow as little.
    """
    reason = "Contenders of either modality beat guessing, and both together are not shown to add to the better one."
    if inputs.bits is None:
        # A multimodal model that does worse has failed: it does not show the information in the second modality.
        return Verdict("redundant", (reason,)) if 0 <= inputs.gain.high < WORTHLESS else None
    gain, independent = inputs.bits
    measured = f"{signed(gain.value)} bits a row ({interval(gain.low, gain.high, is_signed=True)})"
    least = min(inputs.above_chance(modality).value for modality in ("text", "image"))
    is_readable = least >= LITTLE * (1 - inputs.chance) and 0 <= inputs.gain.high < WORTHLESS
    if is_readable and inputs.alarm("CP010", "warn"):
        return Verdict("redundant", (reason, f"It adds {measured} (CP010)."))
    if not _is_mostly_shared(inputs):
        return None
    compared = f"It adds {measured}, where independent errors would add {signed(independent.value)}."
    return Verdict("redundant", (reason, compared))


def _is_mostly_shared(inputs: VerdictInputs) -> bool:
    """Return whether the gain in bits is clearly below half of the gain that independent errors would allow."""
    if inputs.bits is None:
        return False
    gain, independent = inputs.bits
    return independent.low > 0 and gain.high < HALF * independent.value


def _open(inputs: VerdictInputs) -> Verdict:  # noqa: ARG001
    return Verdict("cannot_tell")


QUESTIONS: tuple[Callable[[VerdictInputs], Verdict | None], ...] = (
    _leak, _misaligned, _unread_alone, _untrained, _ignored, _equivalent, _gain, _modalities, _open,
)  # fmt: skip


def _is_read(inputs: VerdictInputs, modality: str) -> bool:
    """Return whether the contender of a modality beats guessing, and some contender of it by more than a little."""
    return inputs.above_chance(modality).low > 0 and not _is_little(inputs, modality)


def _is_little(inputs: VerdictInputs, modality: str) -> bool:
    """Return whether each contender that reads this modality alone is at most a little better than guessing."""
    readers = inputs.readers(modality).values()
    return bool(readers) and all(above.high < LITTLE * (1 - inputs.chance) for above in readers)


def _above(above: Estimate) -> str:
    ends = interval(above.low, above.high, is_signed=True)
    return f"balanced accuracy {signed(above.value)} above guessing, {ends}"
