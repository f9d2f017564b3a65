"""The question where no gain is shown: which modalities predict the label, and whether they share their information."""

from counterpoint.diagnose.verdict_inputs import VerdictInputs
from counterpoint.diagnose.verdict_list import Verdict
from counterpoint.metrics.estimate import Estimate
from counterpoint.number_formats import interval, signed

HALF = 0.5
"""Two modalities carry mostly the same information where their sum gains less than this share of the gain that
independent errors would allow."""
LITTLE = 0.2
"""A contender is at most a little better than guessing if its interval ends below this share of the way to perfect."""
NOT_EXCLUDED = 0.1
"""A gain on a contender that beats guessing is open if its interval reaches this share of the way to perfect."""


def signal_of_modalities(inputs: VerdictInputs) -> Verdict | None:
    """Return the verdict on the modalities that are shown to predict the label, or None where that is open."""
    if is_read(inputs, "text") and is_read(inputs, "image"):
        return _redundant(inputs)
    of_way, single = inputs.gain.high / (1 - inputs.chance), inputs.modalities[inputs.contrast["b"]]
    for modality, other in (("text", "image"), ("image", "text")):
        if is_read(inputs, modality) and is_little(inputs, other):
            # Without a gain over a contender of the other modality, nothing is known of the gain over this one.
            is_excluded = of_way < NOT_EXCLUDED and modality in single
            return Verdict(f"{modality}_only", only(inputs, modality, other)) if is_excluded else None
    if is_little(inputs, "text") and is_little(inputs, "image") and of_way < LITTLE:
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


def only(inputs: VerdictInputs, modality: str, other: str) -> tuple[str, str]:
    """Return the reasons that only one modality predicts the label.

    Parameters
    ----------
    inputs
        *inputs* are the numbers behind the verdict.
    modality, other
        *modality* predicts the label, and *other* is not shown to.
    """
    name, above = inputs.reader(modality), inputs.above_chance(modality)
    return f"{name} reads only the {modality} and beats guessing ({above_guessing(above)}).", _little(inputs, other)


def not_read(inputs: VerdictInputs, modality: str) -> str:
    """Return the sentence on a *modality* for which `is_read` does not hold, with the quantity that decided it."""
    if is_little(inputs, modality):
        return _little(inputs, modality)
    name, above = inputs.reader(modality), inputs.above_chance(modality)
    return (
        f"{name}, the contender of the {modality} chosen on validation rows, is not shown to beat guessing "
        f"({above_guessing(above)})."
    )


def _little(inputs: VerdictInputs, modality: str) -> str:
    best = next(iter(inputs.readers(modality).items()), None)
    measured = "" if best is None else f" (the best, {best[0]}: {above_guessing(best[1])})"
    return f"No contender here that reads only the {modality} is more than a little better than guessing{measured}."


def _redundant(inputs: VerdictInputs) -> Verdict | None:
    """Return "redundant" where the sum gains less than half of the gain that independent errors would allow.

    Or where one modality leaves the other nothing to add: then independent errors would allow as little.
    """
    adds = "add little" if inputs.bits is not None and inputs.bits[0].low > 0 else "are not shown to add"
    reason = f"Contenders of either modality beat guessing, and both together {adds} to the better one."
    if inputs.bits is None:
        # A multimodal model that does worse has failed: it does not show the information in the second modality.
        return Verdict("redundant", (reason,)) if 0 <= inputs.gain.high < inputs.worthless else None
    gain, independent = inputs.bits
    measured = f"{signed(gain.value)} bits a row ({interval(gain.low, gain.high, is_signed=True)})"
    least = min(inputs.above_chance(modality).value for modality in ("text", "image"))
    is_readable = least >= LITTLE * (1 - inputs.chance) and 0 <= inputs.gain.high < inputs.worthless
    if is_readable and inputs.alarm("CP010", "warn"):
        return Verdict("redundant", (reason, f"It adds {measured} (CP010)."))
    if not is_mostly_shared(inputs):
        return None
    compared = f"It adds {measured}, where independent errors would add {signed(independent.value)}."
    return Verdict("redundant", (reason, compared))


def is_mostly_shared(inputs: VerdictInputs) -> bool:
    """Return whether the gain in bits is clearly below half of the gain that independent errors would allow."""
    if inputs.bits is None:
        return False
    gain, independent = inputs.bits
    return independent.low > 0 and gain.high < HALF * independent.value


def is_read(inputs: VerdictInputs, modality: str) -> bool:
    """Return whether the contender of a modality beats guessing, and some contender of it by more than a little."""
    return inputs.above_chance(modality).low > 0 and not is_little(inputs, modality)


def is_little(inputs: VerdictInputs, modality: str) -> bool:
    """Return whether each contender that reads this modality alone is at most a little better than guessing."""
    readers = inputs.readers(modality).values()
    return bool(readers) and all(above.high < LITTLE * (1 - inputs.chance) for above in readers)


def above_guessing(above: Estimate) -> str:
    """Return a balanced accuracy as its distance from guessing, in words."""
    ends = interval(above.low, above.high, is_signed=True)
    return f"balanced accuracy {signed(above.value)} above guessing, {ends}"
