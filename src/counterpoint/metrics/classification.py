"""The metrics: each a function of weighed rows, with the direction in which it is better.

Where a class has no row (or no weight in a draw) an average over classes leaves it out; a metric that then
has nothing to average is NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from counterpoint.metrics.class_means import mean_of_classes
from counterpoint.metrics.rows import Floats, Sample, defined_mean, ratio, spread

N_BINS = 15


@dataclass(frozen=True)
class Metric:
    """A function of weighed rows, shape (draws,); which direction is better; how folds are put together.

    Parameters
    ----------
    function
        *function* takes a Sample and returns one value a draw.
    higher_is_better
        *higher_is_better* is False for a loss.
    is_ranking
        *is_ranking* is True for a metric that compares scores between rows: scores of two fits share no scale,
        so it is taken in each fold and averaged.  Other metrics pool the rows of all folds.
    """

    function: Callable[[Sample], Floats]
    higher_is_better: bool = True
    is_ranking: bool = False

    def __post_init__(self) -> None:
        """Explain the metric by its function's docstring, as a decorator would."""
        object.__setattr__(self, "__doc__", self.function.__doc__)

    def __call__(self, sample: Sample) -> Floats:
        """Return the metric of each draw, shape (draws,)."""
        if self.is_ranking:
            return defined_mean(np.array([self.function(fold) for fold in sample.by_fold]))
        return self.function(sample)


def accuracy(sample: Sample) -> Floats:
    """Return the share of rows whose likeliest class is the true one."""
    return ratio(sample.correct.sum(axis=0), sample.total)


def balanced_accuracy(sample: Sample) -> Floats:
    """Return the mean over classes of the share of their rows that are predicted right."""
    return mean_of_classes(sample.correct, sample.truths)


def macro_f1(sample: Sample) -> Floats:
    """Return the mean over classes of F1; a class that is neither true nor predicted anywhere is left out."""
    return mean_of_classes(2 * sample.correct, sample.truths + sample.guesses)


def roc_auc(sample: Sample) -> Floats:
    """Return the area under the ROC curve; of more than two classes, the mean over one class against the rest."""
    auc, _ = sample.areas
    return auc[1] if len(auc) == 2 else defined_mean(auc)


def pr_auc(sample: Sample) -> Floats:
    """Return the mean over classes of average precision, one class against the rest.

    Of two classes too, so that the value does not hang on which of them is called positive.
    """
    return defined_mean(sample.areas[1])


def log_loss(sample: Sample) -> Floats:
    """Return the mean of −log of the true class's probability, clipped at the machine's epsilon."""
    rows = sample.rows
    true = rows.proba[np.arange(len(rows.codes)), rows.codes]
    return ratio(sample.sums(-np.log(np.clip(true, np.finfo(float).eps, 1.0))), sample.total)


def ece(sample: Sample) -> Floats:
    """Return the expected calibration error over 15 equal-width bins of confidence.

    Σ over bins (share of rows) · |accuracy − mean confidence|; a bin is closed on the right (Guo, Pleiss, Sun and
    Weinberger, On Calibration of Modern Neural Networks, ICML 2017).
    """
    confidence = sample.rows.proba.max(axis=1)
    bins = np.clip(np.ceil(confidence * N_BINS).astype(np.intp) - 1, 0, N_BINS - 1)
    gaps = sample.sums(spread(bins, N_BINS, confidence - sample.rows.is_correct))  # (bins, draws)
    return ratio(np.abs(gaps).sum(axis=0), sample.total)


ACCURACY = Metric(accuracy)
BALANCED_ACCURACY = Metric(balanced_accuracy)
MACRO_F1 = Metric(macro_f1)
ROC_AUC = Metric(roc_auc, is_ranking=True)
PR_AUC = Metric(pr_auc, is_ranking=True)
LOG_LOSS = Metric(log_loss, higher_is_better=False)
ECE = Metric(ece, higher_is_better=False)
