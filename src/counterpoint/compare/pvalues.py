"""p-values of a paired difference, and their combination.  Reasons: docs/decisions/0002-statistics.md."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, norm, rankdata

from counterpoint.metrics.rows import Floats, PredictedRows


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p of McNemar's test (McNemar, Psychometrika 1947).

    Parameters
    ----------
    only_a
        *only_a* is the number of rows on which only *a* is correct.
    only_b
        *only_b* is the number of rows on which only *b* is correct.

    Examples
    --------
    >>> round(mcnemar_exact(10, 2), 5)
    0.03857
    """
    return min(1.0, float(2 * binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)))


class Placements(NamedTuple):
    """The placement of each row of a fold among the rows of the other class.  The mean of either is the AUC."""

    positives: Floats
    """For each positive, the share of negatives that score lower (equal ones count half)."""
    negatives: Floats
    """For each negative, the share of positives that score higher (equal ones count half)."""


def place(rows: PredictedRows) -> Placements:
    """Return the placements of two-class rows by the probability of the second class.

    Computed from midranks (Sun and Xu, IEEE Signal Processing Letters 2014).

    >>> place(PredictedRows(np.array([0, 1, 1]), np.array([[0.6, 0.4], [0.2, 0.8], [0.6, 0.4]]))).positives
    array([1. , 0.5])
    """
    scores, is_positive = rows.proba[:, 1], rows.codes == 1
    n_positives, n_negatives = max(1, is_positive.sum()), max(1, (~is_positive).sum())
    ranks = rankdata(scores)
    positives = (ranks[is_positive] - rankdata(scores[is_positive])) / n_negatives
    negatives = 1 - (ranks[~is_positive] - rankdata(scores[~is_positive])) / n_positives
    return Placements(positives, negatives)


def delong(a: Sequence[Placements], b: Sequence[Placements]) -> tuple[float, float, float]:
    """Return the difference of two AUCs on the same rows, its standard error, and its two-sided p.

    With several folds, the difference is the mean over folds, and its variance assumes independent folds.  All values
    are NaN if a fold has fewer than two rows of a class.  p is NaN if a difference has no variance.  Formulas: DeLong,
    DeLong and Clarke-Pearson, Biometrics 1988.

    Parameters
    ----------
    a
        *a* is the placements of the first contender, one entry for each fold.
    b
        *b* is the placements of the second contender.

    Examples
    --------
    >>> good, poor = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.1, 0.8, 0.2, 0.9])
    >>> codes = np.array([0, 0, 1, 1])
    >>> a, b = (place(PredictedRows(codes, np.column_stack([1 - scores, scores]))) for scores in (good, poor))
    >>> [round(value, 3) for value in delong([a], [b])]
    [0.25, 0.354, 0.48]
    """
    if min(len(of_class) for fold in a for of_class in fold) < 2:
        return np.nan, np.nan, np.nan
    gaps = [tuple(one - other for one, other in zip(*fold, strict=True)) for fold in zip(a, b, strict=True)]
    difference = float(np.mean([positives.mean() for positives, _ in gaps]))
    variance = sum(of_class.var(ddof=1) / len(of_class) for fold in gaps for of_class in fold) / len(gaps) ** 2
    error = float(np.sqrt(variance))
    if error > 0:
        return difference, error, float(2 * norm.sf(abs(difference) / error))
    return difference, error, 1.0 if difference == 0 else np.nan


def bootstrap_p(differences: Floats) -> float:
    """Return the two-sided p of "no difference" from bootstrap draws of it.

    p is 2 (k + 1) / (B + 1), where k of B draws lie on the rarer half of the line, below or above 0.  NaN if no draw
    is defined.  Davison and Hinkley, Bootstrap Methods and their Application, 1997, chapter 4.

    Examples
    --------
    >>> bootstrap_p(np.full(1999, 0.1)), bootstrap_p(np.zeros(10))
    (0.001, 1.0)
    """
    defined = differences[np.isfinite(differences)]
    if not len(defined):
        return np.nan
    rarer = min((defined <= 0).sum(), (defined >= 0).sum())
    return min(1.0, float(2 * (rarer + 1) / (len(defined) + 1)))


def twice_median(p_values: Sequence[float]) -> float:
    """Return one p for several p-values of the same hypothesis: twice their median, or the only one.

    It is valid under any dependence (Rüger, Metrika 1978, and Meinshausen, Meier and Bühlmann, JASA 2009, γ = ½).

    Examples
    --------
    >>> twice_median([0.01]), twice_median([0.01, 0.03, 0.4])
    (0.01, 0.06)
    """
    return float(p_values[0] if len(p_values) == 1 else np.minimum(1, 2 * np.median(p_values)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return *p_values* corrected for their number (Holm, Scandinavian Journal of Statistics 1979).

    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    ascending = np.argsort(p_values, kind="stable")
    corrected = np.empty(len(p_values))
    n_left = np.arange(len(p_values), 0, -1)
    corrected[ascending] = np.maximum.accumulate(np.asarray(p_values)[ascending] * n_left).clip(max=1)
    return [float(p) for p in corrected]
