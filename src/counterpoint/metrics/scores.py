"""Scores with their intervals, from a Predictions table or from one set of probabilities."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from counterpoint.config import DEFAULT_METRICS, Evaluate
from counterpoint.errors import SchemaError
from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.intervals import scaled_interval, widened
from counterpoint.metrics.jackknife import Jackknifed, jackknife
from counterpoint.metrics.parts import Part, check_proba, encode, read_part
from counterpoint.metrics.rows import Ints, PredictedRows
from counterpoint.metrics.table import find_metric
from counterpoint.schema import PARTS, PREDICTIONS, SCORES, Frame, check, empty


def scores(predictions: Frame, rules: Evaluate) -> Frame:
    """Return every metric of every contender on each part that it predicted, with its interval.

    A value is the mean over seeds.  In a k-fold, ranking metrics are means over folds, and other metrics pool the
    out-of-fold rows.  An interval is null if fewer than two groups were predicted.

    Examples
    --------
    >>> columns = {"id": ["1", "2"], "contender": "majority", "seed": [0, 0], "fold": "test", "part": "test"}
    >>> columns |= {"group": ["1", "2"], "label": ["a", "b"]}
    >>> rows = pl.DataFrame({**columns, "p_a": [0.6, 0.6], "p_b": [0.4, 0.4]})
    >>> scores(rows, Evaluate()).select("part", "metric", "value", "n", "seeds").row(0)
    ('test', 'accuracy', 0.5, 2, 1)
    """
    present = set(check(predictions, PREDICTIONS, table="Predictions")["part"])
    tables = [
        _scores_of(read_part(predictions, part, primary=rules.primary), rules.metrics, rules.confidence)
        for part in PARTS
        if part in present
    ]
    return pl.concat([empty(SCORES), *tables])


def score(
    y: Iterable[Any],
    proba: ArrayLike,
    *,
    classes: Sequence[Any],
    groups: Iterable[Any] | None = None,
    predicted: ArrayLike | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    confidence: float = 0.95,
) -> Frame:
    """Return the metrics of one set of probabilities, with intervals that leave out groups of rows in turn.

    Parameters
    ----------
    y
        *y* are the true labels, shape (n,).
    proba
        *proba* are the probabilities, shape (n, n_classes).
    classes
        *classes* names the columns of *proba*, as ``classes_`` of a fitted contender does.
    groups
        *groups* are left out as a whole.  Without them, each row is its own group.
    predicted
        *predicted* are the columns of the predicted classes, shape (n,), as `counterpoint.decide` returns them.
        Without them, the class with the largest probability is the predicted one.
    metrics
        *metrics* are names of the METRICS table, or paths such as ``my_lab.metrics:BRIER``.
    confidence
        *confidence* is the level of the intervals, between 0 and 1.

    Returns
    -------
    Frame
        One row for each metric: metric, value, low, high, n.

    Raises
    ------
    ConfigError
        If a metric does not exist.
    SchemaError
        If the lengths of *y*, *proba*, *classes* and *groups* differ.

    Examples
    --------
    >>> table = score(["a", "b", "b"], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], classes=["a", "b"])
    >>> table.select("metric", pl.col("value").round(3)).head(2).rows()
    [('accuracy', 0.667), ('balanced_accuracy', 0.75)]
    """
    labels, table = list(y), np.asarray(proba, dtype=float)
    codes = np.arange(len(labels)) if groups is None else _codes(groups)
    if table.shape != (len(labels), len(classes)) or len(codes) != len(labels) or not labels:
        raise SchemaError(
            f"Labels, probabilities, classes and groups do not fit: {len(labels)} labels, probabilities of shape "
            f"{table.shape}, {len(classes)} classes, {len(codes)} groups."
        )
    chosen = None if predicted is None else _columns(predicted, len(labels), len(classes))
    rows = PredictedRows(encode(labels, list(classes)), check_proba(table, of="proba"), predicted=chosen)
    level = Evaluate.read({"confidence": confidence}).confidence
    part = Part(codes, {"": (rows,)}, "test", len(labels))
    return _scores_of(part, metrics, level).select("metric", "value", "low", "high", "n")


def intervals_of(part: Part, metrics: Sequence[str], confidence: float) -> dict[str, dict[str, Estimate]]:
    """Return the score of each contender in each of the *metrics* with its interval, by contender and metric.

    Parameters
    ----------
    part
        *part* is the rows that all contenders predicted.
    metrics
        *metrics* are names of the METRICS table, or paths.
    confidence
        *confidence* is the level of the intervals.
    """
    return {
        name: {metric: _estimate(own, find_metric(metric).scale, confidence) for metric, own in scores.items()}
        for name, scores in jackknife(part, metrics).items()
    }


def _estimate(found: Jackknifed, scale: str, confidence: float) -> Estimate:
    ends = scaled_interval(found.centre, found.spread.half_width(confidence), scale)
    return Estimate(found.value, *widened(ends, found.value))


def _scores_of(part: Part, metrics: Sequence[str], confidence: float) -> Frame:
    table = [
        (name, part.name, metric, *own, part.n, len(part.trials[name]))
        for name, scores in intervals_of(part, metrics, confidence).items()
        for metric, own in scores.items()
    ]
    return pl.DataFrame(table, schema=dict(SCORES), orient="row").fill_nan(None)


def _columns(predicted: ArrayLike, n: int, n_classes: int) -> Ints:
    """Return the columns of the predicted classes, if each of *n* rows has one."""
    columns = np.asarray(predicted)
    is_good = columns.shape == (n,) and columns.dtype.kind in "iu"
    if not is_good or not ((columns >= 0) & (columns < n_classes)).all():
        raise SchemaError(
            f"predicted must have a column of the probabilities, 0 to {n_classes - 1}, for each of {n} rows. "
            f"Got {columns.dtype} of shape {columns.shape}."
        )
    return columns.astype(np.intp)


def _codes(groups: Iterable[Any]) -> Ints:
    places: dict[Any, int] = {}
    return np.array([places.setdefault(group, len(places)) for group in groups], dtype=np.intp)
