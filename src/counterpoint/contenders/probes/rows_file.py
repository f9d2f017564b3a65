"""Vectors of many rows as one scaled matrix in a file, which is read as a memory map and never whole."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from counterpoint.artifacts import why_not_written
from counterpoint.contenders.vectors import Vectors
from counterpoint.errors import RunFolderError

Floats = NDArray[np.float64]
AT_ONCE = 4096
"""Rows that are in memory at once."""
LEAST_SPREAD = 1e-6
"""A standard deviation, relative to the mean, below which a column is constant but for its rounding."""


class Scale(NamedTuple):
    """The mean of each column of vectors, and the factor that gives all columns together a mean square of 1."""

    mean: Floats
    factor: Floats


class RowsFile:
    """The vectors of all modalities side by side, each with a last column that is 1 where the vector is missing.

    Parameters
    ----------
    blocks
        *blocks* are the vectors of each modality, with the same number of rows.
    folder
        *folder* is a folder on a disk with space for the matrix.  Where it does not exist, the usual folder of
        temporary files is used.  The file has no name there, so that a killed process leaves nothing.

    Raises
    ------
    RunFolderError
        When the disk is full.

    Examples
    --------
    >>> class Two:
    ...     width, is_missing = 1, np.array([False, False, True])
    ...     __len__ = lambda self: 3
    ...     __getitem__ = lambda self, rows: np.array([[1.0], [3.0], [0.0]], np.float32)[rows]
    >>> with RowsFile([Two()]) as file:
    ...     scales = file.scales()
    ...     file.scale(scales)
    ...     file.rows().tolist()
    [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, blocks: Sequence[Vectors], folder: str | None = None) -> None:
        self._widths = [block.width for block in blocks]
        self._shape = len(blocks[0]), sum(self._widths) + len(blocks)
        self._where = Path(folder if folder and Path(folder).is_dir() else tempfile.gettempdir())
        with ExitStack() as opened:
            self._file = opened.enter_context(tempfile.TemporaryFile(dir=self._where))
            for rows in chunks(len(blocks[0])):
                parts = [part for block in blocks for part in (block[rows], block.is_missing[rows, None])]
                self._write(np.hstack(parts))
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def scales(self) -> list[Scale]:
        """Return the scale of each modality, learned from the rows that have it."""
        found = [_Moments(width) for width in self._widths]
        for _, chunk in self._chunks():
            for moments, (vectors, is_missing) in zip(found, self._by_block(chunk), strict=True):
                moments.add(vectors[is_missing == 0].astype(np.float64))
        return [moments.scale() for moments in found]

    def scale(self, scales: Sequence[Scale]) -> None:
        """Scale all vectors that are not missing."""
        for start, chunk in self._chunks():
            for scale, (vectors, is_missing) in zip(scales, self._by_block(chunk), strict=True):
                scaled = (vectors - scale.mean) * scale.factor
                vectors[:] = np.where(is_missing[:, None] > 0, 0, scaled)
            self._file.seek(start * self._row_bytes)
            self._write(chunk)

    def rows(self) -> NDArray[np.float32]:
        """Return the matrix, shape (n, n_columns), as a memory map."""
        self._file.flush()
        return np.asarray(np.memmap(self._file, dtype=np.float32, mode="r", shape=self._shape))

    @property
    def _row_bytes(self) -> int:
        return self._shape[1] * np.dtype(np.float32).itemsize

    def _chunks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the first row and the rows of each chunk."""
        for rows in chunks(self._shape[0]):
            self._file.seek(rows.start * self._row_bytes)
            data = bytearray(self._file.read((rows.stop - rows.start) * self._row_bytes))
            yield rows.start, np.frombuffer(data, dtype=np.float32).reshape(-1, self._shape[1])

    def _by_block(self, chunk: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Yield the vectors of each modality in a *chunk*, and whether each is missing."""
        for columns in columns_of(self._widths):
            yield chunk[:, columns][:, :-1], chunk[:, columns][:, -1]

    def _write(self, rows: NDArray[Any]) -> None:
        try:
            self._file.write(np.ascontiguousarray(rows, dtype=np.float32).data)
        except OSError as error:
            raise RunFolderError(why_not_written(self._where, error)) from error


def chunks(n: int) -> Iterator[slice]:
    """Yield slices of at most `AT_ONCE` of *n* rows.

    >>> [rows.stop - rows.start for rows in chunks(5000)]
    [4096, 904]
    """
    return (slice(start, min(start + AT_ONCE, n)) for start in range(0, n, AT_ONCE))


def columns_of(widths: Sequence[int]) -> Iterator[slice]:
    """Yield the columns of each modality, the last of which marks a missing vector.

    >>> list(columns_of([3, 2]))
    [slice(0, 4, None), slice(4, 7, None)]
    """
    start = 0
    for width in widths:
        yield slice(start, start + width + 1)
        start += width + 1


class _Moments:
    """The number of vectors, their sum, and the sum of their squares."""

    def __init__(self, width: int) -> None:
        self.n, self.total, self.squares = 0, np.zeros(width), np.zeros(width)

    def add(self, vectors: Floats) -> None:
        self.n += len(vectors)
        self.total += vectors.sum(axis=0)
        self.squares += (vectors**2).sum(axis=0)

    def scale(self) -> Scale:
        mean = self.total / max(self.n, 1)
        spread = np.sqrt(np.maximum(self.squares / max(self.n, 1) - mean**2, 0))
        has_spread = spread > LEAST_SPREAD * np.abs(mean)
        factor = np.divide(1, spread * np.sqrt(len(mean)), out=np.zeros_like(mean), where=has_spread)
        return Scale(mean, factor)
