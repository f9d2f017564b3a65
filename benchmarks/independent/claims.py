"""The claims of an answer: the only place that reads verdicts, headlines and reasons.

An answer may have an attribute ``claim``, a mapping with some of the fields of `Claim`: these count before all else.
Else the verdict decides, and the first words of the headline where the verdict leaves the gain open.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Gain = Literal["yes", "no", "worse", "equivalent", "open"]
Stance = Literal["yes", "no", "unsaid"]
Subject = Literal["modality", "contenders"]

FAULTS = ("leak", "misaligned", "training_failed", "branch_ignored")
"""Verdicts on the comparison, not on the modalities."""


class Claim(NamedTuple):
    """The claims of an answer, each of which a truth can refute.

    Attributes
    ----------
    gain
        *gain* is the claim that reading both helps, does not, does worse, or makes no difference that matters.
    text, image
        *text* and *image* are whether the modality alone carries the label.
    both
        *both* is whether text and image together carry the label at all.
    own
        *own* is whether each modality adds information of its own, and is not only a second reading.
    joint
        *joint* is whether the gain needs text and image to be read together.
    subject
        *subject* is the subject of the claims: the modalities, or the contenders of this comparison.
    fault
        *fault* is a verdict in `FAULTS`, or an empty text.
    margin
        *margin* is the difference that does not matter, for "equivalent" and "no".
    """

    gain: Gain = "open"
    text: Stance = "unsaid"
    image: Stance = "unsaid"
    both: Stance = "unsaid"
    own: Stance = "unsaid"
    joint: Stance = "unsaid"
    subject: Subject = "modality"
    fault: str = ""
    margin: float = 0.02

    @property
    def is_open(self) -> bool:
        """Whether nothing is claimed."""
        asserted = (self.text, self.image, self.both, self.own, self.joint)
        return self.gain == "open" and not self.fault and set(asserted) == {"unsaid"}


OF_VERDICT: Mapping[str, Claim] = {
    **{fault: Claim(fault=fault) for fault in FAULTS},
    "redundant": Claim(gain="no", text="yes", image="yes", both="yes"),
    "text_only": Claim(gain="no", text="yes", image="no", both="yes"),
    "image_only": Claim(gain="no", text="no", image="yes", both="yes"),
    "no_signal": Claim(gain="no", text="no", image="no", both="no"),
    "additive_gain": Claim(gain="yes", both="yes", joint="no"),
    "averaging_gain": Claim(gain="yes", text="yes", image="yes", both="yes", own="no", joint="no"),
    "interaction_gain": Claim(gain="yes", both="yes", joint="yes"),
    "equivalent": Claim(gain="equivalent", subject="contenders"),
    "not_asked": Claim(),
    "cannot_tell": Claim(subject="contenders"),
}
"""The claims of each verdict.  A verdict that is not listed has those of its headline alone."""
OPENINGS: tuple[tuple[str, Gain], ...] = (
    ("Yes", "yes"),
    ("No difference that matters", "equivalent"),
    ("No, reading both does worse", "worse"),
    ("Reading both does worse", "worse"),
    ("No", "no"),
    ("A better score, but not from reading both", "no"),
)
"""The first words of headlines, the longer ones first.  All other headlines leave the gain open."""
OPEN_OPENINGS = ("Not shown", "Not asked", "No answer", "Nothing")
"""First words that look like a No and are none."""
EACH_OWN = ("each adds its own", "each modality adds its own", "each carry information of their own")
"""Parts of sentences that claim information of its own for each modality."""


def claim_of(answer: Any) -> Claim:
    """Return the claims of an answer, an `Answer` or a mapping with its fields.

    Examples
    --------
    >>> claim_of({"verdict": "cannot_tell", "headline": "Yes, reading both helps: the difference ..."}).gain
    'yes'
    >>> claim_of({"verdict": "text_only", "headline": "No gain from reading both is shown: ..."})[:4]
    ('no', 'yes', 'no', 'yes')
    """
    found = answer if isinstance(answer, Mapping) else answer._asdict()
    claim = OF_VERDICT.get(found["verdict"], Claim(subject="contenders"))
    opening = gain_of(found["headline"])
    if claim.fault:
        claim = claim._replace(gain=_of_compared(found["headline"]))
    elif opening != "open":
        # A reader takes the headline's word: "Yes" of a verdict that leaves the kind of the gain open is a Yes.
        claim = claim._replace(gain=opening)
    if any(each in _prose(found) for each in EACH_OWN):
        claim = claim._replace(own="yes")
    return claim._replace(**dict(found.get("claim") or {}))


def gain_of(headline: str) -> Gain:
    """Return the claim of a gain in the first words of a *headline*.

    >>> [gain_of(each) for each in ("No, reading both does worse: ...", "Not shown: ...", "A gain is neither ...")]
    ['worse', 'open', 'open']
    """
    if headline.startswith(OPEN_OPENINGS):
        return "open"
    return next((gain for opening, gain in OPENINGS if headline.startswith(opening)), "open")


def _of_compared(headline: str) -> Gain:
    """Return "open": a comparison that is called faulty claims no gain, whichever contender is ahead."""
    return gain_of(headline) if headline.startswith("Yes") else "open"


def _prose(found: Mapping[str, Any]) -> str:
    return " ".join((found["headline"], *found.get("reasons", ()))).lower()
