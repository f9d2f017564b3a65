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
    """Return the *metrics* of each contender on *part*, and the same metrics under draws that all contenders share.

    Each draw takes seeds, then groups, with replacement.  All seeds of a draw have the same groups, because they
    predicted the same rows (Owen, The pigeonhole bootstrap, Annals of Applied Statistics 2007).

    Parameters
    ----------
    part
        *part* is the rows that all contenders predicted.  With one group, every draw is NaN.
    metrics
        *metrics* are names of the METRICS table, or paths.
    rules
        *rules* gives the number of draws and their seed.

    Returns
    -------
    dict
        The `Resampled` scores by contender.
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
    """Return the *metrics* of each contender under *weights*.

    Parameters
    ----------
    part
        *part* is the rows that all contenders predicted.
    metrics
        *metrics* are names of the METRICS table, or paths.
    weights
        *weights* have shape (draws, n_rows): how often each row was drawn.

    Returns
    -------
    dict
        An array of shape (n_seeds, n_metrics, draws) by contender.
    """
    found = [find_metric(name) for name in metrics]
    return {
        name: np.array([[metric(sample) for metric in found] for sample in (rows.weigh(weights) for rows in seeds)])
        for name, seeds in part.trials.items()
    }
