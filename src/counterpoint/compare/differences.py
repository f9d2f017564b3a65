"""Paired differences between contenders on the same test rows: size, interval, p and the minimum detectable size."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from counterpoint.compare.holm import holm
from counterpoint.compare.selected import PROCEDURES, is_unanimous, selected
from counterpoint.config import Evaluate
from counterpoint.errors import ConfigError
from counterpoint.metrics import Part, find_metric, read_part
from counterpoint.metrics.jackknife import jackknife
from counterpoint.metrics.spread import Spread
from counterpoint.schema import DIFFERENCES, Frame


def differences(
    predictions: Frame,
    rules: Evaluate,
    primary: Mapping[str, Any] | None,
    modalities: Mapping[str, Sequence[str]],
    over_repeats: Frame | None = None,
) -> Frame:
    """Return the difference of every pair of contenders in every metric on the test rows, the primary one first.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    rules
        *rules* gives the metrics and the level of the intervals.
    primary
        *primary* is the result of `choose_primary`.  Where its choices differ between folds or seeds, its row is the
        contrast of the two selection procedures, and the two contenders that are chosen most often have a row too.
    modalities
        *modalities* are the modalities of each contender.  *a* of a pair reads more of them, or is later in the table.
    over_repeats
        *over_repeats* is schema.REPEATED.  If it has a row, that is the primary contrast.

    Returns
    -------
    Frame
        schema.DIFFERENCES.  ``p_holm`` is corrected over the pairs of the row's metric (Holm, Scandinavian Journal of
        Statistics 1979).

    Examples
    --------
    >>> columns = {"id": list("1212"), "contender": ["text-svm"] * 2 + ["lstm-cnn"] * 2, "seed": [0] * 4}
    >>> columns |= {"fold": "test", "part": "test", "group": list("1212"), "label": list("xyxy")}
    >>> table = pl.DataFrame({**columns, "p_x": [0.9, 0.6, 0.9, 0.2]}).with_columns(p_y=1 - pl.col("p_x"))
    >>> reads = {"text-svm": ["text"], "lstm-cnn": ["text", "image"]}
    >>> differences(table, Evaluate(), None, reads).select("a", "b", "metric", "difference").row(0)
    ('lstm-cnn', 'text-svm', 'balanced_accuracy', 0.5)
    """
    part = read_part(predictions, "test", primary=rules.primary)
    metrics = list(dict.fromkeys([rules.primary, *rules.metrics]))
    comparison = Comparison(part, metrics, rules.confidence)
    pairs = _pairs(list(part.trials), modalities)
    is_repeated = over_repeats is not None and not over_repeats.is_empty()
    is_pair = primary is not None and is_unanimous(primary) and not is_repeated
    marked = (primary["a"], primary["b"], primary["metric"]) if primary and is_pair else None
    found = [contrast(predictions, rules, primary)] if primary and not is_pair else []
    if over_repeats is not None and is_repeated:
        found = [repeated(row, over_repeats, rules.confidence) for row in found]
    contrasts = [row | {"is_primary": True} for row in found]
    rows = [*contrasts, *(comparison.difference(a, b, metric) for metric in metrics for a, b in pairs)]
    for metric in metrics:
        _add_holm([row for row in rows if row["metric"] == metric])
    for row in rows:
        row.setdefault("is_primary", (row["a"], row["b"], row["metric"]) == marked)
    rows.sort(key=lambda row: not row["is_primary"])
    return _table(rows)


def contrast(predictions: Frame, rules: Evaluate, primary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the difference of the two selection procedures of the primary contrast, as that of any pair.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    rules
        *rules* gives the primary metric and the level of the interval.
    primary
        *primary* is the result of `choose_primary`.

    Returns
    -------
    dict
        A row of schema.DIFFERENCES without p_holm and is_primary.  *a* and *b* are the contenders that are chosen most
        often.
    """
    rows = pl.concat([predictions, selected(predictions, primary)])
    part = read_part(rows, "test", PROCEDURES.values(), primary=rules.primary)
    metric = primary["metric"]
    row = Comparison(part, [metric], rules.confidence).difference(PROCEDURES["a"], PROCEDURES["b"], metric)
    return row | {side: primary[side] for side in PROCEDURES}


def repeated(row: Mapping[str, Any], over_repeats: Frame, confidence: float) -> dict[str, Any]:
    """Return the primary contrast over all repeats, in place of that of the first one.

    Parameters
    ----------
    row
        *row* is the result of `contrast` of the first repeat.
    over_repeats
        *over_repeats* is schema.REPEATED.
    confidence
        *confidence* is the level of the interval.
    """
    value, error, df = over_repeats.fill_null(float("nan")).select("difference", "error", "df").row(0)
    return {**row, **_measured(value, Spread(error, df), row["metric"], confidence)}


def compare(
    predictions: Frame,
    a: str,
    b: str,
    *,
    metric: str = "balanced_accuracy",
    primary: str | None = None,
    confidence: float = 0.95,
) -> Frame:
    """Return the difference *a* minus *b* on the test rows that both predicted, with its interval and p.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    a, b
        *a* and *b* are names of contenders.
    metric
        *metric* is a name of the METRICS table, or a path such as ``my_lab.metrics:BRIER``.
    primary
        *primary* is the metric for which the predicted classes are the best.  By default it is *metric*.
    confidence
        *confidence* is the level of the interval, between 0 and 1.

    Returns
    -------
    Frame
        One row of schema.DIFFERENCES, without the columns that depend on other pairs (p_holm, is_primary).

    Raises
    ------
    ConfigError
        If a contender or the metric does not exist.

    Examples
    --------
    >>> columns = {"id": list("1212"), "contender": ["text-svm"] * 2 + ["lstm-cnn"] * 2, "seed": [0] * 4}
    >>> columns |= {"fold": "test", "part": "test", "group": list("1212"), "label": list("xyxy")}
    >>> table = pl.DataFrame({**columns, "p_x": [0.9, 0.6, 0.9, 0.2]}).with_columns(p_y=1 - pl.col("p_x"))
    >>> compare(table, "lstm-cnn", "text-svm", metric="accuracy").select("difference", pl.col("p").round(2)).row(0)
    (0.5, 0.29)
    """
    if a == b:
        raise ConfigError(f"A comparison needs two contenders, but got {a!r} twice.")
    rules = Evaluate.read({"confidence": confidence})
    part = read_part(predictions, "test", (a, b), primary=primary or metric)
    comparison = Comparison(part, [metric], rules.confidence)
    return _table([comparison.difference(a, b, metric)]).drop("p_holm", "is_primary")


def compare_studies(
    a: Frame, b: Frame, *, metric: str, primaries: tuple[str, str], confidence: float = 0.95
) -> dict[str, Any]:
    """Return the difference of one contender between two studies with the same test rows.

    The predicted classes of each study are those of its own primary metric, as in its own scores.

    Parameters
    ----------
    a, b
        *a* and *b* are the predictions of the contender in both studies (schema.PREDICTIONS).
    metric
        *metric* is the metric of the difference.
    primaries
        *primaries* are the primary metrics of both studies.
    confidence
        *confidence* is the level of the interval.

    Returns
    -------
    dict
        The columns of schema.DIFFERENCES that do not name a pair, without p_holm and is_primary.  Groups are those of
        *b*.

    Examples
    --------
    >>> columns = {"id": list("1212"), "contender": "svm", "seed": [0] * 4, "fold": "test", "group": list("1212")}
    >>> columns |= {"part": ["test"] * 2 + ["train"] * 2, "label": list("xyxy"), "p_x": [0.9, 0.4, 0.9, 0.4]}
    >>> table = pl.DataFrame(columns).with_columns(p_y=1 - pl.col("p_x"))
    >>> swapped = table.rename({"p_x": "p_y", "p_y": "p_x"}).select(table.columns)
    >>> compare_studies(table, swapped, metric="accuracy", primaries=("accuracy", "roc_auc"))["difference"]
    1.0
    """
    groups = b.select("id", "group").unique("id", keep="first")
    tables = [table.drop("group").join(groups, on="id", how="left").select(table.columns) for table in (a, b)]
    parts = [read_part(table, "test", primary=primary) for table, primary in zip(tables, primaries, strict=True)]
    one, other = (next(iter(jackknife(part, [metric]).values()))[metric] for part in parts)
    difference = one.minus(other)
    found = _table([_measured(difference.value, difference.spread, metric, confidence)])
    return found.drop("a", "b", "metric", "p_holm", "is_primary").row(0, named=True)


class Comparison:
    """The contenders of one part, from which the difference of any pair is computed.

    Parameters
    ----------
    part
        *part* is the rows that all contenders predicted.
    metrics
        *metrics* are the names of the metrics of all differences.
    confidence
        *confidence* is the level of the intervals.
    """

    def __init__(self, part: Part, metrics: Sequence[str], confidence: float) -> None:
        self.confidence = confidence
        self.scores = jackknife(part, metrics)

    def difference(self, a: str, b: str, metric: str) -> dict[str, Any]:
        """Return the row of schema.DIFFERENCES for one pair, without p_holm and is_primary.

        Parameters
        ----------
        a, b
            *a* and *b* are contenders of the part.
        metric
            *metric* is one of the metrics of this comparison.

        Returns
        -------
        dict
            The score of *a* minus the score of *b*, its standard error with the degrees of freedom, and from these its
            interval, p, and the minimum detectable difference.
        """
        difference = self.scores[a][metric].minus(self.scores[b][metric])
        found = _measured(difference.value, difference.spread, metric, self.confidence)
        return {"a": a, "b": b, "metric": metric} | found


def _measured(value: float, spread: Spread, metric: str, confidence: float) -> dict[str, float]:
    half_width = spread.half_width(confidence)
    low, high = value - half_width, value + half_width
    if find_metric(metric).scale == "share":  # a difference of two shares lies from −1 to 1
        low, high = max(low, -1.0), min(high, 1.0)
    return {
        "difference": value, "low": low, "high": high, "error": spread.error,
        "df": spread.df, "p": spread.p(value), "minimum_detectable": spread.detectable(confidence),
    }  # fmt: skip


def _pairs(contenders: Sequence[str], modalities: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    def n_read(name: str) -> int:
        return len(modalities.get(name, ()))

    return [
        (first, later) if n_read(first) > n_read(later) else (later, first)
        for first, later in combinations(contenders, 2)
    ]


def _add_holm(rows: Sequence[dict[str, Any]]) -> None:
    tested = [row for row in rows if np.isfinite(row["p"])]
    for row, p_holm in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = p_holm


def _table(rows: Sequence[Mapping[str, Any]]) -> Frame:
    return pl.DataFrame(rows, schema=dict(DIFFERENCES)).fill_nan(None)
