"""From the scores of one or several models to class probabilities, by a few parameters fitted on held-out rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from counterpoint.contenders.base import Codes, Contender, Proba, Rows
from counterpoint.contenders.inner_split import cross_folds
from counterpoint.contenders.kept.state import State

EQUALITY = 10.0
"""Strength of the pull towards equal weights, in units of the summed log loss."""
FREE, KNOWN = 1.0, 10.0
"""Strength of the pull of each bias towards 0, and towards known class shares."""
N_FOLDS = 5
ENOUGH = 5_000
"""Held-out rows beyond which the few parameters of a calibration do not improve."""


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
    def identity(cls, n_classes: int) -> Self:
        """Return the scaling that leaves the scores of one model unchanged."""
        return cls(np.ones(1), np.zeros(n_classes))

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


class CalibratedContender(Contender):
    """A contender of one model, whose scores `scaling_` turns into probabilities.

    Attributes
    ----------
    scaling_
        *scaling_* is fitted on held-out rows.
    """

    scaling_: Scaling

    def state(self) -> State:
        """Return the learned state, which includes the scaling of the probabilities."""
        return super().state() | State(arrays=self.scaling_.arrays("scaling"))

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        self.scaling_ = Scaling.of(state.arrays, "scaling")
        return super().restore(state)


def fit_scaling(
    scores: Sequence[NDArray[np.float64]],
    codes: Codes,
    *,
    equality: float = EQUALITY,
    log_shares: NDArray[np.float64] | None = None,
    log_prior: NDArray[np.float64] | float = 0.0,
) -> Scaling:
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
    log_shares
        *log_shares* are the logs of the class shares that the probabilities should have, shape (n_classes,).  They are
        known from the training rows.  The rows are then weighted to these shares, and the bias is pulled towards them.
    log_prior
        *log_prior* are the logs of the class shares that the scores contain already.  They are not scaled, so that a
        model without information predicts the class shares.

    Examples
    --------
    >>> margin = np.array([-2.0, -1.0, 0.5, 1.0, -0.5, 2.0])
    >>> scaling = fit_scaling([np.stack([-margin, margin], axis=1)], np.array([0, 0, 0, 1, 1, 1]))
    >>> bool(scaling.weights[0] > 0)
    True
    """
    stacked = np.asarray(scores) - log_prior  # (branches, n, classes)
    n_branches, _, n_classes = stacked.shape
    counted, targets = np.ones((len(codes), 1)), _targets(codes, n_classes)
    middle, pull = np.zeros(n_classes), FREE
    if log_shares is not None:
        middle, pull = log_shares, KNOWN
        counted = (np.exp(log_shares) * len(codes) / np.bincount(codes, minlength=n_classes).clip(min=1))[codes, None]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = parameters[:n_branches], parameters[n_branches:]
        logits = np.tensordot(weights, stacked, 1) + bias
        error = counted * (softmax(logits, axis=1) - targets)
        apart = weights - weights.mean()
        pulled = equality * (apart**2).sum() + pull * ((bias - middle) ** 2).sum()
        value = pulled / 2 - (counted * targets * log_softmax(logits, axis=1)).sum()
        slope = (stacked * error).sum(axis=(1, 2)) + equality * apart
        return value, np.concatenate([slope, error.sum(axis=0) + pull * (bias - middle)])

    start = np.concatenate([np.ones(n_branches), middle])
    bounds = [(0, None)] * n_branches + [(None, None)] * n_classes
    from scipy.optimize import minimize  # noqa: PLC0415 - takes long, and only fits need it

    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    weights, bias = found[:n_branches], found[n_branches:]
    return Scaling(weights, bias - weights.sum() * log_prior)


def out_of_fold(
    train: Rows, n_classes: int, scored: Callable[[Codes, Codes], NDArray[np.float64]]
) -> tuple[NDArray[np.float64], Codes]:
    """Return out-of-fold scores of at least `ENOUGH` training rows or all of them, and their classes.

    Parameters
    ----------
    train
        *train* are the training rows.
    n_classes
        *n_classes* is the number of columns of the scores.
    scored
        *scored* takes the positions of the rows to learn from and of the rows to score.  It returns their scores.

    Examples
    --------
    >>> import polars as pl
    >>> rows = Rows(pl.DataFrame({"row": range(6)}), np.array([0, 0, 0, 1, 1, 1]))
    >>> scores, codes = out_of_fold(rows, 2, lambda rest, out: np.full((len(out), 2), len(rest)))
    >>> scores[:, 0].tolist(), codes.tolist()
    ([4.0, 4.0, 4.0, 4.0, 4.0, 4.0], [0, 0, 0, 1, 1, 1])
    """
    folds = cross_folds(train, N_FOLDS)
    scores = np.zeros((len(folds), n_classes))
    is_scored = np.zeros(len(folds), dtype=bool)
    for fold in range(N_FOLDS):
        out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(out) and is_scored.sum() < ENOUGH and len(np.unique(train.codes[rest])) > 1:
            scores[out] = scored(rest, out)
            is_scored[out] = True
    return scores[is_scored], train.codes[is_scored]


def _targets(codes: Codes, n_classes: int) -> NDArray[np.float64]:
    counts = np.bincount(codes, minlength=n_classes)
    rows = np.tile(1 / (counts[:, None] + n_classes), (1, n_classes))
    np.fill_diagonal(rows, (counts + 1) / (counts + n_classes))
    return np.asarray(rows[codes])
