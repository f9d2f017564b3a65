"""A sweep: one study made many times, with one thing changed each time, and what each change does to the scores."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from counterpoint.artifacts import write_json, write_parquet
from counterpoint.compare import compare
from counterpoint.config import read_study
from counterpoint.config.sweep import Changes, SweepConfig, read_sweep
from counterpoint.report.results import rows_of
from counterpoint.schema import Frame
from counterpoint.study import Listener, Study, silent

POINTS = {
    "side": pl.String,
    "choice": pl.String,
    "value": pl.String,
    "contender": pl.String,
    "metric": pl.String,
    "score": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "seeds": pl.Int64,
    "train": pl.Float64,
    "validation": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "p": pl.Float64,
}
"""A row a point and contender: its scores on every part, and how far that on the test rows is from its side's own.

``choice`` is null at the sides themselves.  A difference is paired where both have the same test rows and labels;
else it has no p, and its interval treats the two as independent.
"""


class Point(NamedTuple):
    """One study of a sweep: the side it stands on, what is changed there, to what, and all its changes."""

    side: str
    choice: str | None
    value: str | None
    changes: Changes

    @property
    def name(self) -> str:
        """The name of its study."""
        words = [word for word in (self.side, self.choice, self.value) if word is not None]
        return re.sub(r"[^A-Za-z0-9.]+", "-", "--".join(words)).strip("-.")


def points(config: SweepConfig) -> list[Point]:
    """Return every study of a sweep, a side's own before its changes.

    >>> sides = {"published": {}, "repaired": {"fit.seeds": [0, 1]}}
    >>> hidden = {"published": {"a.hidden": "softmax"}, "repaired": {"a.hidden": "relu"}}
    >>> config = SweepConfig(sweep="s", study=Path("s.yaml"), sides=sides, choices={"hidden": hidden})
    >>> [(point.name, point.changes["a.hidden"]) for point in points(config)]
    [('published', 'softmax'), ('published-hidden', 'relu'), ('repaired', 'relu'), ('repaired-hidden', 'softmax')]
    """
    return [point for side in config.sides for point in _points_of(config, side)]


def _points_of(config: SweepConfig, side: str) -> Iterator[Point]:
    own = dict(config.changes) | dict(config.sides[side])
    for choice in config.choices.values():
        own |= choice[side]
    if not config.along:
        yield Point(side, None, None, own)
    for name, choice in config.choices.items():
        for other in (other for other in config.sides if other != side):
            yield Point(side, name, None, own | dict(choice[other]))
    for name, changes in config.only.get(side, {}).items():
        yield Point(side, name, None, own | dict(changes))
    for key, values in config.along.items():
        for value in values:
            yield Point(side, key, str(value), own | {key: value})


class Sweep:
    """The studies of a sweep file, each in a run folder of its own, and the table of what they found.

    Parameters
    ----------
    config
        *config* is the sweep file.
    runs
        *runs* is the folder in which the sweep has its own.
    is_quick
        *is_quick* makes the changes of ``quick`` on every point.
    listener
        *listener* is told of progress.
    """

    def __init__(
        self, config: SweepConfig, *, runs: Path | str = "runs", is_quick: bool = False, listener: Listener = silent
    ) -> None:
        self.config, self.listen = config, listener
        self.root = Path(runs) / (f"{config.sweep}-quick" if is_quick else config.sweep)
        self.quick: Changes = config.quick if is_quick else {}

    def study(self, point: Point) -> Study:
        """Return the study of *point*; nothing runs yet."""
        changes = dict(point.changes) | dict(self.quick) | {"study": point.name}
        return Study(read_study(self.config.study, changes=changes), runs=self.root, listener=self.listen)

    def run(self) -> Frame:
        """Make every study, and return the table: `POINTS`; studies that are made already are read."""
        rows: list[dict[str, Any]] = []
        base: Study | None = None
        all_points = points(self.config)
        for n_done, point in enumerate(all_points):
            self.listen(f"point {n_done + 1} of {len(all_points)}: {point.name}", 0, 0)
            study = self.study(point)
            base = study if point.choice is None else base
            rows += _rows(point, study, base, self.config.contenders)
        table = pl.DataFrame(rows, schema=POINTS)
        write_parquet(self.root / "sweep.parquet", table)
        write_json(self.root / "sweep.json", {"sweep": self.config.sweep, "points": rows_of(table)})
        return table


def _rows(point: Point, study: Study, base: Study | None, shown: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    metric = study.config.evaluate.primary
    scores = study.scores().filter(pl.col("metric") == metric)
    tests = scores.filter(pl.col("fold").is_in(["test", "oof"]))
    train, validation = (
        dict(scores.filter(pl.col("fold") == part).select("contender", "value").iter_rows())
        for part in ("train", "validation")
    )
    for row in tests.iter_rows(named=True):
        name = row["contender"]
        if shown and name not in shown:
            continue
        yield {
            "side": point.side, "choice": point.choice, "value": point.value, "contender": name, "metric": metric,
            "score": row["value"], "low": row["low"], "high": row["high"], "n": row["n"], "seeds": row["seeds"],
            "train": train.get(name), "validation": validation.get(name), **_difference(study, base, name, metric),
        }  # fmt: skip


def _difference(study: Study, base: Study | None, contender: str, metric: str) -> dict[str, float | None]:
    """Return how far *contender* of *study* is from that of *base*, on the same test rows where there are such."""
    if base is None or base is study:
        return {}
    one, other = (_of(each, contender, name) for each, name in ((study, "a"), (base, "b")))
    if _asked(one).equals(_asked(other)):
        rules = study.config.evaluate
        [row] = compare(pl.concat([one, other]), "a", "b", metric=metric, bootstrap=rules.bootstrap).iter_rows(
            named=True
        )
        return {
            "difference": row["difference"],
            "difference_low": row["low"],
            "difference_high": row["high"],
            "p": row["p"],
        }
    return _unpaired(*(_score(each, contender, metric) for each in (study, base)))


def _of(study: Study, contender: str, name: str) -> Frame:
    rows = study.predictions().filter((pl.col("contender") == contender) & (pl.col("part") == "test"))
    return rows.with_columns(contender=pl.lit(name))


def _asked(predictions: Frame) -> Frame:
    return predictions.select("id", "seed", "label").sort("id", "seed")


def _score(study: Study, contender: str, metric: str) -> dict[str, Any]:
    is_it = (pl.col("contender") == contender) & (pl.col("metric") == metric) & pl.col("fold").is_in(["test", "oof"])
    return study.scores().filter(is_it).row(0, named=True)


def _unpaired(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float | None]:
    """Return the difference of two independent scores; each side of its interval is theirs, in quadrature."""
    difference = one["value"] - other["value"]
    low = ((one["value"] - one["low"]) ** 2 + (other["high"] - other["value"]) ** 2) ** 0.5
    high = ((one["high"] - one["value"]) ** 2 + (other["value"] - other["low"]) ** 2) ** 0.5
    return {
        "difference": difference,
        "difference_low": difference - low,
        "difference_high": difference + high,
        "p": None,
    }


def open_sweep(
    path: Path | str, *, runs: Path | str = "runs", is_quick: bool = False, listener: Listener = silent
) -> Sweep:
    """Return the sweep that the file at *path* describes; nothing runs yet.

    Raises
    ------
    ConfigError
        When the file cannot be read, or has an unknown key or a value that is not allowed.
    """
    return Sweep(read_sweep(Path(path)), runs=runs, is_quick=is_quick, listener=listener)
