"""Greedy selection of models, with replacement, for the smallest log loss of the mean of their probabilities."""

import numpy as np
from numpy.typing import NDArray

from counterpoint.seeds import child_seed

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def greedy_weights(
    chances: Floats, *, steps: int, bags: int = 1, bag_share: float = 0.5, are_equal: bool = False
) -> Floats:
    """Return the weight of each model in the ensemble, shape (n_models,), which add up to 1.

    The selection is that of Caruana et al. (ICML 2004): it starts from the best models alone, as many as have the
    smallest loss together.  Then it adds, step by step, the model that lowers the loss most, which may be chosen
    repeatedly.  The best ensemble on this way is returned.

    Parameters
    ----------
    chances
        *chances* are the probabilities that the models give to the true classes of rows, shape (n_models, n_rows).
    steps
        *steps* is the largest number of models that are added after the start.
    bags, bag_share
        *bags* is the number of selections that are averaged, each from a random *bag_share* of the models.  One
        selection is from all models.
    are_equal
        *are_equal* gives all chosen models the same weight: none is chosen repeatedly.

    Examples
    --------
    >>> chances = np.array([[0.9, 0.1, 0.9], [0.2, 0.9, 0.9], [0.3, 0.3, 0.3]])
    >>> greedy_weights(chances, steps=10, are_equal=True).tolist()
    [0.5, 0.5, 0.0]
    """
    rng = np.random.default_rng(child_seed(0, "bags"))
    n_models, weights = len(chances), np.zeros(len(chances))
    n_drawn = max(1, round(bag_share * n_models)) if bags > 1 else n_models
    for _ in range(bags):
        drawn = np.sort(rng.choice(n_models, n_drawn, replace=False))
        counts = _selected(chances[drawn], steps, are_equal=are_equal)
        weights[drawn] += counts / counts.sum()
    return (weights > 0) / np.count_nonzero(weights) if are_equal else weights / weights.sum()


def _selected(chances: Floats, steps: int, *, are_equal: bool) -> Counts:
    """Return how often each model is chosen, in the best ensemble on the way."""
    counts = _best_first(chances)
    best, least = counts, _loss(counts @ chances / counts.sum())
    for _ in range(steps):
        total = counts @ chances
        losses = np.array([_loss((total + more) / (counts.sum() + 1)) for more in chances])
        if are_equal:
            losses[counts > 0] = np.inf
        chosen = int(losses.argmin())
        if not np.isfinite(losses[chosen]):
            break
        counts = counts + (np.arange(len(chances)) == chosen)
        if losses[chosen] < least:
            best, least = counts, losses[chosen]
    return best


def _best_first(chances: Floats) -> Counts:
    """Return the start: each of the best models once, as many as have the smallest loss together."""
    order = np.argsort([_loss(each) for each in chances], kind="stable")
    means = np.cumsum(chances[order], axis=0) / np.arange(1, len(chances) + 1)[:, None]
    n_best = 1 + int(np.argmin([_loss(mean) for mean in means]))
    counts = np.zeros(len(chances), dtype=np.int64)
    counts[order[:n_best]] = 1
    return counts


def _loss(chances: Floats) -> float:
    """Return the mean log loss of rows whose true classes have these probabilities."""
    return -float(np.log(np.maximum(chances, 1e-7)).mean())
