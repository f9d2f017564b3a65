"""The closed list of verdicts, and one verdict with its reasons and the next step."""

from typing import NamedTuple

VERDICTS = (
    "leak", "misaligned", "not_asked", "training_failed", "branch_ignored", "equivalent", "redundant", "text_only",
    "image_only", "averaging_gain", "additive_gain", "interaction_gain", "no_signal", "cannot_tell",
)  # fmt: skip


class Verdict(NamedTuple):
    """The outcome of one question: a verdict, its reasons, and the next step."""

    name: str
    reasons: tuple[str, ...] = ()
    recommendation: str | None = None
