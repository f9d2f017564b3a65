"""The results of a sweep, and of all files of this folder by their names.  Runs nothing."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from counterpoint.artifacts import read_json
from counterpoint.config import read_study
from counterpoint.config.sweep import Point, SweepConfig, points, read_sweep
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.metrics import find_metric
from page.study_results import StudyResults
from page.values import Change, Number, as_number

Key = tuple[str, str | None, str | None]
"""A point: its variant, its choice, its value."""


class SweepResults:
    """The results of one sweep."""

    def __init__(self, root: Path, config: SweepConfig) -> None:
        self.root, self.config = root, config
        self._points: dict[Key, StudyResults] = {point[:3]: self._found(point) for point in points(config)}

    def _found(self, point: Point) -> StudyResults:
        changes = {**point.changes, "study": point.name}
        return StudyResults(self.root / point.name, lambda: read_study(self.config.study, changes=changes))

    @property
    def name(self) -> str:
        """The name of its run folder."""
        return self.config.sweep

    @property
    def first(self) -> StudyResults:
        """Its first point."""
        return next(iter(self._points.values()))

    @property
    def kind(self) -> str:
        """The kind of its source."""
        return self.first.kind

    @property
    def contenders(self) -> list[str]:
        """The contenders with scores in its table."""
        return list(self.config.contenders) or self.first.names

    @property
    def variants(self) -> list[str]:
        """The variants."""
        return list(self.config.variants)

    @cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """The rows of its table, or of the points that have been run where others have not."""
        whole = (read_json(self.root / "sweep.json") or {}).get("points", [])
        return list(whole) or [row for key, point in self._points.items() for row in self._so_far(key, point)]

    def _so_far(self, key: Key, point: StudyResults) -> Iterator[dict[str, Any]]:
        variant, choice, value = key
        metric = self.first.config.evaluate.primary
        own = next(of for (of_variant, *_), of in self._points.items() if of_variant == variant)
        for name in self.contenders if point.is_run else ():
            score = point.score(name, metric, "test")
            less, is_paired = point.less_other(own, name, metric) if own is not point else (Number(), False)
            yield {
                "variant": variant, "choice": choice, "value": value, "contender": name, "metric": metric,
                "score": score.value, "low": score.low, "high": score.high, "n": score.n, "seeds": score.seeds,
                "train": None, "validation": None, "p": 1.0 if is_paired else None,
                "difference": less.value, "difference_low": less.low, "difference_high": less.high,
            }  # fmt: skip

    @property
    def n_run(self) -> int:
        """The number of its points that have been run."""
        return sum(point.is_run for point in self._points.values())

    @property
    def n_points(self) -> int:
        """The number of its points."""
        return len(self._points)

    @property
    def is_run(self) -> bool:
        """Whether its table exists."""
        return (self.root / "sweep.json").is_file()

    @property
    def metric(self) -> str:
        """The name of the metric of its scores."""
        return find_metric(self.first.config.evaluate.primary).name_within

    @property
    def lacks_predictions(self) -> bool:
        """Whether one of its points came from an archive without predictions."""
        return any(point.lacks_predictions for point in self._points.values())

    def point(self, variant: str, choice: str | None = None, value: str | None = None) -> StudyResults:
        """Return the results of a point.

        Parameters
        ----------
        variant, choice, value
            *variant*, *choice* and *value* name the point.

        Raises
        ------
        ConfigError
            When the sweep has no such point.
        """
        if (variant, choice, value) not in self._points:
            names = [Point(*point, {}).name for point in self._points]
            wanted = Point(variant, choice, value, {}).name
            raise ConfigError(f"{self.name} has no point {wanted!r}.{did_you_mean(wanted, names)}")
        return self._points[variant, choice, value]

    def change(self, variant: str, choice: str | None = None, contender: str | None = None) -> Change:
        """Return the effect of one change of a variant.

        Parameters
        ----------
        variant, choice
            *variant* and *choice* name the point.  Without *choice* it is the variant itself.
        contender
            *contender* is the name of a contender (default: the first of the sweep).
        """
        self.point(variant, choice)
        name = contender or self.contenders[0]
        found = [
            row for row in self.rows if (row["variant"], row["choice"], row["contender"]) == (variant, choice, name)
        ]
        return self._read(found[0]) if found else Change(variant, choice, None, name)

    def changes(self, variant: str, contender: str | None = None) -> list[Change]:
        """Return every change of a variant that has been run, with the largest gain first."""
        found = [
            change for change in self.all(contender) if change.variant == variant and change.choice and not change.value
        ]
        return sorted(found, key=lambda change: -(change.difference.value or 0.0))

    def curve(self, variant: str, contender: str | None = None) -> list[Change]:
        """Return the points of a curve that have been run, in the order of the sweep file."""
        return [change for change in self.all(contender) if change.variant == variant and change.value]

    def series(self) -> list[tuple[str, list[Change]]]:
        """Return the curves by name, for each variant, each contender, or each pair of both."""
        variants, contenders = self.variants, self.contenders
        if len(variants) > 1 and len(contenders) > 1:
            return [(f"{name}, {variant}", self.curve(variant, name)) for name in contenders for variant in variants]
        return [
            (name if len(variants) == 1 else variant, self.curve(variant, name))
            for name in contenders
            for variant in variants
        ]

    def steps(self) -> list[tuple[Change, ...]]:
        """Return the points of all curves step by step, in the order of `series`."""
        return list(zip(*(curve for _, curve in self.series()), strict=True))

    def all(self, contender: str | None = None) -> list[Change]:
        """Return every point of one contender."""
        name = contender or self.contenders[0]
        return [self._read(row) for row in self.rows if row["contender"] == name]

    def fitting_s(self) -> float:
        """Return the summed seconds of the fits of all its points."""
        return sum(point.fitting_s() for point in self._points.values())

    def _read(self, row: Mapping[str, Any]) -> Change:
        point, name, metric = self.point(row["variant"], row["choice"], row["value"]), row["contender"], row["metric"]
        train, validation = (_or_bare(point.score(name, metric, part), row[part]) for part in ("train", "validation"))
        return Change(
            row["variant"], row["choice"], row["value"], name,
            as_number(row, "score"), train, validation, as_number(row, "difference"), row["p"] is not None, metric,
        )  # fmt: skip


class FolderResults:
    """The results of the files of *folder*, by the stem of their names, under *runs*."""

    def __init__(self, folder: Path, runs: Path) -> None:
        self.folder, self.runs = folder, runs
        self._kept: dict[Path, StudyResults | SweepResults] = {}

    def study(self, stem: str) -> StudyResults:
        """Return the results of the study of ``<stem>.yaml``."""
        found = self.at(self.folder / f"{stem}.yaml")
        assert isinstance(found, StudyResults)
        return found

    def sweep(self, stem: str) -> SweepResults:
        """Return the results of the sweep of ``<stem>.yaml``."""
        found = self.at(self.folder / f"{stem}.yaml")
        assert isinstance(found, SweepResults)
        return found

    def at(self, path: Path) -> StudyResults | SweepResults:
        """Return the results of the study or sweep of the file at *path*."""
        if path not in self._kept:
            self._kept[path] = self._read(path)
        return self._kept[path]

    def _read(self, path: Path) -> StudyResults | SweepResults:
        if is_sweep(path):
            sweep = read_sweep(path)
            return SweepResults(self.runs / sweep.sweep, sweep)
        study = read_study(path)
        return StudyResults(self.runs / study.study, lambda: study)


def is_sweep(path: Path) -> bool:
    """Report whether the file at *path* is a sweep."""
    return path.is_file() and "sweep" in yaml.safe_load(path.read_text(encoding="utf-8"))


def _or_bare(number: Number, value: float | None) -> Number:
    return number if number.is_known else Number(value)
