"""Whether the claims of an answer are true: right, open or wrong, with the claims that are refuted."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from independent.claims import Claim
from independent.fresh import FreshScores
from independent.truths import BITS, NOTHING, Truth

WORTHLESS = 0.02
"""A gain below this is none.  So "no gain" is not refuted by a smaller one."""
CARRIES = 0.02
"""A modality carries the label where its best reader is this far above guessing, in balanced accuracy."""
LITTLE = 0.2
"""Contenders are "at most a little better than guessing" up to this share of the way from guessing to perfect."""
EMPTY = 0.005
"""And it does not where its best reader is within this of guessing.  Claims in between are neither right nor wrong."""
MORE = 0.02
"""A contender that is this far above the best possible reader of text and image has read more than these."""
ERRORS = 2.0
"""The Monte-Carlo standard errors that a claim on contenders is spared."""
BALANCED = "balanced_accuracy"
ADVICE = "advice"
"""A recommendation to look at the labels first, although both modalities together predict them.  It is reported, and
makes no headline wrong."""
Scores = Mapping[str, Mapping[str, float]]


class Known(NamedTuple):
    """The truth about one study, as a draw stores it.

    Attributes
    ----------
    truth
        *truth* is its scenario.
    best
        *best* are the scores of the best possible readers, by reader and metric.
    fresh
        *fresh* are the scores of the contenders on fresh rows, by name and metric.
    reads
        *reads* are the modalities of each contender.
    """

    truth: Truth
    best: Scores
    fresh: Scores
    reads: Mapping[str, Sequence[str]]

    @property
    def chance(self) -> float:
        """The balanced accuracy of guessing."""
        return 1 / self.truth.n_classes

    def best_gain(self, metric: str) -> float:
        """Return the gain of the best reader of both over the best reader of one modality."""
        return self.best["both"][metric] - max(self.best[modality][metric] for modality in ("text", "image"))

    def above_chance(self, *modalities: str) -> float:
        """Return the largest distance from guessing, on fresh rows, of the contenders that read just *modalities*."""
        own = [name for name, reads in self.reads.items() if tuple(reads) == modalities and name in self.fresh]
        return max((self.fresh[name][BALANCED] for name in own), default=self.chance) - self.chance


class Contrast(NamedTuple):
    """A headline's contrast on fresh rows.

    Attributes
    ----------
    metric, gain, error
        *metric* is its metric, *gain* the difference, and *error* the Monte-Carlo standard error of that.
    score
        *score* is the score of the multimodal contender that was chosen most often.
    """

    metric: str
    gain: float
    error: float
    score: float = 0.0


def contrast_of(primary: Mapping[str, Any] | None, fresh: FreshScores) -> Contrast | None:
    """Return the *primary* contrast on *fresh* rows, or None where the study has none.

    Parameters
    ----------
    primary
        *primary* has the names of two contenders as a and b, and the metric.  Where it has ``choices``, the contenders
        that were chosen for each fit, the gain is the mean over these.
    fresh
        *fresh* are the scores on fresh rows.  The standard error in balanced accuracy stands for all metrics.
    """
    if primary is None:
        return None
    a, b, metric = (primary[key] for key in ("a", "b", "metric"))
    every = [{"fold": fold, "seed": seed, "a": a, "b": b} for fold, seed in fresh.by_fit]
    gains = []
    for choice in primary.get("choices") or every:
        own = fresh.by_fit[str(choice["fold"]), choice["seed"]]
        gains.append(own[choice["a"]][metric] - own[choice["b"]][metric])
    score = fresh.scores.get(a, {}).get(metric, 0.0)
    return Contrast(metric, sum(gains) / len(gains), fresh.errors.get(f"{a} {b}", 0.0), score)


def judged(claim: Claim, known: Known, contrast: Contrast | None) -> tuple[str, list[str]]:
    """Return the outcome (right, open or wrong), and the names of the refuted claims.

    Parameters
    ----------
    claim
        *claim* are the claims of the answer.
    known
        *known* is the truth.
    contrast
        *contrast* is the primary contrast on fresh rows, or None without one.
    """
    truth = known.truth
    found = {
        **(_of_gain(claim, known, contrast) if contrast else {}),
        **_of_modalities(claim, known),
        "own": (claim.own, truth.own) in (("yes", False), ("no", True)),
        "joint": (claim.joint, truth.interacts) in (("yes", False), ("no", True)),
        **_of_fault(claim, truth, contrast),
        ADVICE: claim.blames_labels and known.best["both"][BALANCED] - known.chance > LITTLE * (1 - known.chance),
    }
    refuted = [name for name, is_refuted in found.items() if is_refuted]
    if set(refuted) - {ADVICE}:
        return "wrong", refuted
    return ("open" if claim.is_open or claim.fault == "branch_ignored" else "right"), refuted


def _of_gain(claim: Claim, known: Known, contrast: Contrast) -> dict[str, bool]:
    gain, spared = contrast.gain, ERRORS * contrast.error
    # Whatever its subject, a Yes says that reading both helps: the best reader must gain from it too.
    gains_nothing = known.best_gain(BITS) <= NOTHING
    best = known.best_gain(contrast.metric)
    # A score above that of the best reader of both comes from a third source, such as the host.
    has_read_more = contrast.score > known.best["both"][contrast.metric] + MORE + spared
    is_gain = gain - spared > WORTHLESS if claim.of_gain == "contenders" else best > WORTHLESS
    return {
        "false_yes": claim.gain == "yes" and (gain <= 0 or gains_nothing or has_read_more),
        "false_no": claim.gain == "no" and is_gain,
        "false_worse": claim.gain == "worse" and gain - spared > 0,
        "false_equivalent": claim.gain == "equivalent" and abs(gain) - spared > claim.margin,
    }


def _of_modalities(claim: Claim, known: Known) -> dict[str, bool]:
    found = {}
    for reader, modalities in (("text", ("text",)), ("image", ("image",)), ("both", ("text", "image"))):
        asserted = getattr(claim, reader)
        best = known.best[reader][BALANCED] - known.chance
        is_of_contenders = claim.subject == "contenders"
        above = known.above_chance(*modalities) if is_of_contenders else best
        spared = LITTLE * (1 - known.chance) if is_of_contenders else CARRIES
        found[reader] = (asserted == "no" and above > spared) or (asserted == "yes" and best < EMPTY)
    return found


def _of_fault(claim: Claim, truth: Truth, contrast: Contrast | None) -> dict[str, bool]:
    """Return whether a claim of a fault is refuted.

    Branches that are ignored are a claim on one model, which a gain on fresh rows refutes.  No truth has a leak.  The
    contenders of the fast part cannot fail to train.
    """
    gains = contrast is not None and contrast.gain - ERRORS * contrast.error > WORTHLESS
    return {
        "leak": claim.fault == "leak",
        "misaligned": claim.fault == "misaligned" and not truth.foreign,
        "training_failed": claim.fault == "training_failed",
        "branch_ignored": claim.fault == "branch_ignored" and gains,
    }
