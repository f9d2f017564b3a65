"""Labels and probabilities of rows under many weights at once: the sums from which every metric is computed.

A bootstrap draw is a row of weights.  So a metric under thousands of draws costs a few matrix products.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
FLOOR = 1e-7
"""Probabilities are clipped here, so that one row cannot outweigh all others."""


class Ranking(NamedTuple):
    """The rows of one class and of all others, highest score first, and the ranks of the first among the others."""

    positives: Ints
    negatives: Ints
    n_above: Ints
    """For each positive, the number of negatives with a higher score."""
    n_not_below: Ints
    """For each positive, the number of negatives with the same or a higher score."""
    n_peers: Ints
    """For each positive, the number of positives with the same or a higher score."""


class PredictedRows:
    """The true classes, shape (n,), and the probabilities, shape (n, n_classes), of n rows.

    Parameters
    ----------
    codes
        *codes* are the columns of the true classes.
    proba
        *proba* are the class probabilities.
    folds
        *folds* are the slices of rows that one fit predicted.
    predicted
        *predicted* are the columns of the predicted classes, as `counterpoint.metrics.decide` returns them.  By default
        the predicted class is the one with the largest probability, the first of equals.

    Examples
    --------
    >>> rows = PredictedRows(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> rows.predicted, rows.is_correct
    (array([0, 0]), array([ True, False]))
    """

    def __init__(
        self,
        codes: Ints,
        proba: Floats,
        folds: tuple[slice, ...] = (slice(None),),
        *,
        predicted: Ints | None = None,
    ) -> None:
        self.codes, self.proba, self.folds = codes, proba, folds
        self.predicted: Ints = np.argmax(proba, axis=1) if predicted is None else predicted
        self.n_classes = proba.shape[1]

    @cached_property
    def is_correct(self) -> NDArray[np.bool_]:
        """Whether the predicted class is the true one."""
        return np.equal(self.predicted, self.codes)

    def is_constant(self, *, is_ranking: bool) -> bool:
        """Return whether all rows of a fold have one answer, and there are several classes.

        The answer is the predicted class, or all probabilities for a metric that ranks.

        >>> rows = PredictedRows(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
        >>> rows.is_constant(is_ranking=False), rows.is_constant(is_ranking=True)
        (True, False)
        """
        answers = self.proba if is_ranking else self.predicted
        is_one = all((answers[fold] == answers[fold][:1]).all() for fold in self.folds)
        return is_one and len(np.unique(self.codes)) > 1

    @property
    def by_fold(self) -> tuple["PredictedRows", ...]:
        """The rows of each fold alone."""
        return self._by_fold if len(self.folds) > 1 else (self,)

    @cached_property
    def _by_fold(self) -> tuple["PredictedRows", ...]:
        return tuple(
            PredictedRows(self.codes[fold], self.proba[fold], predicted=self.predicted[fold]) for fold in self.folds
        )

    @property
    def ranked(self) -> "PredictedRows":
        """The rows of all folds as one, with the rank of each probability within its fold, as a share of the fold."""
        return self._ranked if len(self.folds) > 1 else self

    @cached_property
    def _ranked(self) -> "PredictedRows":
        from scipy.stats import rankdata  # noqa: PLC0415 - takes half a second, and predictions do not need it

        ranks = np.empty_like(self.proba, dtype=float)
        for fold in self.folds:
            ranks[fold] = (rankdata(self.proba[fold], axis=0) - 0.5) / max(1, len(self.codes[fold]))
        return PredictedRows(self.codes, ranks, predicted=self.predicted)

    @cached_property
    def truths(self) -> csc_array:
        """One row a class: 1 where it is the true one."""
        return spread(self.codes, self.n_classes)

    @cached_property
    def guesses(self) -> csc_array:
        """One row a class: 1 where it is the predicted one."""
        return spread(self.predicted, self.n_classes)

    @cached_property
    def correct(self) -> csc_array:
        """One row a class: 1 where it is the true and the predicted one."""
        return spread(self.codes, self.n_classes, self.is_correct)

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        """Each class ranked against the rest."""
        return tuple(rank(self.proba[:, k], self.codes == k) for k in range(self.n_classes))

    def weigh(self, weights: Floats) -> "Sample":
        """Return these rows under *weights*, shape (draws, n)."""
        return Sample(self, weights)


class Sample:
    """Rows under weights of shape (draws, n).  The sums that metrics share are computed once, on first use.

    Examples
    --------
    >>> rows = PredictedRows(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> rows.weigh(np.array([[1.0, 1.0], [3.0, 1.0]])).correct  # (n_classes, draws)
    array([[1., 3.],
           [0., 0.]])
    """

    def __init__(self, rows: PredictedRows, weights: Floats) -> None:
        self.rows, self.weights = rows, weights
        self.by_row = np.ascontiguousarray(weights.T)  # (n, draws): sums over rows then run along memory

    @property
    def by_fold(self) -> tuple["Sample", ...]:
        """The sample of each fold alone."""
        # Not cached: a sample that held itself would outlive its draws until the next garbage collection.
        return self._by_fold if len(self.rows.folds) > 1 else (self,)

    @cached_property
    def _by_fold(self) -> tuple["Sample", ...]:
        return tuple(
            fold.weigh(self.weights[:, stretch])
            for fold, stretch in zip(self.rows.by_fold, self.rows.folds, strict=True)
        )

    @property
    def ranked(self) -> "Sample":
        """The sample of all folds as one, with ranks within each fold in place of probabilities."""
        return self.rows.ranked.weigh(self.weights) if len(self.rows.folds) > 1 else self

    @cached_property
    def total(self) -> Floats:
        """The weight of all rows, shape (draws,)."""
        total: Floats = self.by_row.sum(axis=0)
        return total

    @cached_property
    def truths(self) -> Floats:
        """The weight of the rows of each class, shape (n_classes, draws)."""
        return self.sums(self.rows.truths)

    @cached_property
    def guesses(self) -> Floats:
        """The weight of the rows predicted as each class, shape (n_classes, draws)."""
        return self.sums(self.rows.guesses)

    @cached_property
    def correct(self) -> Floats:
        """The weight of the correct rows of each class, shape (n_classes, draws)."""
        return self.sums(self.rows.correct)

    def sums(self, values: Floats | csc_array) -> Floats:
        """Return the weighted sums of *values*, shape (…, n), over rows.  The result has shape (…, draws)."""
        sums: Floats = values @ self.by_row
        return sums

    @cached_property
    def areas(self) -> tuple[Floats, Floats]:
        """ROC AUC and average precision of each class against the rest, each of shape (n_classes, draws).

        In ROC AUC, a positive and a negative with equal scores count half.  In average precision, equal scores are one
        step.
        """
        areas = [self._areas(ranking) for ranking in self.rows.rankings]
        return np.array([auc for auc, _ in areas]), np.array([precision for _, precision in areas])

    def _areas(self, ranking: Ranking) -> tuple[Floats, Floats]:
        weights = self.by_row.take(ranking.positives, axis=0)  # (n_positives, draws)
        true, false = running(weights), running(self.by_row.take(ranking.negatives, axis=0))
        n_true, n_false = true[-1], false[-1]
        not_below = false.take(ranking.n_not_below, axis=0)
        lost = np.einsum("nd,nd->d", weights, not_below) + np.einsum(
            "nd,nd->d", weights, false.take(ranking.n_above, axis=0)
        )
        # Below, arrays are used again: new ones would cost more than the sums.
        precision = true.take(ranking.n_peers, axis=0)
        not_below += precision
        # A peer's weight is its own at least, so the quotient is 0/0 only where the row has no weight.
        np.maximum(not_below, np.finfo(float).tiny, out=not_below)
        precision /= not_below
        return (
            1 - ratio(lost, 2 * n_true * n_false),
            ratio(np.einsum("nd,nd->d", weights, precision), n_true),
        )


def rank(scores: Floats, is_positive: NDArray[np.bool_]) -> Ranking:
    """Return the ranks of the positives, highest score first, among the negatives.

    >>> rank(np.array([0.2, 0.9, 0.9]), np.array([True, False, True])).n_above
    array([0, 1])
    """
    positives, negatives = np.flatnonzero(is_positive), np.flatnonzero(~is_positive)
    positives = positives[np.argsort(-scores[positives], kind="stable")]
    negatives = negatives[np.argsort(-scores[negatives], kind="stable")]
    own, other = -scores[positives], -scores[negatives]
    return Ranking(
        positives,
        negatives,
        n_above=np.searchsorted(other, own, side="left"),
        n_not_below=np.searchsorted(other, own, side="right"),
        n_peers=np.searchsorted(own, own, side="right"),
    )


def spread(places: Ints, n_places: int, values: NDArray[np.generic] | float = 1.0) -> csc_array:
    """Return a sparse matrix of shape (n_places, n) with the value of each row at its place.

    Parameters
    ----------
    places
        *places* are the codes of the rows, such as classes or bins, shape (n,).
    n_places
        *n_places* is the number of codes.
    values
        *values* are numbers of the rows, shape (n,), or one number for all.

    Examples
    --------
    >>> spread(np.array([1, 0]), 2, 5.0).toarray()
    array([[0., 5.],
           [5., 0.]])
    """
    n = len(places)
    filled = np.broadcast_to(np.asarray(values, dtype=float), n)
    return csc_array((filled, places, np.arange(n + 1)), shape=(n_places, n))


def running(weights: Floats) -> Floats:
    """Return the sums of the first 0, 1, … n rows of *weights*, shape (n + 1, draws).

    >>> running(np.array([[1.0], [2.0]])).ravel()
    array([0., 1., 3.])
    """
    sums = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return *part* / *whole*, NaN where the whole is 0.

    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    array([0.5, nan])
    """
    quotient: Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return quotient


def defined_mean(values: Floats, *, axis: int = 0) -> Floats:
    """Return the mean over an axis of the values that are not NaN, or NaN if all are.

    >>> defined_mean(np.array([[1.0, np.nan], [3.0, np.nan]]))
    array([ 2., nan])
    """
    return ratio(np.nansum(values, axis=axis), np.isfinite(values).sum(axis=axis))
