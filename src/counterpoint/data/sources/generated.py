"""Generated pairs as a source: for tests, for the documentation, and for checks that must find a planted fault."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

import polars as pl

from counterpoint import __version__
from counterpoint.artifacts import key_of
from counterpoint.data.generate import chunks
from counterpoint.data.recipe import Recipe
from counterpoint.data.sources.base import REASON, Source
from counterpoint.schema import Frame


class GeneratedSource(Recipe, Source):
    """Pairs made by a `Recipe`, whose fields are the settings of this source."""

    attribution: ClassVar[str | None] = "Generated pairs: no picture or text is anybody's."

    kind: Literal["generated"] = "generated"

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the pairs: the columns of Records, and the facts known of each row."""
        for pairs in chunks(self, work):
            yield pairs.with_columns(pl.lit(self.kind).alias("source"), pl.lit(None, pl.String).alias(REASON))

    def fingerprint(self) -> str:
        """Return a hash of the recipe and of this package's version."""
        return key_of(self.model_dump(mode="json"), __version__)

    @classmethod
    def example(cls, folder: Path) -> Self:  # noqa: ARG003 - images are written when rows are read
        """Return a recipe of five pairs."""
        return cls(n=5)
