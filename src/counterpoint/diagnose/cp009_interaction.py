"""CP009: no interaction of text and image is used, so that a sum of two models, each trained alone, is enough.

The score of a joint contender is set against that of its additive projection (EMAP) on the same test rows.  An
interval above 0 says that it reads the two together.

That none is used is no fault of the data: most honest data are additive.  It is a waste, and misread, where a network
trained jointly stands for the gain.  So it warns where a joint contender tells more than the better voice alone, in
bits, while the interaction is not above 0, makes less than `HALF` of the gain in score and, by the interval, not all of
it.  Interaction and gain are those of one fit, the first, on the same rows.  It does not warn where nothing is gained
(that is CP010's).  What the joint network costs is not asked: it cannot be had for less than its branches, and seconds
differ from run to run.

Takes about 1 s at 730 test rows for each joint contender, above what CP008 has already read.
"""

from typing import final

import numpy as np

from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate, emap_gap
from counterpoint.measures.encoded_fits import EncodedFit
from counterpoint.measures.information_gain import InformationGain
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

HALF = 0.5
"""A gain of which an interaction is less than this share is a sum's."""


@final
class Interaction(Check):
    """Look at what each joint contender loses when it may only add what it says of text and of image."""

    code = "CP009"
    title = "No interaction is used"
    cost = Cost("1 s for each joint contender: it predicts every text beside every image")
    needs = ("encoded_fits", "information_gain", "additive", "predictions")

    def run(
        self,
        *,
        encoded_fits: list[EncodedFit],
        information_gain: InformationGain | None,
        additive: tuple[str, ...],
        predictions: Frame,
    ) -> Finding:
        """Return the finding on the first joint contender that uses no interaction, or else on the first."""
        joint = [fit for fit in encoded_fits if fit.name not in additive]
        if not joint:
            return self.not_applicable("interaction", "The study has no joint contender that offers its heads.")
        gaps = {fit.name: _gap(fit) for fit in joint}
        evidence = {"table": [{"contender": name, **gap._asdict()} for name, gap in gaps.items()]}
        for fit in joint:
            name, gap, gain = fit.name, gaps[fit.name], _gain(fit, information_gain, predictions)
            if gain is not None and gap.low <= 0 and gap.value < HALF * gain and gap.high < gain:
                return self.finding("warn", name, f"{_unused(name, gap)}, of {_of_gain(gain)}", **evidence)
        name, gap = next(iter(gaps.items()))
        explanation = f"{name} reads text and image together: no sum over the two can make {_measured(gap)}"
        return self.finding("info", name, f"{explanation if gap.low > 0 else _unused(name, gap)}.", **evidence)


def _unused(name: str, gap: Estimate) -> str:
    return f"{name} uses no interaction that is seen: beyond a sum over text and image, {_measured(gap)}"


def _of_gain(gain: float) -> str:
    return (
        f"{gain:+.3f} that this fit gains over one modality. Two models trained apart and added are enough: "
        "prefer them (late-fusion), or compare with them."
    )


def _gap(fit: EncodedFit) -> Estimate:
    return emap_gap(fit, fit.pairs, fit.pairs["label"], seed=child_seed(0, "cp009"))


def _measured(gap: Estimate) -> str:
    return f"{gap.value:+.3f} of its score ({gap.low:+.3f} to {gap.high:+.3f})"


def _gain(fit: EncodedFit, known: InformationGain | None, predictions: Frame) -> float | None:
    """Return the score of *fit* less that of the better modality alone, on the rows of that fit.

    None where it is not clear in bits, over all folds and seeds, that the contender has more information.
    """
    if known is None:
        return None
    single = max(("text", "image"), key=lambda modality: known.bits[modality].mean())
    if known.beyond(fit.name, single).low <= 0:
        return None
    other = fit.correct_shares_of(predictions, known.single[single])
    shared = np.isfinite(other)
    more, codes = (fit.correctness() - other)[shared], fit.codes[shared]
    return balanced_mean(more, codes)
