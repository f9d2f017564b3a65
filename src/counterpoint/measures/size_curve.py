"""The score of a contender with more training rows: curves through its scores on fewer rows, and their interval.

An error curve has three forms.  A power law falls to a floor.  A sigmoid also starts at the error of a guess.  An
exponential soon reaches its floor.  All parameters of all forms lie on a grid, and each curve is weighed by its
likelihood (Viering and Loog, The Shape of Learning Curves, IEEE TPAMI 2023; Hestness et al., arXiv 1712.00409, 2017;
Mukherjee et al., Journal of Computational Biology 2003).  So the interval contains the doubt about the form of the
curve, its parameters, the test rows and the training rows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.intervals import percentiles, tails
from counterpoint.metrics.rows import Floats, Ints
from counterpoint.seeds import child_seed

N_CURVES = 6000
"""Curves that are drawn from the weighed grid."""
LEAST_SIZES = 3
"""The least number of different sizes of a curve, the whole size among them."""
FURTHEST = 3.0
"""The largest number of training rows of a curve, as a multiple of today's."""
NOT_WANTED, NO_CONTRAST = "evaluate.sizes is none.", "There is no primary contrast."
"""Reasons for no curve at all: the study file wants none, or there is nothing to compare."""
_POWER, _SIGMOID, _EXPONENTIAL = range(3)
_SHARES = (np.arange(20) + 0.5) / 20
"""The share of today's error that more rows can remove: from nearly nothing to nearly all."""
_RATES = {
    _POWER: np.linspace(0.1, 1.5, 15),
    _SIGMOID: np.linspace(0.3, 2.0, 15),
    _EXPONENTIAL: np.geomspace(1.0, 6.0, 15),
}
"""The rates of each form.  A slower exponential would fall faster and faster on a logarithmic axis."""
_DEVIATIONS = np.geomspace(0.1, 1.5, 8)
"""Standard deviations of the score over training sets of the whole size, on the scale of angles, as multiples of that
over as many test rows."""
_LEVELS = np.linspace(-4, 4, 49)
"""Scores of the whole size around the measured one, in standard errors."""
_EDGE = 1e-6
_WORSE = 2.5
"""Standard errors by which the whole size may be worse than a smaller one."""


class SizePoints(NamedTuple):
    """The scores of one contender that was fitted to parts of its training rows, one for each part.

    Attributes
    ----------
    shares, draws
        *shares* are the sizes of the parts as shares of all training rows, shape (n,).  The last one is 1.  Parts of
        one draw contain each other.
    scores
        *scores* are shares from 0 to 1, where more is better, shape (n,).
    covariance
        *covariance* is that of the scores over test rows, shape (n, n).
    guess
        *guess* is the score of a constant answer.
    n_train
        *n_train* is the number of training rows of the whole size.
    n_fits
        *n_fits* is the number of fits behind each score: that of the folds.
    """

    shares: Floats
    draws: Ints
    scores: Floats
    covariance: Floats
    guess: float
    n_train: int = 500
    n_fits: int = 1

    @property
    def deviations(self) -> Floats:
        """The possible standard deviations over training sets of the whole size, on the scale of angles."""
        found: Floats = _DEVIATIONS / (2 * self.n_train**0.5)
        return found

    @property
    def angles(self) -> Floats:
        """The scores as angles, on which the variance of a share does not depend on it."""
        return np.arcsin(np.sqrt(np.clip(self.scores, _EDGE, 1 - _EDGE)))

    @property
    def angle_covariance(self) -> Floats:
        """The covariance on the scale of angles."""
        inside = np.clip(self.scores, _EDGE, 1 - _EDGE)
        slope = 1 / (2 * np.sqrt(inside * (1 - inside)))
        return self.covariance * slope * slope[:, None]

    @property
    def training(self) -> Floats:
        """The covariance from the choice of the part, for a variance of 1 over training sets of the whole size.

        The mean of a part has the variance 1 / share.  It shares with a larger part of the same draw the variance of
        that part, and with all others that of the whole.
        """
        larger = np.maximum(self.shares, self.shares[:, None])
        is_nested = self.draws == self.draws[:, None]
        return np.where(is_nested, 1 / larger - 1, 0.0) / self.n_fits


def why_not(points: SizePoints) -> str | None:
    """Return the reason for which *points* give no curve, or None.

    >>> flat = SizePoints(np.array([0.5, 1.0]), np.zeros(2, int), np.array([0.8, 0.9]), np.eye(2) * 1e-4, 0.5)
    >>> why_not(flat)
    'there are scores of only 2 sizes, and a curve needs 3'
    """
    n_sizes = len(np.unique(points.shares))
    if n_sizes < LEAST_SIZES:
        return f"there are scores of only {n_sizes} size{'s' if n_sizes > 1 else ''}, and a curve needs {LEAST_SIZES}"
    if not np.isfinite(points.covariance).all():
        return "too few groups of test pairs give no error of its scores"
    if points.scores[-1] - 1.96 * points.covariance[-1, -1] ** 0.5 <= points.guess:
        return "it is no better than guessing yet, and such a curve may rise later or never"
    if _falls(points):
        return "its score fell with more pairs, which no curve here allows"
    return None


def _falls(points: SizePoints) -> bool:
    """Return whether the score of a smaller size is higher by more than its errors explain."""
    for share in np.unique(points.shares)[:-1]:
        weights = np.where(points.shares == share, 1.0, 0.0)
        contrast = -weights / weights.sum()
        contrast[-1] += 1
        variance = contrast @ points.covariance @ contrast
        if contrast @ points.scores < -_WORSE * variance**0.5:
            return True
    return False


class SizeCurve:
    """Curves through the scores of one contender, drawn by their weights.

    Parameters
    ----------
    points
        *points* are the scores, for which `why_not` gives no reason.
    seed
        *seed* fixes the draws.

    Examples
    --------
    >>> shares = np.array([0.125, 0.25, 0.5, 1.0])
    >>> points = SizePoints(shares, np.zeros(4, int), 1 - 0.1 * shares**-0.5, np.eye(4) * 1e-5, 0.5)
    >>> more = SizeCurve(points).at(3)
    >>> 0.9 < more.low < 1 - 0.1 * 3**-0.5 < more.high
    True
    """

    def __init__(self, points: SizePoints, *, seed: int = 0) -> None:
        forms, shares, rates = (each.ravel() for each in _grid())
        centre, error = points.angles[-1], points.angle_covariance[-1, -1] ** 0.5
        # The errors of the whole size, shape (n_levels, 1).
        levels = np.cos(np.clip(centre + _LEVELS[:, None] * error, 1e-3, np.pi / 2 - 1e-3)) ** 2
        odds = np.maximum((1 - points.guess) / levels - 1, 1e-3)
        means = [
            np.arccos(np.sqrt(_inside(levels * _decline(forms, shares, rates, odds, share)))) for share in points.shares
        ]
        weights = _weights(points, np.stack(means, axis=-1))  # (n_deviations, n_levels, n_curves)
        rng = np.random.default_rng(child_seed(seed, "size curve"))
        drawn = rng.choice(weights.size, N_CURVES, p=weights.ravel())
        deviation, level, curve = np.unravel_index(drawn, weights.shape)
        self.errors: Floats = levels[level, 0]
        """The errors of the whole size, shape (n_curves,)."""
        self._shape = forms[curve], shares[curve], rates[curve], odds[level, 0]
        self._deviations, self._luck = points.deviations[deviation], rng.standard_normal(N_CURVES)

    def draws(self, times: float) -> Floats:
        """Return the scores with *times* as many training rows, shape (n_curves,), each of one fit."""
        mean = np.arccos(np.sqrt(_inside(self.errors * _decline(*self._shape, times))))
        apart = abs(1 - 1 / times)  # a larger set contains the present one
        scores: Floats = np.sin(np.clip(mean + self._luck * self._deviations * apart**0.5, 0, np.pi / 2)) ** 2
        return scores

    def at(self, times: float, *, confidence: float = 0.95) -> Estimate:
        """Return the median score with *times* as many training rows, with its interval."""
        draws = self.draws(times)
        return Estimate(float(np.median(draws)), *percentiles(draws, tails(confidence)))


class SizeGain:
    """The difference of two contenders with more training rows: their curves, paired by their errors on test rows.

    Parameters
    ----------
    one, other
        *one* and *other* are the curves.
    correlation
        *correlation* is that of their scores over test rows.
    seed
        *seed* fixes the draws.
    """

    def __init__(self, one: SizeCurve, other: SizeCurve, *, correlation: float, seed: int = 0) -> None:
        rng = np.random.default_rng(child_seed(seed, "size gain"))
        first = rng.standard_normal(N_CURVES)
        rest = max(0.0, 1 - correlation**2) ** 0.5
        second = correlation * first + rest * rng.standard_normal(N_CURVES)
        self._curves = one, other
        self._places = [
            _by_level(curve, rng)[np.argsort(np.argsort(normal))] for curve, normal in ((one, first), (other, second))
        ]

    def at(self, times: float, *, confidence: float = 0.95) -> Estimate:
        """Return the median difference with *times* as many training rows, with its interval."""
        one, other = (curve.draws(times)[places] for curve, places in zip(self._curves, self._places, strict=True))
        return Estimate(float(np.median(one - other)), *percentiles(one - other, tails(confidence)))


def _by_level(curve: SizeCurve, rng: np.random.Generator) -> Ints:
    """Return the places of the curves from the lowest to the highest score, equal ones in any order."""
    order = rng.permutation(N_CURVES)
    return order[np.argsort(-curve.errors[order], kind="stable")]


def _grid() -> list[NDArray[np.float64]]:
    """Return the form, the removable share and the rate of every curve."""
    grids = [np.meshgrid([float(form)], _SHARES, rates, indexing="ij") for form, rates in _RATES.items()]
    return [np.concatenate([grid[place].ravel() for grid in grids]) for place in range(3)]


def _decline(forms: Floats, shares: Floats, rates: Floats, odds: Floats, times: float) -> Floats:
    """Return the error with *times* as many rows, as a multiple of today's."""
    start = odds / shares
    falls = [times**-rates, (1 + start) / (1 + start * times**rates), np.exp(-rates * (times - 1))]
    left: Floats = 1 - shares + shares * np.select([forms == form for form in (_POWER, _SIGMOID, _EXPONENTIAL)], falls)
    return left


def _inside(errors: Floats) -> Floats:
    return np.clip(errors, _EDGE, 1 - _EDGE)


def _weights(points: SizePoints, means: Floats) -> Floats:
    """Return the weight of each curve at each level with each deviation.  They sum to 1."""
    logs = []
    for deviation in points.deviations:
        covariance = points.angle_covariance + deviation**2 * points.training
        factor = np.linalg.cholesky(covariance + np.eye(len(covariance)) * _EDGE**1.5)
        white = np.linalg.solve(factor, (points.angles - means).reshape(-1, len(covariance)).T)
        logs.append(-0.5 * (white**2).sum(axis=0).reshape(means.shape[:-1]) - np.log(np.diag(factor)).sum())
    found = np.stack(logs)
    weights = np.exp(found - found.max())
    normed: Floats = weights / weights.sum()
    return normed
