"""The vectors of pairs, in their order: from the store, encoded on the spot, or given by the user."""

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.contents import Contents, contents_of
from counterpoint.encoders.encode import encode
from counterpoint.encoders.given import Given
from counterpoint.encoders.store import (
    Bools,
    Segment,
    Slots,
    VectorStore,
    made_segment,
    stored_segments,
    write_segment,
)
from counterpoint.errors import RunFolderError
from counterpoint.features.in_memory import folder_of_process
from counterpoint.schema import Frame

TASK_ROWS = {"text": 4096, "image": 512}
"""The largest number of rows of a segment.  A killed build loses one unfinished segment for each process."""
KEPT_ROWS = 32
"""The number of rows from which vectors that are made on the spot are kept on disk until the process ends."""
_NAME_LENGTH = 60

Rows = NDArray[np.int64]


class Encodings:
    """Vectors in the order of the pairs: ``encodings[rows]`` is float32 of shape (n, width).

    *is_missing* marks the pairs without a content.  Their vectors are zeros.  Only the requested rows are read.

    Parameters
    ----------
    width
        *width* is the number of values of a vector.
    is_missing
        *is_missing* has one value for each pair.
    read
        *read* returns the vectors of rows that are not missing.

    Examples
    --------
    >>> encodings = Encodings(2, np.array([False, True]), lambda rows: np.ones((len(rows), 2), dtype=np.float32))
    >>> encodings[[1, 0]].tolist(), len(encodings.take([0, 0, 1]))
    ([[0.0, 0.0], [1.0, 1.0]], 3)
    """

    def __init__(self, width: int, is_missing: Bools, read: Callable[[Rows], Floats]) -> None:
        self.width = width
        self.is_missing = np.asarray(is_missing, dtype=bool)
        self._read = read

    def __len__(self) -> int:
        return len(self.is_missing)

    def __getitem__(self, rows: Any) -> Floats:
        chosen = np.arange(len(self))[rows]
        if not self.is_missing[chosen].any():
            return self._read(chosen)
        vectors = np.zeros((len(chosen), self.width), dtype=np.float32)
        is_there = ~self.is_missing[chosen]
        vectors[is_there] = self._read(chosen[is_there])
        return vectors

    def take(self, rows: Sequence[int]) -> "Encodings":
        """Return the encodings of *rows*, in that order, without reading them."""
        chosen = np.asarray(rows, dtype=np.int64)
        return Encodings(self.width, self.is_missing[chosen], lambda places: self._read(chosen[places]))


def load_encodings(pairs: Frame, encoder: Encoder, modality: str, *, cache: Path | None = None) -> Encodings:
    """Return the vectors of the texts or images of *pairs*.

    Rows that the store in *cache* lacks are encoded here, in this process.  An image that cannot be read is missing.

    Parameters
    ----------
    pairs
        *pairs* have the column *modality*.  Given vectors also need ``id`` or ``row``.
    encoder
        *encoder* reads the *modality*.
    modality
        *modality* is "text" or "image".
    cache
        *cache* is the folder of the stores of `build_encodings`.

    Raises
    ------
    ConfigError
        When the encoder does not read the modality, or a package or file that it needs is missing.
    SchemaError
        When given vectors do not fit the pairs.
    RunFolderError
        When rows are read whose stored vector is damaged and whose image is gone.

    Examples
    --------
    >>> import polars as pl
    >>> from counterpoint.encoders import open_encoder
    >>> pairs = pl.DataFrame({"text": ["a fox", None], "x_0": [1.0, 2.0], "x_1": [0.5, 0.0]})
    >>> encodings = load_encodings(pairs, open_encoder("columns:x_"), "text")
    >>> encodings[:].tolist(), encodings.is_missing.tolist()
    ([[1.0, 0.5], [0.0, 0.0]], [False, True])
    """
    if isinstance(encoder, Given):
        return Encodings(*encoder.rows(pairs, modality))
    check_reads(encoder, modality)
    contents = contents_of(pairs, modality)
    here = store_folder(_made_here(), encoder, modality)
    folders = [here] if cache is None else [store_folder(cache, encoder, modality), here]
    store = VectorStore(encoder.width, (each for folder in folders for each in stored_segments(folder, encoder.width)))
    store.add(list(_on_the_spot(encoder, modality, contents, lacking(store, contents), here)))
    stored = _Stored(store, encoder, modality, contents)
    return Encodings(encoder.width, stored.slots < 0, stored.read)


@dataclass
class _Stored:
    """The rows of *contents* in a store.  A damaged row is encoded again."""

    store: VectorStore
    encoder: Encoder
    modality: str
    contents: Contents

    def __post_init__(self) -> None:
        self.slots: Slots = np.where(self.contents.is_missing, -1, self.store.find(self.contents.hashes))
        self._again: dict[int, Floats] = {}

    def read(self, rows: Rows) -> Floats:
        slots = self.slots[rows]
        vectors, is_damaged = self.store.read(slots)
        if is_damaged.any():
            self._encode_again(rows[is_damaged])
            vectors[is_damaged] = [self._again[int(slot)] for slot in slots[is_damaged]]
        return vectors

    def _encode_again(self, rows: Rows) -> None:
        new = np.array([row for row in rows if int(self.slots[row]) not in self._again], dtype=np.int64)
        if not len(new):
            return
        values = self.contents.values.gather(new).to_list()
        vectors, is_read = encode(self.encoder, self.modality, values, self.contents.hashes[new])
        if not is_read.all():
            gone = values[int(np.flatnonzero(~is_read)[0])]
            raise RunFolderError(f"The stored vector of {gone} is damaged, and it cannot be read: run the study again.")
        self._again.update(zip(self.slots[new].tolist(), vectors, strict=True))


_APART: ContextVar[Path | None] = ContextVar("made apart", default=None)


@contextmanager
def made_apart() -> Iterator[None]:
    """Remove the vectors that `load_encodings` makes inside this context at its end: the disk does not fill with them.

    They are apart from those of other threads.
    """
    with tempfile.TemporaryDirectory(dir=folder_of_process(), ignore_cleanup_errors=True) as folder:
        token = _APART.set(Path(folder))
        try:
            yield
        finally:
            _APART.reset(token)


def _made_here() -> Path:
    return _APART.get() or Path(folder_of_process(), "encodings")


def check_reads(encoder: Encoder, modality: str) -> None:
    """Raise ConfigError where *encoder* does not read the *modality*."""
    if modality not in encoder.modalities:
        raise encoder.reads_no(modality)


def store_folder(cache: Path, encoder: Encoder, modality: str) -> Path:
    """Return the folder of the store of *encoder*.

    Parameters
    ----------
    cache
        *cache* is the folder of all stores.
    encoder, modality
        *encoder* reads the *modality*.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", encoder.name).strip("-")[-_NAME_LENGTH:]
    return cache / f"{name}-{encoder.fingerprint[:16]}" / modality


def lacking(store: VectorStore, contents: Contents, *, also_damaged: bool = False) -> Rows:
    """Return one row of each content that the store lacks.

    Parameters
    ----------
    store, contents
        *store* has the vectors of some of the *contents*.
    also_damaged
        *also_damaged* counts a damaged vector as lacking.
    """
    slots = store.find(contents.hashes)
    is_lacking = slots < 0
    if also_damaged:
        found = np.unique(slots[~is_lacking & ~contents.is_missing])
        is_lacking |= np.isin(slots, _damaged(store, found))
    rows = np.flatnonzero(is_lacking & ~contents.is_missing)
    _, firsts = np.unique(contents.hashes[rows].view("V32"), return_index=True)
    return rows[np.sort(firsts)]


def _damaged(store: VectorStore, slots: Slots) -> Slots:
    size = TASK_ROWS["text"]
    parts = [slots[start : start + size] for start in range(0, len(slots), size)]
    return np.concatenate([np.zeros(0, dtype=np.int64), *(part[store.read(part)[1]] for part in parts)])


def _on_the_spot(encoder: Encoder, modality: str, contents: Contents, rows: Rows, folder: Path) -> Iterator[Segment]:
    for start in range(0, len(rows), TASK_ROWS[modality]):
        part = rows[start : start + TASK_ROWS[modality]]
        hashes = contents.hashes[part]
        vectors, is_read = encode(encoder, modality, contents.values.gather(part).to_list(), hashes)
        if len(part) < KEPT_ROWS:
            yield made_segment(hashes[is_read], vectors[is_read])
        elif is_read.any():
            yield write_segment(folder, hashes[is_read], vectors[is_read])
