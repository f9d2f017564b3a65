"""Contrasts of equally good contenders that are trained: each is a linear rule on its own noisy features.

A training row of one fold is a test row of another, and no simulation without training shows the effect of that.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FOLDS, N_FEATURES, SHIFT = 5, 4, 0.25
N_MULTIMODAL, N_CONTENDERS = 8, 11
WAYS: Mapping[str, str] = {
    "own": "the validation rows of the fold",
    "elsewhere": "other folds, without those that validate on its test rows",
    "pooled": "all validation rows together",
}
"""The ways of choosing in a fold, and the rows that decide."""


def trained_contrasts(n: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the contrast of one k-fold with *n* rows, for each of `WAYS`.  Its expected value should be 0.

    Parameters
    ----------
    n
        *n* is the number of rows.
    rng
        *rng* draws labels and features.

    Examples
    --------
    >>> sorted(trained_contrasts(50, np.random.default_rng(0)))
    ['elsewhere', 'own', 'pooled']
    """
    labels, folds = rng.permutation(n) % 2, np.arange(n) % FOLDS
    features = rng.standard_normal((N_CONTENDERS, n, N_FEATURES)) + SHIFT * (2 * labels - 1)[:, None]
    scores = [_fit_scores(features, labels, folds, fold) for fold in range(FOLDS)]
    test, validation = (np.stack(each, axis=1) for each in zip(*scores, strict=True))  # (contender, fold)
    return {
        way: float(np.mean([_contrast(test[:, k], _worths(validation, k, way)) for k in range(FOLDS)])) for way in WAYS
    }


def _fit_scores(
    features: Floats, labels: NDArray[np.intp], folds: NDArray[np.intp], fold: int
) -> tuple[Floats, Floats]:
    """Return the accuracy of the fit of each contender on test and on validation rows of *fold*."""
    validation = (fold + 1) % FOLDS
    is_train = (folds != fold) & (folds != validation)
    one, other = (features[:, is_train & (labels == label)].mean(axis=1) for label in (1, 0))
    slope = one - other
    threshold = ((one + other) * slope).sum(axis=1, keepdims=True) / 2
    is_correct = (np.einsum("cnd,cd->cn", features, slope) > threshold) == (labels == 1)
    return is_correct[:, folds == fold].mean(axis=1), is_correct[:, folds == validation].mean(axis=1)


def _worths(validation: Floats, fold: int, way: str) -> Floats:
    apart = [other for other in range(FOLDS) if other not in (fold, (fold - 1) % FOLDS)]
    deciding = {"own": [fold], "elsewhere": apart, "pooled": list(range(FOLDS))}[way]
    worths: Floats = validation[:, deciding].mean(axis=1).round(12)
    return worths


def _contrast(test: Floats, worths: Floats) -> float:
    a, b = worths[:N_MULTIMODAL].argmax(), N_MULTIMODAL + worths[N_MULTIMODAL:].argmax()
    return float(test[a] - test[b])
