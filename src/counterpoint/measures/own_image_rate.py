"""How often a text finds its own image among others, by a model that was not fitted on the pair.

Not a contender: no label is predicted, and no model is compared.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import ndtr

from counterpoint.measures.prediction_arrays import Codes
from counterpoint.metrics.intervals import normal_interval
from counterpoint.metrics.rows import Floats
from counterpoint.seeds import child_seed

FOLDS = 4
PERMUTATIONS = 499
SHARED_ROWS = 2.0
"""The variance over folds that share training rows, as a multiple of that over permutations within each fold.

A chance association of two folds counts twice: each is once tested by a model of the other.
"""


class OwnImageRate(NamedTuple):
    """How often the own image of a text scores above another image, over held-out rows: .5 by chance.

    Attributes
    ----------
    rate
        *rate* is the mean over texts.
    low, high
        *low* and *high* are the ends of its 95 % interval.
    p
        *p* is the chance of as much by permutations of the images among the rows.  Their sums are taken as normal, with
        a variance that is widened for the rows that the folds share.
    """

    rate: float
    low: float
    high: float
    p: float


class Matcher(ABC):
    """A model of texts and images, with the features of n pairs."""

    @abstractmethod
    def scores(self, known: Any, new: Any, strata: Codes) -> Floats:
        """Return the score of each text of the rows *new* with each of their images, by a fit to the rows *known*.

        Parameters
        ----------
        known, new
            *known* and *new* mark rows, shape (n,).
        strata
            *strata* has a code for each row, shape (n,).  The mean of its stratum is subtracted from each feature.
        """

    @abstractmethod
    def paired(self, texts: Codes, images: Codes) -> Self:
        """Return the model with the texts of the rows *texts*, each with the image of the same place in *images*."""

    @abstractmethod
    def contrasted(self) -> "Matcher":
        """Return a model of the same pairs that matches only by the part of the association that differs by stratum."""


def own_image_rate(matcher: Matcher, groups: Sequence[str], codes: Codes | None = None) -> OwnImageRate:
    """Estimate how often a text scores higher with its own image than with another image, of any class or of its class.

    The model is fitted on three quarters of the groups, and tested on the rest.

    Parameters
    ----------
    matcher
        *matcher* scores texts with images.
    groups
        *groups* has the group of each row.  Rows of one group stay together in one fold.
    codes
        *codes* are classes, shape (n,).  With them, the mean of its class is subtracted from each feature, and images
        are permuted within their class.

    Examples
    --------
    >>> from counterpoint.measures.text_image_association import Canonical
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(200, 2))
    >>> text, image = np.hstack([shared, rng.normal(size=(200, 2))]), shared + rng.normal(size=(200, 2))
    >>> found = own_image_rate(Canonical(text, image), [str(i) for i in range(200)])
    >>> found.rate > 0.6, found.p < 0.01
    (True, True)
    """
    rng = np.random.default_rng(child_seed(0, "cp004", "association"))
    fold = group_folds(groups, FOLDS, rng)
    strata = np.zeros(len(fold), dtype=np.intp) if codes is None else codes
    rates, permuted = [], np.zeros(PERMUTATIONS)
    for each in range(FOLDS):
        known, new = fold != each, fold == each
        scores = matcher.scores(known, new, strata)
        for code in np.unique(strata[new]):
            rows = np.flatnonzero(strata[new] == code)
            if len(rows) > 2:
                found, sums = _shares_below_own(scores[np.ix_(rows, rows)], rng)
                rates.append(found)
                permuted += sums
    every = np.concatenate(rates) if rates else np.full(2, 0.5)
    spread = float(permuted.std()) * SHARED_ROWS**0.5
    above = float(every.sum() - permuted.mean())
    p = float(ndtr(-above / spread)) if spread > 0 else 1.0
    return OwnImageRate(*normal_interval(every), p)


def _shares_below_own(scores: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the share of other images that score below the own image of each row, and its sum in each permutation."""
    n = len(scores)
    places = scores.argsort(1, kind="stable").argsort(1, kind="stable") / (n - 1)  # of each image in each row, 0 … 1
    permutations = rng.permuted(np.tile(np.arange(n), (PERMUTATIONS, 1)), axis=1)
    return np.diagonal(places).copy(), places[np.arange(n), permutations].sum(1)


def centred(features: Floats, known: Any, strata: Codes) -> Floats:
    """Return *features* less the mean of their stratum over the rows *known*.

    Parameters
    ----------
    features
        *features* have shape (n, n_features).
    known
        *known* marks rows, shape (n,).  A stratum without any of them has their mean over all strata.
    strata
        *strata* has a code for each row, shape (n,).

    Examples
    --------
    >>> centred(np.array([[1.0], [3.0], [5.0]]), np.array([True, True, False]), np.array([0, 0, 0])).ravel().tolist()
    [-1.0, 1.0, 3.0]
    """
    less = features.copy()
    for code in np.unique(strata):
        own = known & (strata == code)
        less[strata == code] -= features[own if own.any() else known].mean(0)
    return less


def directions(rows: Floats) -> Floats:
    """Return *rows*, each scaled to length 1.  A row of zeros stays.

    >>> directions(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    found: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return found


def group_folds(groups: Sequence[str], n_folds: int, rng: np.random.Generator) -> Codes:
    """Return the fold of each row, from 0 on, shape (n,).  Rows of one group have the same fold.

    Parameters
    ----------
    groups
        *groups* has the group of each row.
    n_folds
        *n_folds* is the number of folds.
    rng
        *rng* orders the groups.

    Examples
    --------
    >>> found = group_folds(["a", "b", "a", "c"], 2, np.random.default_rng(0))
    >>> bool(found[0] == found[2]), set(found.tolist())
    (True, {0, 1})
    """
    numbers = np.unique(np.asarray(groups), return_inverse=True)[1]
    folds: Codes = rng.permutation(numbers.max() + 1)[numbers] % n_folds
    return folds
