"""Tables on disk (CSV, TSV, XLSX, JSON, JSON lines, Parquet), read in order and in frames of bounded size.

Every row of the file is a row of a frame; one that cannot be read says why in column `BAD` and is null elsewhere.
Values of a format without types are strings: what they mean is the reader's business.
"""

import csv
import json
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.errors import SourceError, did_you_mean, first_line
from counterpoint.files import regular
from counterpoint.schema import Frame

BAD = "__bad__"
FRAME_ROWS = 10_000
BYTES_FRAME_ROWS = 256
"""Rows a frame where a column holds bytes, which may be whole photos."""

Row = Mapping[str, Any] | str
"""The values of a row by column, or the reason why there are none."""


@dataclass(frozen=True)
class Table:
    """An opened table: its columns, and ``frames(wanted)`` to read those of them that are *wanted*, in order."""

    path: Path
    columns: tuple[str, ...]
    frames: Callable[[Collection[str]], Iterator[Frame]]


def open_table(path: Path, *, separator: str | None = None, sheet: str | None = None) -> Table:
    r"""Return the table at *path*; its suffix says which format it has.

    Parameters
    ----------
    path
        *path* is a file whose suffix is a key of `FORMATS`.
    separator
        *separator* stands between the fields of a CSV (default: a comma, in a TSV a tab).
    sheet
        *sheet* is the name of a sheet of an XLSX (default: its first).

    Raises
    ------
    SourceError
        When the suffix is another, the file is empty, or it is not of that format.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.csv")
    ...     _ = path.write_text("image,text\n1.jpg,a cat\n2.jpg\n")
    ...     [frame] = open_table(path).frames(["text"])
    >>> frame.rows()
    [('a cat', None), (None, 'bad_row')]
    """
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise SourceError(f"{path} is not a table that can be read.{did_you_mean(path.suffix, FORMATS)}")
    options = {name: value for name, value in (("separator", separator), ("sheet", sheet)) if value is not None}
    unused = [name for name in options if name not in _OPTIONS.get(reader, ())]
    if unused:
        raise SourceError(f"{path}: {unused[0]} means nothing in a {path.suffix} file.")
    try:
        if isinstance(path, Path):  # else of a store, where there are no pipes
            regular(path)
        return reader(path, **options)
    except OSError as error:
        raise SourceError(f"Cannot read table {path}: {error.strerror or error}.") from error


def _csv(path: Path, *, separator: str | None = None) -> Table:
    separator = separator or ("\t" if path.suffix.lower() == ".tsv" else ",")
    lines = _csv_rows(path, separator)
    header = next(lines, None)
    lines.close()
    if not header:
        raise SourceError(f"{path} is empty: its first line should name its columns.")
    if any("\0" in name or not is_text(name) for name in header):
        raise SourceError(f"{path} is not UTF-8 text; save it as CSV UTF-8.")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise SourceError(f"{path} has two columns named {twice[0]!r}.")

    def rows() -> Iterator[Row]:
        for values in islice(_csv_rows(path, separator), 1, None):
            fits = values is not None and len(values) == len(header)
            yield {name: value or None for name, value in zip(header, values or (), strict=True)} if fits else "bad_row"

    return Table(path, tuple(header), partial(_frames, rows, tuple(header)))


def _csv_rows(path: Path, separator: str) -> Generator[list[str] | None]:
    """Yield the fields of each row that is not blank, or None for one that has no end."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield None
            else:
                if fields:
                    yield fields


def _json_lines(path: Path) -> Table:
    def rows() -> Iterator[Row]:
        with path.open("rb") as file:
            yield from (_json_row(line) for line in file if line.strip())

    return _of_objects(path, rows)


def _json_row(line: bytes) -> Row:
    try:
        value = json.loads(line)
    except UnicodeDecodeError:
        return "bad_text"
    except (ValueError, RecursionError):
        return "bad_json"
    return value if isinstance(value, dict) else "bad_json"


def _json_list(path: Path) -> Table:
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path} is not JSON: {error}; objects line by line belong into a .jsonl file.") from error
    if not isinstance(values, list):
        raise SourceError(f"{path} should hold a list of objects; it holds a {type(values).__name__}.")
    return _of_objects(path, lambda: (value if isinstance(value, dict) else "bad_json" for value in values))


def _of_objects(path: Path, rows: Callable[[], Iterator[Row]]) -> Table:
    first = [row for row in islice(rows(), FRAME_ROWS) if isinstance(row, dict)]
    columns = tuple(dict.fromkeys(chain.from_iterable(first)))
    if not columns:
        raise SourceError(f"{path} holds no JSON object in its first {FRAME_ROWS:,} rows.")
    return Table(path, columns, partial(_frames, rows, columns))


def _frames(rows: Callable[[], Iterable[Row]], columns: tuple[str, ...], wanted: Collection[str]) -> Iterator[Frame]:
    names = [name for name in columns if name in wanted]
    schema = dict.fromkeys([*names, BAD], pl.String)
    left = iter(rows())
    while chunk := list(islice(left, FRAME_ROWS)):
        yield pl.DataFrame([_strings(row, names) for row in chunk], schema=schema, orient="row")


def _strings(row: Row, names: list[str]) -> tuple[str | None, ...]:
    if isinstance(row, str):
        return (*[None] * len(names), row)
    values = [plain(row.get(name)) for name in names]
    if all(value is None or is_text(value) for value in values):
        return (*values, None)
    return (*[None] * len(names), "bad_text")


def plain(value: Any) -> str | None:
    """Return a JSON value as a string: 1 and 1.0 are "1", true is "true", null is None, an object is its JSON.

    >>> [plain(value) for value in ("a", 1, 1.0, 0.5, True, None, [1])]
    ['a', '1', '1', '0.5', 'true', None, '[1]']
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def is_text(value: str) -> bool:
    """Say whether *value* has no halves of characters, which stand for bytes that are not UTF-8."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _excel(path: Path, *, sheet: str | None = None) -> Table:
    import fastexcel  # noqa: PLC0415 - only who reads XLSX pays for it

    try:
        book = fastexcel.read_excel(path)
        if sheet is not None and sheet not in book.sheet_names:
            raise SourceError(f"{path} has no sheet {sheet!r}.{did_you_mean(sheet, book.sheet_names)}")
        frame = book.load_sheet(sheet or 0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise SourceError(f"{path} is not an XLSX workbook: {first_line(error)}.") from error
    if not frame.columns:
        raise SourceError(f"{path} is empty: its first row should name its columns.")
    return table_of(frame, path)


def table_of(frame: Frame, path: Path = Path()) -> Table:
    """Return a frame in memory as a table, so that it is read like one on disk.

    >>> [part.columns for part in table_of(pl.DataFrame({"a": [1], "b": [2]})).frames(["b"])]
    [['b', '__bad__']]
    """

    def frames(wanted: Collection[str]) -> Iterator[Frame]:
        names = [name for name in frame.columns if name in wanted]
        parts = frame.select(*names, pl.lit(None, pl.String).alias(BAD))
        yield from parts.iter_slices(FRAME_ROWS)

    return Table(path, tuple(frame.columns), frames)


def _parquet(path: Path) -> Table:
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
    except pa.ArrowException as error:
        raise SourceError(f"{path} is not a Parquet file: {first_line(error)}.") from error

    def frames(wanted: Collection[str]) -> Iterator[Frame]:
        names = [name for name in schema.names if name in wanted]
        has_bytes = any("binary" in str(schema.field(name).type) for name in names)
        rows = BYTES_FRAME_ROWS if has_bytes else FRAME_ROWS
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(rows, columns=names):
                    yield pl.DataFrame(pa.table(batch)).with_columns(pl.lit(None, pl.String).alias(BAD))
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"{path} is a damaged Parquet file: {first_line(error)}.") from error

    return Table(path, tuple(schema.names), frames)


FORMATS: Mapping[str, Callable[..., Table]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".xlsx": _excel,
    ".json": _json_list,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
"""Which reader opens which suffix."""

_OPTIONS: Mapping[Callable[..., Table], tuple[str, ...]] = {_csv: ("separator",), _excel: ("sheet",)}
