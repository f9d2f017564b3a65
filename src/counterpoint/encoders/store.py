"""Vectors on disk, found by the hash of their content.  Does not encode.

A folder has segments: files that are written once, whole or not at all.  A segment is a ``.npy`` array of vectors,
float32 of shape (n, width), sorted by hash.  Behind the array stand the hash and the checksum of each row, and n.
"""

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from counterpoint.artifacts import replacing
from counterpoint.encoders.base import Floats
from counterpoint.files import open_regular

Hashes = NDArray[np.uint8]
Slots = NDArray[np.int64]
Bools = NDArray[np.bool_]

HASH_BYTES = 32
N_MAPPED = 64
"""The number of segments that are mapped at once: a process may not have many open files."""
_VALUES = np.dtype("<f4")
"""The same bytes on every machine."""
_KEYS = np.dtype([("hash", "u1", (HASH_BYTES,)), ("checksum", "<u4")])
_COUNT = np.dtype("<u8")


class Segment(NamedTuple):
    """Vectors and their keys.

    Attributes
    ----------
    keys
        *keys* are the hash and the checksum of each row, sorted by hash.
    vectors
        *vectors* are an array in memory, or the path of the file, float32 of shape (n, width).
    """

    keys: NDArray[Any]
    vectors: Floats | Path


def made_segment(hashes: Hashes, vectors: Floats) -> Segment:
    """Return a segment in memory.

    >>> made_segment(np.full((1, 32), 7, dtype=np.uint8), np.zeros((1, 2), dtype=np.float32)).keys["checksum"].shape
    (1,)
    """
    order = np.lexsort(hashes.T[::-1])
    keys = np.zeros(len(hashes), dtype=_KEYS)
    keys["hash"], sorted_vectors = hashes[order], np.ascontiguousarray(vectors[order], dtype=np.float32)
    keys["checksum"] = _checksums(keys["hash"], sorted_vectors)
    return Segment(keys, sorted_vectors)


def write_segment(folder: Path, hashes: Hashes, vectors: Floats) -> Segment:
    """Write the rows *vectors* of *hashes* to *folder*, and return their segment on disk.

    Two processes that write the same rows write the same file.

    Parameters
    ----------
    folder
        *folder* is made if needed.
    hashes
        *hashes* are the hashes of the contents, uint8 of shape (n, 32).
    vectors
        *vectors* have shape (n, width).

    Raises
    ------
    RunFolderError
        When the disk is full, or *folder* cannot be written.
    """
    segment = made_segment(hashes, vectors)
    data = np.ascontiguousarray(segment.vectors, dtype=_VALUES)
    path = folder / f"{sha256(segment.keys.tobytes()).hexdigest()[:32]}.npy"
    with replacing(path) as draft, draft.open("wb") as file:
        file.write(_header(*data.shape))
        file.write(data.data)
        file.write(segment.keys.tobytes())
        file.write(np.array(len(data), dtype=_COUNT).tobytes())
    return Segment(segment.keys, path)


class VectorStore:
    """The rows of segments.  Of rows with the same hash the first counts.

    A row is compared with its checksum when it is read first.

    Parameters
    ----------
    width
        *width* is the number of values of a vector.
    segments
        *segments* are in memory or on disk.

    Examples
    --------
    >>> hashes = np.arange(64, dtype=np.uint8).reshape(2, 32)
    >>> store = VectorStore(2, [made_segment(hashes, np.array([[1, 2], [3, 4]], dtype=np.float32))])
    >>> slots = store.find(hashes[::-1])
    >>> [array.tolist() for array in store.read(slots)]
    [[[3.0, 4.0], [1.0, 2.0]], [False, False]]
    """

    def __init__(self, width: int, segments: Iterable[Segment] = ()) -> None:
        self.width = width
        self._mapped = lru_cache(maxsize=N_MAPPED)(partial(_mapped, width=width))
        self._segments = list(segments)
        self._index()

    def add(self, segments: Sequence[Segment]) -> None:
        """Add *segments* behind the others.  Slots stay as they are."""
        if segments:
            self._segments.extend(segments)
            self._index()

    def find(self, hashes: Hashes) -> Slots:
        """Return the slot of each hash, or -1 where the store lacks it."""
        found = np.full(len(hashes), -1, dtype=np.int64)
        prefixes = _prefix(hashes)
        places, open_rows = np.searchsorted(self._prefixes, prefixes), np.arange(len(hashes))
        while len(open_rows):  # once, but for different hashes with the same prefix
            is_inside = places < len(self._order)
            open_rows, places = open_rows[is_inside], places[is_inside]
            has_prefix = self._prefixes[places] == prefixes[open_rows]
            open_rows, places = open_rows[has_prefix], places[has_prefix]
            slots = self._order[places]
            is_own = (self._keys["hash"][slots] == hashes[open_rows]).all(axis=1)
            found[open_rows[is_own]] = slots[is_own]
            open_rows, places = open_rows[~is_own], places[~is_own] + 1
        return found

    def read(self, slots: Slots) -> tuple[Floats, Bools]:
        """Return the vectors of *slots*, shape (n, width), and whether each is damaged."""
        vectors = np.zeros((len(slots), self.width), dtype=np.float32)
        is_damaged = np.zeros(len(slots), dtype=bool)
        of_segment = np.searchsorted(self._starts, slots, side="right") - 1
        for number in np.unique(of_segment):
            places = np.flatnonzero(of_segment == number)
            rows = slots[places] - self._starts[number]
            try:
                vectors[places] = self._vectors(int(number))[rows]
            except (OSError, ValueError):  # removed, or cut, after it was opened
                is_damaged[places] = True
        return vectors, is_damaged | self._differs(slots, vectors)

    def _differs(self, slots: Slots, vectors: Floats) -> Bools:
        """Report which *vectors* are not what was written.  Rows that were right once are not compared again."""
        differs = np.zeros(len(slots), dtype=bool)
        places = np.flatnonzero(~self._is_verified[slots])
        keys = self._keys[slots[places]]
        differs[places] = _checksums(keys["hash"], vectors[places]) != keys["checksum"]
        self._is_verified[slots[~differs]] = True
        return differs

    def _vectors(self, number: int) -> Floats:
        keys, vectors = self._segments[number]
        return self._mapped(vectors, len(keys)) if isinstance(vectors, Path) else vectors

    def _index(self) -> None:
        lengths = [len(segment.keys) for segment in self._segments]
        self._starts = np.cumsum([0, *lengths])[:-1]
        self._keys = np.concatenate([np.zeros(0, dtype=_KEYS), *(segment.keys for segment in self._segments)])
        self._is_verified = np.zeros(len(self._keys), dtype=bool)
        prefixes = _prefix(self._keys["hash"])
        self._order = np.argsort(prefixes, kind="stable")
        self._prefixes = prefixes[self._order]


def stored_segments(folder: Path, width: int) -> list[Segment]:
    """Return the segments in *folder*, the newest first.  A file that is no whole segment is left out.

    >>> stored_segments(Path("/nowhere"), 384)
    []
    """
    try:
        with os.scandir(folder) as entries:
            found = [(entry.stat().st_mtime_ns, entry.name) for entry in entries if entry.name.endswith(".npy")]
    except OSError:
        return []
    segments = (_opened(folder / name, width) for _, name in sorted(found, reverse=True))
    return [segment for segment in segments if segment is not None]


def _opened(path: Path, width: int) -> Segment | None:
    try:
        with open_regular(path) as file:
            n_bytes = file.seek(0, os.SEEK_END)
            file.seek(max(0, n_bytes - _COUNT.itemsize))
            n = int.from_bytes(file.read(), "little")
            header = _header(n, width)
            keys_at = len(header) + 4 * width * n
            if n_bytes != keys_at + _KEYS.itemsize * n + _COUNT.itemsize:
                return None
            file.seek(0)
            if file.read(len(header)) != header:
                return None
            file.seek(keys_at)
            keys = np.frombuffer(file.read(_KEYS.itemsize * n), dtype=_KEYS)
    except OSError:
        return None
    return Segment(keys, path)


def _mapped(path: Path, n: int, *, width: int) -> Floats:
    with open_regular(path) as file:
        return np.memmap(file, _VALUES, "r", offset=len(_header(n, width)), shape=(n, width))


def _header(n: int, width: int) -> bytes:
    header = BytesIO()
    np.lib.format.write_array_header_2_0(header, {"descr": _VALUES.str, "fortran_order": False, "shape": (n, width)})
    return header.getvalue()


def _prefix(hashes: Hashes) -> NDArray[np.uint64]:
    """Return the first eight bytes of each hash as a number, shape (n,)."""
    return np.ascontiguousarray(hashes[:, :8]).view(np.uint64)[:, 0]


def _checksums(keys: Hashes, vectors: Floats) -> NDArray[np.uint32]:
    """Return the checksum of each row: of its hash and its vector."""
    rows = zip(keys, np.ascontiguousarray(vectors, dtype=_VALUES), strict=True)
    return np.array([crc32(vector.data, crc32(key.data)) for key, vector in rows], dtype=np.uint32)
