"""The difference of two runs on the test rows that they share, with one standard error from rows and seeds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from counterpoint.compare.selected import PROCEDURES, selected
from counterpoint.compared_runs.lettered_run import LetteredRun
from counterpoint.errors import CounterpointError
from counterpoint.metrics import Part, read_part
from counterpoint.metrics.jackknife import Jackknifed, jackknife
from counterpoint.metrics.rows import PredictedRows
from counterpoint.metrics.spread import Spread, added, spread_of_mean
from counterpoint.schema import Frame

_DIGITS = 12


class Measured(NamedTuple):
    """A difference with its interval.  p is None where nothing differs, or where the rows are not the same."""

    value: float
    low: float | None
    high: float | None
    p: float | None = None
    is_same: bool = False
    """Whether all predictions are the same, as those of the same fits."""
    is_paired: bool = True


class OneMetric(NamedTuple):
    """One metric of one contender of one run on the shared rows, and the seeds of its fits."""

    found: Jackknifed
    seeds: tuple[int, ...]
    trials: tuple[PredictedRows, ...]

    def minus(self, other: "OneMetric") -> "OneMetric":
        """Return the difference to *other* of the same run.  A contender with one seed is used for all seeds."""
        return OneMetric(
            self.found.minus(other.found), max(self.seeds, other.seeds, key=len), self.trials + other.trials
        )

    def has_predictions_of(self, other: "OneMetric") -> bool:
        """Return whether all probabilities and predicted classes are those of *other*."""
        both = list(zip(self.trials, other.trials, strict=False))
        return len(self.trials) == len(other.trials) and all(
            np.array_equal(one.proba, another.proba) and np.array_equal(one.predicted, another.predicted)
            for one, another in both
        )


def measured(after: OneMetric, before: OneMetric, confidence: float) -> Measured:
    """Return *after* minus *before*, two runs on the same rows.

    Parameters
    ----------
    after, before
        *after* and *before* are one metric of the two runs.
    confidence
        *confidence* is the level of the interval.
    """
    value, spread = rounded(after.found.value - before.found.value), spread_between(after, before)
    if after.has_predictions_of(before) or (value == 0 and spread.error == 0):
        return Measured(0.0, 0.0, 0.0, is_same=True)
    half = spread.half_width(confidence)
    if not np.isfinite(half):
        return Measured(value, None, None)
    return Measured(value, value - half, value + half, spread.p(value))


def rounded(value: float) -> float:
    """Return *value* without the digits that only rounding makes.

    >>> rounded(0.1 + 0.2 - 0.3)
    0.0
    """
    return round(value, _DIGITS)


def spread_between(after: OneMetric, before: OneMetric) -> Spread:
    """Return the standard error of a difference of two runs on the same rows, with its degrees of freedom.

    Fits of the same seeds are paired, as those of two contenders of one study are.  Fits of other seeds are independent
    samples: then the variances of both means over seeds add up (Welch, Biometrika 1947).
    """
    if after.seeds == before.seeds or 1 in (len(after.seeds), len(before.seeds)):
        return after.found.minus(before.found).spread
    change = Jackknifed(
        after.found.value - before.found.value, np.zeros(1), after.found.changes - before.found.changes,
        np.append(after.found.half_changes, before.found.half_changes),
        (after.found.strata[0], np.append(after.found.strata[1], before.found.strata[1])),
    )  # fmt: skip
    return added([change.spread, *(spread_of_mean(each.found.by_seed) for each in (after, before))])


def on_shared_rows(
    run: LetteredRun, contenders: Iterable[str], metrics: Sequence[str], shared: Frame
) -> dict[str, dict[str, OneMetric]]:
    """Return each of the *metrics* of each contender of *run* on the shared rows, by contender and metric.

    The predicted classes are those of the run itself: by its primary metric and its class shares.

    Parameters
    ----------
    run, contenders, metrics
        *run* is one of the two runs.  *contenders* and *metrics* are names in it.
    shared
        *shared* are the id and the group of each shared test row.
    """
    names = list(contenders)
    return _jackknifed(run, run.test.filter(pl.col("contender").is_in(names)), names, metrics, shared)


def _jackknifed(
    run: LetteredRun, predictions: Frame, names: Sequence[str], metrics: Sequence[str], shared: Frame
) -> dict[str, dict[str, OneMetric]]:
    if not names or not metrics:
        return {}
    rows = predictions.drop("group").join(shared, on="id", how="inner").select(predictions.columns)
    part: Part = read_part(rows, "test", names, primary=run.primary_metric, shares=run.shares)
    seeds = {name: tuple(rows.filter(contender=name)["seed"].unique().sort()) for name in names}
    found = jackknife(part, metrics)
    return {
        name: {metric: OneMetric(each, seeds[name], part.trials[name]) for metric, each in of_name.items()}
        for name, of_name in found.items()
    }


def contrast_on_shared_rows(run: LetteredRun, shared: Frame) -> OneMetric | None:
    """Return the primary contrast of *run* on the shared rows, or None where its record has no choice that is usable.

    As in a study, it is the difference of the two selection procedures.
    """
    primary = run.results.primary
    if primary is None or not primary.choices or not run.can_import(primary.metric):
        return None
    record: Mapping[str, object] = primary.model_dump()
    try:
        rows = selected(run.test, record)
        found = _jackknifed(run, rows, list(PROCEDURES.values()), [primary.metric], shared)
    except (CounterpointError, LookupError):  # a record from a stranger may name fits that do not exist
        return None
    return found[PROCEDURES["a"]][primary.metric].minus(found[PROCEDURES["b"]][primary.metric])
