"""The metrics of this package: each is a function of weighted rows.

A mean over classes leaves out a class that has no rows, or no weight in a draw.  If all classes are left out, the
metric is NaN.
"""

import numpy as np

from counterpoint.metrics.class_means import mean_of_classes
from counterpoint.metrics.metric import Metric
from counterpoint.metrics.rows import Floats, Sample, defined_mean, ratio, spread

N_BINS = 15


def accuracy(sample: Sample) -> Floats:
    """Return the share of rows whose predicted class is the true one."""
    return ratio(sample.correct.sum(axis=0), sample.total)


def balanced_accuracy(sample: Sample) -> Floats:
    """Return the mean over classes of the share of correct rows."""
    return mean_of_classes(sample.correct, sample.truths)


def macro_f1(sample: Sample) -> Floats:
    """Return the mean over classes of F1.

    A class that no row has and no row is predicted as is left out.
    """
    return mean_of_classes(2 * sample.correct, sample.truths + sample.guesses)


def roc_auc(sample: Sample) -> Floats:
    """Return the area under the ROC curve: with three classes or more, the mean of each class against the rest."""
    auc, _ = sample.areas
    return auc[1] if len(auc) == 2 else defined_mean(auc)


def pr_auc(sample: Sample) -> Floats:
    """Return the mean over classes of average precision, one class against the rest.

    With two classes it is also the mean of both, so that the value does not depend on which class is positive.  The
    average precision of a class by guessing is its share, so the mean over K classes is 1 / K.
    """
    return defined_mean(sample.areas[1])


def log_loss(sample: Sample) -> Floats:
    """Return the mean of −log p of the true class, with p clipped at the machine epsilon."""
    rows = sample.rows
    true = rows.proba[np.arange(len(rows.codes)), rows.codes]
    return ratio(sample.sums(-np.log(np.clip(true, np.finfo(float).eps, 1.0))), sample.total)


def ece(sample: Sample) -> Floats:
    """Return the expected calibration error over 15 equal-width bins of confidence.

    ECE = Σ over bins (share of rows) · abs(accuracy − mean confidence) (Guo et al., ICML 2017, equation 3).  The
    accuracy is that of the likeliest class, whichever class is predicted.  A bin includes its upper end.
    """
    confidence, is_likeliest = sample.rows.proba.max(axis=1), sample.rows.proba.argmax(axis=1) == sample.rows.codes
    bins = np.clip(np.ceil(confidence * N_BINS).astype(np.intp) - 1, 0, N_BINS - 1)
    gaps = sample.sums(spread(bins, N_BINS, confidence - is_likeliest))  # (bins, draws)
    return ratio(np.abs(gaps).sum(axis=0), sample.total)


ACCURACY = Metric(
    accuracy,
    label="Accuracy",
    explanation="The share of pairs given the right class.",
    scale="share",
)
BALANCED_ACCURACY = Metric(
    balanced_accuracy,
    label="Balanced accuracy",
    explanation=(
        "Accuracy of each class on its own, then averaged, so that a large class counts no more than a small one. "
        "Guessing scores 1 divided by the number of classes."
    ),
    source="Brodersen, Ong, Stephan and Buhmann, ICPR 2010",
    scale="share",
    share_power=1.0,
)
MACRO_F1 = Metric(
    macro_f1,
    label="Macro-F1",
    explanation=(
        "The average over classes of F1. F1 of a class is one number from two shares. One is the share of its pairs "
        "that were found. The other is the share of correct pairs among the pairs predicted as this class."
    ),
    source="Opitz and Burst, arXiv 1911.03347, 2019",
    scale="share",
    share_power=0.5,
)
ROC_AUC = Metric(
    roc_auc,
    label="ROC AUC",
    explanation=(
        "How often a pair of a class is ranked above a pair that is not of it. 0.5 is guessing, 1 is perfect. "
        "The threshold between the classes has no influence."
    ),
    source="Hanley and McNeil, Radiology 1982",
    is_ranking=True,
    scale="share",
)
PR_AUC = Metric(
    pr_auc,
    label="PR AUC",
    explanation=(
        "The average precision as more and more pairs of a class are found, averaged over the classes. Guessing scores "
        "1 divided by the number of classes: for each class it scores the share of the class. So this metric is strict "
        "where a class is rare. With few pairs of a class it is a little too high, by about 0.02 at ten pairs."
    ),
    source="Davis and Goadrich, ICML 2006",
    is_ranking=True,
    scale="share",
    is_pooled=True,
)
LOG_LOSS = Metric(
    log_loss,
    label="Log loss",
    explanation=(
        "The cost of the probabilities. It is small if the right class had a high probability, and very large if it "
        "had almost none. Lower is better."
    ),
    source="Good, Journal of the Royal Statistical Society B 1952",
    higher_is_better=False,
    scale="loss",
)
ECE = Metric(
    ece,
    label="Calibration error",
    explanation=(
        "The average distance between confidence and accuracy (ECE). Lower is better. It is too high where pairs are "
        "few: probabilities without any error score about 0.09 on 100 pairs, 0.05 on 300 and 0.03 on 1,000. So compare "
        "it with these numbers, and not with 0."
    ),
    source="Guo, Pleiss, Sun and Weinberger, ICML 2017",
    higher_is_better=False,
)
