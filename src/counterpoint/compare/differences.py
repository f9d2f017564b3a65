"""Paired differences between contenders on the same test rows: size, interval, p and the minimum detectable size."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from counterpoint.compare.pvalues import bootstrap_p, delong, holm, mcnemar_exact, place, twice_median
from counterpoint.compare.selected import PROCEDURES, is_unanimous, selected
from counterpoint.config import Evaluate
from counterpoint.errors import ConfigError
from counterpoint.metrics import Part, PredictedRows, read_part, resample
from counterpoint.metrics.intervals import percentiles, tails, widened
from counterpoint.metrics.rows import Floats
from counterpoint.schema import DIFFERENCES, Frame

POWER = 2.8  # standard errors, 1.96 + 0.84: found at the 5 % level with a power of 80 %


def differences(
    predictions: Frame, rules: Evaluate, primary: Mapping[str, Any] | None, modalities: Mapping[str, Sequence[str]]
) -> Frame:
    """Return the difference of every pair of contenders in every metric on the test rows, the primary one first.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    rules
        *rules* gives the metrics, and the draws and level of the intervals.
    primary
        *primary* is the result of `choose_primary`.  Where its choices differ between folds or seeds, its row is the
        contrast of the two selection procedures, and the two contenders that are chosen most often have a row too.
    modalities
        *modalities* are the modalities of each contender.  *a* of a pair reads more of them, or is later in the table.

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
    comparison = Comparison(part, metrics, rules)
    pairs = _pairs(list(part.trials), modalities)
    is_pair = primary is not None and is_unanimous(primary)
    marked = (primary["a"], primary["b"], primary["metric"]) if primary and is_pair else None
    contrasts = [contrast(predictions, rules, primary) | {"is_primary": True}] if primary and not is_pair else []
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
        *rules* gives the primary metric, and the draws and level of the interval.
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
    row = Comparison(part, [metric], rules).difference(PROCEDURES["a"], PROCEDURES["b"], metric)
    return row | {side: primary[side] for side in PROCEDURES}


def compare(
    predictions: Frame,
    a: str,
    b: str,
    *,
    metric: str = "balanced_accuracy",
    primary: str | None = None,
    bootstrap: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
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
    bootstrap, confidence, seed
        *bootstrap* is the number of draws, *confidence* the level of the interval, and *seed* fixes the draws.

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
    >>> compare(table, "lstm-cnn", "text-svm", metric="accuracy").select("difference", "p", "test").row(0)
    (0.5, 1.0, 'mcnemar')
    """
    if a == b:
        raise ConfigError(f"A comparison needs two contenders, but got {a!r} twice.")
    rules = Evaluate.read({"bootstrap": bootstrap, "confidence": confidence, "seed": seed})
    part = read_part(predictions, "test", (a, b), primary=primary or metric)
    comparison = Comparison(part, [metric], rules)
    return _table([comparison.difference(a, b, metric)]).drop("p_holm", "is_primary")


class Comparison:
    """The contenders of one part under shared draws, from which the difference of any pair is computed.

    Parameters
    ----------
    part
        *part* is the rows that all contenders predicted.
    metrics
        *metrics* are the names of the metrics of all differences.
    rules
        *rules* gives the draws and the level of the intervals.
    """

    def __init__(self, part: Part, metrics: Sequence[str], rules: Evaluate) -> None:
        self.part, self.rules = part, rules
        self.resampled = resample(part, metrics, rules)
        self.place_of = {metric: place for place, metric in enumerate(metrics)}
        self.is_clustered = part.n_groups < len(part.groups)

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
            The score of *a* minus the score of *b*, its interval, p, the test of p and the minimum detectable
            difference.
        """
        one, other, k = self.resampled[a], self.resampled[b], self.place_of[metric]
        difference, draws = float(one.value[k] - other.value[k]), one.draws[k] - other.draws[k]
        low, high = widened(percentiles(draws, tails(self.rules.confidence)), difference)
        p, test = self._p(a, b, metric, draws)
        detectable = self._detectable(a, b, metric, draws)
        names = {"a": a, "b": b, "metric": metric, "difference": difference, "low": low, "high": high}
        return {**names, "p": p, "test": test, "minimum_detectable": detectable}

    def _p(self, a: str, b: str, metric: str, draws: Floats) -> tuple[float, str]:
        """Return p and its test.  The exact tests assume independent rows, so groups of rows need the bootstrap."""
        exact = {"accuracy": ("mcnemar", _mcnemar), "roc_auc": ("delong", _delong)}
        if metric in exact and not self.is_clustered:
            name, test = exact[metric]
            p = twice_median([test(one, other) for one, other in self._seeds(a, b)])
            if np.isfinite(p):
                return p, name
        return bootstrap_p(draws), "bootstrap"

    def _detectable(self, a: str, b: str, metric: str, draws: Floats) -> float:
        """Return the difference that is found with a power of 80 %: POWER standard errors."""
        if metric == "accuracy" and not self.is_clustered:
            discordant = float(
                np.mean([(one.is_correct != other.is_correct).mean() for one, other in self._seeds(a, b)])
            )
            return POWER * float(np.sqrt(discordant / len(self.part.groups)))
        defined = draws[np.isfinite(draws)]
        return POWER * float(defined.std(ddof=1)) if len(defined) > 1 else np.nan

    def _seeds(self, a: str, b: str) -> Iterator[tuple[PredictedRows, PredictedRows]]:
        """Yield the rows of both for each seed.  A contender with one seed is used for all."""
        one, other = self.part.trials[a], self.part.trials[b]
        n_seeds = max(len(one), len(other))
        return zip(one * (n_seeds // len(one)), other * (n_seeds // len(other)), strict=True)


def _mcnemar(a: PredictedRows, b: PredictedRows) -> float:
    return mcnemar_exact(int((a.is_correct & ~b.is_correct).sum()), int((b.is_correct & ~a.is_correct).sum()))


def _delong(a: PredictedRows, b: PredictedRows) -> float:
    if a.n_classes != 2:
        return np.nan
    _, _, p = delong([place(fold) for fold in a.by_fold], [place(fold) for fold in b.by_fold])
    return p


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
