"""The pairs of a truth, as a source of a study, and fresh pairs of the same truth."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from counterpoint.artifacts import key_of
from counterpoint.data.sources.base import REASON, Source
from counterpoint.formats.images import write_images
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed
from counterpoint.settings import Positive, Seed
from independent.language import reworded
from independent.pictures import reencoded
from independent.pools import STUDY, Place, Pool, of_states, pool
from independent.truths import TRUTHS, Evidence, Latents, Truth, drawn

VERSION = 1
"""Of the generator: pairs of another version are other pairs."""


class Independent(Source):
    """Pairs of a truth, from the pool at *folder*.

    Parameters
    ----------
    truth, n
        *truth* is a name in `TRUTHS`, and *n* the number of pairs.
    folder, pictures, pool_seed, scale
        *folder*, *pictures*, *pool_seed* and *scale* name the pool (`Place`).
    """

    kind: Literal["independent"] = "independent"
    truth: str = "complementary"
    n: Positive = 600
    folder: Path
    pictures: str
    pool_seed: int = 0
    scale: float = 1.0
    seed: Seed = 0

    @property
    def place(self) -> Place:
        """The pool."""
        return Place(self.folder, self.pictures, self.pool_seed, self.scale)

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the pairs.  Latents are not among their columns."""
        rng = np.random.default_rng(child_seed(self.seed, f"independent {self.truth}"))
        truth = TRUTHS[self.truth]
        latents = drawn(truth, self.n, rng)
        pairs = paired(latents, pool(self.place, STUDY), rng).drop("^log_.*$")
        pairs = _with_copies(pairs, round(truth.copied * self.n), rng, work / f"copies-{self.fingerprint()}.parquet")
        names = dict.fromkeys(("host",), pl.String) if truth.has_host else {}
        yield pairs.with_columns(
            id=pl.format("{}", pl.int_range(pl.len()) + 100_000),
            source=pl.lit(self.kind),
            **{REASON: pl.lit(None, pl.String)},
        ).drop([] if names else ["host"])

    def fingerprint(self) -> str:
        """Return a hash of the settings."""
        return key_of(VERSION, self.model_dump(mode="json"))


def paired(latents: Latents, source: Pool, rng: np.random.Generator, *, is_repeated: bool = False) -> Frame:
    """Return text, image, label and host of rows with these *latents*, and the log likelihoods of their texts."""
    texts = of_states(source.texts, latents.topics, rng, is_repeated=is_repeated).drop("state")
    images = of_states(source.pictures, latents.types, rng, is_repeated=is_repeated).select("image")
    return texts.hstack(images).with_columns(
        label=pl.format("class_{}", pl.Series(latents.codes)),
        host=pl.format("host-{}.example", pl.Series(latents.hosts)),
    )


def _with_copies(pairs: Frame, n_copies: int, rng: np.random.Generator, path: Path) -> Frame:
    """Return *pairs* in which *n_copies* rows are near-duplicates of others: one word and the light differ."""
    if not n_copies:
        return pairs
    order = rng.permutation(len(pairs))
    rest = order[n_copies:]  # the others are replaced by the copies
    origins = rng.choice(rest, n_copies, replace=False)
    changed = pairs[origins].with_columns(
        text=pl.Series([reworded(text, rng) for text in pairs["text"].gather(origins)]),
        image=pl.Series(list(write_images(path.absolute(), reencoded(pairs["image"].gather(origins), rng)))),
    )
    return pl.concat([pairs[rest], changed])[rng.permutation(len(pairs))]


def fresh(truth: Truth, n: int, source: Pool, rng: np.random.Generator) -> tuple[Frame, Latents, Evidence]:
    """Return *n* fresh pairs of a *truth* without copies, with their latents and the evidence in them.

    Latents are drawn for each row.  Texts and pictures are drawn from *source*, where rows may share one.
    """
    latents = drawn(truth, n, rng)
    pairs = paired(latents, source, rng, is_repeated=True)
    evidence = Evidence(pairs.select("^log_.*$").to_numpy(), latents.types, latents.hosts)
    return pairs.drop("^log_.*$").with_columns(id=pl.format("fresh-{}", pl.int_range(pl.len()))), latents, evidence
