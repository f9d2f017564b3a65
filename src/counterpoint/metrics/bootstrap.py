"""The metrics of each contender under draws of seeds and groups.  Reasons: docs/decisions/0002-statistics.md."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from counterpoint.config import Evaluate
from counterpoint.metrics.draws import row_draws, seed_draws
from counterpoint.metrics.parts import Part
from counterpoint.metrics.rows import Floats
from counterpoint.metrics.table import find_metric


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
