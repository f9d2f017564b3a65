"""Scores of contenders, with the change of each score when a unit of rows is left out.

From these changes follow the standard error of a score, and of a difference of two contenders on the same rows
(Efron and Stein, The jackknife estimate of variance, Annals of Statistics 1981).  Reasons:
docs/decisions/0022-intervals.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from counterpoint.metrics.draws import draws_at_once
from counterpoint.metrics.half_groups import HalfGroups
from counterpoint.metrics.metric import Metric
from counterpoint.metrics.parts import Part
from counterpoint.metrics.rows import Floats, Ints, PredictedRows, Sample
from counterpoint.metrics.spread import Spread, spread_of
from counterpoint.metrics.table import find_metric
from counterpoint.metrics.units import Units, units_of
from counterpoint.seeds import child_seed

N_WEIGHTS = 4
"""Draws of weights under which the score of a constant answer must not change to be exact."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Jackknifed:
    """One metric of one contender, or the difference of two contenders in it.

    Parameters
    ----------
    value
        *value* is the score: the mean over seeds.
    by_seed
        *by_seed* are the scores by seed, shape (n_seeds,), with half groups where the metric is a share.
    changes
        *changes* are the changes of the mean over seeds when a unit is left out, shape (n_units,).
    half_changes
        *half_changes* are the changes by half groups, divided by the square root of their share of a group.
    strata
        *strata* are the classes of the units and of the half groups.
    """

    value: float
    by_seed: Floats
    changes: Floats
    half_changes: Floats
    strata: tuple[Ints, Ints]

    @property
    def centre(self) -> float:
        """The score with half groups: the middle of the interval."""
        return float(self.by_seed.mean())

    @property
    def spread(self) -> Spread:
        """The standard error from rows and seeds, with its degrees of freedom."""
        return spread_of(self.changes, self.half_changes, self.strata, self.by_seed)

    @property
    def spread_over_units(self) -> Spread:
        """The standard error from the units alone, with its degrees of freedom."""
        return spread_of(self.changes, self.half_changes, self.strata, np.empty(0))

    def minus(self, other: Self) -> "Jackknifed":
        """Return the difference to *other* on the same rows.  A contender with one seed is used for all seeds."""
        return Jackknifed(
            self.value - other.value,
            self.by_seed - other.by_seed,
            self.changes - other.changes,
            np.append(self.half_changes, other.half_changes),
            (self.strata[0], np.append(self.strata[1], other.strata[1])),
        )


def jackknife(part: Part, metrics: Sequence[str], by: Units | None = None) -> dict[str, dict[str, Jackknifed]]:
    """Return each of the *metrics* of each contender on *part*, by contender and metric.

    Parameters
    ----------
    part
        *part* is the rows that all contenders predicted.
    metrics
        *metrics* are names of the METRICS table, or paths.
    by
        *by* are other units to leave out than groups.  Half groups are then not added.

    Examples
    --------
    >>> rows = PredictedRows(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]]))
    >>> found = jackknife(Part(np.arange(4), {"text-svm": (rows,)}, "test", 4), ["accuracy"])["text-svm"]["accuracy"]
    >>> found.value, found.changes.shape
    (0.75, (4,))
    """
    first = next(iter(part.trials.values()))[0]
    left_out = _LeftOut(by or units_of(part.groups, first.codes), HalfGroups(first, part.groups))
    found = {name: find_metric(name) for name in metrics}
    kind_of = {name: _AS_IS if by else _kind(each) for name, each in found.items()}
    kinds = {kind: {name: each for name, each in found.items() if kind_of[name] == kind} for kind in _KINDS}
    jackknifed = {}
    for contender, seeds in part.trials.items():
        own = [left_out.jackknifed(seeds, kind, of_kind) for kind, of_kind in kinds.items() if of_kind]
        jackknifed[contender] = {name: next(each[name] for each in own if name in each) for name in found}
    return jackknifed


_AS_IS, _SHARES, _RANKS = _KINDS = ("as is", "shares", "ranks")


def _kind(metric: Metric) -> str:
    """Return how half groups are weighed in a metric: not at all in one that is no share."""
    if metric.scale != "share":
        return _AS_IS
    return _RANKS if metric.is_ranking else _SHARES


class _LeftOut:
    """All rows, then all but one unit, then all but one half group."""

    def __init__(self, units: Units, half: HalfGroups) -> None:
        self.units, self.half = units, half

    def jackknifed(
        self, seeds: Sequence[PredictedRows], kind: str, metrics: Mapping[str, Metric]
    ) -> dict[str, Jackknifed]:
        """Return each of the *metrics* of one *kind*, from the predictions of each seed."""
        if kind != _AS_IS and all(own.is_constant(is_ranking=kind == _RANKS) for own in seeds):
            exact = self._exact(seeds, metrics)
            others = {name: metric for name, metric in metrics.items() if name not in exact}
            return exact | (self._jackknifed(seeds, kind, others) if others else {})
        return self._jackknifed(seeds, kind, metrics)

    def _exact(self, seeds: Sequence[PredictedRows], metrics: Mapping[str, Metric]) -> dict[str, Jackknifed]:
        """Return the *metrics* of a constant answer that no weights of the rows change: they have no error.

        With one class for all rows, balanced accuracy is the mean of a share of 1 and shares of 0, whatever the rows.
        """
        rng = np.random.default_rng(child_seed(0, "weights of a constant answer"))
        weights = np.vstack([np.ones(len(seeds[0].codes)), rng.uniform(0.5, 1.5, (N_WEIGHTS, len(seeds[0].codes)))])
        values = {name: np.array([metric(own.weigh(weights)) for own in seeds]) for name, metric in metrics.items()}
        units, half = np.zeros(len(self.units)), np.zeros(len(self.half.codes))
        return {
            name: Jackknifed(float(own[:, 0].mean()), own[:, 0], units, half, (self.units.classes, self.half.codes))
            for name, own in values.items()
            if (np.abs(own - own[:, :1]) < _ROUNDING).all()
        }

    def _jackknifed(
        self, seeds: Sequence[PredictedRows], kind: str, metrics: Mapping[str, Metric]
    ) -> dict[str, Jackknifed]:
        functions, units = list(metrics.values()), self.units
        half = np.empty(0) if kind == _AS_IS else self.half.shares(is_ranking=kind == _RANKS)
        rows = seeds if kind == _AS_IS else [self.half.added_to(own) for own in seeds]
        values = np.array([self._values(own, functions, half) for own in rows])  # (n_seeds, n_metrics, draws)
        scores = values[..., 0]
        if kind != _AS_IS:
            scores = np.array([[each(_whole(own))[0] for each in functions] for own in seeds])
        changes = (values - values[..., :1]).mean(axis=0)
        end = 1 + len(units)
        return {
            name: Jackknifed(
                float(scores[:, k].mean()), values[:, k, 0], changes[k, 1:end], changes[k, end:] / np.sqrt(half),
                (units.classes, self.half.codes[: len(half)]),
            )
            for k, name in enumerate(metrics)
        }  # fmt: skip

    def _values(self, rows: PredictedRows, metrics: Sequence[Metric], half: Floats) -> Floats:
        """Return the *metrics* of each draw, shape (n_metrics, draws)."""
        chunks = []
        for weights in self._draws(len(rows.codes), half):
            sample = rows.weigh(weights)  # which computes the sums that metrics share once
            chunks.append([metric(sample) for metric in metrics])
        return np.concatenate(chunks, axis=1)

    def _draws(self, n: int, half: Floats) -> Iterator[Floats]:
        """Yield weights of shape (some draws, n), each draw without the unit or the half group that it leaves out."""
        draw_of, whole = np.empty(n, dtype=np.intp), np.ones(n)
        is_own = np.ones(n, dtype=bool)
        if len(half):
            whole[self.half.places], is_own[self.half.places] = half * self.half.sizes, False
            draw_of[self.half.places] = 1 + len(self.units) + np.arange(len(half))
        draw_of[is_own] = 1 + self.units.places
        n_draws = 1 + len(self.units) + len(half)
        size = draws_at_once(n)
        for start in range(0, n_draws, size):
            draws = np.arange(start, min(start + size, n_draws))
            yield np.where(draw_of == draws[:, None], 0.0, whole)


def _whole(rows: PredictedRows) -> Sample:
    return rows.weigh(np.ones((1, len(rows.codes))))
