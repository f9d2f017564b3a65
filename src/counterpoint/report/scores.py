"""The scores of a study as the page reads them: which metric decides, and the rows of each part."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from counterpoint.metrics import find_metric
from counterpoint.schema import TEST_PARTS, Frame


@dataclass(frozen=True)
class ScoreTable:
    """The table of scores, with the metric that decides and the confidence level of its intervals."""

    table: Frame
    metric: str
    confidence: float

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that were computed, the one that decides first."""
        names = self.table["metric"].unique(maintain_order=True).to_list()
        return sorted(names, key=lambda name: name != self.metric)

    @cached_property
    def test(self) -> Frame:
        """The scores on test rows."""
        return self.table.filter(pl.col("part").is_in(TEST_PARTS))

    @property
    def is_out_of_fold(self) -> bool:
        """Whether the test rows of all folds were scored together."""
        return "oof" in self.test["part"]

    @property
    def is_more_better(self) -> bool:
        """Whether a larger value of the metric is better."""
        return find_metric(self.metric).higher_is_better
