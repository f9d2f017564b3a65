"""The claims of an answer: the only place that reads verdicts, headlines, reasons and recommendations.

Three sources are read, and the first one that speaks of a gain counts: a field ``claim`` of the answer, the first words
of the headline, the verdict.  The claims on modalities are those of the verdict.  The words of the reasons show whether
their subject is the modality or the contenders that were tried.
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
        *subject* is the subject of *text*, *image* and *both*: the modality, or the contenders of this comparison.
    of_gain
        *of_gain* is the subject of a *gain* that is "no".
    fault
        *fault* is a verdict in `FAULTS`, or an empty text.
    blames_labels
        *blames_labels* is whether the next step is to look at the labels.
    margin
        *margin* is the difference that does not matter, for "equivalent".
    """

    gain: Gain = "open"
    text: Stance = "unsaid"
    image: Stance = "unsaid"
    both: Stance = "unsaid"
    own: Stance = "unsaid"
    joint: Stance = "unsaid"
    subject: Subject = "modality"
    of_gain: Subject = "contenders"
    fault: str = ""
    blames_labels: bool = False
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
    "equivalent": Claim(gain="equivalent"),
    "not_asked": Claim(),
    "cannot_tell": Claim(),
}
"""The claims of each verdict.  A verdict that is not listed has those of its headline alone."""
OF_CLAIM: Mapping[str, Gain] = {
    "better": "yes", "better_alone": "no", "same": "equivalent", "worse": "worse", "none": "no", "open": "open",
    "not_shown": "open", "not_asked": "open", "not_comparable": "open",
}  # fmt: skip
"""The gain of each value of the field ``claim`` of an answer.  With any other value the headline is read."""
OPENINGS: tuple[tuple[str, Gain], ...] = (
    ("Yes", "yes"),
    ("Not shown", "open"),
    ("Nothing", "open"),
    ("No difference that matters", "equivalent"),
    ("No, reading both does worse", "worse"),
    ("No", "no"),
    ("A better score, but not from reading both", "no"),
)
"""The first words of headlines, of which the first that fits counts.  All other headlines leave the gain open."""
BETTER_ALONE = "A better score, but not from reading both"
OF_MODALITIES = ("only the text carries", "only the image carries", "adds nothing", BETTER_ALONE.lower())
"""Parts of sentences that deny a gain of the modalities, and not of the contenders that were tried."""
TOGETHER = ("both together carry the label", "both together predict the label")
"""Parts of sentences that both modalities have a signal, although no contender has learned it."""
OF_CONTENDERS = ("no contender", "contenders of either modality", "contender that reads only")
"""Parts of sentences whose subject is the contenders that were tried."""
EACH_OWN = ("each adds its own", "each modality adds its own", "each adds information of its own")
"""Parts of sentences that claim information of its own for each modality."""
LABELS_FIRST = "look at the labels first"


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
    claim = OF_VERDICT.get(found["verdict"], Claim())
    prose = " ".join((found["headline"], *found.get("reasons", ()))).lower()
    is_of_contenders = any(each in prose for each in OF_CONTENDERS)
    is_of_modalities = any(each in prose for each in OF_MODALITIES)
    return claim._replace(
        gain=_gain(found, claim),
        both="yes" if any(each in prose for each in TOGETHER) else claim.both,
        own="yes" if any(each in prose for each in EACH_OWN) else claim.own,
        subject="contenders" if is_of_contenders else "modality",
        of_gain="modality" if is_of_modalities else "contenders",
        blames_labels=LABELS_FIRST in (found.get("recommendation") or "").lower(),
    )


def _gain(found: Mapping[str, Any], claim: Claim) -> Gain:
    """Return the gain that a reader of the answer takes from it.

    A comparison that is called faulty claims none, whichever contender is ahead.  "Yes" is a Yes, although the verdict
    leaves the kind of the gain open.
    """
    if claim.fault:
        return "open"
    named = found.get("claim")
    if named in OF_CLAIM:
        return OF_CLAIM[named]
    return gain_of(found["headline"])


def gain_of(headline: str) -> Gain:
    """Return the claim of a gain in the first words of a *headline*.

    >>> [gain_of(each) for each in ("No, reading both does worse: ...", "Not shown: ...", "A gain is neither ...")]
    ['worse', 'open', 'open']
    """
    return next((gain for opening, gain in OPENINGS if headline.startswith(opening)), "open")
