"""Calibration slope and calibration in the large: whether confidence is too strong, with intervals that few rows allow.

The calibration error (ECE) of few rows is mostly chance.  These two are regular estimates: a slope of a regression and
a mean.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.rows import FLOOR, Floats, Ints
from counterpoint.metrics.spread import spread_of
from counterpoint.metrics.units import Units, units_of

STEPS, DONE, STEEPEST = 50, 1e-9, 30.0
"""The largest number of Newton steps, the change that ends them, and a slope that only separated classes reach."""


class Calibration(NamedTuple):
    """The calibration of probabilities on rows that the model was not fitted on.

    Attributes
    ----------
    slope
        *slope* is 1 for calibrated probabilities, below 1 for too strong ones, and above 1 for too weak ones.  It is
        NaN where the probabilities separate the classes, or do not differ.
    overconfidence
        *overconfidence* is the mean confidence minus the accuracy of the likeliest class: 0 if calibrated in the large.
    """

    slope: Estimate
    overconfidence: Estimate


def calibration(codes: Ints, proba: Floats, groups: Sequence[object] | None = None) -> Calibration:
    """Return the calibration slope (Cox, Biometrika 1958) and the overconfidence of *proba*.

    The slope is that of log p in a logistic regression of the class, with an intercept for each class.  Intervals are
    at 95 %, with the standard error of scores: without a unit of rows, a value changes by about minus its influence.

    Parameters
    ----------
    codes
        *codes* are the columns of the true classes, shape (n,).
    proba
        *proba* are the probabilities, shape (n, n_classes).
    groups
        *groups* are dependent rows.  Without them, each row is its own group.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> logits = rng.normal(size=2000)
    >>> codes = (rng.random(2000) < 1 / (1 + np.exp(-logits))).astype(int)
    >>> sure = 1 / (1 + np.exp(-2 * logits))  # twice too strong
    >>> found = calibration(codes, np.column_stack([1 - sure, sure]))
    >>> found.slope.low < 0.5 < found.slope.high, found.overconfidence.low > 0
    (True, True)
    """
    places = np.unique(np.arange(len(codes)) if groups is None else np.asarray(groups), return_inverse=True)[1]
    units = units_of(places, codes)
    confidence, is_correct = proba.max(axis=1), proba.argmax(axis=1) == codes
    gaps = confidence - is_correct
    over = float(gaps.mean())
    return Calibration(_slope(codes, proba, units), _estimate(over, (gaps - over) / len(codes), units))


def _slope(codes: Ints, proba: Floats, units: Units) -> Estimate:
    n, n_classes = proba.shape
    logs = np.log(proba.clip(min=FLOOR))
    # One column for the slope, and one for the intercept of each class but the first.
    design = np.zeros((n, n_classes, n_classes))
    design[:, :, 0] = logs - logs.mean(axis=1, keepdims=True)
    design[:, 1:, 1:] = np.eye(n_classes - 1)
    present = np.unique(codes)
    kept = [0, *(code for code in present if code > 0)]
    design, truth = design[:, :, kept], np.eye(n_classes)[codes]
    found = np.zeros(len(kept))
    found[0] = 1.0
    for _ in range(STEPS):
        scores, information = _derivatives(design, truth, found)
        try:
            step = np.linalg.solve(information, scores.sum(axis=0))
        except np.linalg.LinAlgError:
            return Estimate(np.nan, np.nan, np.nan)
        found = found + step / max(1.0, float(np.abs(step).max()))
        if not abs(found[0]) < STEEPEST:
            return Estimate(np.nan, np.nan, np.nan)
        if np.abs(step).max() < DONE:
            break
    scores, information = _derivatives(design, truth, found)
    if len(present) < 2 or np.linalg.cond(information) > 1 / DONE:
        return Estimate(np.nan, np.nan, np.nan)
    influence = scores @ np.linalg.inv(information)
    return _estimate(float(found[0]), influence[:, 0], units)


def _derivatives(design: Floats, truth: Floats, parameters: Floats) -> tuple[Floats, Floats]:
    """Return the score of each row, shape (n, parameters), and the information matrix."""
    logits = design @ parameters
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    fitted = odds / odds.sum(axis=1, keepdims=True)
    scores = np.einsum("nk,nkp->np", truth - fitted, design)
    means = np.einsum("nk,nkp->np", fitted, design)
    information = np.einsum("nk,nkp,nkq->pq", fitted, design, design) - means.T @ means
    return scores, information


def _estimate(value: float, influence: Floats, units: Units) -> Estimate:
    """Return *value* with its interval, from the influence of each row on it, shape (n,).

    Without a unit of rows, the value changes by about minus the sum of their influence.
    """
    n_units = len(units)
    changes = -np.bincount(units.places, influence, minlength=n_units) * n_units / max(1, n_units - 1)
    nothing = np.empty(0), np.empty(0, dtype=np.intp)
    width = spread_of(changes, nothing[0], (units.classes, nothing[1]), np.ones(1)).half_width(0.95)
    return Estimate(value, value - width, value + width)
