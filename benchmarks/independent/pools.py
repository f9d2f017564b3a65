"""Texts and pictures by state, made once and encoded once, from which all draws choose.

Draws of development and reported draws have pools of their own, and so have studies and fresh rows.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.artifacts import replacing
from counterpoint.encoders import entry_of, open_encoder
from counterpoint.encoders.building import build_encodings
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed
from independent import language, pictures
from injection.sources import FLICKR8K

Codes = NDArray[np.int64]

STUDY, FRESH = "study", "fresh"
PARTS = (STUDY, FRESH)
ENCODERS = {"text": "minilm", "image": "lite0"}
SHARES = (2000, 2000, 1000, 700, 700, 700)
"""The number of texts and of pictures of each state in a study's pool: a study shows none twice."""
FRESH_TEXTS, FRESH_PICTURES = 2.0, 1.25
"""The sizes of the pools of fresh rows, as multiples of `SHARES`."""


class Place(NamedTuple):
    """A pool: the folder of all pools, the kind of its pictures, and what it is for.

    Attributes
    ----------
    scale
        *scale* multiplies all sizes.  Tests have small pools.
    seed
        *seed* differs between draws of development and reported draws.
    """

    folder: Path
    kind: str
    seed: int = 0
    scale: float = 1.0

    def path(self, part: str, name: str) -> Path:
        """Return the file of a table of this pool."""
        return self.folder.absolute() / f"{name}-{part}-{self.seed}-{self.scale:g}.parquet"


class Pool(NamedTuple):
    """Texts with their log likelihoods by topic, and pictures, each with its state."""

    texts: Frame
    pictures: Frame

    def part(self, number: int, n_parts: int) -> "Pool":
        """Return part *number* of *n_parts* of this pool, in equal shares of each state."""
        place = pl.int_range(pl.len()).over("state")
        texts, images = (table.filter(place % n_parts == number) for table in self)
        return Pool(texts, images)


def of_states(table: Frame, states: Codes, rng: np.random.Generator, *, is_repeated: bool) -> Frame:
    """Return a row of *table* for each of *states*, each row at most once unless *is_repeated*.

    Raises
    ------
    ValueError
        When the pool is too small for so many rows.

    Examples
    --------
    >>> table = pl.DataFrame({"state": [0, 1, 1], "text": ["a", "b", "c"]})
    >>> of_states(table, np.array([1, 0, 1]), np.random.default_rng(0), is_repeated=False)["text"].to_list()[1]
    'a'
    """
    places = np.empty(len(states), dtype=np.int64)
    own = table["state"].to_numpy()
    for state in np.unique(states):
        wanted, there = np.flatnonzero(states == state), np.flatnonzero(own == state)
        if not is_repeated and len(wanted) > len(there):
            raise ValueError(f"The pool has {len(there)} rows of state {state}, and {len(wanted)} are drawn.")
        places[wanted] = rng.choice(there, len(wanted), replace=is_repeated)
    return table[places]


@cache
def pool(place: Place, part: str) -> Pool:
    """Return the pool of a *part* of the work, made where it is missing."""
    texts, images = place.path(part, "texts"), place.path(part, place.kind)
    if not texts.exists():
        _keep(_texts(place, part), texts)
    if not images.exists():
        _keep(_pictures(place, part), images)
    return Pool(pl.read_parquet(texts), pl.read_parquet(images))


def prepare(place: Place, encodings: Path, *, workers: int = 2) -> None:
    """Make the pools at *place*, and encode them where the encoders are installed."""
    for part in PARTS:
        own = pool(place, part)
        for modality, table in (("text", own.texts), ("image", own.pictures)):
            if encoders_are_installed():
                encoder = open_encoder(ENCODERS[modality])
                build_encodings(table, encoder, modality, cache=encodings, workers=workers)


@cache
def encoders_are_installed() -> bool:
    """Return whether the encoders of the probes are installed."""
    return not any(entry_of(name).missing() for name in ENCODERS.values())


def _keep(table: Frame, path: Path) -> None:
    with replacing(path) as draft:
        table.write_parquet(draft)


def _states(sizes: Mapping[int, int], rng: np.random.Generator) -> Codes:
    return rng.permutation(np.repeat(list(sizes), list(sizes.values())))


def _texts(place: Place, part: str) -> Frame:
    rng = np.random.default_rng(child_seed(place.seed, f"texts of {part}"))
    times = place.scale * (FRESH_TEXTS if part == FRESH else 1)
    states = _states({state: round(times * size) for state, size in enumerate(SHARES)}, rng)
    texts, evidence = language.write(states, rng)
    columns = {f"log_{topic}": evidence[:, topic] for topic in range(evidence.shape[1])}
    return pl.DataFrame({"state": states, "text": texts, **columns})


def _pictures(place: Place, part: str) -> Frame:
    rng = np.random.default_rng(child_seed(place.seed, f"{place.kind} of {part}"))
    if place.kind == FLICKR8K:
        return pictures.photos(part, rng)
    times = place.scale * (FRESH_PICTURES if part == FRESH else 1)
    states = _states({state: round(times * size) for state, size in enumerate(SHARES[: pictures.N_TYPES])}, rng)
    path = place.path(part, f"{place.kind}-images")
    path.parent.mkdir(parents=True, exist_ok=True)
    return pictures.painted(place.kind, states, path, rng)
