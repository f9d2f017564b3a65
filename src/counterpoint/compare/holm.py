"""Holm's correction of p-values for the number of comparisons."""

from collections.abc import Sequence

import numpy as np


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
