"""Signs of misaligned pairs in predictions: a part whose score differs, and texts that lapse where images do not."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from counterpoint import number_formats as numbers
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.lapse_rate import LapseRate, lapse_rate
from counterpoint.measures.matched_pairs import FEW_ROWS
from counterpoint.measures.prediction_arrays import PredictionArrays, prediction_arrays
from counterpoint.measures.text_predictions import TextPredictions, label_support_of, least_log_loss, text_predictions
from counterpoint.metrics.rows import Ints
from counterpoint.schema import Frame

LEAST_LAPSE_RATE, MOST_LAPSE_RATE = 0.12, 0.85
"""The interval of the lapse rate must lie between these.  Above them, the model does not read the texts."""
LEAST_CLARITY = 0.95
"""Texts that do not lapse must be clear: weak evidence of many words flattens a curve without any lapse.  On 12 draws
of weak evidence the clarity was .74 to .95, and on 6 of clear texts, half of them of other rows, .998 to 1."""
LEAST_SUPPORT = 0.6
"""Images must agree with the label, and not with the text, by at least this part of the possible amount."""
APART, SIGMAS = 0.15, 4.0
"""Balanced accuracies on two parts differ if the difference is above this, and above this number of standard errors."""


class Problem(NamedTuple):
    """A severity, its explanation, and the evidence for it."""

    severity: str
    explanation: str
    evidence: dict[str, Any]


def different_part(predictions: Frame, modalities: Modalities) -> Problem | None:
    """Return a problem if the balanced accuracies of a single-entity contender on validation and test rows differ."""
    fits = [fit for fit in _accuracies(predictions, modalities) if fit.apart > max(APART, SIGMAS * fit.error)]
    if not fits:
        return None
    worst = max(fits, key=lambda fit: fit.apart)
    bad = "validation" if worst.validation < worst.test else "test"
    where = "" if worst.fit == "test" else f" in the fit to test fold {worst.fit}"
    on_validation, on_test = (numbers.score(each) for each in (worst.validation, worst.test))
    explanation = (
        f"The {worst.modality}s of {bad} rows do not match their labels as other rows do. The balanced accuracy of "
        f"{worst.contender} is {on_validation} on validation rows and {on_test} on test rows{where}. Check the origin "
        f"of the {bad} rows."
    )
    evidence = {name: value for name, value in worst._asdict().items() if name != "error"}
    return Problem("fail", explanation, {"fold": evidence})


class _PartAccuracies(NamedTuple):
    """The balanced accuracy of one fit of a single-entity contender on two parts, and the error of the difference."""

    contender: str
    modality: str
    fit: str
    validation: float
    test: float
    error: float

    @property
    def apart(self) -> float:
        return abs(self.validation - self.test)


def _accuracies(predictions: Frame, modalities: Modalities) -> Iterator[_PartAccuracies]:
    """Yield the balanced accuracies of each single-entity contender for each test fold.

    They are compared by fold, because over all fits of a k-fold the validation rows are the test rows.
    """
    names = [(name, modality) for modality in ("text", "image") for name in contenders_reading(modalities, modality)]
    for name, modality in names:
        validation, test = (prediction_arrays(predictions, [name], part) for part in ("validation", "test"))
        for fold in sorted({*validation.folds.tolist()} & {*test.folds.tolist()}):
            parts = (validation.of_fold(fold), test.of_fold(fold))
            classes = np.intersect1d(parts[0].codes, parts[1].codes)  # a class of one part alone shifts guessing
            if len(classes):
                (a, of_a), (b, of_b) = (_with_variance(rows, name, classes) for rows in parts)
                yield _PartAccuracies(name, modality, fold, a, b, (of_a + of_b) ** 0.5)


def _with_variance(rows: PredictionArrays, name: str, classes: Ints) -> tuple[float, float]:
    """Return the balanced accuracy of contender *name* over *classes*, and its variance over groups.

    The variance of each class is that of its share with one more correct and one more wrong group.  A few rows that are
    all correct are then not taken as certain.
    """
    recalls, variances = [], []
    correct, groups = rows.is_correct(name), np.unique(rows.groups, return_inverse=True)[1]
    for code in classes:
        own = rows.codes == code
        n, recall = len(np.unique(groups[own])), float(correct[own].mean())
        smoothed = (recall * n + 1) / (n + 2)
        recalls.append(recall)
        variances.append(smoothed * (1 - smoothed) / (n + 2))
    return float(np.mean(recalls)), float(np.sum(variances)) / len(recalls) ** 2


def lapsing_texts(rows: Frame, predictions: Frame, modalities: Modalities) -> Problem | None:
    """Return a problem if texts have a lapse rate, and images agree with the label where texts lapse.

    Parameters
    ----------
    rows
        *rows* are pairs with texts.
    predictions
        *predictions* is schema.PREDICTIONS.
    modalities
        *modalities* are the modalities that each contender reads.
    """
    image = least_log_loss(predictions, modalities, "image")
    tested = prediction_arrays(predictions, [image]) if image else None
    if image is None or tested is None or len(tested.ids) < FEW_ROWS // 2:
        return None
    for by_text in text_predictions(rows, predictions, modalities):
        lapses = lapse_rate(by_text.proba, by_text.codes)
        is_lapsing = lapses.rate.low > LEAST_LAPSE_RATE and lapses.rate.high < MOST_LAPSE_RATE
        if is_lapsing and lapses.clarity >= LEAST_CLARITY:
            support = label_support_of(tested, image, by_text, lapses)
            if support.low > LEAST_SUPPORT:
                return _some_rows(by_text, lapses, support)
    return None


def _some_rows(by_text: TextPredictions, lapses: LapseRate, support: Estimate) -> Problem:
    rate, share = (numbers.share_with_interval(*each) for each in (lapses.rate, support))
    explanation = (
        f"The texts have a lapse rate of {rate}, by {by_text.name}. On this share of rows a text is correct only by "
        "chance, at any confidence. There the images agree with the label and not with the text, by "
        f"{share} of the possible amount. Either these texts belong to other rows, or they are off-topic: about "
        "another class than their label. These rows do not decide between the two. Look at the rows of the table."
    )
    wrong = np.flatnonzero(lapses.predicted != by_text.codes)
    surest = wrong[np.argsort(-by_text.proba[wrong].max(1), kind="stable")][:12].tolist()
    table = [{"id": by_text.ids[row], "probability": round(float(by_text.proba[row].max()), 4)} for row in surest]
    measured = {"model": by_text.name, "rate": list(lapses.rate), "label_support": list(support)}
    clarity = {"clarity": round(lapses.clarity, 4)}
    return Problem("warn", explanation, {"lapse_rate": measured | clarity, "table": table})
