"""From the scores of one or several models to class probabilities, by a few parameters fitted on held-out rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from counterpoint.contenders.base import Codes, Proba

EQUALITY = 10.0
"""Strength of the pull towards equal weights, in units of the summed log loss."""


@dataclass(frozen=True)
class Scaling:
    """``softmax(sum over models of weight x scores + bias)``, which is additive in the models.

    With one model of two classes, this is the sigmoid of Platt (1999).  With one model and no bias, it is the
    temperature scaling of Guo et al. (ICML 2017).  With one model and a bias, it is the bias-corrected temperature
    scaling of Alexandari et al. (ICML 2020).
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def arrays(self, name: str) -> dict[str, NDArray[np.float64]]:
        """Return the parameters under *name*, as `of` reads them."""
        return {f"{name}.weights": self.weights, f"{name}.bias": self.bias}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> Self:
        """Return the scaling whose parameters are in *arrays* under *name*."""
        return cls(arrays[f"{name}.weights"], arrays[f"{name}.bias"])

    def logits(self, scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the combined logits, shape (n_pairs, n_classes), of the scores of each model, of the same shape."""
        return np.tensordot(self.weights, np.asarray(scores), 1) + self.bias

    def proba(self, scores: Sequence[NDArray[np.float64]]) -> Proba:
        """Return class probabilities, shape (n_pairs, n_classes)."""
        return np.asarray(softmax(self.logits(scores), axis=1))


def fit_scaling(scores: Sequence[NDArray[np.float64]], codes: Codes, *, equality: float = EQUALITY) -> Scaling:
    """Return the scaling with the smallest log loss on held-out rows and with no negative weight.

    The targets are those of Platt (1999), (n_k + 1) / (n_k + n_classes) instead of 1.  Even a model without errors then
    gets no probability of 1.

    Parameters
    ----------
    scores
        *scores* has an array of shape (n_pairs, n_classes) for each model.
    codes
        *codes* are the true classes of the rows, shape (n_pairs,).
    equality
        *equality* is the strength of the pull of the weights towards their mean.

    Examples
    --------
    >>> margin = np.array([-2.0, -1.0, 0.5, 1.0, -0.5, 2.0])
    >>> scaling = fit_scaling([np.stack([-margin, margin], axis=1)], np.array([0, 0, 0, 1, 1, 1]))
    >>> bool(scaling.weights[0] > 0)
    True
    """
    stacked = np.asarray(scores)  # (branches, n, classes)
    n_branches, _, n_classes = stacked.shape
    targets = _targets(codes, n_classes)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = parameters[:n_branches], parameters[n_branches:]
        logits = np.tensordot(weights, stacked, 1) + bias
        error = softmax(logits, axis=1) - targets
        apart = weights - weights.mean()
        value = -(targets * log_softmax(logits, axis=1)).sum() + equality * (apart**2).sum() / 2 + (bias**2).sum() / 2
        slope = (stacked * error).sum(axis=(1, 2)) + equality * apart
        return value, np.concatenate([slope, error.sum(axis=0) + bias])

    start = np.concatenate([np.ones(n_branches), np.zeros(n_classes)])
    bounds = [(0, None)] * n_branches + [(None, None)] * n_classes
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return Scaling(found[:n_branches], found[n_branches:])


def _targets(codes: Codes, n_classes: int) -> NDArray[np.float64]:
    counts = np.bincount(codes, minlength=n_classes)
    rows = np.tile(1 / (counts[:, None] + n_classes), (1, n_classes))
    np.fill_diagonal(rows, (counts + 1) / (counts + n_classes))
    return np.asarray(rows[codes])
