"""Tables on disk (CSV, TSV, XLSX, JSON, JSON lines, Parquet), read in order and in frames of bounded size.

Every row of the file is a row of a frame.  A row that cannot be read has the reason in column `BAD`, and nulls in all
others.  Values of a format without types are strings, which the caller interprets.
"""

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from counterpoint.errors import SourceError, did_you_mean
from counterpoint.files import regular
from counterpoint.lookup import find
from counterpoint.schema import Frame

BAD = "__bad__"
LINE = "__line__"
"""An optional column of a frame: the line of the file in which the row begins, null in formats without lines."""
FRAME_ROWS = 10_000
MAX_COLUMNS = 16_384
"""Most columns of a table, as many as a sheet has.  With more, the search for the nearest name would take hours."""

Row = Sequence[str | None] | str
"""The values of a row, or the reason why the row has none."""

FORMATS: Mapping[str, str] = {
    ".csv": "counterpoint.formats.delimited:open_delimited",
    ".tsv": "counterpoint.formats.delimited:open_delimited",
    ".xlsx": "counterpoint.formats.workbooks:open_workbook",
    ".json": "counterpoint.formats.json_tables:open_json_list",
    ".jsonl": "counterpoint.formats.json_tables:open_json_lines",
    ".ndjson": "counterpoint.formats.json_tables:open_json_lines",
    ".parquet": "counterpoint.formats.parquet_tables:open_parquet",
}
"""The function that opens the files of each suffix."""

_OPTIONS: Mapping[str, tuple[str, ...]] = {
    ".csv": ("separator", "quoting", "encoding"),
    ".tsv": ("separator", "quoting", "encoding"),
    ".xlsx": ("sheet",),
    ".json": ("encoding",),
    ".jsonl": ("encoding",),
    ".ndjson": ("encoding",),
}


@dataclass(frozen=True)
class Table:
    """An opened table: its columns, and ``frames(wanted)``, which yields the wanted columns in order.

    *notes* name the settings that were found in the file.
    """

    path: Path
    columns: tuple[str, ...]
    frames: Callable[[Collection[str]], Iterator[Frame]]
    notes: tuple[str, ...] = ()


def open_table(
    path: Path,
    *,
    separator: str | None = None,
    quoting: str = "auto",
    encoding: str | None = None,
    sheet: str | None = None,
) -> Table:
    r"""Return the table at *path*.  Its suffix decides the format.

    Parameters
    ----------
    path
        *path* is a file whose suffix is a key of `FORMATS`.
    separator, quoting, encoding
        These are the settings of `counterpoint.config.Delimited` for tables of text.
    sheet
        *sheet* is the name of a sheet of an XLSX (default: the first sheet).

    Raises
    ------
    SourceError
        When the suffix is unknown, the file is empty, or it is not of that format.  While rows are read: when lines of
        the file may be one row or several rows.

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
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise SourceError(f"{path} is not a table that can be read.{did_you_mean(path.suffix, FORMATS)}")
    given = {"separator": separator, "quoting": quoting, "encoding": encoding, "sheet": sheet}
    options = {name: value for name, value in given.items() if value not in (None, "auto")}
    unused = [name for name in options if name not in _OPTIONS.get(suffix, ())]
    if unused:
        raise SourceError(f"{path}: {unused[0]} means nothing in a {path.suffix} file.")
    try:
        if isinstance(path, Path):  # otherwise in a store, which has no pipes
            check_name(path)
            regular(path)
        table: Table = find(suffix, FORMATS, what="format")(path, **options)
    except OSError as error:
        raise SourceError(f"Cannot read table {path}: {error.strerror or error}.") from error
    _check_columns(table)
    return table


def _check_columns(table: Table) -> None:
    check_width(table.path, len(table.columns))
    seen = {BAD, LINE}
    for name in table.columns:
        if name in seen:
            twice = "a column, not to be" if name in (BAD, LINE) else "two columns"
            raise SourceError(f"{table.path} has {twice} named {name!r}.")
        seen.add(name)


def check_width(path: Path, n_columns: int) -> None:
    """Raise `SourceError` when a table has more columns than the limit.

    >>> check_width(Path("a.csv"), 20_000)
    Traceback (most recent call last):
    counterpoint.errors.SourceError: a.csv has 20,000 columns. The limit is 16,384.
    """
    if n_columns > MAX_COLUMNS:
        raise SourceError(f"{path} has {n_columns:,} columns. The limit is {MAX_COLUMNS:,}.")


def frames_of(rows: Iterable[tuple[int, Row]], columns: Sequence[str], wanted: Collection[str]) -> Iterator[Frame]:
    """Yield *rows* as frames of strings.

    Parameters
    ----------
    rows
        *rows* are (line, values of *columns*), or (line, the reason why the row has no values).
    columns
        *columns* are the names of the values.
    wanted
        *wanted* are the columns that the caller reads.  The frames have a column `LINE` where it is among them.

    Examples
    --------
    >>> [frame.rows() for frame in frames_of([(2, ["a"]), (3, "bad_row")], ["text"], ["text", LINE])]
    [[('a', None, 2), (None, 'bad_row', 3)]]
    """
    has_lines = LINE in wanted
    schema = dict.fromkeys([*columns, BAD], pl.String) | ({LINE: pl.Int64} if has_lines else {})
    left = iter(rows)
    while chunk := list(islice(left, FRAME_ROWS)):
        made = [_strings(row, len(columns)) + ((line,) if has_lines else ()) for line, row in chunk]
        yield pl.DataFrame(made, schema=schema, orient="row")


def _strings(row: Row, width: int) -> tuple[str | int | None, ...]:
    if isinstance(row, str):
        return (*[None] * width, row)
    if all(value is None or is_text(value) for value in row):
        return (*row, None)
    return (*[None] * width, "bad_text")


def json_text(value: Any) -> str | None:
    """Return a JSON value as a string: 1 and 1.0 are "1", true is "true", null, NaN and Infinity are None.

    >>> [json_text(value) for value in ("a", 1, 1.0, 0.5, True, None, float("nan"), [1])]
    ['a', '1', '1', '0.5', 'true', None, None, '[1]']
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() and abs(value) < 1 << 63 else value
    return json.dumps(value, ensure_ascii=False)


def is_text(value: str) -> bool:
    r"""Return whether *value* has no halves of characters, which stand for bytes that are not UTF-8.

    >>> is_text("a\u00e9"), is_text("a\udce9")
    (True, False)
    """
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_name(path: Path) -> None:
    """Raise SourceError where the name of an input is not UTF-8: no table can hold a reference to it."""
    if not is_text(str(path)):
        raise SourceError(f"{path} has a name that is not UTF-8. Give it another name.")


def table_of(frame: Frame, path: Path = Path()) -> Table:
    """Return a frame in memory as a table, so that it is read like a table on disk.

    >>> [part.columns for part in table_of(pl.DataFrame({"a": [1], "b": [2]})).frames(["b"])]
    [['b', '__bad__']]
    """

    def frames(wanted: Collection[str]) -> Iterator[Frame]:
        names = [name for name in frame.columns if name in wanted]
        lines = [pl.lit(None, pl.Int64).alias(LINE)] if LINE in wanted else []
        parts = frame.select(cs.by_name(*names), pl.lit(None, pl.String).alias(BAD), *lines)
        yield from parts.iter_slices(FRAME_ROWS)

    return Table(path, tuple(frame.columns), frames)
