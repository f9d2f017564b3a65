"""The rows of a delimited text.  Every line is part of a row, or of an error that names the line."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from counterpoint.errors import SourceError
from counterpoint.formats.encodings import open_lines
from counterpoint.formats.swallowed import Forms

MAX_ROW = 16 << 20
"""Most characters of a row: the limit for a quotation mark that is never closed."""
LINE_COST = 64
"""Characters added to the count of each line: a short line takes time too."""
CHUNK = 1 << 20
RETURN = "\ud800"
"""Replaces a carriage return within a line, which the CSV reader would treat as the end of a row."""
SAVE_AGAIN = "Save the table with one kind of line end."
PLAIN = "quoting: none takes quotation marks as plain characters"
ENCLOSING = "quoting: standard takes the text between them as one field"


@dataclass(frozen=True)
class Dialect:
    """The way in which a text of rows is written.  *is_given* is true when the user has set the quoting."""

    separator: str = ","
    quoting: str = "standard"
    is_given: bool = False
    encoding: str = "utf-8-sig"
    newline: str = "\n"
    n_skipped: int = 0
    """Lines before the header."""


class Record(NamedTuple):
    """The fields of a row, the number of its first line, and its number of lines."""

    line: int
    n_lines: int
    fields: list[str]
    returns: str = ""
    """The unchanged line where it contains carriage returns, which are `RETURN` in *fields*."""


def lines_of(path: Path, dialect: Dialect) -> Iterator[str]:
    r"""Yield the lines of *path* without their ends, including the lines before the header.

    Raises
    ------
    SourceError
        When a line is too long, or the file is not of the encoding.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.csv")
    ...     _ = path.write_text('text\n"two\nlines"\n')
    ...     list(lines_of(path, Dialect())), [record.fields for record in read_records(path, Dialect())]
    (['text', '"two', 'lines"'], [['text'], ['two\nlines']])
    """
    rest, n_lines = "", 0
    try:
        with open_lines(path, dialect.encoding) as file:
            while chunk := file.read(CHUNK):
                *lines, rest = (rest + chunk).split(dialect.newline)
                n_lines += len(lines)
                yield from lines
                if len(rest) > MAX_ROW:
                    raise SourceError(f"{path}: line {n_lines + 1:,} is longer than {MAX_ROW:,} characters.")
    except UnicodeError as error:
        raise SourceError(f"{path} is not {dialect.encoding}: set encoding.") from error
    if rest:
        yield rest


def read_records(path: Path, dialect: Dialect) -> Iterator[Record]:
    """Yield the header and the rows, without blank lines.

    Raises
    ------
    SourceError
        When a quotation mark is never closed or is closed within a field, or a row is too long.
    """
    lines = lines_of(path, dialect)
    started = chain(_header(islice(lines, dialect.n_skipped, dialect.n_skipped + 1)), lines)
    reader = _read_plain if dialect.quoting == "none" else _read_quoted
    return reader(path, started, dialect)


def _header(lines: Iterable[str]) -> Iterator[str]:
    """Yield the first line without its byte order mark, as two lines where it alone ends with a carriage return."""
    for line in lines:
        first, ended, rest = line.removeprefix("\ufeff").rstrip("\r").partition("\r")
        yield from (first, rest) if ended and '"' not in first else (line.removeprefix("\ufeff"),)


def _read_plain(path: Path, lines: Iterable[str], dialect: Dialect) -> Iterator[Record]:
    for line, text in enumerate(lines, dialect.n_skipped + 1):
        row = text.strip("\n") if dialect.newline == "\r" else text.rstrip("\r")
        if "\n" in row:
            raise SourceError(f"{path}: line {line:,} has another end within it. {SAVE_AGAIN}")
        if row:
            returns = row if "\r" in row else ""
            yield Record(line, 1, row.replace("\r", RETURN).split(dialect.separator), returns)


class _Feed:
    """Lines for a CSV reader, with an account of the lines that the current row has taken."""

    def __init__(self, path: Path, lines: Iterable[str], first: int) -> None:
        self.number = first - 1
        self.taken: list[str] = []
        self.returns = ""
        self._path, self._lines = path, iter(lines)
        self._n_left = MAX_ROW

    def start(self) -> None:
        """Begin a row."""
        self.taken, self.returns, self._n_left = [], "", MAX_ROW

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.taken.append(line)
        self._n_left -= len(line) + LINE_COST
        if self._n_left < 0:
            first = self.number - len(self.taken) + 1
            where = f"{self._path}: a quotation mark in line {first:,} is not closed until line {self.number:,}."
            raise SourceError(f"{where} The setting {PLAIN}.")
        if "\r" in line:
            bare = line.rstrip("\r")
            if "\r" in bare:
                self.returns, line = bare, bare.replace("\r", RETURN) + line[len(bare) :]
        return line + "\n"


def _read_quoted(path: Path, lines: Iterable[str], dialect: Dialect) -> Iterator[Record]:
    csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_ROW))  # the limit is shared by the process: never lowered
    feed = _Feed(path, lines, dialect.n_skipped + 1)
    escape: dict[str, Any] = {"escapechar": "\\", "doublequote": False} if dialect.quoting == "backslash" else {}
    reader = csv.reader(feed, delimiter=dialect.separator, strict=True, **escape)
    while True:
        feed.start()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _refuse(path, feed, dialect, error)
        if fields:
            n_lines = len(feed.taken)
            yield Record(feed.number - n_lines + 1, n_lines, fields, feed.returns)


def _refuse(path: Path, feed: _Feed, dialect: Dialect, error: csv.Error) -> NoReturn:
    first = feed.number - len(feed.taken) + 1
    if "end of data" in str(error):
        raise SourceError(
            f"{path}: a quotation mark in line {first:,} is never closed. The setting {PLAIN}."
        ) from error
    where = f"closed in line {feed.number:,} " if len(feed.taken) > 1 else ""
    escaped = '\\"' in "".join(feed.taken) and dialect.quoting != "backslash"
    other = ', quoting: backslash takes \\" as one' if escaped else ""
    raise SourceError(
        f"{path}: a quotation mark in line {first:,} is {where}within a field. The setting {PLAIN}{other}."
    ) from error


@dataclass(frozen=True)
class RowReader:
    """The rows of *path* below its header, each with as many fields as the header or none.

    *forms* are the forms of the columns.  They show rows that a quotation mark has swallowed.
    """

    path: Path
    dialect: Dialect
    header: tuple[str, ...]
    forms: Forms

    def rows(self) -> Iterator[tuple[int, list[str] | None]]:
        """Yield the line of each row and its fields, or None where their number differs from the header.

        Raises
        ------
        SourceError
            When lines of the file may be one row or several rows.
        """
        width = len(self.header)
        for record in islice(read_records(self.path, self.dialect), 1, None):
            line, n_lines, fields, returns = record
            if not self.dialect.is_given and (n_lines > 1 or returns or len(fields) != width):
                self._check_swallowed(record)
            if not returns:
                yield line, fields if len(fields) == width else None
            else:
                yield from ((line, row) for row in self._with_returns(record))

    def _check_swallowed(self, record: Record) -> None:
        line, n_lines, fields, _ = record
        is_ragged = len(fields) != len(self.header)
        if n_lines > 1 and is_ragged:
            why = f"of {len(fields):,} fields where the header has {len(self.header):,}"
        elif not is_ragged and self.forms.are_swallowed(fields):
            why = "but may be several"
        elif is_ragged and self.dialect.quoting == "none" and any(map(_is_half_enclosed, fields)):
            lone = "has a quotation mark that may begin or end a field of several lines"
            raise SourceError(f"{self.path}: line {line:,} {lone}. The setting {PLAIN}, {ENCLOSING}.")
        else:
            return
        lines = f"lines {line:,} to {line + n_lines - 1:,} are" if n_lines > 1 else f"line {line:,} is"
        raise SourceError(
            f"{self.path}: {lines} one row by the quotation marks, {why}. The setting {PLAIN}, {ENCLOSING}."
        )

    def _with_returns(self, record: Record) -> list[list[str]]:
        """Return the row with carriage returns as characters, or the rows that carriage returns end."""
        whole, parts = [[field.replace(RETURN, "\r") for field in record.fields]], self._parts(record)
        readings = [rows for rows in (whole, parts) if rows and all(len(row) == len(self.header) for row in rows)]
        is_torn = readings == [whole] and any(map(self.forms.begins_row, record.returns.split("\r")[1:]))
        if len(readings) == 1 and not is_torn:
            return readings[0]
        raise SourceError(
            f"{self.path}: line {record.line:,} holds a carriage return that may end a row or stand within one. "
            f"{SAVE_AGAIN}"
        )

    def _parts(self, record: Record) -> list[list[str]]:
        parts = [part for part in record.returns.split("\r") if part]
        reader: Callable[..., Iterator[Record]] = _read_plain if self.dialect.quoting == "none" else _read_quoted
        try:
            rows = [row.fields for row in reader(self.path, parts, self.dialect)]
        except SourceError:
            return []
        are_rows = len(rows) == len(parts) and record.n_lines == 1 and all(map(self.forms.may_be_row, rows))
        return rows if are_rows else []


def _is_half_enclosed(field: str) -> bool:
    return field == '"' or field.startswith('"') != field.endswith('"')
