"""The metrics of each contender under weights of rows."""

from collections.abc import Sequence

import numpy as np

from counterpoint.metrics.parts import Part
from counterpoint.metrics.rows import Floats
from counterpoint.metrics.table import find_metric


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
