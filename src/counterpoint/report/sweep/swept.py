"""A finished sweep, as its page and its summary on a terminal read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import polars as pl

from counterpoint import schema
from counterpoint.config import Evaluate
from counterpoint.config.sweep import SweepConfig
from counterpoint.metrics import Metric, find_metric
from counterpoint.report.drawing.palette import ModalityStyle, modality_style
from counterpoint.report.sweep.points import Changes, Row, ScoreCurve, curves_along, marked_rows, single_changes
from counterpoint.report.sweep.sentences import sentences
from counterpoint.schema import Frame


class Learned(NamedTuple):
    """The learning curves of one variant: of its own point, or of its last value, where the sweep is a curve."""

    variant: str
    value: str | None
    history: Frame


@dataclass(frozen=True)
class Swept:
    """The table of a finished sweep, with the settings and the learning curves that its page shows.

    Parameters
    ----------
    config
        *config* is the sweep file.
    table
        *table* has a row for each point and contender, with the columns of ``counterpoint.sweep.POINTS``.
    evaluate
        *evaluate* are the settings by which the studies scored.
    modalities
        *modalities* are the modalities that each contender reads.
    learned
        *learned* are the learning curves to show.
    record
        *record* has the command, the files by name, and the environment, which make the sweep again.
    """

    config: SweepConfig
    table: Frame
    evaluate: Evaluate = field(default_factory=Evaluate)
    modalities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    learned: tuple[Learned, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def rows(self) -> list[Row]:
        """Every row, marked."""
        return marked_rows(self.table)

    @cached_property
    def changes(self) -> list[Changes]:
        """The single changes, by variant and contender."""
        return single_changes(self.rows, self.config.along)

    @cached_property
    def curves(self) -> list[ScoreCurve]:
        """The scores along a key, by variant and contender."""
        return curves_along(self.rows, self.config.along)

    @cached_property
    def sentences(self) -> list[str]:
        """A sentence for each variant and contender."""
        return sentences(self.changes, self.curves, self.metric.name_within)

    @cached_property
    def metric(self) -> Metric:
        """The metric of every score."""
        return find_metric(self.metric_key)

    @property
    def metric_key(self) -> str:
        """The name of the metric in tables."""
        return str(self.table["metric"][0]) if len(self.table) else self.evaluate.primary

    def style_of(self, contender: str) -> ModalityStyle:
        """Return the style of a contender."""
        return modality_style(self.modalities.get(contender))

    def histories(self) -> Iterator[tuple[Learned, str, Frame]]:
        """Yield each variant's learning curves, one contender and branch at a time, with its title."""
        for learned in self.learned:
            for contender in self.table["contender"].unique(maintain_order=True):
                rows = learned.history.filter(contender=contender)
                for branch in rows["branch"].unique(maintain_order=True):
                    of_branch = "" if branch in (None, "joint") else f", {branch} branch"
                    one = rows.filter(pl.col("branch").eq_missing(branch))
                    yield learned, f"{contender}{of_branch}", schema.check(one, schema.HISTORY, table="Histories")
