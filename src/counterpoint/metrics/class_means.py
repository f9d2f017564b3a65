"""Means over classes: each class has the same weight, whatever its number of rows.

The mean over classes of the share of correct rows is balanced accuracy (Brodersen et al., ICPR 2010).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.metrics.estimate import Measure
from counterpoint.metrics.rows import Floats, defined_mean, ratio


def mean_of_classes(sums: Floats, sizes: Floats, *, axis: int = 0) -> Floats:
    """Return the mean over classes of *sums* / *sizes*.  A class of size 0 is left out.  NaN if all are.

    Parameters
    ----------
    sums
        *sums* are the sums of a value over the rows of each class, such as the number of correct rows.
    sizes
        *sizes* are the numbers of rows, or their weights, in the same shape.
    axis
        *axis* is the axis of the classes.

    Examples
    --------
    >>> mean_of_classes(np.array([[2.0], [0.0], [0.0]]), np.array([[2.0], [1.0], [0.0]]))
    array([0.5])
    """
    return defined_mean(ratio(sums, sizes), axis=axis)


def mean_by_class(values: Floats, codes: NDArray[np.intp]) -> Measure:
    """Return the measure that averages *values* within each class, then over the classes.

    >>> float(mean_by_class(np.array([1.0, 1.0, 0.0]), np.array([0, 0, 1]))(np.ones((1, 3)))[0])
    0.5
    """
    member = (codes[:, None] == np.unique(codes)).astype(float)  # (n, classes)

    def measure(weights: Floats) -> Floats:
        return mean_of_classes((weights * values) @ member, weights @ member, axis=1)

    return measure


def balanced_mean(values: NDArray[Any], codes: NDArray[Any]) -> float:
    """Return the mean over classes of the mean of *values* in each class, 0 without rows.

    *codes* are the classes of the rows, as codes or as names.

    >>> balanced_mean(np.array([True, True, False]), np.array([0, 0, 1]))
    0.5
    """
    if not len(codes):
        return 0.0
    of_class = [values[codes == code] for code in np.unique(codes)]
    return float(mean_of_classes(*np.array([(own.sum(), len(own)) for own in of_class], dtype=float).T))
