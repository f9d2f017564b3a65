"""Image references, one string each: their meaning, a reader of them, and a writer of a shard of images.

``/abs/path.jpg`` is a file, ``/abs/shard.tar#member.jpg`` a member of a tar, ``/abs/shard.parquet#17`` a row of
column ``image`` (``#17@picture``: of column ``picture``).  A value may be a struct with ``bytes``.  Does not decode.

A shard with ``kept: gray-64`` in its metadata holds raw gray pixels, which are read as a PNG.
"""

import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.artifacts import replacing
from counterpoint.errors import ImageError
from counterpoint.files import open_regular, regular
from counterpoint.formats import tars
from counterpoint.formats.png import gray_png

COLUMN = "image"
KEPT, GRAY_64 = b"kept", b"gray-64"
"""The key of a Parquet file's metadata for the kind of its images, and the value for raw pixels."""
MAX_BYTES = 1 << 28
MOST_PATH_CHARS = 4096
"""No file system has longer paths."""
N_OPEN = 64
GROUP_IMAGES, GROUP_BYTES = 64, 8 << 20

_ENDS = re.compile(r"(?<=\.tar)#(?=.)|(?<=\.parquet)#(?=.)", re.DOTALL | re.IGNORECASE)


def split_ref(ref: str) -> tuple[str, str | None]:
    """Return the file of a reference, and the place inside that file (None: the file is the image).

    >>> split_ref("/a/0.tar#x/7.jpg"), split_ref("/a/no#1.jpg")
    (('/a/0.tar', 'x/7.jpg'), ('/a/no#1.jpg', None))
    """
    ends = [found.start() for found in _ENDS.finditer(ref)]
    if not ends:
        return ref, None
    # The name of a file may have such an end too.  Then the longest file that exists is meant.
    longer = [end for end in (len(ref), *reversed(ends[1:])) if end <= MOST_PATH_CHARS]
    end = next((end for end in longer if os.path.isfile(ref[:end])), ends[0])  # noqa: PTH113 - Path is slow
    return ref[:end], ref[end + 1 :] or None


def row_ref(path: Path, row: int, column: str = COLUMN) -> str:
    """Return the reference of a row of a Parquet file.

    Parameters
    ----------
    path
        *path* is the path of the file.
    row
        *row* is the number of the row, from 0.
    column
        *column* is the name of the column of images.

    Examples
    --------
    >>> row_ref(Path("/a/x.parquet"), 17), row_ref(Path("/a/x.parquet"), 17, "picture")
    ('/a/x.parquet#17', '/a/x.parquet#17@picture')
    """
    return f"{path}#{row}" if column == COLUMN else f"{path}#{row}@{column}"


class ImageReader:
    """Reads image references, and keeps recently used tars and row groups open.  Each thread needs its own.

    It is fastest in the order of the shards.  A tar is indexed once.  A row group is read once while it is in memory,
    where at most *cache_bytes* are kept.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, ImageReader() as reader:
    ...     refs = write_images(Path(folder, "x.parquet"), [b"first", b"second"])
    ...     reader.read(refs[1])
    b'second'
    """

    def __init__(self, *, cache_bytes: int = 128 << 20) -> None:
        self._tars = _Recent(_Tar, budget=N_OPEN)
        self._tables = _Recent(_Table, budget=N_OPEN)
        self._groups = _Recent(self._read_group, budget=cache_bytes, cost=lambda group: int(group.nbytes))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every file.  The reader may be used again."""
        for kept in (self._tars, self._tables, self._groups):
            kept.clear()

    def read(self, ref: str) -> bytes:
        """Return the stored bytes of *ref*, or a PNG of raw pixels.

        Raises
        ------
        ImageError
            ``missing_file`` when there is nothing to read, ``too_large`` above 256 MiB.
        """
        path, inside = split_ref(ref)
        try:
            if inside is None:
                return _read_file(ref)
            return self._tars[path].read(inside) if path.lower().endswith(".tar") else self._read_row(path, inside)
        except (OSError, ValueError, LookupError, pa.ArrowException) as error:
            raise ImageError("missing_file", f"{ref} ({error})") from error

    def _read_row(self, path: str, inside: str) -> bytes:
        row, _, column = inside.partition("@")
        table = self._tables[path]
        group, offset = table.place(int(row))
        value = self._groups[path, group, column or COLUMN][offset].as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise LookupError("null" if data is None else f"a {type(data).__name__}, not bytes")  # noqa: TRY004
        return gray_png(data) if table.is_gray and not column else data

    def _read_group(self, key: tuple[str, int, str]) -> Any:
        path, group, column = key
        return self._tables[path].file.read_row_group(group, columns=[column])[column]


def write_images(path: Path, images: Iterable[bytes]) -> list[str]:
    """Write *images* as a Parquet shard with column ``image``, and return their references in the same order.

    The shard is written in row groups of at most 64 images, so that memory stays bounded and any image is read fast.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [split_ref(ref)[1] for ref in write_images(Path(folder, "x.parquet"), [b"first", b"second"])]
    ['0', '1']
    """
    schema = pa.schema([(COLUMN, pa.binary())])
    n_images = 0
    with (
        replacing(path) as draft,
        pq.ParquetWriter(draft, schema, compression="none", use_dictionary=False, write_statistics=False) as writer,
    ):
        for group in row_groups(images):
            writer.write_table(pa.table({COLUMN: group}, schema=schema))
            n_images += len(group)
    return [row_ref(path, row) for row in range(n_images)]


def row_groups(
    images: Iterable[bytes | None], *, min_bytes: int = 0, max_rows: int = GROUP_IMAGES
) -> Iterator[list[bytes | None]]:
    """Yield *images* in groups of 64, or of fewer images with 8 MiB together.

    Parameters
    ----------
    images
        *images* has one item a row, null where the row has no image.
    min_bytes
        *min_bytes* is the least size of a group, so that tiny images are more than 64 in a group.
    max_rows
        *max_rows* is the largest number of rows of a group, nulls included.

    Examples
    --------
    >>> [len(group) for group in row_groups([b"x"] * 100)]
    [64, 36]
    """
    group: list[bytes | None] = []
    n_images = n_bytes = 0
    for image in images:
        group.append(image)
        n_images += image is not None
        n_bytes += len(image or b"")
        are_enough = n_images >= GROUP_IMAGES and n_bytes >= min_bytes
        if are_enough or n_bytes >= GROUP_BYTES or len(group) == max_rows:
            yield group
            group, n_images, n_bytes = [], 0, 0
    if group:
        yield group


def _read_file(name: str) -> bytes:
    with open_regular(name) as file:
        _check_size(os.fstat(file.fileno()).st_size, name)
        return file.read()


def _check_size(n_bytes: int, name: str) -> None:
    if n_bytes > MAX_BYTES:
        raise ImageError("too_large", f"{name} has {n_bytes} bytes, at most {MAX_BYTES}")


class _Tar:
    """An open tar and the place of each member."""

    def __init__(self, path: str) -> None:
        self._file = open_regular(path)
        self._places = tars.index(self._file)

    def read(self, name: str) -> bytes:
        if name not in self._places:
            raise ValueError("no such member")
        offset, n_bytes = self._places[name]
        _check_size(n_bytes, name)
        self._file.seek(offset)
        data = self._file.read(n_bytes)
        if len(data) < n_bytes:
            raise ImageError("truncated_image", f"the tar breaks off in {name}")
        return data

    def close(self) -> None:
        self._file.close()


class _Table:
    """An open Parquet file and the first row of each of its row groups."""

    def __init__(self, path: str) -> None:
        self.file = pq.ParquetFile(regular(Path(path)))
        metadata = self.file.metadata
        self.is_gray = (metadata.metadata or {}).get(KEPT) == GRAY_64
        n_rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = [0, *np.cumsum(n_rows).tolist()]

    def place(self, row: int) -> tuple[int, int]:
        if not 0 <= row < self._starts[-1]:
            raise ValueError(f"there are {self._starts[-1]} rows")
        group = bisect_right(self._starts, row) - 1
        return group, row - self._starts[group]

    def close(self) -> None:
        self.file.close()


Key = TypeVar("Key")
Value = TypeVar("Value")


class _Recent(Generic[Key, Value]):
    """Values made on first use.  The least recently used ones are closed when all cost more than *budget*."""

    def __init__(
        self, make: Callable[[Key], Value], *, budget: int, cost: Callable[[Value], int] = lambda _: 1
    ) -> None:
        self._make, self._cost, self._budget = make, cost, budget
        self._kept: dict[Key, Value] = {}
        self._total = 0

    def __getitem__(self, key: Key) -> Value:
        if key in self._kept:
            value = self._kept.pop(key)
        else:
            value = self._make(key)
            self._total += self._cost(value)
        self._kept[key] = value
        while self._total > self._budget and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))
        return value

    def _drop(self, key: Key) -> None:
        value = self._kept.pop(key)
        self._total -= self._cost(value)
        if isinstance(value, _Tar | _Table):
            value.close()

    def clear(self) -> None:
        for key in list(self._kept):
            self._drop(key)
