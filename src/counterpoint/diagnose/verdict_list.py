"""The closed list of verdicts, and one verdict with its reasons and the next step."""

from typing import NamedTuple

VERDICTS = (
    "leak", "misaligned", "not_asked", "training_failed", "branch_ignored", "equivalent", "redundant", "text_only",
    "image_only", "averaging_gain", "additive_gain", "interaction_gain", "no_signal", "cannot_tell",
)  # fmt: skip
BETTER_MODELS = "Try better models of one modality, or more pairs."
"""The next step where the contender of one modality is not shown to do better than whatever reads neither."""


class Verdict(NamedTuple):
    """The outcome of one question: a verdict, its reasons, and the next step.

    Attributes
    ----------
    name
        *name* is one of `VERDICTS`.
    reasons, recommendation
        *reasons* are sentences, and *recommendation* is the next step, or None.
    is_of_both
        *is_of_both* is whether a gain comes from reading both, although the verdict leaves its kind open.
    """

    name: str
    reasons: tuple[str, ...] = ()
    recommendation: str | None = None
    is_of_both: bool = False

    @property
    def is_gain_of_both(self) -> bool:
        """Whether the verdict is a gain from reading both, of a known kind or not."""
        return self.is_of_both or self.name.endswith("_gain")
