"""The lapse rate of a text model, and whether images support the labels or the predictions of its confident errors.

A text that belongs to another row gives a confident prediction, which is correct only by chance.  A wrong label has the
same effect.  The image separates the two: it supports the label in the first case, and the prediction in the second.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from counterpoint.measures.own_image_rate import group_folds
from counterpoint.measures.prediction_arrays import Codes
from counterpoint.measures.text_image_association import tfidf
from counterpoint.metrics.decision import BALANCED, decide
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.metrics.rows import FLOOR, Floats
from counterpoint.seeds import child_seed

RATES, SLOPES = np.linspace(0, 0.99, 100), np.geomspace(0.05, 40, 50)
"""The grid of lapse rates and of slopes.  At each rate the likeliest slope counts."""
DEVIANCE = 2.706
"""The fall of twice the log likelihood from its maximum to an end of the interval: each end is one-sided at 95 %."""
BINS, SUREST_LOGIT = 100, 8.0
"""The number of bins of rows of about the same confidence, and the largest logit.  Larger ones are clipped, so that a
few very confident rows do not set the slope."""
FOLDS, LEAST_TEXTS = 5, 2
MOST_LOGIT = 4.0
"""The largest log ratio of two classes by an image.  Larger ones are clipped: some networks are overconfident."""


class LapseRate(NamedTuple):
    """The lapse rate of a model, with the class that it predicts for each row.

    Attributes
    ----------
    rate
        *rate* is the share of rows on which the model is correct only by chance.
    predicted
        *predicted* is the class that the model predicts for each row, shape (n,).
    lapse_proba
        *lapse_proba* is the probability that each row is a lapse, shape (n,).  It is 0 where the prediction is the
        label.
    clarity
        *clarity* is the accuracy without lapses on the half of the rows of higher confidence.  Below 1, the evidence is
        weak, and its curve may flatten without a lapse.
    """

    rate: Estimate
    predicted: Codes
    lapse_proba: Floats
    clarity: float = 1.0


class _Curve(NamedTuple):
    """The likeliest psychometric function: lapse rate with its ends, and slope."""

    rate: Estimate
    slope: float


def lapse_rate(proba: Floats, codes: Codes) -> LapseRate:
    """Estimate the lapse rate: the share of rows on which the model is correct only by chance, at any confidence.

    With K classes and z the logit of the predicted class (0 at chance), the probability of a correct prediction is
    ``rate / K + (1 - rate) / (1 + (K - 1) exp(-slope z))``.  The formula is for an observer (Wichmann and Hill,
    Perception & Psychophysics 2001).  Rate and slope are fitted by maximum likelihood.  The ends come from the profile
    likelihood, each one-sided at 95 %.  All classes have the same weight, and probabilities are adjusted as if all
    classes were as frequent.  Otherwise a text without information would confidently predict the larger class.

    Parameters
    ----------
    proba
        *proba* are probabilities of rows that the model was not fitted on, shape (n, n_classes).
    codes
        *codes* are the classes, shape (n,).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> logits, is_lapse = rng.normal(0, 3, 2000), rng.random(2000) < 0.4
    >>> p = 1 / (1 + np.exp(-logits))
    >>> codes = (rng.random(2000) < np.where(is_lapse, 0.5, p)).astype(int)
    >>> found = lapse_rate(np.stack([1 - p, p], axis=1), codes)
    >>> found.rate.low < 0.4 < found.rate.high
    True
    """
    others, shares = proba.shape[1] - 1, proba.mean(0).clip(FLOOR)
    level = proba / shares
    level /= level.sum(1, keepdims=True)
    predicted, confidence = decide(proba, metric=BALANCED, shares=shares), level.max(1).clip(FLOOR, 1 - FLOOR)
    is_correct = predicted == codes
    weights = 1 / np.bincount(codes, minlength=others + 1)[codes]
    weights *= weights.sum() / (weights**2).sum()  # their sum is the effective number of rows (Kish 1965)
    z = np.log(others * confidence / (1 - confidence)).clip(0, SUREST_LOGIT)
    rate, slope = _fitted(z, is_correct, weights, others)
    lapsed, clear = rate.value * (1 - 1 / (others + 1)), 1 / (1 + others * np.exp(-slope * z))
    erred = (1 - rate.value) * (1 - clear)
    lapse_proba = np.where(is_correct, 0.0, lapsed / np.maximum(lapsed + erred, FLOOR))
    return LapseRate(rate, predicted, lapse_proba, float(clear[z >= np.median(z)].mean()))


def _fitted(z: Floats, is_correct: NDArray[np.bool_], weights: Floats, others: int) -> _Curve:
    """Return the likeliest lapse rate and slope of rows with logits *z*, of one class and *others*."""
    by_chance = 1 / (others + 1)
    bins = np.array_split(np.argsort(z, kind="stable"), min(BINS, len(z)))  # rows of about the same confidence
    n_rows, n_correct, sum_z = (
        np.array([(weights * each)[rows].sum() for rows in bins]) for each in (np.ones(len(z)), is_correct, z)
    )
    correct = 1 / (1 + others * np.exp(-SLOPES[:, None] * sum_z / n_rows))  # (slopes, bins)
    chances = (rate * by_chance + (1 - rate) * correct.clip(FLOOR, 1 - FLOOR) for rate in RATES)
    likelihood = np.array([np.log(p) @ n_correct + np.log(1 - p) @ (n_rows - n_correct) for p in chances])
    deviances = -2 * likelihood.max(1)  # of each rate, at its likeliest slope
    near = RATES[deviances <= deviances.min() + DEVIANCE]
    best = int(deviances.argmin())
    rate = Estimate(float(RATES[best]), float(near[0]), float(near[-1]))
    return _Curve(rate, float(SLOPES[likelihood[best].argmax()]))


def label_support(image: Floats, lapses: LapseRate, codes: Codes, groups: Sequence[str]) -> Estimate:
    """Estimate how far images support the label, and not the class that the text predicts, on rows that are lapses.

    The value is 1 if images support the label as much as on rows where text and label agree.  Then the texts belong to
    other rows.  It is 0 if images support the class that the text predicts as much as on rows of that class.  Then the
    labels are wrong.

    Parameters
    ----------
    image
        *image* are probabilities by the image, shape (n, n_classes).
    lapses
        *lapses* is the lapse rate of the texts on the same rows.
    codes
        *codes* are the classes of the labels, shape (n,).
    groups
        *groups* are drawn as a whole for the interval.

    Returns
    -------
    Estimate
        NaN where no text lapsed.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.integers(0, 2, 1000)
    >>> other = np.where(rng.random(1000) < 0.3, 1 - truth, truth)
    >>> p = np.where(truth == 1, 0.8, 0.2)
    >>> image, groups = np.stack([1 - p, p], axis=1), [str(i) for i in range(1000)]
    >>> lapse_proba, rate = (other != truth).astype(float), Estimate(0.3, 0.2, 0.4)
    >>> cases = ((other, truth), (truth, other))  # texts of other rows, and wrong labels
    >>> found = [label_support(image, LapseRate(rate, predicted, lapse_proba), codes, groups)
    ...          for predicted, codes in cases]
    >>> [abs(round(each.value, 6)) for each in found]
    [1.0, 0.0]
    """
    predicted, lapse_proba = lapses.predicted, lapses.lapse_proba
    logs = np.log(image.clip(min=FLOOR))
    both = product(range(logs.shape[1]), repeat=2)
    rows = {(label, name): np.flatnonzero((codes == label) & (predicted == name)) for label, name in both}
    pairs = [(label, other) for (label, other), own in rows.items() if label != other and lapse_proba[own].any()]

    def measure(weights: Floats) -> Floats:
        moved, whole = np.zeros(len(weights)), np.zeros(len(weights))
        for label, other in pairs:
            ratio = (logs[:, label] - logs[:, other]).clip(-MOST_LOGIT, MOST_LOGIT)
            own, of_label, of_other = (rows[pair] for pair in ((label, other), (label, label), (other, other)))
            lapsed = weights[:, own] * lapse_proba[own]
            known = [_mean(weights[:, same], ratio[same]) for same in (of_label, of_other)]
            found = _mean(lapsed, ratio[own])
            share = np.where(np.isfinite(found + known[0] + known[1]), lapsed.sum(1), 0.0)
            moved += share * np.nan_to_num(found - known[1])
            whole += share * np.nan_to_num(known[0] - known[1])
        with np.errstate(invalid="ignore", divide="ignore"):
            support: Floats = np.where(whole > 0, moved / whole, np.nan)
        return support

    if not pairs:
        return Estimate(np.nan, np.nan, np.nan)
    return estimated(measure, groups)


def _mean(weights: Floats, values: Floats) -> Floats:
    """Return the mean of *values* under each row of *weights*.  NaN where all weights are 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = (weights @ values) / weights.sum(1)
    return means


def proba_from_words(texts: Sequence[str], codes: Codes, groups: Sequence[str], n_classes: int) -> Floats | None:
    """Return class probabilities of *texts* by their words, each by a model that was not fitted on its group.

    The model is a logistic regression on tf-idf, cross-fitted over five folds of groups.  It takes the place of a
    contender that overfits, which is too confident on every text.

    Parameters
    ----------
    texts
        *texts* are n texts.
    codes
        *codes* are their classes, shape (n,).
    groups
        *groups* stay together in one fold.
    n_classes
        *n_classes* is the number of classes.  Some may have no text.

    Returns
    -------
    Floats | None
        Shape (n, n_classes).  None where no word is in two texts, or all rows of a fold have one class.

    Examples
    --------
    >>> texts, codes = ["a red fox", "a fast car"] * 50, np.array([0, 1] * 50)
    >>> found = proba_from_words(texts, codes, [str(i) for i in range(100)], 2)
    >>> found.shape, bool((found.argmax(1) == codes).all())
    ((100, 2), True)
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to import
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - slow to import

    fold = group_folds(groups, FOLDS, np.random.default_rng(child_seed(0, "lapses")))
    proba = np.zeros((len(texts), n_classes))
    for each in range(FOLDS):
        known, new = np.flatnonzero(fold != each).tolist(), np.flatnonzero(fold == each).tolist()
        model: Any = make_pipeline(tfidf(LEAST_TEXTS), LogisticRegression(max_iter=500))
        try:
            model.fit([texts[row] for row in known], codes[known])
        except ValueError:  # no word is in two texts, or there is one class only
            return None
        proba[np.ix_(new, model.classes_)] = model.predict_proba([texts[row] for row in new])
    return proba
