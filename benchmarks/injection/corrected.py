"""The probabilities and predicted classes of fitted contenders, with and without the correction of their networks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import softmax

from counterpoint.contenders.base import Rows
from counterpoint.contenders.network import Network
from counterpoint.measures.prediction_arrays import PredictionArrays
from counterpoint.metrics import score
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.metrics.decision import BALANCED, decide
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame

PROPER = ("log_loss", "ece")
MAJORITY = "majority"


def uncorrected(model: Network, X: Frame) -> Floats:
    """Return the softmax of the network's own logits for the pairs *X*, shape (n_pairs, n_classes)."""
    pairs = model._pairs(X)
    with model._reading(pairs):
        logits = model._logits(model._material(Rows(pairs, np.zeros(len(pairs), dtype=np.int64))))
    return np.asarray(softmax(logits, axis=1))


def contender_records(rows: PredictionArrays, raw: Mapping[str, Floats]) -> dict[str, dict[str, Any]]:
    """Return by contender the mean of its probabilities, its losses, and its gains by the decision rules.

    Parameters
    ----------
    rows
        *rows* are the test rows with the probabilities of all contenders.
    raw
        *raw* are the probabilities of each network before its correction, by contender.

    Returns
    -------
    dict
        The gains are paired, each a mean with the ends of its interval: accuracy over the majority, and balanced
        accuracy over the class with the largest probability, now and before the correction.
    """
    hits = {name: _hits(rows, name, "accuracy") for name in rows.proba}
    return {
        name: {
            "mean": proba.mean(0).round(5).tolist(),
            **losses(rows.codes.tolist(), proba),
            "before": losses(rows.codes.tolist(), raw[name]) if name in raw else None,
            "accuracy": float(hits[name].mean()),
            "beyond_majority": list(rows.mean(hits[name] - hits[MAJORITY])),
            **_balanced(rows, name, raw.get(name, proba)),
        }
        for name, proba in rows.proba.items()
    }


def _hits(rows: PredictionArrays, name: str, metric: str) -> Floats:
    """Return 1 where the class that is the best for *metric* is the class of the row, else 0."""
    hits: Floats = (decide(rows.proba[name], metric=metric, shares=rows.shares) == rows.codes).astype(float)
    return hits


def losses(codes: Sequence[int], proba: Floats) -> dict[str, float]:
    """Return the log loss and the calibration error of *proba*.

    >>> {name: round(value, 3) for name, value in losses([0, 1], np.array([[0.8, 0.2], [0.4, 0.6]])).items()}
    {'log_loss': 0.367, 'ece': 0.3}
    """
    table = score(codes, proba, classes=range(proba.shape[1]), metrics=PROPER)
    return dict(table.select("metric", "value").iter_rows())


def _balanced(rows: PredictionArrays, name: str, raw: Floats) -> dict[str, Any]:
    """Return the balanced accuracy by its rule, and its gain over the class with the largest probability."""
    hits = _hits(rows, name, BALANCED)
    largest, before = (each.argmax(1) == rows.codes for each in (rows.proba[name], raw))
    return {
        "balanced_accuracy": balanced_mean(hits, rows.codes),
        "beyond_largest": list(rows.balanced(hits - largest)),
        "beyond_before": list(rows.balanced(hits - before)),
    }
