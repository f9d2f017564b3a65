"""Scores of one or several branches to class probabilities, by very few parameters fitted on held-out rows."""

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
    """``softmax(sum over branches of weight x scores + bias)``: additive in the branches.

    One branch of a two-class model makes this Platt's sigmoid (1999); one branch and no bias, the temperature
    scaling of Guo et al. (ICML 2017); one branch with bias, the bias-corrected one of Alexandari et al. (ICML 2020).
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def arrays(self, name: str) -> dict[str, NDArray[np.float64]]:
        """Return the parameters under *name*, as `of` takes them back."""
        return {f"{name}.weights": self.weights, f"{name}.bias": self.bias}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> Self:
        """Return the scaling whose parameters stand in *arrays* under *name*."""
        return cls(arrays[f"{name}.weights"], arrays[f"{name}.bias"])

    def logits(self, scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return combined logits, shape (n_pairs, n_classes), of each branch's scores of that same shape."""
        return np.tensordot(self.weights, np.asarray(scores), 1) + self.bias

    def proba(self, scores: Sequence[NDArray[np.float64]]) -> Proba:
        """Return class probabilities, shape (n_pairs, n_classes)."""
        return np.asarray(softmax(self.logits(scores), axis=1))


def fit_scaling(scores: Sequence[NDArray[np.float64]], codes: Codes, *, equality: float = EQUALITY) -> Scaling:
    """Return the scaling of least log loss on held-out rows, with weights that are never negative.

    The targets are Platt's, (n_k + 1) / (n_k + n_classes) and not 1, so that a perfect branch keeps some doubt.

    Parameters
    ----------
    scores
        *scores* holds, for each branch, an array of shape (n_pairs, n_classes).
    codes
        *codes* are the true classes of those rows.
    equality
        *equality* is how strongly the weights of several branches are pulled together.

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
