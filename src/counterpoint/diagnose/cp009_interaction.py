"""CP009: a joint contender uses no interaction of text and image, so that a sum of two separate models is enough.

The measure is the score of a joint contender minus the score of its additive projection (EMAP) on the same test rows.
If its interval is above 0, the contender reads text and image together.

An additive truth is no fault of the data.  But then the joint network does not explain the gain.  So the check warns
if all of these hold:

- The joint contender has more information than the better modality alone, in bits.
- The interaction is not above 0, and is less than `HALF` of the gain in score.
- By its interval, the interaction is not all of the gain.

Interaction and gain are from the first fit, on the same rows.  The interval is of that fit: another seed may learn an
interaction that this one has not.  So the sentences name the fit, and make no claim on the pairs.  Without a gain there
is no warning here, but CP010 reports it.  Whether the pairs have an interaction is asked by CP004, from text and image
alone.  The cost of the joint network does not count: it includes the cost of its branches, and seconds differ from
run to run.

Takes about 1 s at 730 test rows for each joint contender, in addition to the time of CP008.
"""

from typing import final

import numpy as np

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate, emap_gap
from counterpoint.measures.encoded_fits import EncodedFit
from counterpoint.measures.information_gain import InformationGain
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

HALF = 0.5
"""An interaction below this part of the gain in score gives a warning."""


@final
class Interaction(Check):
    """Compare the score of each joint contender with the score of its additive projection (EMAP)."""

    code = "CP009"
    title = "No interaction is used"
    advice = "Use two models that are trained apart and added, as in late-fusion. They are enough for these pairs."
    cost = Cost("1 s for each joint contender, which predicts every text with every image")
    needs = ("encoded_fits", "information_gain", "additive", "predictions")

    def run(
        self,
        *,
        encoded_fits: list[EncodedFit],
        information_gain: InformationGain | None,
        additive: tuple[str, ...],
        predictions: Frame,
    ) -> Finding:
        """Return the finding on the first joint contender that uses no interaction, or on the first joint contender."""
        joint = [fit for fit in encoded_fits if fit.name not in additive]
        if not joint:
            return self.not_applicable(
                "interaction", "The study has no joint contender that encodes text and image apart."
            )
        gaps = {fit.name: _gap(fit) for fit in joint}
        evidence = {"table": [{"contender": name, **gap._asdict()} for name, gap in gaps.items()]}
        for fit in joint:
            name, gap, gain = fit.name, gaps[fit.name], _gain(fit, information_gain, predictions)
            if gain is not None and gap.low <= 0 and gap.value < HALF * gain and gap.high < gain:
                return self.finding("warn", name, f"{_unused(name, gap)} {_advice(gain)}", **evidence)
        name, gap = next(iter(gaps.items()))
        explanation = (
            f"{name} reads text and image together: {_beyond_sum(gap)}" if gap.low > 0 else _not_learned(name, gap)
        )
        return self.finding("info", name, explanation, **evidence)


def _unused(name: str, gap: Estimate) -> str:
    return f"{name} uses no interaction that these rows show: {_beyond_sum(gap)}"


def _not_learned(name: str, gap: Estimate) -> str:
    return (
        f"{_unused(name, gap)} This is no sign that the pairs have none: it may take more rows or epochs, or another "
        "seed to learn it."
    )


def _beyond_sum(gap: Estimate) -> str:
    return (
        f"in its first fit, the interaction adds {numbers.signed_with_interval(*gap)} to the score of a sum over text "
        "and image."
    )


def _advice(gain: float) -> str:
    return (
        f"This fit gains {numbers.signed(gain)} over one modality. A sum of two models that are trained apart is "
        "enough: use it (late-fusion), or compare with it."
    )


def _gap(fit: EncodedFit) -> Estimate:
    return emap_gap(fit, fit.pairs, fit.pairs["label"], seed=child_seed(0, "cp009"))


def _gain(fit: EncodedFit, information: InformationGain | None, predictions: Frame) -> float | None:
    """Return the score of *fit* minus the score of the better modality alone, on the same rows.

    None if it is not clear, in bits over all folds and seeds, that the contender has more information.
    """
    if information is None:
        return None
    single = max(("text", "image"), key=lambda modality: information.bits[modality].mean())
    if information.beyond(fit.name, single).low <= 0:
        return None
    other = fit.correct_shares_of(predictions, information.single[single])
    shared = np.isfinite(other)
    more, codes = (fit.correctness() - other)[shared], fit.codes[shared]
    return balanced_mean(more, codes)
