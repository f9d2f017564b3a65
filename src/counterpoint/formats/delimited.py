"""Tables of text with a separator between their fields: CSV and TSV."""

from collections.abc import Collection, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from counterpoint.errors import SourceError
from counterpoint.formats.dialects import FirstLines, dialect_of, sample_rows
from counterpoint.formats.records import Dialect, RowReader, read_records
from counterpoint.formats.swallowed import Forms
from counterpoint.formats.tables import Row, Table, frames_of, is_text
from counterpoint.schema import Frame


def open_delimited(
    path: Path, *, separator: str | None = None, quoting: str = "auto", encoding: str | None = None
) -> Table:
    r"""Return the table in the CSV or TSV at *path*.

    Parameters
    ----------
    path
        *path* is a file of text.
    separator
        *separator* is one character between fields (default: as found in the file).
    quoting
        *quoting* is "auto" (as found in the file), "standard", "backslash" or "none".
    encoding
        *encoding* is a name that Python knows (default: as found in the file).

    Raises
    ------
    SourceError
        When the file is empty, is no text, or has no readable header.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.csv")
    ...     _ = path.write_text("image;text\n1.png;a cat\n2.png;a dog\n")
    ...     table = open_delimited(path)
    >>> table.columns, table.notes
    (('image', 'text'), ("a.csv is read with separator ';', as found in it. Settings of these names change that.",))
    """
    dialect, sample, found = dialect_of(path, separator=separator, quoting=quoting, encoding=encoding)
    header = _header(path, dialect)
    reader = RowReader(path, dialect, header, _forms(sample, dialect, len(header)))
    how = f"{path.name} is read with {' and '.join(found)}, as found in it. Settings of these names change that."
    notes = (how,) if found else ()
    return Table(path, header, partial(_frames, reader), notes)


def _header(path: Path, dialect: Dialect) -> tuple[str, ...]:
    rows = read_records(path, dialect)
    first = next(rows, None)
    if first is None:
        raise SourceError(f"{path} is empty: its first line should name its columns.")
    names = tuple(first.fields)
    if any("\0" in name or not is_text(name) for name in names):
        raise SourceError(f"{path} is not {dialect.encoding.removesuffix('-sig').upper()} text: set encoding.")
    return names


def _forms(sample: FirstLines, dialect: Dialect, width: int) -> Forms:
    """Return the forms of the columns, from rows of one line.

    Quotation marks are plain characters where a stray mark may have swallowed most rows.
    """
    readings = (sample_rows(sample, dialect.separator, is_quoted=each) for each in (dialect.quoting != "none", False))
    quoted, plain = ([row for row in islice(rows, 1, None) if _is_simple(row, width)] for rows in readings)
    return Forms.of(quoted if 2 * len(quoted) > len(plain) else plain, dialect.separator, width)


def _is_simple(row: list[str], width: int) -> bool:
    return len(row) == width and not any("\n" in field for field in row)


def _frames(reader: RowReader, wanted: Collection[str]) -> Iterator[Frame]:
    places = {name: place for place, name in enumerate(reader.header) if name in wanted}

    def rows() -> Iterator[tuple[int, Row]]:
        for line, fields in reader.rows():
            yield line, "bad_row" if fields is None else [fields[place] or None for place in places.values()]

    return frames_of(rows(), list(places), wanted)
