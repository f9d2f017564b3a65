"""How fast a branch over-fits against how fast it learns, and the weights that even it out.

Losses by epoch are means over rows that are not kept, so that no rows can be drawn anew: the intervals here are over
fits (seeds, folds), and say how far a value moves from fit to fit.  One fit has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from counterpoint.metrics.estimate import Estimate, Floats, Measure, estimates, resampling_units

Curves = tuple[Sequence[float], Sequence[float]]
"""Training and validation losses by epoch."""
FEW_FITS = 3
"""Fewer have no interval: the range of n fits holds the median of all with chance 1 - 2 ** (1 - n), half for two."""
LEAST = 1e-6
"""A gap that has moved by less than its root counts as if by that."""


def ogr(train: Sequence[float], validation: Sequence[float], *, start: int = 0, end: int | None = None) -> float:
    """Return the over-fitting-to-generalisation ratio between two epochs (Wang, Tran and Feiszli, CVPR 2020, eq. 2).

    With O = validation loss − training loss and G = the validation loss, it is ``|ΔO / ΔG|``; infinite when the
    validation loss has not moved.  The curves of one fit say nothing of their doubt: `ogr_of` takes those of several.

    Parameters
    ----------
    train, validation
        *train* and *validation* are losses by epoch.
    start, end
        *start* and *end* are positions in them; by default the first and the last.

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
    """Return the over-fitting-to-generalisation ratio of the mean over several *fits* of a branch, with its interval.

    The interval is of fits drawn with replacement, not of rows: it says how far the ratio moves from fit to fit.  Of
    few it is too narrow, since it hardly reaches beyond the fits themselves: the range of three holds the median of
    all fits with chance .75, of six with .97.  Of fewer than three its ends are NaN.

    Parameters
    ----------
    fits
        *fits* are the training and validation losses by epoch of each fit: a seed, a fold.
    start, end
        *start* and *end* are positions in them; by default the first and each fit's last.
    groups
        *groups* are fits that are drawn together, such as the folds of a seed; by default, each fit by itself.

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
        """Return OGR / (1 + OGR), which is finite where the validation loss has not moved."""
        gap, gain = np.abs(weights @ moved).T / weights.sum(1)
        found: Floats = np.where(gain > 0, gap / np.where(gain > 0, gap + gain, 1), 1)
        return found[:, None]

    (share,) = _over_fits(measure, resampling_units(groups, len(moved)), draws, seed)
    return Estimate(*(round(part / (1 - part), 12) if part != 1 else float("inf") for part in share))


def blend_weights(curves: Mapping[str, Curves]) -> dict[str, float]:
    """Return a weight for each branch, proportional to ΔG / ΔO² and summing to 1 (equation 4 of the same paper).

    A branch whose validation loss has not fallen gets 0; if none has, all weigh the same.  The curves of one fit say
    nothing of their doubt: `blend_weights_of` takes those of several.

    >>> weights = blend_weights({"text": ([0.7, 0.3], [0.7, 0.5]), "image": ([0.7, 0.1], [0.7, 0.6])})
    >>> weights["text"] > weights["image"]
    True
    """
    moved = np.array([_moved(each, 0, None) for each in curves.values()])
    return dict(zip(curves, map(float, _weights(moved)), strict=True))


def blend_weights_of(
    fits: Mapping[str, Sequence[Curves]], *, groups: Iterable[Any] | None = None, draws: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """Return the weight of each branch for the mean over several *fits*, with its interval as `ogr_of` has it.

    Parameters
    ----------
    fits
        *fits* are the losses by epoch of each branch in each fit; the branches have the same fits, in one order.
    groups
        *groups* are fits that are drawn together; by default, each fit by itself.

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
    """Return by how much the gap of validation to training loss grew, and by how much validation loss fell."""
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
    """Return `estimates` over fits, with NaN for the ends where there are few."""
    fits = list(groups)
    found = estimates(measure, fits, draws=draws, seed=seed)
    return found if len(set(fits)) >= FEW_FITS else [Estimate(each.value, np.nan, np.nan) for each in found]
