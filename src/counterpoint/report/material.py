"""What a page is made of: the results, the tables (any of them may be absent), the fits and the way to the images."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import polars as pl
import yaml

from counterpoint import schema
from counterpoint.config import Evaluate, Page, Split
from counterpoint.formats.images import ImageReader
from counterpoint.report import glossary
from counterpoint.report.palette import Voice, voice_of
from counterpoint.schema import Frame

COLUMNS: Mapping[str, schema.Columns] = {
    "pairs": schema.PAIRS,
    "dropped": schema.DROPPED,
    "predictions": schema.PREDICTIONS,
    "history": schema.HISTORY,
    "costs": schema.COSTS,
    "scores": schema.SCORES,
    "differences": schema.DIFFERENCES,
    "findings": schema.FINDINGS,
}
TEST = ("test", "oof")


class Material:
    """The content of a page before it is written; everything that a section asks for.

    Examples
    --------
    >>> material = Material({"study": "a"}, {})
    >>> material.table("costs").is_empty(), material.metric
    (True, 'balanced_accuracy')
    """

    def __init__(
        self,
        results: Mapping[str, Any],
        tables: Mapping[str, Frame],
        *,
        models: Mapping[str, Any] | None = None,
        reader: ImageReader | None = None,
    ) -> None:
        self.results = results
        self.models = models or {}
        self.reader = reader or ImageReader()
        self._tables = tables

    def table(self, name: str) -> Frame:
        """Return a table, or one without rows where the study has none."""
        return self._tables.get(name, schema.empty(COLUMNS[name]))

    @cached_property
    def _config(self) -> Mapping[str, Any]:
        return yaml.safe_load(self.results.get("config") or "") or {}

    @cached_property
    def evaluate(self) -> Evaluate:
        """How the study scored."""
        return Evaluate.read(self._config.get("evaluate") or {}, where="evaluate")

    @cached_property
    def split(self) -> Split:
        """How the study split its pairs."""
        return Split.read(self._config.get("split") or {}, where="split")

    @cached_property
    def page(self) -> Page:
        """What the study wants to be shown."""
        return Page.read(self._config.get("page") or {}, where="page")

    @cached_property
    def metrics(self) -> list[str]:
        """The metrics that were computed, the one that decides first."""
        found = self.table("scores")["metric"].unique(maintain_order=True).to_list()
        return sorted(found, key=lambda name: name != self.metric)

    @cached_property
    def metric(self) -> str:
        """The metric that decides."""
        primary = self.results.get("primary") or {}
        return str(primary.get("metric") or self.evaluate.primary)

    @cached_property
    def contenders(self) -> list[str]:
        """All contenders, the best on test first."""
        scores = self.test_scores.filter(pl.col("metric") == self.metric).drop_nulls("value")
        ranked = scores.sort("value", descending=glossary.metric(self.metric).is_more_better, maintain_order=True)
        others = [self.table(name)["contender"] for name in ("scores", "predictions", "costs")]
        return pl.concat([ranked["contender"], *others]).unique(maintain_order=True).to_list()

    @cached_property
    def test_scores(self) -> Frame:
        """The scores on test rows."""
        return self.table("scores").filter(pl.col("part").is_in(TEST))

    @cached_property
    def test_rows(self) -> Frame:
        """The predictions of test rows, one a row, contender and seed, with ``guess`` and ``is_right``."""
        predictions = self.table("predictions").filter(pl.col("part") == "test")
        names = schema.class_names(predictions)
        if not names:
            return predictions.with_columns(guess=pl.lit(None, pl.String), is_right=pl.lit(None, pl.Boolean))
        best = pl.concat_list([f"p_{name}" for name in names]).list.arg_max()
        guess = best.replace_strict(dict(enumerate(names)), return_dtype=pl.String)
        return predictions.with_columns(guess.alias("guess"), (guess == pl.col("label")).alias("is_right"))

    @cached_property
    def classes(self) -> list[str]:
        """The classes, in the order of the probability columns."""
        found = schema.class_names(self.table("predictions"))
        return found or sorted(self.table("pairs")["label"].drop_nulls().unique().to_list())

    @cached_property
    def confidence(self) -> str:
        """The level of the intervals, as "95%"."""
        return f"{100 * self.evaluate.confidence:g}%"

    def voice(self, contender: str) -> Voice:
        """Return what a contender hears: as its fit says, or as the results say."""
        stated = (self.results.get("modalities") or {}).get(contender)
        return voice_of(getattr(self.models.get(contender), "modalities", stated))
