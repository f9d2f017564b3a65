"""Whether the counts of one property depend on another: a test of independence and its effect size."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

N_TABLES = 4_999
LEAST_EXPECTED = 5
"""Cochran's rule: below this expected count in a cell, the χ² distribution is not valid."""


class Independence(NamedTuple):
    """The result of a test of independence.

    Attributes
    ----------
    p
        *p* is the p-value of Pearson's χ² test.
    v
        *v* is Cramér's V: 0 for independence, 1 if one property determines the other (Cramér 1946, ch. 21).
    """

    p: float
    v: float


def cross_counts(rows: Frame, one: str, other: str) -> NDArray[np.int64]:
    """Return the contingency table of two columns of *rows*: the number of rows for each pair of values.

    Parameters
    ----------
    rows
        *rows* is a table with both columns.
    one, other
        *one* and *other* are the names of the columns.

    Returns
    -------
    array
        Shape (values of *one*, values of *other*), both in ascending order.

    Examples
    --------
    >>> import polars as pl
    >>> cross_counts(pl.DataFrame({"hit": [True, False, True], "label": ["a", "a", "b"]}), "hit", "label").tolist()
    [[1, 0], [1, 1]]
    """
    codes = tuple(np.unique(rows[name].to_numpy(), return_inverse=True)[1] for name in (one, other))
    counts = np.zeros([code.max(initial=-1) + 1 for code in codes], dtype=np.int64)
    np.add.at(counts, codes, 1)
    return counts


def independence(counts: NDArray[np.int64]) -> Independence | None:
    """Test whether the rows and columns of a table of *counts* are independent.

    The result is None if the table has one row or one column.

    If a cell has an expected count below five (Cochran's rule), p is from 4,999 random tables with the same margins.
    It is then the share of tables whose χ² is at least as large.

    Examples
    --------
    >>> independence(np.array([[400, 450], [100, 50]]))._asdict()
    {'p': 9.51e-06, 'v': 0.14}
    >>> independence(np.array([[3, 5]])) is None
    True
    """
    full = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(full.shape) < 2:
        return None
    expected = np.outer(full.sum(axis=1), full.sum(axis=0)) / full.sum()
    statistic = float(((full - expected) ** 2 / expected).sum())
    v = float(np.sqrt(statistic / full.sum() / (min(full.shape) - 1)))
    return Independence(float(f"{_p(full, expected, statistic):.3g}"), round(v, 3))


def _p(counts: NDArray[np.int64], expected: NDArray[np.float64], statistic: float) -> float:
    from scipy.stats import chi2, random_table  # noqa: PLC0415 - takes longer than most checks

    if expected.min() >= LEAST_EXPECTED:
        return float(chi2.sf(statistic, (counts.shape[0] - 1) * (counts.shape[1] - 1)))
    tables = random_table(counts.sum(axis=1), counts.sum(axis=0), seed=child_seed(0, "random tables")).rvs(N_TABLES)
    statistics = ((tables - expected) ** 2 / expected).sum(axis=(1, 2))
    return float((1 + (statistics >= statistic - 1e-9).sum()) / (1 + N_TABLES))
