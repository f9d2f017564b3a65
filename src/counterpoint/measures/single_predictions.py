"""The predictions of the best contender of the text alone and of the image alone: their association and information."""

from collections.abc import Mapping
from typing import NamedTuple

from counterpoint.measures.information_gain import InformationGain
from counterpoint.measures.logit_association import logit_association_p
from counterpoint.measures.matched_pairs import FEW_ROWS
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.schema import Frame


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

    def bits(self) -> dict[str, list[float]]:
        """Return the bits about the class by text and by image, each with its interval.  Empty if they are unknown."""
        known = self.information
        return {each: list(known.bits_of(each)) for each in ("text", "image")} if known else {}


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
    >>> single_predictions(empty(PREDICTIONS), {"text": None, "image": None}, None).bits()
    {}
    """
    return SinglePredictions(predictions, best_contenders, information_gain)
