"""Information gain: the bits about the class that each predictor gives on test rows, beyond the class shares.

A predictor is a contender, or several contenders whose log probabilities are added.  Each is calibrated on validation
rows, so that no difference in calibration counts as information.  Bits show a difference on far fewer rows than
accuracy does.  The same number of bits can be worth many or few points of accuracy.  So points are measured as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.prediction_arrays import (
    Codes,
    PredictionArrays,
    prediction_arrays,
    validated_contenders,
)
from counterpoint.metrics.decision import BALANCED, decide
from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.permutations import permute_within
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

FEW_ROWS = 30
SUM = "the sum of both"
INDEPENDENT = "the sum, were errors independent"
"""The sum with the image predictions permuted among the rows of one class: the two then share the class only."""
PERMUTATIONS = 5
Predictors = Mapping[str, tuple[str, ...]]
"""The contenders that each predictor adds up, by its name."""


@dataclass(frozen=True)
class InformationGain:
    """The information that each predictor gives about each test row.

    Attributes
    ----------
    rows
        *rows* are the test rows.
    bits
        *bits* are the bits of each predictor on the class of each row, shape (n,).
    correct
        *correct* is 1 where the predicted class of each predictor is the class of the row, else 0, shape (n,).
    single
        *single* is the contender that stands for each modality.
    terms
        *terms* are the parts of text and of image in the logits of their sum, each of shape (n, n_classes).
    """

    rows: PredictionArrays
    bits: Mapping[str, Floats]
    correct: Mapping[str, Floats]
    single: Mapping[str, str]
    terms: tuple[Floats, Floats]

    def bits_of(self, predictor: str) -> Estimate:
        """Return the bits a row that *predictor* gives."""
        return self.rows.mean(self.bits[predictor])

    def beyond(self, predictor: str, other: str) -> Estimate:
        """Return the bits a row that *predictor* gives beyond *other*."""
        return self.rows.mean(self.bits[predictor] - self.bits[other])

    def points(self, predictor: str, other: str) -> Estimate:
        """Return the difference in balanced accuracy of *predictor* minus *other*, both calibrated."""
        return self.rows.balanced(self.correct[predictor] - self.correct[other])


def information_gain(
    reader_predictions: Frame, modalities: Modalities, best_contenders: Mapping[str, str | None]
) -> InformationGain | None:
    """Return the information gain of the best contender of each modality, their sum, and each multimodal contender.

    The predictors are "text", "image", `SUM`, `INDEPENDENT`, and the names of the multimodal contenders.

    Parameters
    ----------
    reader_predictions
        *reader_predictions* is schema.PREDICTIONS, with the choices of each fold under the names of *best_contenders*.
    modalities
        *modalities* are the modalities that each contender reads.
    best_contenders
        *best_contenders* are the best contender of the text alone and of the image alone, or None.

    Returns
    -------
    InformationGain | None
        None where a modality has no contender, or where rows are too few.

    Examples
    --------
    >>> from counterpoint.schema import PREDICTIONS, empty
    >>> information_gain(empty(PREDICTIONS), {"majority": ()}, {"text": None, "image": None}) is None
    True
    """
    text, image = best_contenders["text"], best_contenders["image"]
    if text is None or image is None:
        return None
    both = validated_contenders(reader_predictions, modalities, "text", "image")
    validation, test = (
        prediction_arrays(reader_predictions, [text, image, *both], part) for part in ("validation", "test")
    )
    if min(len(validation.ids), len(test.ids)) < FEW_ROWS or len(np.unique(validation.codes)) < 2:
        return None
    predictors = {"text": (text,), "image": (image,), SUM: (text, image)} | {name: (name,) for name in both}
    _, found = calibrated_by_fold(validation, test, predictors)
    bits = {name: each.bits_of(test.codes) for name, each in found.items()}
    bits[INDEPENDENT] = _independent(validation, test, text, image)
    correct = {name: each.is_correct(test.codes) for name, each in found.items()}
    single = {"text": text, "image": image}
    return InformationGain(test, bits, correct, single, _terms(validation, test, text, image))


def _terms(validation: PredictionArrays, test: PredictionArrays, text: str, image: str) -> tuple[Floats, Floats]:
    from counterpoint.contenders.calibrate import fit_scaling  # noqa: PLC0415 - loads scikit-learn

    terms = np.stack([test.log_proba(text), test.log_proba(image)])
    for fold in np.unique(test.folds):
        known = validation.of_fold(fold)
        if len(known.codes):
            scaling = fit_scaling([known.log_proba(text), known.log_proba(image)], known.codes)
            rows = test.folds == fold
            terms[:, rows] = terms[:, rows] * scaling.weights[:, None, None] + scaling.bias / 2
    return terms[0], terms[1]


def _independent(validation: PredictionArrays, test: PredictionArrays, text: str, image: str) -> Floats:
    """Return the bits on each row's class by the sum with independent errors: the mean over permutations."""
    found = []
    for number in range(PERMUTATIONS):
        on_validation, on_test = (_permuted(rows, image, number) for rows in (validation, test))
        _, by_sum = calibrated_by_fold(on_validation, on_test, {SUM: (text, image)})
        found.append(by_sum[SUM].bits_of(test.codes))
    mean: Floats = np.mean(found, axis=0)
    return mean


def _permuted(rows: PredictionArrays, name: str, number: int) -> PredictionArrays:
    """Return *rows* with the predictions of contender *name* permuted within each fold and class."""
    strata = np.unique(rows.folds, return_inverse=True)[1] * rows.proba[name].shape[1] + rows.codes
    order = permute_within(strata, np.random.default_rng(child_seed(0, "told", number)))
    return rows._replace(proba=rows.proba | {name: rows.proba[name][order]})


class Calibrated(NamedTuple):
    """The calibrated prediction of n rows by one predictor.

    Attributes
    ----------
    bits
        *bits* are those on each class beyond the class shares, shape (n, n_classes).
    predicted
        *predicted* are the predicted classes, the best for balanced accuracy, shape (n,).
    """

    bits: Floats
    predicted: Codes

    def bits_of(self, codes: Codes) -> Floats:
        """Return the bits on the class of each row, shape (n,)."""
        return of_label(self.bits, codes)

    def is_correct(self, codes: Codes) -> Floats:
        """Return 1 where the predicted class is the class of the row, else 0, shape (n,)."""
        correct: Floats = (self.predicted == codes).astype(float)
        return correct


def calibrated_by_fold(
    validation: PredictionArrays, test: PredictionArrays, predictors: Predictors
) -> tuple[dict[str, Calibrated], dict[str, Calibrated]]:
    """Return the calibrated predictions of validation rows and of test rows, by predictor.

    Parameters
    ----------
    validation, test
        *validation* and *test* are rows with predictions of all contenders of *predictors*.
    predictors
        *predictors* names the contenders that each predictor adds up.

    Returns
    -------
    tuple[dict[str, Calibrated], dict[str, Calibrated]]
        By predictor: first those of validation rows, then those of test rows.
    """
    n_classes = next(iter(test.proba.values())).shape[1]
    both = (validation, test)
    filled = [{name: _empty(len(rows.codes), n_classes) for name in predictors} for rows in both]
    for fold in np.unique(test.folds):
        known, new = validation.of_fold(fold), test.of_fold(fold)
        for name, contenders in predictors.items():
            found = calibrated(known, contenders, known, new)
            for rows, whole, own in zip(both, filled, found, strict=True):
                whole[name].bits[rows.folds == fold] = own.bits
                whole[name].predicted[rows.folds == fold] = own.predicted
    return filled[0], filled[1]


def _empty(n: int, n_classes: int) -> Calibrated:
    return Calibrated(np.zeros((n, n_classes)), np.zeros(n, dtype=np.intp))


def calibrated(known: PredictionArrays, contenders: Sequence[str], *others: PredictionArrays) -> list[Calibrated]:
    """Return the calibrated predictions of the sum of *contenders*, for each set of rows of *others*.

    The sum is scaled, and the class shares beyond which bits count are counted, on the rows *known*.  Where *known* has
    no rows, all bits are 0 and the class shares of the training rows are the prediction.

    Parameters
    ----------
    known
        *known* are rows to calibrate on.
    contenders
        *contenders* are the contenders whose log probabilities are added.
    others
        *others* are the rows to predict.
    """
    from counterpoint.contenders.calibrate import fit_scaling  # noqa: PLC0415 - loads scikit-learn

    n_classes = known.proba[contenders[0]].shape[1]
    if not len(known.codes):
        return [_empty(len(rows.codes), n_classes)._replace(predicted=_decided(rows.shares, rows)) for rows in others]
    prior = (np.bincount(known.codes, minlength=n_classes) + 1) / (len(known.codes) + n_classes)
    scaling = fit_scaling([known.log_proba(name) for name in contenders], known.codes)
    scaled = [scaling.proba([rows.log_proba(name) for name in contenders]) for rows in others]
    return [
        Calibrated(np.log2(proba / prior), _decided(proba, rows)) for proba, rows in zip(scaled, others, strict=True)
    ]


def _decided(proba: Floats, rows: PredictionArrays) -> Codes:
    """Return the predicted classes of *rows* by *proba*: the best for balanced accuracy, under the training shares."""
    return decide(proba, metric=BALANCED, shares=rows.shares)


def of_label(values: Floats, codes: Codes) -> Floats:
    """Return from each row of *values*, shape (n, n_classes), the value of its own class.

    >>> of_label(np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([1, 0])).tolist()
    [0.2, 0.3]
    """
    own: Floats = values[np.arange(len(codes)), codes]
    return own
