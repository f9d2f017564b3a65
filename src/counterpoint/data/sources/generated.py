"""Generated pairs as a source: for tests, for docs, and for checks that must find what was put in."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from counterpoint import __version__
from counterpoint.artifacts import key_of
from counterpoint.data.generate import chunks
from counterpoint.data.recipe import Recipe
from counterpoint.data.sources.base import REASON, Source
from counterpoint.schema import Frame


class GeneratedSource(Recipe, Source):
    """Pairs made by a `Recipe`, whose fields are this source's settings."""

    attribution: ClassVar[str | None] = "Generated pairs: no picture or text is anybody's."

    kind: Literal["generated"] = "generated"

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the pairs, and beside the columns of Records what is known of each."""
        for pairs in chunks(self, work):
            yield pairs.with_columns(pl.lit(self.kind).alias("source"), pl.lit(None, pl.String).alias(REASON))

    def fingerprint(self) -> str:
        """Return a hash of the recipe and of this package's version."""
        return key_of(self.model_dump(mode="json"), __version__)
