"""Bootstrap draws of groups, as weights."""

from collections.abc import Iterator

import numpy as np

from counterpoint.metrics.rows import Floats, Ints
from counterpoint.seeds import child_seed

MAX_ELEMENTS = 2**20  # of one array of weights: 8 MB, of which a metric holds about five at a time
MAX_CHUNK = 64  # draws at once: more would leave the processor's cache


def draws_at_once(n_rows: int) -> int:
    """Return the number of draws of weights of *n_rows* rows that are made together.

    >>> draws_at_once(500), draws_at_once(2**18), draws_at_once(2**21)
    (64, 4, 1)
    """
    return max(1, min(MAX_CHUNK, MAX_ELEMENTS // n_rows))


def row_draws(groups: Ints, n_draws: int, *, seed: int) -> Iterator[Floats]:
    """Yield weights of shape (some draws, n), *n_draws* in all: the number of times that the group of a row was drawn.

    Groups, not rows, are drawn with replacement: near-duplicates would make the interval too narrow (Field and Welsh,
    Bootstrapping clustered data, JRSS B 2007).  All contenders of the same rows share their draws.

    Parameters
    ----------
    groups
        *groups* are the codes of the rows' groups, from 0 on, shape (n,).
    n_draws
        *n_draws* is the number of draws.
    seed
        *seed* fixes the draws, with *groups* and *n_draws*.

    Examples
    --------
    >>> (weights,) = row_draws(np.array([0, 0, 1]), 4, seed=0)
    >>> weights.shape, bool((weights[:, 0] == weights[:, 1]).all())
    ((4, 3), True)
    """
    rng = np.random.default_rng(child_seed(seed, "groups"))
    n_groups = int(groups.max()) + 1
    size = draws_at_once(len(groups))
    for start in range(0, n_draws, size):
        chunk = min(size, n_draws - start)
        drawn = rng.integers(n_groups, size=(chunk, n_groups)) * chunk + np.arange(chunk)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_groups * chunk).reshape(n_groups, chunk)
        yield counts.astype(float).take(groups, axis=0).T
