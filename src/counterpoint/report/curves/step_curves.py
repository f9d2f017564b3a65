"""ROC and precision-recall curves as functions with steps, and their exact mean over classes, folds and seeds.

The area under each mean curve is the metric of the same name: `counterpoint.metrics` computes it without the curve.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from counterpoint.metrics import PredictedRows
from counterpoint.metrics.rows import Floats

MOST_POINTS = 500


class StepCurve(NamedTuple):
    """A function on 0 to 1 that is linear between the places *x*, and may jump at each of them.

    Attributes
    ----------
    x
        *x* are the places, rising from 0 to 1.
    before, after
        *before* and *after* are the values at each place as it is reached from the left, and as it is left.
    """

    x: Floats
    before: Floats
    after: Floats

    @property
    def area(self) -> float:
        """The area under the curve."""
        return float((np.diff(self.x) * (self.after[:-1] + self.before[1:])).sum() / 2)

    def at(self, places: Floats) -> "StepCurve":
        """Return the curve at *places*, which lie between 0 and 1."""
        right = np.clip(np.searchsorted(self.x, places, side="left"), 1, len(self.x) - 1)
        left = right - 1
        share = (places - self.x[left]) / (self.x[right] - self.x[left])
        between = self.after[left] + share * (self.before[right] - self.after[left])
        is_right, is_left = self.x[right] == places, self.x[left] == places
        before = np.where(is_right, self.before[right], np.where(is_left, self.before[left], between))
        after = np.where(is_right, self.after[right], np.where(is_left, self.after[left], between))
        return StepCurve(places, before, after)

    @property
    def points(self) -> tuple[Floats, Floats]:
        """The curve as a line: each place twice, where it jumps."""
        x, y = np.repeat(self.x, 2), np.stack([self.before, self.after], axis=1).ravel()
        kept = np.r_[True, (np.diff(x) != 0) | (np.diff(y) != 0)]
        return x[kept], y[kept]


def roc(scores: Floats, is_positive: NDArray[np.bool_]) -> StepCurve | None:
    """Return the share of positives found, by the share of negatives found with them, or None where one is absent.

    Rows with equal scores are one step, which is drawn as a slope: a positive and a negative then count half.

    >>> roc(np.array([0.9, 0.4, 0.6, 0.1]), np.array([True, True, False, False])).area
    0.75
    """
    found = _found(scores, is_positive)
    if found is None or found[1][-1] == 0:
        return None
    true, false = found
    x, y = np.r_[0, false / false[-1]], np.r_[0, true / true[-1]]
    places, first = np.unique(x, return_index=True)
    last = np.r_[first[1:] - 1, len(x) - 1]
    return StepCurve(places, y[first], y[last])


def precision_recall(scores: Floats, is_positive: NDArray[np.bool_]) -> StepCurve | None:
    """Return the share of positives among the rows found, by the share of all positives that is found.

    It is a step function, without a slope between two steps, so that its area is the average precision.

    >>> precision_recall(np.array([0.9, 0.4, 0.6, 0.1]), np.array([True, True, False, False])).before.round(2).tolist()
    [1.0, 1.0, 0.67]
    """
    found = _found(scores, is_positive)
    if found is None:
        return None
    true, false = found
    is_step = np.diff(true, prepend=0) > 0
    recall, precision = true[is_step] / true[-1], true[is_step] / (true + false)[is_step]
    return StepCurve(np.r_[0, recall], np.r_[precision[0], precision], np.r_[precision, precision[-1]])


def _found(scores: Floats, is_positive: NDArray[np.bool_]) -> tuple[Floats, Floats] | None:
    """Return the number of positives and negatives at or above each distinct score, the highest score first."""
    if not is_positive.any():
        return None
    order = np.argsort(-scores, kind="stable")
    true, false = np.cumsum(is_positive[order]), np.cumsum(~is_positive[order])
    is_last = np.r_[np.diff(scores[order]) != 0, True]
    return true[is_last].astype(float), false[is_last].astype(float)


def mean_curve(curves: Sequence[StepCurve], weights: Sequence[float], *, most: int = MOST_POINTS) -> StepCurve:
    """Return the weighted mean of *curves* at each place.

    Parameters
    ----------
    curves
        *curves* are on 0 to 1.
    weights
        *weights* are their weights, which sum to 1.
    most
        *most* is the largest number of places. Between them, the mean is a little smoother than it is.
    """
    places = np.unique(np.concatenate([curve.x for curve in curves]))
    if len(places) > most:
        places = places[np.unique(np.linspace(0, len(places) - 1, most).round().astype(int))]
    at = [curve.at(places) for curve in curves]
    before, after = (
        sum(weight * getattr(curve, end) for weight, curve in zip(weights, at, strict=True))
        for end in ("before", "after")
    )
    return StepCurve(places, np.asarray(before, dtype=float), np.asarray(after, dtype=float))


def roc_curve(trials: Iterable[PredictedRows]) -> StepCurve | None:
    """Return the mean ROC curve of the fits of one contender, whose area is its ROC AUC.

    With two classes the curve is of the second. With more it is the mean of each class against the rest. The
    probabilities of two fits share no scale, so each fold has a curve of its own.
    """
    return _mean([[_of_classes(fold, roc, first=fold.n_classes == 2) for fold in trial.by_fold] for trial in trials])


def precision_recall_curve(trials: Iterable[PredictedRows]) -> StepCurve | None:
    """Return the mean precision-recall curve of the fits of one contender, whose area is its PR AUC.

    It is the mean over the classes. Folds are pooled, with ranks within a fold in place of probabilities.
    """
    return _mean([[_of_classes(trial.ranked, precision_recall)] for trial in trials])


def _of_classes(
    rows: PredictedRows, curve: Callable[[Floats, NDArray[np.bool_]], StepCurve | None], *, first: int = 0
) -> list[StepCurve]:
    """Return the curve of each class from the class *first* on, without those that the rows do not define."""
    found = (curve(rows.proba[:, code], rows.codes == code) for code in range(first, rows.n_classes))
    return [each for each in found if each is not None]


def _mean(trials: Sequence[Sequence[Sequence[StepCurve]]]) -> StepCurve | None:
    """Return the mean over classes, then folds, then seeds, of those that are defined."""
    curves: list[StepCurve] = []
    weights: list[float] = []
    known = [[classes for classes in folds if classes] for folds in trials]
    known = [folds for folds in known if folds]
    for folds in known:
        for classes in folds:
            curves += classes
            weights += [1 / len(known) / len(folds) / len(classes)] * len(classes)
    return mean_curve(curves, weights) if curves else None
