"""A sweep: one study made many times with one change each time, and the effect of each change on the scores."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from counterpoint import __version__
from counterpoint.artifacts import write_json, write_parquet
from counterpoint.compare import compare_studies
from counterpoint.config import StudyConfig, read_study
from counterpoint.config.files import text_of
from counterpoint.config.sweep import Changes, Point, SweepConfig, points, read_sweep
from counterpoint.fits import make_fits
from counterpoint.metrics.intervals import independent_difference
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.report.results import environment, rows_of
from counterpoint.report.sharing import shared_text
from counterpoint.report.sweep import Learned, Swept, write_sweep_page
from counterpoint.runs.places import ENCODINGS
from counterpoint.schema import TEST_PARTS, Frame
from counterpoint.study import Study

__all__ = ["POINTS", "Point", "Sweep", "open_sweep", "points"]

POINTS = {
    "variant": pl.String,
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
"""One row for each point and contender: scores on every part, and the difference on test rows to the variant itself.

``choice`` is null where the row is the variant itself.  On a curve it is the key, and the difference is to the first
value of the variant.  A difference is paired where both studies have the same test rows and labels.  Otherwise it has
no p, and its interval treats the two scores as independent.
"""


class Sweep:
    """The studies of a sweep file, each in its own run folder, the table of their scores, and the page.

    Parameters
    ----------
    config
        *config* is the sweep file.
    runs
        *runs* is the folder in which the sweep has its own.
    is_quick
        *is_quick* is True to make the changes of ``quick`` at every point.
    on_progress
        *on_progress* receives the progress of the points.
    file
        *file* is the path of the sweep file.  The page shows the command with it.
    """

    def __init__(
        self,
        config: SweepConfig,
        *,
        runs: Path | str = "runs",
        is_quick: bool = False,
        on_progress: OnProgress = ignore_progress,
        file: Path | None = None,
    ) -> None:
        self.config, self.on_progress, self.file = config, on_progress, file
        self.root = Path(runs) / (f"{config.sweep}-quick" if is_quick else config.sweep)
        self._encodings = Path(runs) / ENCODINGS
        self.is_quick = is_quick

    def study(self, point: Point, *, earlier: Sequence[Study] = ()) -> Study:
        """Return the study of *point*, without running it.

        The first of the *earlier* studies with the same source, images and rules of ``clean`` shares its records.
        """
        quick = self.config.quick if self.is_quick else {}
        changes: Changes = dict(point.changes) | dict(quick) | {"study": point.name}
        config = read_study(self.config.study, changes=changes)
        once = config.evaluate.model_copy(update={"repeats": 1})  # a sweep shows scores, which repeats do not change
        config = config.model_copy(update={"evaluate": once})
        own = _rules_of_records(config)
        records_of = next((study for study in earlier if _rules_of_records(study.config) == own), None)
        return Study(config, runs=self.root, file=self.config.study, records_of=records_of, encodings=self._encodings)

    def run(self) -> Frame:
        """Make every missing study and the page, and return the table: `POINTS`."""
        self.report()
        return self.swept.table

    def report(self) -> Path:
        """Write the page of the sweep, its figures, and the table as ``sweep.parquet`` and ``sweep.json``."""
        swept = self.swept
        self.on_progress("writing the page", 0, 0)
        write_parquet(self.root / "sweep.parquet", swept.table)
        found = {"sweep": self.config.sweep, "version": __version__, "sentences": swept.sentences}
        write_json(self.root / "sweep.json", found | {"points": rows_of(swept.table)})
        return write_sweep_page(self.root, swept)

    @cached_property
    def swept(self) -> Swept:
        """The results of all studies.  Missing studies are made."""
        rows: list[dict[str, Any]] = []
        record = self._record()
        own: dict[tuple[str, bool], Study] = {}
        last: dict[str, tuple[str | None, Study]] = {}
        studies = self._fitted()
        for n_done, (point, study) in enumerate(studies):
            self.on_progress("comparing points", n_done, len(studies))
            study.scores()
            is_along = point.choice in self.config.along
            base = own.setdefault((point.variant, is_along), study)
            rows += _rows(point, study, base, self.config.contenders)
            if point.choice is None or (is_along and (point.variant, False) not in own):
                last[point.variant] = point.value, study
        learned = tuple(Learned(variant, value, study.history()) for variant, (value, study) in last.items())
        first = next(iter(own.values()))
        return Swept(
            self.config, pl.DataFrame(rows, schema=POINTS), learned=learned,
            evaluate=first.config.evaluate, modalities=first.modalities(), record=record,
        )  # fmt: skip

    def _fitted(self) -> list[tuple[Point, Study]]:
        """Return every point with its study, the fits of all of them made in one pool."""
        studies: list[tuple[Point, Study]] = []
        unfitted: list[Study] = []
        all_points = points(self.config)
        for point in all_points:
            self.on_progress("preparing points", len(studies), len(all_points))
            study = self.study(point, earlier=[made for _, made in studies])
            studies.append((point, study))
            if not study.opened.folder.has("fits", study.key("fits")):
                _ = study.contenders  # a wrong setting raises before the pairs are made
                study.pairs()
                unfitted.append(study)
        if unfitted:
            tasks = [task for study in unfitted for task in study.fits.missing()]
            make_fits(tasks, unfitted[0].config.fit, on_progress=self.on_progress)
        return studies

    def _record(self) -> dict[str, Any]:
        """Return the command, the files and the environment to make the sweep again."""
        file = self.file or Path(f"{self.config.sweep}.yaml")
        kept = yaml.safe_dump(self.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        text = text_of(self.file) if self.file else kept
        study = self.config.study
        texts = {file: text, study: text_of(study)}
        named = file.name if file.is_absolute() else file
        return {
            "command": f"counterpoint sweep {named}{' --quick' if self.is_quick else ''}",
            "files": [(each.name, shared_text(text, each)) for each, text in texts.items()],
            "environment": {"counterpoint": __version__} | environment(),
        }


def _rules_of_records(config: StudyConfig) -> tuple[Any, ...]:
    """Return the settings that the records of a study depend on."""
    return config.source, config.images, config.clean


def _rows(point: Point, study: Study, base: Study, shown: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    metric = study.config.evaluate.primary
    scores = study.scores().filter(pl.col("metric") == metric)
    tests = scores.filter(pl.col("part").is_in(TEST_PARTS))
    train, validation = (
        dict(scores.filter(pl.col("part") == part).select("contender", "value").iter_rows())
        for part in ("train", "validation")
    )
    for row in tests.iter_rows(named=True):
        name = row["contender"]
        if shown and name not in shown:
            continue
        yield {
            "variant": point.variant, "choice": point.choice, "value": point.value, "contender": name, "metric": metric,
            "score": row["value"], "low": row["low"], "high": row["high"], "n": row["n"], "seeds": row["seeds"],
            "train": train.get(name), "validation": validation.get(name), **_difference(study, base, name, metric),
        }  # fmt: skip


def _difference(study: Study, base: Study, contender: str, metric: str) -> dict[str, float | None]:
    """Return the difference of a contender between *study* and *base*, paired if both have the same test rows."""
    one, other = (each.predictions().filter(contender=contender) for each in (study, base))
    if base is study or other.is_empty():
        return {}
    if _test_rows(one).equals(_test_rows(other)):
        rules = study.config.evaluate
        primaries = rules.primary, base.config.evaluate.primary
        row = compare_studies(one, other, metric=metric, primaries=primaries, confidence=rules.confidence)
        ends = {"difference_low": row["low"], "difference_high": row["high"]}
        return {"difference": row["difference"], **ends, "p": row["p"]}
    return _unpaired(*(_score(each, contender, metric) for each in (study, base)))


def _test_rows(predictions: Frame) -> Frame:
    return predictions.filter(part="test").select("id", "seed", "label").sort("id", "seed")


def _score(study: Study, contender: str, metric: str) -> dict[str, Any]:
    is_it = (pl.col("contender") == contender) & (pl.col("metric") == metric) & pl.col("part").is_in(TEST_PARTS)
    return study.scores().filter(is_it).row(0, named=True)


def _unpaired(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float | None]:
    """Return the difference of two independent scores.  The arms of its interval are added in quadrature."""
    if any(score[end] is None for score in (one, other) for end in ("value", "low", "high")):
        return {}
    ends = independent_difference(*((score["value"], score["low"], score["high"]) for score in (one, other)))
    return {**dict(zip(("difference", "difference_low", "difference_high"), ends, strict=True)), "p": None}


def open_sweep(
    path: Path | str, *, runs: Path | str = "runs", is_quick: bool = False, on_progress: OnProgress = ignore_progress
) -> Sweep:
    """Return the sweep of the sweep file at *path*, without running it.

    Parameters
    ----------
    path
        *path* is a sweep file (docs/sweep.md).
    runs
        *runs* is the folder in which the sweep has its folder.
    is_quick
        *is_quick* is True to make the changes of ``quick`` at every point.
    on_progress
        *on_progress* receives the progress of the points.

    Raises
    ------
    ConfigError
        When the file cannot be read, or has an unknown key or a value that is not allowed.
    """
    return Sweep(read_sweep(Path(path)), runs=runs, is_quick=is_quick, on_progress=on_progress, file=Path(path))
