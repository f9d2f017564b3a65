"""The question on the gain: whether one is shown, and which kind of gain (CP009)."""

from math import isfinite

from counterpoint.diagnose.verdict_inputs import UNKNOWN, VerdictInputs
from counterpoint.diagnose.verdict_list import BETTER_MODELS, Verdict
from counterpoint.diagnose.verdict_modalities import is_little, is_mostly_shared, is_read, not_read, only
from counterpoint.measures.comparison_tables import joint_members
from counterpoint.measures.information_gain import SUM
from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.intervals import independent_difference
from counterpoint.number_formats import signed_with_interval
from counterpoint.schema import other_modality

INTERACTION = 0.5
"""An interaction that makes less than this share of a gain is not its reason."""
SUM_NOT_SHOWN = "Whether a sum over the modalities would do as well, without interaction, is not shown."
AVERAGE_NOT_EXCLUDED = "Whether the second modality gains, or the average of several models, is not shown."


def shown_gain(inputs: VerdictInputs) -> Verdict | None:
    """Return the verdict on a gain whose whole interval is above 0, or None where there is none."""
    if inputs.gain.low <= 0:
        return None
    verdict, b = _kind_of_gain(inputs), inputs.contrast["b"]
    is_joint = verdict.name == "interaction_gain" and inputs.is_above_baseline(inputs.contrast["a"])
    if not (inputs.is_above_baseline(b) or is_joint):
        baseline = inputs.baseline
        guess = f"{baseline}, which reads neither text nor image" if baseline else "guessing by the class shares"
        reason = f"{b}, the contender of one modality, is not shown to do better than {guess}."
        return Verdict("cannot_tell", (reason,), BETTER_MODELS)
    return verdict


def _kind_of_gain(inputs: VerdictInputs) -> Verdict:
    """Return the verdict on a gain that is shown."""
    if is_mostly_shared(inputs):
        reason = "Most of the information in the two modalities is the same, and two readings even out their errors."
        return Verdict("averaging_gain", (reason,), "Try better models of one modality, which may close the gap.")
    if inputs.contrast["a"] in inputs.members and inputs.contrast["a"] not in inputs.additive:
        return _gain_of_combination(inputs)
    part, gain = _beyond(inputs)
    kind = _kind(inputs, part, gain)
    empty = _empty(inputs)
    if kind == "cannot_tell":
        reasons = (SUM_NOT_SHOWN, *_of_empty(inputs, empty)) if empty else (SUM_NOT_SHOWN,)
        return Verdict(kind, reasons, is_of_both=empty is None)
    if kind == "additive_gain" and empty:
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
            empty = _empty(inputs)
            is_of_both = empty is None and (
                _has_no_more_models(inputs) or any(_gains(inputs, name) for name in (*together, *sums))
            )
            unknown = SUM_NOT_SHOWN if is_of_both else AVERAGE_NOT_EXCLUDED
            of_empty = _of_empty(inputs, empty) if empty else ()
            return Verdict("cannot_tell", (reason, unknown, *of_empty), is_of_both=is_of_both)
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
    return next((modality for modality in known if not is_read(inputs, modality)), None)


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
    other = other_modality(empty)
    if is_little(inputs, empty) and is_read(inputs, other):
        return Verdict(
            f"{other}_only", (*only(inputs, other, empty), f"So the gain may be a better reading of the {other}.")
        )
    return Verdict("cannot_tell", _of_empty(inputs, empty))


def _of_empty(inputs: VerdictInputs, empty: str) -> tuple[str, str]:
    """Return the reasons why a gain is not shown to come from both: the modality *empty* is not shown to predict."""
    return not_read(inputs, empty), f"So the gain may be a better reading of the {other_modality(empty)}."


def _kind(inputs: VerdictInputs, part: Estimate, gain: Estimate) -> str:
    """Return the kind of a *gain* whose *part* needs both modalities read together."""
    a, b, sums = inputs.contrast["a"], inputs.contrast["b"], inputs.additive
    if a in sums:
        return "additive_gain" if part.low <= 0 or part.value <= gain.value else "cannot_tell"
    is_beaten = {name: inputs.difference(a, name).low > 0 for name in sums}
    if part.value > INTERACTION * gain.value:
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
