"""The results of one study, read from its run folder.  Runs nothing.

A study that has not been run has "not run yet" in place of a number.  An unknown name is an error.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from counterpoint.artifacts import read_json
from counterpoint.compare import compare
from counterpoint.config import StudyConfig
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.schema import TEST_PARTS, Frame
from page.values import Learning, Number, apart, as_number, learning_of, negative

MAIN_METRIC = "balanced_accuracy"


class StudyResults:
    """The results of one study, or of one point of a sweep."""

    def __init__(self, root: Path, read: Callable[[], StudyConfig]) -> None:
        self.root, self._read = root, read
        self._tables: dict[str, Frame | None] = {}

    @cached_property
    def config(self) -> StudyConfig:
        """Its study file."""
        return self._read()

    @property
    def name(self) -> str:
        """The name of its run folder."""
        return self.root.name

    @property
    def kind(self) -> str:
        """The kind of its source."""
        return str(self.config.source["kind"])

    @property
    def names(self) -> list[str]:
        """The names of its contenders."""
        return [entry.name for entry in self.config.contenders]

    @property
    def is_run(self) -> bool:
        """Whether its scores exist."""
        return self.table("scores") is not None

    @property
    def lacks_predictions(self) -> bool:
        """Whether its scores came from an archive without predictions, so that no interval can be computed again."""
        return self.is_run and self.table("predictions") is None

    def table(self, name: str) -> Frame | None:
        """Return a table, or None where it is not finished or an archive has not kept it."""
        if name not in self._tables:
            path = self.root / "tables" / f"{name}.parquet"
            is_made = any(name in record["tables"] for record in self._records())
            self._tables[name] = pl.read_parquet(path) if is_made and path.is_file() else None
        return self._tables[name]

    def _records(self) -> list[Mapping[str, Any]]:
        """Return the record of each finished stage."""
        found = (read_json(path) for path in sorted((self.root / "tables").glob(".*.json")))
        return [record for record in found if record]

    def of(self, contender: str, metric: str = MAIN_METRIC, part: str = "test") -> Number:
        """Return the score of a contender of this study.

        Parameters
        ----------
        contender, metric
            *contender* and *metric* are names.
        part
            *part* is "train", "validation" or "test".

        Raises
        ------
        ConfigError
            When the study has no such contender.
        """
        self._check(contender)
        return self.score(contender, metric, part)

    def score(self, contender: str, metric: str, part: str) -> Number:
        """Return the score of a contender, or an empty number where the study does not have it.

        Parameters
        ----------
        contender, metric
            *contender* and *metric* are names.
        part
            *part* is "train", "validation" or "test".
        """
        scores = self.table("scores")
        if scores is None:
            return Number()
        parts = TEST_PARTS if part == "test" else (part,)
        found = scores.filter(pl.col("part").is_in(parts), contender=contender, metric=metric)
        return as_number(found.row(0, named=True)) if len(found) else Number()

    def less(self, a: str, b: str, metric: str = MAIN_METRIC) -> Number:
        """Return the paired difference on the test rows, computed here where the study did not.

        Parameters
        ----------
        a, b
            *a* and *b* are contenders.  The difference is *a* minus *b*.
        metric
            *metric* is the name of a metric.
        """
        row = self._difference(a, b, metric)
        if row is None:
            return Number(is_signed=True)
        return as_number(row, "difference") if row["a"] == a else negative(as_number(row, "difference"))

    def less_other(self, other: "StudyResults", contender: str, metric: str) -> tuple[Number, bool]:
        """Return the difference of a contender between two studies, and whether it is paired (on the same rows).

        Parameters
        ----------
        other
            *other* is the study whose score is subtracted.
        contender, metric
            *contender* and *metric* are names.
        """
        one, two = (study.table("predictions") for study in (self, other))
        if one is None or two is None:
            return Number(is_signed=True), False
        one, two = (_renamed(rows, contender, name) for rows, name in ((one, "a"), (two, "b")))
        if not one.select("id", "seed", "label").equals(two.select("id", "seed", "label")):
            return apart(self.score(contender, metric, "test"), other.score(contender, metric, "test")), False
        found = compare(pl.concat([one, two]), "a", "b", metric=metric)
        return as_number(found.row(0, named=True), "difference"), True

    def detectable(self, a: str, b: str, metric: str = MAIN_METRIC) -> float | None:
        """Return the smallest true difference that the test rows show with a power of 80 %.

        Parameters
        ----------
        a, b, metric
            *a* and *b* are contenders, and *metric* is the name of a metric.
        """
        row = self._difference(a, b, metric)
        return None if row is None else row["minimum_detectable"]

    def _difference(self, a: str, b: str, metric: str) -> Mapping[str, Any] | None:
        for name in (a, b):
            self._check(name)
        made, predictions = self.table("differences"), self.table("predictions")
        if made is not None:
            both = pl.col("a").is_in([a, b]) & pl.col("b").is_in([a, b])
            return made.filter(both, metric=metric).row(0, named=True)
        if predictions is None or not self.is_run:
            return None
        rules = self.config.evaluate
        found = compare(predictions, a, b, metric=metric, confidence=rules.confidence)
        return found.row(0, named=True)

    def learning(self, contender: str) -> Learning | None:
        """Return the learning of *contender*, or None where it has not been run."""
        self._check(contender)
        history = self.table("history")
        return None if history is None else learning_of(history.filter(contender=contender))

    def learning_end(self, contender: str) -> float | None:
        """Return the training accuracy of *contender* in the last epoch, or None where it has not been run."""
        learned = self.learning(contender)
        return None if learned is None else learned.train_at_end

    def n(self, fold: str | None = None, label: str | None = None) -> int | None:
        """Return the number of pairs, in *fold* and with *label* where these are given."""
        pairs = self.table("pairs")
        if pairs is None:
            return None
        pairs = pairs if fold is None else pairs.filter(fold=fold)
        return len(pairs if label is None else pairs.filter(label=label))

    @property
    def n_read(self) -> int | None:
        """The number of rows that were read."""
        pairs, dropped = self.table("pairs"), self.table("dropped")
        return None if pairs is None or dropped is None else len(pairs) + len(dropped)

    @property
    def dropped(self) -> Mapping[str, int]:
        """The number of rows that were dropped for each reason, the most frequent first."""
        dropped = self.table("dropped")
        if dropped is None:
            return {}
        counted = dropped.group_by("reason").len().sort("len", "reason", descending=[True, False])
        return dict(counted.iter_rows())

    def tested(self) -> set[str]:
        """Return the ids of the test rows."""
        pairs = self.table("pairs")
        return set() if pairs is None else set(pairs.filter(fold="test")["id"])

    def fitting_s(self) -> float:
        """Return the summed seconds of its fits."""
        costs = self.table("costs")
        return 0.0 if costs is None else float(costs.select(pl.col("fit_s", "predict_s").sum()).sum_horizontal().item())

    def _check(self, contender: str) -> None:
        if contender not in self.names:
            raise ConfigError(f"{self.name} has no contender {contender!r}.{did_you_mean(contender, self.names)}")


def _renamed(predictions: Frame, contender: str, name: str) -> Frame:
    rows = predictions.filter(contender=contender, part="test")
    return rows.with_columns(contender=pl.lit(name)).sort("id", "seed")


def n_shared(*studies: StudyResults) -> int | None:
    """Return the number of test pairs that all *studies* share, or None where one has not been run."""
    if not all(study.is_run for study in studies):
        return None
    return len(set.intersection(*(study.tested() for study in studies)))
