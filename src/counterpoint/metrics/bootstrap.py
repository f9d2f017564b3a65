"""Draws of seeds and of groups, and the intervals they give.  How and why: docs/decisions/0002-statistics.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from counterpoint.config import Evaluate
from counterpoint.metrics.parts import Part
from counterpoint.metrics.rows import Floats, Ints
from counterpoint.metrics.table import find_metric
from counterpoint.seeds import child_seed

MAX_ELEMENTS = 2**20  # of one array of weights: 8 MB, of which a metric holds about five at a time
MAX_CHUNK = 64  # draws at once: more would leave the processor's cache


@dataclass(frozen=True)
class Resampled:
    """The scores of one contender: *value* has shape (n_metrics,), *draws* has shape (n_metrics, n_draws)."""

    value: Floats
    draws: Floats


def resample(part: Part, metrics: Sequence[str], rules: Evaluate) -> dict[str, Resampled]:
    """Return the *metrics* of each contender on *part*, and the same under draws that all contenders share.

    Each draw takes seeds, then groups, with replacement; all seeds of a draw see the same groups, for they
    predicted the same rows.  One group alone says nothing of its spread: every draw is then NaN.
    """
    values = evaluate(part, metrics, np.ones((1, len(part.groups))))
    chunks = [evaluate(part, metrics, weights) for weights in row_draws(part.groups, rules.bootstrap, seed=rules.seed)]
    shares = seed_draws(part.n_seeds, rules.bootstrap, seed=rules.seed)
    resampled = {}
    for name, value in values.items():
        draws = np.concatenate([chunk[name] for chunk in chunks], axis=-1)  # (n_seeds, n_metrics, n_draws)
        draws = draws[0] if len(draws) == 1 else np.einsum("smd,sd->md", draws, shares)
        unknown = np.full_like(draws, np.nan)
        resampled[name] = Resampled(value[..., 0].mean(axis=0), draws if part.n_groups > 1 else unknown)
    return resampled


def evaluate(part: Part, metrics: Sequence[str], weights: Floats) -> dict[str, Floats]:
    """Return the *metrics* of each contender under *weights*, shape (n_seeds, n_metrics, draws)."""
    found = [find_metric(name) for name in metrics]
    return {
        name: np.array([[metric(sample) for metric in found] for sample in (rows.weigh(weights) for rows in seeds)])
        for name, seeds in part.trials.items()
    }


def row_draws(groups: Ints, n_draws: int, *, seed: int) -> Iterator[Floats]:
    """Yield weights of shape (some draws, n), *n_draws* in all: how often each row's group was drawn.

    Groups, not rows, are drawn with replacement: near-duplicates would make the interval too narrow.  The draws
    depend on *groups*, *n_draws* and *seed* alone, so that all contenders of the same rows share them.

    Examples
    --------
    >>> (weights,) = row_draws(np.array([0, 0, 1]), 4, seed=0)
    >>> weights.shape, bool((weights[:, 0] == weights[:, 1]).all())
    ((4, 3), True)
    """
    rng = np.random.default_rng(child_seed(seed, "groups"))
    n_groups = int(groups.max()) + 1
    size = max(1, min(MAX_CHUNK, MAX_ELEMENTS // len(groups)))
    for start in range(0, n_draws, size):
        chunk = min(size, n_draws - start)
        drawn = rng.integers(n_groups, size=(chunk, n_groups)) * chunk + np.arange(chunk)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_groups * chunk).reshape(n_groups, chunk)
        yield counts.astype(float).take(groups, axis=0).T


def seed_draws(n_seeds: int, n_draws: int, *, seed: int) -> Floats:
    """Return the share of each seed in each draw, shape (n_seeds, n_draws).

    >>> seed_draws(3, 5, seed=0).sum(axis=0).round(9)
    array([1., 1., 1., 1., 1.])
    """
    rng = np.random.default_rng(child_seed(seed, "seeds"))
    return rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n_draws).T / n_seeds


def interval(draws: Floats, value: float, *, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of the *draws* that are not NaN, widened to *value*; NaN where all are.

    >>> interval(np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan]), 2.0, confidence=0.5)
    (1.0, 3.0)
    """
    defined = draws[np.isfinite(draws)]
    if not len(defined):
        return np.nan, np.nan
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    # Draws of a metric with a bias, such as ece, may all but miss the value.
    return min(float(low), value), max(float(high), value)
