"""Permutations of rows: within classes or other strata, or whole groups at once."""

import numpy as np

from counterpoint.metrics.rows import Ints


def permute_within(strata: Ints, rng: np.random.Generator) -> Ints:
    """Return an order of the rows in which each row is one of its own stratum, such as its class.

    The strata are permuted one after another, the smallest code first: the order of draws is part of the result.

    >>> order = permute_within(np.array([0, 1, 0, 1]), np.random.default_rng(0))
    >>> sorted(order[[0, 2]].tolist()), sorted(order[[1, 3]].tolist())
    ([0, 2], [1, 3])
    """
    order = np.arange(len(strata))
    for code in np.unique(strata):
        rows = np.flatnonzero(strata == code)
        order[rows] = rng.permutation(rows)
    return order


def permute_groups(values: Ints, groups: Ints, rng: np.random.Generator) -> Ints:
    """Return *values* permuted by whole groups, so that the values of one group stay in adjacent places.

    Parameters
    ----------
    values
        *values* are codes, shape (n,), such as labels.
    groups
        *groups* are the codes of the rows' groups, from 0 on, shape (n,).
    rng
        *rng* draws one order of the groups.

    Examples
    --------
    >>> permute_groups(np.array([5, 5, 7]), np.array([0, 0, 1]), np.random.default_rng(3)).tolist()
    [7, 5, 5]
    """
    place = np.argsort(rng.permutation(int(groups.max()) + 1))  # of each group, in a random order
    permuted = np.empty_like(values)
    permuted[np.argsort(groups, kind="stable")] = values[np.argsort(place[groups], kind="stable")]
    return permuted
