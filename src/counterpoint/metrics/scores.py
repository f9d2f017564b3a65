"""Scores with their intervals, from a Predictions table or from one set of probabilities."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from counterpoint.config import DEFAULT_METRICS, Evaluate
from counterpoint.errors import SchemaError
from counterpoint.metrics.bootstrap import resample
from counterpoint.metrics.intervals import percentiles, tails, widened
from counterpoint.metrics.parts import Part, check_proba, encode, read_part
from counterpoint.metrics.rows import Ints, PredictedRows
from counterpoint.schema import PARTS, PREDICTIONS, SCORES, Frame, check, empty


def scores(predictions: Frame, rules: Evaluate) -> Frame:
    """Return every metric of every contender on each part that it predicted, with its interval.

    A value is the mean over seeds.  In a k-fold, ranking metrics are means over folds, and other metrics pool the
    out-of-fold rows.  An interval is null if fewer than two groups were predicted.  The interval of a training score
    uses a quarter of the draws, but at least 100.

    Examples
    --------
    >>> columns = {"id": ["1", "2"], "contender": "majority", "seed": [0, 0], "fold": "test", "part": "test"}
    >>> columns |= {"group": ["1", "2"], "label": ["a", "b"]}
    >>> rows = pl.DataFrame({**columns, "p_a": [0.6, 0.6], "p_b": [0.4, 0.4]})
    >>> scores(rows, Evaluate()).select("part", "metric", "value", "n", "seeds").row(0)
    ('test', 'accuracy', 0.5, 2, 1)
    """
    present = set(check(predictions, PREDICTIONS, table="Predictions")["part"])
    fewer = rules.model_copy(update={"bootstrap": max(100, rules.bootstrap // 4)})
    tables = [
        # Of a k-fold, training rows are many times the test rows, and nothing is decided on their scores.
        _scores_of(
            read_part(predictions, part, primary=rules.primary), rules.metrics, fewer if part == "train" else rules
        )
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
    bootstrap: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Frame:
    """Return the metrics of one set of probabilities, with percentile intervals from a bootstrap over groups.

    Parameters
    ----------
    y
        *y* are the true labels, shape (n,).
    proba
        *proba* are the probabilities, shape (n, n_classes).
    classes
        *classes* names the columns of *proba*, as ``classes_`` of a fitted contender does.
    groups
        *groups* are drawn as a whole.  Without them, each row is its own group.
    predicted
        *predicted* are the columns of the predicted classes, shape (n,), as `counterpoint.decide` returns them.
        Without them, the class with the largest probability is the predicted one.
    metrics
        *metrics* are names of the METRICS table, or paths such as ``my_lab.metrics:BRIER``.
    bootstrap
        *bootstrap* is the number of draws.
    confidence
        *confidence* is the level of the intervals.
    seed
        *seed* fixes the draws.

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
    rules = Evaluate.read({"bootstrap": bootstrap, "confidence": confidence, "seed": seed})
    part = Part(codes, {"": (rows,)}, "test", len(labels))
    return _scores_of(part, metrics, rules).select("metric", "value", "low", "high", "n")


def _scores_of(part: Part, metrics: Sequence[str], rules: Evaluate) -> Frame:
    resampled = resample(part, metrics, rules)
    table = [
        (
            name,
            part.name,
            metric,
            value,
            *widened(percentiles(draws, tails(rules.confidence)), value),
            part.n,
            len(part.trials[name]),
        )
        for name, scores in resampled.items()
        for metric, value, draws in zip(metrics, scores.value, scores.draws, strict=True)
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
