"""The predictions of the best contender of the text alone and of the image alone: their association and information."""

from collections.abc import Mapping
from typing import NamedTuple

from counterpoint.measures.information_gain import InformationGain
from counterpoint.measures.logit_association import logit_association_p
from counterpoint.measures.matched_pairs import FEW_ROWS
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.metrics.estimate import Estimate
from counterpoint.schema import Frame

LEAST_BITS, NO_BITS = 0.002, 0.01
"""A modality predicts the class if the interval of its bits begins above the first, and does not if it ends below the
second.  The first is not 0: a calibrated prediction that has learnt nothing gives about a millionth of a bit on every
row, and the interval of that lies above 0."""


class ByItself(NamedTuple):
    """What one modality by itself predicts about the class, calibrated on validation rows.

    Attributes
    ----------
    bits
        *bits* are the bits a row about the class.
    balanced
        *balanced* is the balanced accuracy.
    chance
        *chance* is the balanced accuracy of guessing.
    """

    bits: Estimate
    balanced: Estimate
    chance: float

    @property
    def is_shown(self) -> bool:
        """Whether the modality predicts the class."""
        return self.bits.low > LEAST_BITS or self.balanced.low > self.chance

    @property
    def is_absent(self) -> bool:
        """Whether it is shown that the modality predicts nothing, or almost nothing."""
        return not self.is_shown and self.bits.high < NO_BITS


class SinglePredictions(NamedTuple):
    """The predictions of the best text contender and the best image contender.

    Attributes
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    best
        *best* is the best contender of the text alone and of the image alone, or None.
    information
        *information* has the bits about the class by each of them, or None where rows are few.
    """

    predictions: Frame
    best: Mapping[str, str | None]
    information: InformationGain | None

    def p_logits(self, *, is_within_class: bool) -> float:
        """Return p, by permutation, of the association between the logits of the two contenders."""
        text, image = self.best["text"], self.best["image"]
        rows = prediction_arrays(self.predictions, [text, image]) if text and image else None
        if rows is None or text is None or image is None or len(rows.ids) < FEW_ROWS // 3:
            return 1.0
        return logit_association_p(rows, text, image, is_within_class=is_within_class)

    def by_itself(self) -> dict[str, ByItself]:
        """Return what the text and the image predict, each by itself.  Empty if it is unknown."""
        known = self.information
        if known is None:
            return {}
        rows = known.rows
        return {
            name: ByItself(known.bits_of(name), rows.balanced(known.correct[name]), rows.guessing)
            for name in ("text", "image")
        }


def single_predictions(
    predictions: Frame, best_contenders: Mapping[str, str | None], information_gain: InformationGain | None
) -> SinglePredictions:
    """Return the predictions of the best contender of each modality.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    best_contenders
        *best_contenders* is the best contender of the text alone and of the image alone, or None.
    information_gain
        *information_gain* has the bits about the class by each of them, or None where rows are few.

    Examples
    --------
    >>> from counterpoint.schema import PREDICTIONS, empty
    >>> single_predictions(empty(PREDICTIONS), {"text": None, "image": None}, None).by_itself()
    {}
    """
    return SinglePredictions(predictions, best_contenders, information_gain)
