"""How often the surest texts are wrong, and whether images then go with the label or with what the text names.

A text that belongs to another row names a class with all its evidence, and is right by chance.  A wrong label looks the
same from the text alone; but then the image goes with the text, and not with the label.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from counterpoint.measures.prediction_arrays import FLOOR, Codes, Floats
from counterpoint.measures.text_image_association import group_folds, tfidf
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.seeds import child_seed

RATES, SLOPES = np.linspace(0, 0.99, 100), np.geomspace(0.05, 40, 50)
"""The grid of lapse rates, and of slopes, of which the likeliest is taken at each rate."""
DEVIANCE = 2.706
"""What the ends of a lapse rate lose in twice the log likelihood: each end errs in 5 % of the cases."""
BINS, SUREST_LOGIT = 100, 8.0
"""The rate is fitted to so many shares of rows that are about as sure; none is taken for surer than this logit, so that
heavy tails of a network do not set the slope."""
FOLDS, LEAST_TEXTS = 5, 2
MOST_LOGIT = 4.0
"""No image counts for more than this log ratio of two classes: some networks are sure of anything."""


class Lapses(NamedTuple):
    """The lapse rate of somebody who reads texts.

    Attributes
    ----------
    named
        *named* is the class that each text names, shape (n,).
    chance
        *chance* is that of each text that it lapsed, shape (n,): 0 where it names the class of its label.
    """

    rate: Estimate
    named: Codes
    chance: Floats


def lapses(proba: Floats, codes: Codes) -> Lapses:
    """Return the share of rows on which whoever says *proba* is right by chance, however sure it is.

    With z the logit of its own answer, 0 at chance, and K classes, it is right with probability
    ``rate / K + (1 - rate) / (1 + (K - 1) exp(-slope z))`` (Wichmann and Hill 2001, of an observer).  Both are fitted
    by maximum likelihood; the ends are those of the profile likelihood, each one-sided at 95 %.  All classes weigh the
    same, and probabilities are taken as though all were as frequent: else a text that tells nothing would name the
    larger class, and surely.

    Parameters
    ----------
    proba
        *proba* are probabilities of rows that it was not fitted on, shape (n, n_classes).
    codes
        *codes* are the classes, shape (n,).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> logits, lapsed = rng.normal(0, 3, 2000), rng.random(2000) < 0.4
    >>> p = 1 / (1 + np.exp(-logits))
    >>> codes = (rng.random(2000) < np.where(lapsed, 0.5, p)).astype(int)
    >>> found = lapses(np.stack([1 - p, p], axis=1), codes)
    >>> found.rate.low < 0.4 < found.rate.high
    True
    """
    others = proba.shape[1] - 1
    by_chance = 1 / (others + 1)
    level = proba / proba.mean(0).clip(FLOOR)
    level /= level.sum(1, keepdims=True)
    named, sure = level.argmax(1), level.max(1).clip(FLOOR, 1 - FLOOR)
    is_right = named == codes
    weights = 1 / np.bincount(codes, minlength=others + 1)[codes]
    weights *= weights.sum() / (weights**2).sum()  # together they count for as many rows as they tell of
    z = np.log(others * sure / (1 - sure)).clip(0, SUREST_LOGIT)
    bins = np.array_split(np.argsort(z, kind="stable"), min(BINS, len(z)))  # rows that are about as sure
    n_rows, n_right, sum_z = (
        np.array([(weights * each)[rows].sum() for rows in bins]) for each in (np.ones(len(z)), is_right, z)
    )
    told = 1 / (1 + others * np.exp(-SLOPES[:, None] * sum_z / n_rows))  # (slopes, bins)
    chances = (rate * by_chance + (1 - rate) * told.clip(FLOOR, 1 - FLOOR) for rate in RATES)
    found = [np.log(p) @ n_right + np.log(1 - p) @ (n_rows - n_right) for p in chances]
    likelihood = np.array(found)  # (rates, slopes)
    deviances = -2 * likelihood.max(1)
    near = RATES[deviances <= deviances.min() + DEVIANCE]
    best = int(deviances.argmin())
    rate, slope = RATES[best], SLOPES[likelihood[best].argmax()]
    lapsed = rate * (1 - by_chance)
    erred = (1 - rate) * (1 - 1 / (1 + others * np.exp(-slope * z)))
    return Lapses(
        Estimate(float(rate), float(near[0]), float(near[-1])),
        named,
        np.where(is_right, 0.0, lapsed / np.maximum(lapsed + erred, FLOOR)),
    )


def backing(image: Floats, named: Codes, codes: Codes, chance: Floats, groups: Sequence[str]) -> Estimate:
    """Return how far images go with the label, rather than with what the text names, where texts lapsed.

    1 where they go with the label as they do on rows on which text and label agree, and so where texts are another
    row's; 0 where they go with what the text names as on rows that are of that class, and so where labels are wrong.
    NaN where no text lapsed.

    Parameters
    ----------
    image
        *image* are probabilities by the image, shape (n, n_classes).
    named, codes
        *named* are the classes that the texts name, *codes* those of the labels, each of shape (n,).
    chance
        *chance* is that of each row that its text lapsed, shape (n,): `Lapses.chance`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.integers(0, 2, 1000)
    >>> elsewhere = np.where(rng.random(1000) < 0.3, 1 - truth, truth)
    >>> p = np.where(truth == 1, 0.8, 0.2)
    >>> image, groups = np.stack([1 - p, p], axis=1), [str(i) for i in range(1000)]
    >>> chance = (elsewhere != truth).astype(float)
    >>> sides = ((elsewhere, truth), (truth, elsewhere))  # texts are another row's, or labels are wrong
    >>> [abs(round(backing(image, named, codes, chance, groups).value, 6)) for named, codes in sides]
    [1.0, 0.0]
    """
    logs = np.log(image.clip(min=FLOOR))
    both = product(range(logs.shape[1]), repeat=2)
    rows = {(label, name): np.flatnonzero((codes == label) & (named == name)) for label, name in both}
    pairs = [(label, other) for (label, other), own in rows.items() if label != other and chance[own].any()]

    def measure(weights: Floats) -> Floats:
        moved, whole = np.zeros(len(weights)), np.zeros(len(weights))
        for label, other in pairs:
            ratio = (logs[:, label] - logs[:, other]).clip(-MOST_LOGIT, MOST_LOGIT)
            lapsed, of_label, of_other = (rows[pair] for pair in ((label, other), (label, label), (other, other)))
            astray = weights[:, lapsed] * chance[lapsed]
            known = [_mean(weights[:, own], ratio[own]) for own in (of_label, of_other)]
            found = _mean(astray, ratio[lapsed])
            share = np.where(np.isfinite(found + known[0] + known[1]), astray.sum(1), 0.0)
            moved += share * np.nan_to_num(found - known[1])
            whole += share * np.nan_to_num(known[0] - known[1])
        with np.errstate(invalid="ignore", divide="ignore"):
            backed: Floats = np.where(whole > 0, moved / whole, np.nan)
        return backed

    if not pairs:
        return Estimate(np.nan, np.nan, np.nan)
    return estimated(measure, groups)


def _mean(weights: Floats, values: Floats) -> Floats:
    """Return the mean of *values* under each row of *weights*; NaN where nothing weighs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = (weights @ values) / weights.sum(1)
    return means


def read_words(texts: Sequence[str], codes: Codes, groups: Sequence[str], n_classes: int) -> Floats | None:
    """Return class probabilities of *texts* by their words, shape (n, n_classes), each by a model without its group.

    A logistic regression on tf-idf, held back: a contender may learn by heart what texts of other rows say, and is then
    as sure of any text.  None where no word comes twice, or all rows of a part are of one class.

    >>> texts, codes = ["a red fox", "a fast car"] * 50, np.array([0, 1] * 50)
    >>> found = read_words(texts, codes, [str(i) for i in range(100)], 2)
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
        except ValueError:  # no word comes twice, or one class is all there is
            return None
        proba[np.ix_(new, model.classes_)] = model.predict_proba([texts[row] for row in new])
    return proba
