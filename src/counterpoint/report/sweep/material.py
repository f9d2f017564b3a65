"""What a sweep found, as its page and its terminal table read it: changes by variant and contender, and curves."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import polars as pl
from statsmodels.stats.multitest import multipletests

from counterpoint import schema
from counterpoint.config import Evaluate
from counterpoint.config.sweep import SweepConfig
from counterpoint.metrics import Metric, find_metric
from counterpoint.report.palette import ModalityStyle, modality_style
from counterpoint.report.results import rows_of
from counterpoint.schema import Frame

Row = dict[str, Any]
GAP = 0.2
"""Training this far above validation is marked."""


class Changes(NamedTuple):
    """The changes of one variant for one contender: the variant's own row, then the changes, the largest gain first."""

    variant: str
    contender: str
    own: Row | None
    rows: list[Row]

    @property
    def known(self) -> list[Row]:
        """Those whose difference is known."""
        return [row for row in self.rows if row["difference"] is not None]

    @property
    def gains(self) -> list[Row]:
        """Those whose interval lies above 0, the largest first."""
        return [row for row in self.known if row["is_clear"] and row["difference"] > 0]

    @property
    def losses(self) -> list[Row]:
        """Those whose interval lies below 0, the largest loss first."""
        return [row for row in reversed(self.known) if row["is_clear"] and row["difference"] < 0]


class Curve(NamedTuple):
    """How one contender scored on one side at each value of a key, in the order of the sweep file."""

    variant: str
    contender: str
    key: str
    rows: list[Row]


class Learned(NamedTuple):
    """The learning curves of one variant's own point; of its last value, where the sweep is a curve."""

    variant: str
    value: str | None
    history: Frame


class Swept:
    """The content of a sweep's page before it is written.

    Parameters
    ----------
    config
        *config* is the sweep file.
    table
        *table* has a row a point and contender, with the columns of ``counterpoint.sweep.POINTS``.
    evaluate
        *evaluate* says how the studies scored.
    modalities
        *modalities* says what each contender reads.
    learned
        *learned* are the learning curves that are shown.
    record
        *record* is what is needed to make it again: command, files by name, environment.
    """

    def __init__(
        self,
        config: SweepConfig,
        table: Frame,
        *,
        evaluate: Evaluate | None = None,
        modalities: Mapping[str, tuple[str, ...]] | None = None,
        learned: tuple[Learned, ...] = (),
        record: Mapping[str, Any] | None = None,
    ) -> None:
        self.config, self.table = config, table
        self.evaluate = evaluate or Evaluate()
        self.modalities = modalities or {}
        self.learned = learned
        self.record = record or {}

    @cached_property
    def rows(self) -> list[Row]:
        """Every row, with its gap (train − validation), its p after Holm, and whether its interval leaves out 0."""
        clear = (pl.col("difference_low") > 0) | (pl.col("difference_high") < 0)
        gap = pl.col("train") - pl.col("validation")
        marks = {"gap": gap, "is_gap": (gap >= GAP).fill_null(False), "is_clear": clear.fill_null(False)}
        rows = [row | {"p_holm": None} for row in rows_of(self.table.with_columns(**marks))]
        for variant, contender in self._who:
            _add_holm([row for row in rows if (row["variant"], row["contender"]) == (variant, contender)])
        return rows

    @property
    def _who(self) -> list[tuple[str, str]]:
        pairs = self.table.select("variant", "contender").unique(maintain_order=True).rows()
        order = list(self.table["contender"].unique(maintain_order=True))
        variants = list(self.table["variant"].unique(maintain_order=True))
        return sorted(pairs, key=lambda pair: (variants.index(pair[0]), order.index(pair[1])))

    def _of(self, variant: str, contender: str) -> Iterator[Row]:
        return (row for row in self.rows if (row["variant"], row["contender"]) == (variant, contender))

    @cached_property
    def changes(self) -> list[Changes]:
        """What the single changes did, by variant and contender."""
        found = []
        for variant, contender in self._who:
            own = next((row for row in self._of(variant, contender) if row["choice"] is None), None)
            rows = [
                row for row in self._of(variant, contender) if row["choice"] and row["choice"] not in self.config.along
            ]
            rows.sort(key=lambda row: -_or_least(row["difference"]))
            if rows:
                found.append(Changes(variant, contender, own, rows))
        return found

    @cached_property
    def curves(self) -> list[Curve]:
        """The scores along a key, by variant and contender."""
        found = [
            Curve(variant, contender, key, [row for row in self._of(variant, contender) if row["choice"] == key])
            for key in self.config.along
            for variant, contender in self._who
        ]
        return [curve for curve in found if curve.rows]

    @cached_property
    def metric(self) -> Metric:
        """The metric of every score."""
        return find_metric(self.metric_key)

    @property
    def metric_key(self) -> str:
        """The name of the metric in tables."""
        return str(self.table["metric"][0]) if len(self.table) else self.evaluate.primary

    @property
    def confidence(self) -> str:
        """The level of the intervals, as "95%"."""
        return f"{100 * self.evaluate.confidence:g}%"

    @property
    def contenders(self) -> list[str]:
        """The contenders that are shown."""
        return self.table["contender"].unique(maintain_order=True).to_list()

    def style_of(self, contender: str) -> ModalityStyle:
        """Return the style of a contender."""
        return modality_style(self.modalities.get(contender))

    def histories(self) -> Iterator[tuple[Learned, str, Frame]]:
        """Yield each variant's learning curves, one shown contender and branch at a time, with its title."""
        for learned in self.learned:
            for contender in self.contenders:
                rows = learned.history.filter(contender=contender)
                for branch in rows["branch"].unique(maintain_order=True):
                    of_branch = "" if branch in (None, "joint") else f", {branch} branch"
                    one = rows.filter(pl.col("branch").eq_missing(branch))
                    yield learned, f"{contender}{of_branch}", schema.check(one, schema.HISTORY, table="Histories")


def _or_least(value: float | None) -> float:
    return -float("inf") if value is None else value


def _add_holm(rows: list[Row]) -> None:
    tested = [row for row in rows if row["p"] is not None]
    if tested:
        corrected = multipletests([row["p"] for row in tested], method="holm")[1]
        for row, p in zip(tested, corrected, strict=True):
            row["p_holm"] = float(p)


def short(key: str) -> str:
    """Return a dotted key as people say it: a contender's setting without the contender.

    >>> short("contenders.image-cnn.side_px"), short("split.limit")
    ('side_px', 'split.limit')
    """
    return key.split(".", 2)[2] if key.startswith("contenders.") and key.count(".") > 1 else key
