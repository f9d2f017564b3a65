"""The questions that lead to a verdict, in their order.  Each returns a verdict with its reasons, or None.

Does the label leak (CP001)?  Do the pairs belong together (CP004)?  Does a trained contender read each modality alone?
Were the models trained (CP016)?  Do they use both modalities (CP008)?  Is the difference too small to matter?  Are many
texts of other rows, perhaps (CP004)?  Is a gain shown, and which kind of gain (`verdict_gain`)?  Which contenders beat
guessing (`verdict_modalities`)?  Where an interval leaves a question open that a later one needs, the verdict is
``cannot_tell``.  docs/verdict.md has the rules and the thresholds.
"""

from collections.abc import Callable

from counterpoint.compare.equivalence import smallest_margin
from counterpoint.diagnose.cp016_training_failed import MISREADS
from counterpoint.diagnose.untried_readers import PROBES
from counterpoint.diagnose.verdict_gain import shown_gain
from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.diagnose.verdict_list import Verdict
from counterpoint.diagnose.verdict_modalities import above_guessing, signal_of_modalities
from counterpoint.measures.information_gain import SUM
from counterpoint.number_formats import score, share
from counterpoint.schema import ALARMS

UNTRAINED = 0.05
"""A network within this of chance on its own training rows has learned nothing."""
MANY_LAPSES = 0.3
"""Where the interval of the lapse rate of texts begins above this, what each modality holds is not known.  Below this,
the lapses are a doubt."""
NOT_KNOWN = "So the information in both modalities is not known."
RUN_AGAIN = "Find the cause (CP016) and run again."


def _leak(inputs: VerdictInputs) -> Verdict | None:
    found = inputs.alarm("CP001", "fail")
    if found is None:
        return None
    labels = f"{share(found['accuracy'], decimals=1)} of the labels" if "accuracy" in found else "the labels"
    reason = f"A rule of a few words of the text predicts {labels}: the text score is the score of that rule."
    return Verdict("leak", (reason,), "Take the labels from another source, or mask those words.")


def _misaligned(inputs: VerdictInputs) -> Verdict | None:
    # Pairs that share nothing but the class, or nothing at all, may be so by their nature: CP004 warns, and no more.
    if not inputs.alarm("CP004", "fail"):
        return None
    reason = "Texts, images and labels of some rows do not belong together (CP004)."
    return Verdict("misaligned", (reason, NOT_KNOWN), "Find the step that paired them.")


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
    a = inputs.contrast["a"]
    high = inputs.training_high(a)
    is_readable = any(inputs.above_chance(modality).low > 0 for modality in ("text", "image"))
    return {a} if high is not None and high < UNTRAINED and is_readable else set()


def _ignored(inputs: VerdictInputs) -> Verdict | None:
    found, a = inputs.alarm("CP008", "warn") or {}, inputs.contrast["a"]
    modality = next((row["modality"] for row in found.get("ignored", []) if row["contender"] == a), None)
    if modality is None or not _lacks(inputs, a):
        return None
    ignored = (
        f"{a} does not use the {modality}, which alone is {above_guessing(inputs.above_chance(modality))} (CP008)."
    )
    flat = (inputs.alarm("CP016", *ALARMS) or {}).get("flat", {}).get(a, [])
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


def _many_lapses(inputs: VerdictInputs) -> Verdict | None:
    """Leave open what each modality holds, where many texts are of other rows or about another class by their nature.

    Where text and image share only the class, no test of the pairs separates the two.  The gain is one on these pairs.
    """
    lapses = (inputs.alarm("CP004", "warn") or {}).get("lapse_rate")
    if lapses is None or lapses["rate"][1] < MANY_LAPSES:
        return None
    reason = "Texts of many rows belong to other rows, or are about another class than their label (CP004)."
    gain = shown_gain(inputs)
    is_of_both = gain is not None and gain.is_gain_of_both
    return Verdict("cannot_tell", (reason, NOT_KNOWN), "Look at the rows in the queue of CP004.", is_of_both=is_of_both)


def _open(inputs: VerdictInputs) -> Verdict:  # noqa: ARG001
    return Verdict("cannot_tell")


QUESTIONS: tuple[Callable[[VerdictInputs], Verdict | None], ...] = (
    _leak, _misaligned, _unread_alone, _untrained, _ignored, _equivalent, _many_lapses, shown_gain,
    signal_of_modalities, _open,
)  # fmt: skip
