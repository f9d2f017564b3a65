"""Whether the answers of one study under several metrics contradict each other."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Literal

from counterpoint.diagnose.verdict import NOT_COMPARABLE

Position = Literal["yes", "no", "neither", "text", "image", "invalid"]
GAINS = ("averaging_gain", "additive_gain", "interaction_gain")
NO: Mapping[str, Position] = {
    "redundant": "no", "equivalent": "no", "text_only": "text", "image_only": "image", "no_signal": "neither",
}  # fmt: skip
"""The position of each verdict that a second modality adds nothing: both carry the label, one does, or neither."""


def position(answer: Mapping[str, str]) -> Position | None:
    """Return the position of the verdict of *answer*, or None where it leaves the question open.

    "invalid" is the position of a verdict on the comparison, and not on the modalities.

    >>> [position({"verdict": verdict}) for verdict in ("additive_gain", "text_only", "leak", "cannot_tell")]
    ['yes', 'text', 'invalid', None]
    """
    verdict = answer["verdict"]
    if verdict in NOT_COMPARABLE:
        return "invalid"
    return "yes" if verdict in GAINS else NO.get(verdict)


def printed_position(answer: Mapping[str, str]) -> Position | None:
    """Return the position of *answer* as a reader of its headline takes it.

    A headline may begin with Yes or No although the verdict is open: the kind of a gain is not known, or both together
    do worse.

    >>> printed_position({"verdict": "cannot_tell", "headline": "Yes, reading both helps: ..."})
    'yes'
    """
    openings: Mapping[str, Position] = {"Yes": "yes", "No": "no"}
    return position(answer) or openings.get(answer["headline"].partition(" ")[0].strip(","))


def contradict(one: Position | None, other: Position | None) -> bool:
    """Return whether two positions contradict each other: a Yes and any No, or the text alone and the image alone.

    An open or an invalid answer contradicts none.

    >>> contradict("yes", "text"), contradict("text", "image"), contradict("text", "no"), contradict("yes", "invalid")
    (True, True, False, False)
    """
    both = {one, other}
    return both == {"text", "image"} or ("yes" in both and bool(both & set(NO.values())))


def clash(one: Position | None, other: Position | None) -> bool:
    """Return whether two positions contradict each other, also in whether any modality carries the label.

    Or whether one calls the comparison invalid that the other decides.

    >>> clash("yes", "invalid"), clash("neither", "text"), clash("no", "text"), clash("invalid", None)
    (True, True, False, False)
    """
    both = {one, other} - {None}
    return contradict(one, other) or (len(both) > 1 and bool(both & {"neither", "invalid"}))


def contradictions(answers: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs of metrics whose verdicts contradict each other.

    >>> contradictions({"accuracy": {"verdict": "text_only"}, "roc_auc": {"verdict": "additive_gain"}})
    [('accuracy', 'roc_auc')]
    """
    places = {metric: position(answer) for metric, answer in answers.items()}
    return [(a, b) for a, b in combinations(places, 2) if contradict(places[a], places[b])]


def clashes(answers: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs of metrics whose answers `clash` as a reader takes them."""
    places = {metric: printed_position(answer) for metric, answer in answers.items()}
    return [(a, b) for a, b in combinations(places, 2) if clash(places[a], places[b])]


def all_open(answers: Iterable[Mapping[str, str]]) -> bool:
    """Return whether no answer has a position, so that none could contradict another.

    >>> all_open([{"verdict": "cannot_tell"}, {"verdict": "redundant"}])
    False
    """
    return all(position(answer) is None for answer in answers)
