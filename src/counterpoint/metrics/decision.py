"""The predicted class of each row: the best one for a metric, by its probabilities and the class shares.

Reasons: docs/decisions/0016-one-decision-rule.md.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpoint.errors import SchemaError
from counterpoint.metrics.rows import Floats, Ints
from counterpoint.metrics.table import find_metric
from counterpoint.schema import PARTS, Frame, class_names

BALANCED = "balanced_accuracy"
"""The metric of the measures and checks."""
_SAME = 1 - 1e-9
"""Quotients of this ratio differ by rounding only."""


def decide(proba: ArrayLike, *, metric: str, shares: ArrayLike) -> Ints:
    """Return the predicted class of each row, as a column of *proba*, shape (n,).

    It is the class with the largest ``p / share ** share_power``, where `Metric.share_power` is 0 for accuracy, 1 for
    balanced accuracy and ½ for macro-F1.  For calibrated probabilities the first two maximise the expected metric
    (Menon et al., ICML 2013, for balanced accuracy).  The best rule for F1 depends on F1 itself (Lipton et al., ECML
    2014), and ½ is close to it.

    Parameters
    ----------
    proba
        *proba* are probabilities that are calibrated under the class shares of the training rows, shape
        (n, n_classes).
    metric
        *metric* is a name of the METRICS table, or a path such as ``my_lab.metrics:BRIER``.
    shares
        *shares* are the class shares of the training rows, shape (n_classes,), or one set a row, shape (n, n_classes).

    Returns
    -------
    array
        Of equal quotients the class with the larger probability counts, then the first.

    Raises
    ------
    ConfigError
        If the metric does not exist.
    SchemaError
        If the shapes differ, or a probability or share is negative or not finite.

    Examples
    --------
    >>> proba, shares = [[0.6, 0.3, 0.1], [0.6, 0.2, 0.2]], [0.6, 0.3, 0.1]
    >>> decide(proba, metric="accuracy", shares=shares).tolist()
    [0, 0]
    >>> decide(proba, metric="balanced_accuracy", shares=shares).tolist()
    [0, 2]
    """
    table, known = np.asarray(proba, dtype=float), np.asarray(shares, dtype=float)
    if table.ndim != 2 or known.shape not in (table.shape, table.shape[1:]):
        raise SchemaError(
            f"Probabilities of shape {table.shape} and shares of shape {known.shape} do not fit. Shares have one "
            "number a class, or one a class and row."
        )
    for name, numbers in (("Probabilities", table), ("Shares", known)):
        is_good = (numbers >= 0) & np.isfinite(numbers)
        if not is_good.all():
            raise SchemaError(f"{name} must be numbers from 0 on. Got {numbers[~is_good][:8].tolist()}.")
    worth = table / divisors(known, find_metric(metric).share_power)
    is_best = worth >= _SAME * worth.max(axis=-1, keepdims=True)
    predicted: Ints = np.where(is_best, table, -1.0).argmax(axis=-1)
    return predicted


def divisors(shares: Floats, power: float) -> Floats:
    """Return ``share ** power`` of each class, where a class without rows counts as the smallest one that has some.

    >>> divisors(np.array([0.75, 0.25, 0.0]), 1).tolist()
    [0.75, 0.25, 0.25]
    """
    least = np.where(shares > 0, shares, np.inf).min(axis=-1, keepdims=True)
    filled: Floats = np.where(shares > 0, shares, np.where(np.isfinite(least), least, 1.0)) ** power
    return filled


def class_shares(predictions: Frame) -> dict[str, Floats]:
    """Return the class shares of the training rows of each test fold, shape (n_classes,), by fold.

    They are counted on validation rows where no contender has predicted training rows, and on test rows where none has
    predicted validation rows either, as may be the case for outside models.

    Examples
    --------
    >>> columns = {"fold": "test", "part": ["train", "train", "test"], "label": list("aab")}
    >>> columns |= {"contender": "svm", "seed": 0}
    >>> class_shares(pl.DataFrame({**columns, "p_a": 0.5, "p_b": 0.5}))
    {'test': array([1., 0.])}
    """
    classes = class_names(predictions)
    keys = ["fold", "contender", "seed", "part"]
    counted = predictions.group_by(keys).agg(
        *(pl.col("label").eq(name).sum().alias(f"p_{name}") for name in classes), n=pl.len()
    )
    # The first part in the order of `PARTS`, from the contender that has predicted most of its rows.
    place = pl.col("part").replace_strict({part: i for i, part in enumerate(PARTS)}, default=len(PARTS))
    ordered = counted.sort(place, pl.col("n").cast(pl.Int64).neg(), *keys)
    first = ordered.unique("fold", keep="first", maintain_order=True)
    return {fold: np.array(found) / max(1, sum(found)) for fold, *found in first.select("fold", "^p_.*$").iter_rows()}


def shares_by_row(shares: Mapping[str, Floats], folds: Sequence[str] | NDArray[np.str_], n_classes: int) -> Floats:
    """Return the class shares of each row, shape (n, n_classes), by its test fold.

    Parameters
    ----------
    shares
        *shares* is the result of `class_shares`.
    folds
        *folds* are the test folds of the rows, shape (n,).
    n_classes
        *n_classes* is the number of classes.
    """
    names, places = np.unique(np.asarray(folds, dtype=str), return_inverse=True)
    table = np.array([shares[str(name)] for name in names]).reshape(len(names), n_classes)
    return table[places]


def with_predicted(rows: Frame, metric: str, shares: Mapping[str, Floats]) -> Frame:
    """Return *rows* with the column ``predicted``: the predicted class of each, or null where there are no classes.

    Parameters
    ----------
    rows
        *rows* are rows of schema.PREDICTIONS.
    metric
        *metric* is the metric for which the predicted class is the best.
    shares
        *shares* is the result of `class_shares` on the whole table.

    Examples
    --------
    >>> columns = {"id": list("123"), "fold": "test", "part": ["train", "train", "test"], "label": list("aba")}
    >>> columns |= {"contender": "svm", "seed": 0}
    >>> table = pl.DataFrame({**columns, "p_a": [0.9, 0.1, 0.4]}).with_columns(p_b=1 - pl.col("p_a"))
    >>> with_predicted(table, "accuracy", class_shares(table))["predicted"].to_list()
    ['a', 'b', 'b']
    """
    classes = class_names(rows)
    if not classes or rows.is_empty():
        return rows.with_columns(predicted=pl.lit(None, pl.String))
    proba = rows.select(pl.col(f"p_{name}").cast(pl.Float64) for name in classes).to_numpy()
    known = shares_by_row(shares, rows["fold"].to_numpy(), len(classes))
    codes = decide(np.nan_to_num(proba), metric=metric, shares=known)
    return rows.with_columns(pl.Series("predicted", np.array(classes)[codes], dtype=pl.String))


def rule_of(metric: str) -> str:
    """Return one sentence on the predicted class that is the best for *metric*.

    >>> rule_of("accuracy")
    'The predicted class of a pair is the one with the largest probability.'
    """
    found = find_metric(metric)
    start = "The predicted class of a pair is the one with the largest probability"
    if not found.share_power:
        return f"{start}."
    share = {1.0: "its share", 0.5: "the square root of its share"}.get(
        found.share_power, f"its share to the power {found.share_power:g}"
    )
    return f"{start} divided by {share} of the training pairs, because {found.name_within} is the primary metric."


def why_less_probable(label: str, chances: Mapping[str, float], metric: str) -> str:
    """Return the reason why the predicted class of one pair is not the most probable one, or "" where it is.

    Parameters
    ----------
    label
        *label* is the predicted class.
    chances
        *chances* has the probability of each class.
    metric
        *metric* is the primary metric of the study.

    Examples
    --------
    >>> why_less_probable("a", {"a": 0.4, "b": 0.6}, "balanced_accuracy")
    'It is not the most probable class: for balanced accuracy, a probability counts relative to the share of its class.'
    """
    if chances[label] >= max(chances.values()):
        return ""
    words = metric.replace("_", " ")
    return f"It is not the most probable class: for {words}, a probability counts relative to the share of its class."
