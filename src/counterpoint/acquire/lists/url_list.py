"""A list of URLs as parts of bounded size, in order, with files of any format. Unreadable files are reported.

Every row of the files is a row of a part. Columns are named by their roles (`config.acquire.ListColumns`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.acquire.lists.columns import NAMES, NUMBERS, STRINGS, check_alike, check_type, overlooked, roles_of
from counterpoint.acquire.lists.inputs import InputFile, find_inputs
from counterpoint.acquire.lists.parquet_slices import decoded, has_all, read_slice
from counterpoint.config.acquire import Input
from counterpoint.errors import SourceError, first_line
from counterpoint.formats.tables import BAD, Table, open_table
from counterpoint.formats.values import name_strings, number_columns
from counterpoint.redaction import without_logins
from counterpoint.schema import Frame

PART_ROWS = 250_000


@dataclass(frozen=True)
class ListPart:
    """Some rows of a list. *start* is the number of the first, and ``read(roles)`` returns the columns of those roles.

    Where the format can have bad rows, the result also has `BAD`, the reason of each bad row.
    """

    path: str
    start: int
    n_rows: int
    read: Callable[[Collection[str]], Frame]
    has_all_urls: bool = False
    """Whether it is known, without reading, that no URL is null or empty."""


@dataclass(frozen=True)
class _Opened:
    """A file with known columns. *roles* are the useful ones, and *parts* reads its rows."""

    path: str
    columns: tuple[str, ...]
    roles: Mapping[str, str]
    parts: Callable[[int], Iterator[ListPart]]


class UrlList:
    r"""The list of URLs that the section ``input`` describes, opened.

    Parameters
    ----------
    source
        *source* is the section. The header of every file is read, and rows are read by `parts`.

    Raises
    ------
    SourceError
        When no file exists or can be read, a needed column is missing, or the columns of two files differ.
    ConfigError
        When fsspec does not know the protocol of a URL.

    Examples
    --------
    >>> from pathlib import Path; import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.csv").write_text("key,url,caption\n7,http://example.org/a.jpg,a cat\n")
    ...     listed = UrlList(Input(path=[folder]))
    ...     [part.read(["id", "text"]).rows() for part in listed.parts()]
    [[('7', 'a cat', None)]]
    """

    def __init__(self, source: Input) -> None:
        self.source = source
        self.inputs = find_inputs(source.path, source.storage)
        self.unreadable: dict[str, str] = {}
        """The reason for each unreadable file. More are added while rows are read."""
        self.notes: list[str] = []
        """The reading choices that were inferred from the files."""
        self._files = list(self._opened())
        if not self._files:
            raise SourceError(_none_readable(self.unreadable))

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """The column of each role, the same in all files."""
        return self._files[0].roles

    @property
    def overlooked(self) -> list[str]:
        """A line for each column that is not read because of its case."""
        return overlooked(self.source, self._files[0].columns, self.roles)

    def parts(self, rows: int = PART_ROWS) -> Iterator[ListPart]:
        """Yield the list in parts of at most *rows* rows, in order. No part spans two files."""
        start = 0
        for opened in self._files:
            try:
                for part in opened.parts(rows):
                    yield replace(part, start=start)
                    start += part.n_rows
            except SourceError as error:
                self.give_up(opened.path, error)

    def give_up(self, path: str, error: Exception) -> None:
        """Record that the file at *path* cannot be read, or not to the end. Raise when it is the only file."""
        self.unreadable.setdefault(without_logins(path), str(error))
        if len(self.inputs) == 1:
            raise SourceError(str(error)) from error

    def _opened(self) -> Iterator[_Opened]:
        first: _Opened | None = None
        for file in self.inputs:
            try:
                columns, kinds, parts = _open(file, self.source, self.notes)
            except SourceError as error:
                self.give_up(file.path, error)
                continue
            roles = roles_of(self.source, columns, path=file.path)
            for role, name in roles.items():
                if name in kinds:
                    check_type(role, name, kinds[name], path=file.path)
            opened = _Opened(file.path, columns, roles, partial(parts, roles))
            first = first or opened
            check_alike(first.roles, roles, paths=(first.path, file.path))
            yield opened


def _none_readable(unreadable: Mapping[str, str]) -> str:
    return f"None of {len(unreadable):,} files can be read: {next(iter(unreadable.values()))}"


Parts = Callable[[Mapping[str, str], int], Iterator[ListPart]]


def _open(file: InputFile, source: Input, notes: list[str]) -> tuple[tuple[str, ...], Mapping[str, pa.DataType], Parts]:
    """Return the columns of *file*, their types in typed formats, and a reader of its rows. Extend *notes*.

    Raises
    ------
    SourceError
        When it cannot be read.
    """
    try:
        if file.suffix != ".parquet":
            table = open_table(file.readable(), **source.reading())
            notes.extend(table.notes)
            return table.columns, {}, partial(_table_parts, file, table)
        with file.readable().open("rb") as stream, pq.ParquetFile(stream) as parquet:
            schema, about = parquet.schema_arrow, parquet.metadata
    except SourceError:
        raise
    except Exception as error:  # fsspec may use any library, with exceptions of its own.
        raise SourceError(f"Cannot read {file.path}: {first_line(error)}.") from error
    parts = partial(_parquet_parts, file, about) if file.files is None else partial(_remote_parts, file)
    return tuple(schema.names), {name: schema.field(name).type for name in schema.names}, parts


def _table_parts(file: InputFile, table: Table, roles: Mapping[str, str], rows: int) -> Iterator[ListPart]:
    for frame in _as_source_errors(file, _with_names(table, roles)):
        for part in frame.iter_slices(rows):
            yield _part(file, part, roles)


def _with_names(table: Table, roles: Mapping[str, str]) -> Iterator[Frame]:
    """Yield the frames of *table*. Numeric ids and labels such as 7.0 become names."""
    numbers = number_columns(table, {roles[role] for role in NAMES if role in roles})
    for frame in table.frames(set(roles.values())):
        yield frame.with_columns(name_strings(frame[name], is_number=True) for name in numbers)


def _remote_parts(file: InputFile, roles: Mapping[str, str], rows: int) -> Iterator[ListPart]:
    def frames() -> Iterator[Frame]:
        with file.readable().open("rb") as stream, pq.ParquetFile(stream) as parquet:
            for batch in parquet.iter_batches(rows, columns=list(roles.values())):
                yield pl.DataFrame(pa.table(batch))

    for frame in _as_source_errors(file, frames()):
        yield _part(file, frame, roles)


def _as_source_errors(file: InputFile, frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield *frames*, and raise any early end as a `SourceError`."""
    try:
        yield from frames
    except SourceError:
        raise
    except Exception as error:  # fsspec may use any library, with exceptions of its own.
        raise SourceError(f"{file.path} breaks off: {first_line(error)}.") from error


def _part(file: InputFile, frame: Frame, roles: Mapping[str, str]) -> ListPart:
    return ListPart(file.path, 0, frame.height, lambda wanted: _by_role(frame, roles, wanted))


def _parquet_parts(file: InputFile, about: Any, roles: Mapping[str, str], rows: int) -> Iterator[ListPart]:
    """Yield the parts of a local Parquet file. Any thread may read them."""
    has_all_urls = has_all(about, roles["url"])
    for first in range(0, about.num_rows, rows):
        n_rows = min(rows, about.num_rows - first)
        yield ListPart(file.path, 0, n_rows, partial(_read_slice, file.path, roles, first, n_rows), has_all_urls)


def _read_slice(path: str, roles: Mapping[str, str], first: int, n_rows: int, wanted: Collection[str]) -> Frame:
    columns = [name for role, name in roles.items() if role in wanted]
    return _by_role(read_slice(path, columns, first, n_rows), roles, wanted)


def _by_role(frame: Frame, roles: Mapping[str, str], wanted: Collection[str]) -> Frame:
    columns = [_typed(frame[name], role) for role, name in roles.items() if role in wanted]
    return pl.DataFrame(columns + ([frame[BAD]] if BAD in frame.columns else []))


def _typed(column: pl.Series, role: str) -> pl.Series:
    """Return a column in the type of its role: a string or a number. An id or a label may be either."""
    named = column.alias(role)
    if named.dtype == pl.Binary:
        named = decoded(named)
    if role in STRINGS or named.dtype in (pl.Null, pl.Categorical):
        return named.cast(pl.String)
    return named.cast(pl.Float64, strict=False).fill_nan(None) if role in NUMBERS else named
