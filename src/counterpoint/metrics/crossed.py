"""The error of a difference whose rows are tested under several fits, for other rows and for other fits.

A row has a part in the difference under whichever fit it is tested, and a fit has one on whichever rows.  Rows and fits
are two samples.  Reasons: docs/decisions/0023-repeats.md.
"""

from typing import NamedTuple

import numpy as np

from counterpoint.metrics.jackknife import jackknife
from counterpoint.metrics.parts import Part
from counterpoint.metrics.spread import Spread
from counterpoint.metrics.units import Units, units_of


class Crossed(NamedTuple):
    """A difference with its standard error, and the standard errors from rows and from fits, which make it up."""

    value: float
    spread: Spread
    from_rows: float
    from_fits: float


def crossed_difference(part: Part, a: str, b: str, metric: str) -> Crossed:
    """Return the score of *a* minus that of *b*, with its standard error over groups of rows and over fits.

    Parameters
    ----------
    part
        *part* has the test rows of each fit as a fold.  A group may have rows in several folds.
    a, b
        *a* and *b* are contenders of the part.  The fits of all seeds of a fold count as one.
    metric
        *metric* is a name of the METRICS table, or a path.

    Returns
    -------
    Crossed
        The errors come from leaving out each group, each fit, and each group in each fit (`crossed`).

    Examples
    --------
    >>> from counterpoint.metrics.rows import PredictedRows
    >>> codes = np.arange(80) % 2
    >>> right = np.where(np.arange(80) < 60, codes, 1 - codes)  # of the second fit, on half of the same rows
    >>> chances = {"both": np.stack([1 - right, right], axis=1), "text": np.full((80, 2), 0.5)}
    >>> rows = {name: (PredictedRows(codes, own, (slice(0, 40), slice(40, 80))),) for name, own in chances.items()}
    >>> found = crossed_difference(Part(np.arange(80) % 40, rows, "test", 40), "both", "text", "accuracy")
    >>> found.value, round(found.from_rows, 3), round(found.from_fits, 3)
    (0.25, 0.089, 0.239)
    """
    first = part.trials[a][0]
    n_folds = len(first.folds)
    fits = np.repeat(np.arange(n_folds), [len(first.codes[fold]) for fold in first.folds])
    _, groups_in_fits = np.unique(fits * part.n_groups + part.groups, return_inverse=True)

    def left_out(by: Units | None) -> tuple[float, Spread]:
        scores = jackknife(part, [metric], by)
        difference = scores[a][metric].minus(scores[b][metric])
        return difference.value, difference.spread_over_units

    value, over_groups = left_out(None)
    _, over_fits = left_out(Units(fits, np.zeros(n_folds, dtype=np.intp)))
    _, within = left_out(units_of(groups_in_fits, first.codes))
    spread = crossed(over_groups, over_fits, within)
    from_fits = float(np.sqrt(np.maximum(0.0, spread.error**2 - over_groups.error**2)))
    return Crossed(value, spread, over_groups.error, from_fits)


def crossed(over_rows: Spread, over_fits: Spread, within: Spread) -> Spread:
    """Return the error of a value over two crossed samples, with the degrees of freedom of Satterthwaite.

    The variance over rows and that over fits each include that of one row under one fit, which is taken off once
    (Cameron, Gelbach and Miller, Robust Inference with Multiway Clustering, JBES 2011).  Fits add no less than nothing.
    The degrees of freedom are those of a sum of three variances (Satterthwaite, Biometrics 1946).

    Parameters
    ----------
    over_rows, over_fits, within
        *over_rows* and *over_fits* are the errors from the sums of each row over fits, and of each fit over rows.
        *within* is that from each row under each fit.

    Examples
    --------
    >>> found = crossed(Spread(0.03, 500), Spread(0.05, 9), Spread(0.03, 4000))
    >>> round(found.error, 3), round(found.df)
    (0.05, 9)
    >>> crossed(Spread(0.03, 500), Spread(0.01, 9), Spread(0.02, 4000)).error
    0.03
    """
    parts = np.array([over_rows, over_fits, within])
    squares, dfs = parts[:, 0] ** 2, parts[:, 1]
    variance = squares[0] + np.maximum(0.0, squares[1] - squares[2])
    terms = (squares**2 / dfs).sum()
    return Spread(float(variance**0.5), float(variance**2 / terms) if terms else over_rows.df)
