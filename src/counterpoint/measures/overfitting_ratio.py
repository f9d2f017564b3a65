"""The overfitting-to-generalisation ratio (OGR) of a branch, and weights that balance it between branches.

The losses of single rows are not kept, so the bootstrap draws fits (seeds, folds).  Its intervals show the variation
between fits.  One fit has no interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from counterpoint.metrics.estimate import Estimate, Measure, estimates, resampling_units
from counterpoint.metrics.rows import Floats

Curves = tuple[Sequence[float], Sequence[float]]
"""Training and validation losses by epoch."""
FEW_FITS = 3
"""Fewer fits have no interval.  The range of n fits contains the true median with probability 1 - 2 ** (1 - n)."""
LEAST = 1e-6
"""The smallest ΔO² in the weights: a smaller change of the gap counts as this."""


def ogr(train: Sequence[float], validation: Sequence[float], *, start: int = 0, end: int | None = None) -> float:
    """Return the overfitting-to-generalisation ratio between two epochs (Wang, Tran and Feiszli, CVPR 2020, eq. 2).

    OGR = ``|ΔO / ΔG|``, with O = validation loss − training loss and G = the validation loss.  It is infinite if the
    validation loss has not changed.  `ogr_of` takes several fits and has an interval.

    Parameters
    ----------
    train, validation
        *train* and *validation* are losses by epoch.
    start, end
        *start* and *end* are positions in the losses, by default the first and the last.

    Examples
    --------
    >>> ogr([0.7, 0.3], [0.7, 0.5])
    1.0
    """
    gap, gain = _moved((train, validation), start, end)
    return round(abs(gap / gain), 12) if gain else float("inf")


def ogr_of(
    fits: Sequence[Curves],
    *,
    start: int = 0,
    end: int | None = None,
    groups: Iterable[Any] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return the overfitting-to-generalisation ratio of the mean over several *fits* of a branch, with its interval.

    Fits are drawn with replacement, not rows, so the interval shows the variation between fits.  With few fits it is
    too narrow, because it hardly exceeds their range.  The range of three fits contains the true median with
    probability .75, and of six with .97.  With fewer than three fits the ends are NaN.

    Parameters
    ----------
    fits
        *fits* are the training and validation losses by epoch of each fit (seed, fold).
    start, end
        *start* and *end* are positions in the losses, by default the first and the last of each fit.
    groups
        *groups* are fits that are drawn as a whole, such as the folds of a seed.  By default, each fit is a unit.
    draws
        *draws* is the number of bootstrap draws.
    seed
        *seed* fixes the draws.

    Examples
    --------
    >>> fits = [([0.7, 0.3], [0.7, 0.5]), ([0.7, 0.3], [0.7, 0.6]), ([0.7, 0.1], [0.7, 0.4])]
    >>> ogr_of(fits[:1])
    Estimate(value=1.0, low=nan, high=nan)
    >>> found = ogr_of(fits)
    >>> round(found.value, 3), found.low < found.value < found.high
    (1.333, True)
    """
    moved = np.array([_moved(curves, start, end) for curves in fits])  # (n_fits, 2): gap, gain

    def measure(weights: Floats) -> Floats:
        """Return OGR / (1 + OGR), which is finite if the validation loss has not changed."""
        gap, gain = np.abs(weights @ moved).T / weights.sum(1)
        found: Floats = np.where(gain > 0, gap / np.where(gain > 0, gap + gain, 1), 1)
        return found[:, None]

    (share,) = _over_fits(measure, resampling_units(groups, len(moved)), draws, seed)
    return Estimate(*(round(part / (1 - part), 12) if part != 1 else float("inf") for part in share))


def blend_weights(curves: Mapping[str, Curves]) -> dict[str, float]:
    """Return a weight for each branch, proportional to ΔG / ΔO² and summing to 1 (equation 4 of the same paper).

    A branch whose validation loss has not fallen has weight 0.  If none has fallen, all weights are equal.
    `blend_weights_of` takes several fits and has intervals.

    >>> weights = blend_weights({"text": ([0.7, 0.3], [0.7, 0.5]), "image": ([0.7, 0.1], [0.7, 0.6])})
    >>> weights["text"] > weights["image"]
    True
    """
    moved = np.array([_moved(each, 0, None) for each in curves.values()])
    return dict(zip(curves, map(float, _weights(moved)), strict=True))


def blend_weights_of(
    fits: Mapping[str, Sequence[Curves]], *, groups: Iterable[Any] | None = None, draws: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """Return the weight of each branch for the mean over several *fits*, with an interval over fits as in `ogr_of`.

    Parameters
    ----------
    fits
        *fits* are the losses by epoch of each branch in each fit.  All branches have the same fits in the same order.
    groups
        *groups* are fits that are drawn as a whole.  By default, each fit is a unit.
    draws
        *draws* is the number of bootstrap draws.
    seed
        *seed* fixes the draws.

    Examples
    --------
    >>> text = [([0.7, 0.3], [0.7, 0.5]), ([0.7, 0.4], [0.7, 0.5]), ([0.7, 0.3], [0.7, 0.4])]
    >>> image = [([0.7, 0.1], [0.7, 0.6]), ([0.7, 0.2], [0.7, 0.6]), ([0.7, 0.1], [0.7, 0.5])]
    >>> found = blend_weights_of({"text": text, "image": image})
    >>> found["text"].low > found["image"].high
    True
    """
    moved = np.array([[_moved(curves, 0, None) for curves in own] for own in fits.values()])  # (branches, n_fits, 2)

    def measure(weights: Floats) -> Floats:
        return _weights(np.einsum("df,bfm->dbm", weights, moved) / weights.sum(1)[:, None, None])

    found = _over_fits(measure, resampling_units(groups, moved.shape[1]), draws, seed)
    return dict(zip(fits, found, strict=True))


def _moved(curves: Curves, start: int, end: int | None) -> tuple[float, float]:
    """Return the increase of the gap between validation and training loss, and the decrease of validation loss."""
    train, validation = curves
    last = len(train) - 1 if end is None else end
    gap = (validation[last] - train[last]) - (validation[start] - train[start])
    return gap, validation[start] - validation[last]


def _weights(moved: Floats) -> Floats:
    """Return the weights of branches from gaps and gains, shape (..., branches, 2)."""
    worth = moved[..., 1].clip(min=0) / np.maximum(moved[..., 0] ** 2, LEAST)
    total = worth.sum(-1, keepdims=True)
    weights: Floats = np.where(total > 0, worth / np.where(total > 0, total, 1), 1 / worth.shape[-1])
    return weights


def _over_fits(measure: Measure, groups: Iterable[Any], draws: int, seed: int) -> list[Estimate]:
    """Return `estimates` over fits, with NaN for the ends if there are few."""
    fits = list(groups)
    found = estimates(measure, fits, draws=draws, seed=seed)
    return found if len(set(fits)) >= FEW_FITS else [Estimate(each.value, np.nan, np.nan) for each in found]
