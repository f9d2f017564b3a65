"""Finished runs with kept predictions: their scores, differences and figures by the rules of today, without a fit."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from counterpoint.artifacts import write_parquet
from counterpoint.compare import choose_primary, differences
from counterpoint.config import read_study
from counterpoint.config.sweep import Point, points, read_sweep
from counterpoint.kept_stages import Tables
from counterpoint.metrics import scores
from counterpoint.schema import Frame
from counterpoint.study import Study
from counterpoint.sweep import Sweep
from page.results import is_sweep

MADE_BEFORE = {"pairs": ("pairs", "dropped"), "fits": ("predictions", "history", "costs")}
"""The stages that are only read, and their tables."""
RENEWED = ("scores", "differences")


class RenewedStudy(Study):
    """A study that reads its pairs and predictions from its run folder, and computes the tables after them."""

    def made(self, stage: str) -> Tables:
        """Return the tables of *stage*: from memory, from the run folder, or computed now."""
        if stage not in self._renewed:
            names = MADE_BEFORE.get(stage)
            self._renewed[stage] = (
                {name: self._read(name) for name in names} if names else {stage: self._computed(stage)}
            )
        return self._renewed[stage]

    @cached_property
    def _renewed(self) -> dict[str, Tables]:
        """The tables in memory, by stage."""
        return {}

    @property
    def has_predictions(self) -> bool:
        """Whether its run folder has predictions."""
        return self._path("predictions").is_file()

    @cached_property
    def cache(self) -> Path:
        """The folder with stores of resized pixels, of which none is made."""
        return self.root / "cache"

    @cached_property
    def _primary(self) -> dict[str, Any] | None:
        return choose_primary(self.predictions(), self.modalities(), self.config.evaluate.primary)

    def primary(self) -> dict[str, Any] | None:
        """Return the primary contrast, chosen on validation rows by fold."""
        return self._primary

    def renew(self) -> None:
        """Write scores and differences in place of earlier ones."""
        for name in RENEWED:
            if self._path(name).is_file():
                write_parquet(self._path(name), self.made(name)[name])

    def _computed(self, name: str) -> Frame:
        rules = self.config.evaluate
        assert name in RENEWED, f"{name} is not made from predictions"
        assert rules.repeats == 1, "the predictions of further repeats are not kept"
        if name == "scores":
            return scores(self.predictions(), rules)
        return differences(self.predictions(), rules, self.primary(), self.modalities())

    def _read(self, name: str) -> Frame:
        return pl.read_parquet(self._path(name))

    def _path(self, name: str) -> Path:
        return self.root / "tables" / f"{name}.parquet"


class RenewedSweep(Sweep):
    """A sweep whose points are renewed."""

    def study(self, point: Point, *, earlier: Sequence[Study] = ()) -> RenewedStudy:
        """Return the study of *point*, which makes no fit."""
        return RenewedStudy(super().study(point, earlier=earlier).config, runs=self.root, file=self.config.study)

    @cached_property
    def studies(self) -> list[tuple[Point, RenewedStudy]]:
        """Each point with its study."""
        return [(point, self.study(point)) for point in points(self.config)]

    def _fitted(self) -> list[tuple[Point, Study]]:
        return [*self.studies]


def renew(path: Path, runs: Path) -> bool:
    """Compute the scores and differences of a finished run again, with its figures, and report whether it could.

    It cannot where a run folder has no predictions.  Then nothing is changed.

    Parameters
    ----------
    path
        *path* is the file of a study or sweep.
    runs
        *runs* is the folder of run folders.
    """
    sweep = RenewedSweep(read_sweep(path), runs=runs, file=path) if is_sweep(path) else None
    studies = [study for _, study in sweep.studies] if sweep else [RenewedStudy(read_study(path), runs=runs, file=path)]
    if not all(study.has_predictions for study in studies):
        return False
    for study in studies:
        study.renew()
    if sweep:
        sweep.report()
    return True
