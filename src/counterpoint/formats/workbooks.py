"""Tables in XLSX workbooks.  A workbook that would unpack to more than the memory is refused before it is opened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812 - an exception

from counterpoint.errors import SourceError, did_you_mean, first_line, name_in_quotes
from counterpoint.formats.tables import MAX_COLUMNS, Table, table_of

MAX_UNPACKED_BYTES = 1 << 30
MAX_CELLS = 1 << 25
"""Most cells between the first and the last filled cell: a million rows of thirty columns."""
SPARSE_CELLS, MAX_CELLS_A_FILLED = 1_000_000, 100
"""In a sheet of more cells than this, at least one of a hundred cells must be filled."""
CHUNK = 1 << 20

_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]{0,200}?\br\s?=\s?[\"']([A-Za-z]{1,4})(\d{1,8})[\"']")


def open_workbook(path: Path, *, sheet: str | None = None) -> Table:
    """Return the sheet of this name, or the first, of the workbook at *path*.

    Raises
    ------
    SourceError
        When the file is no workbook, has no such sheet, or is too large.
    """
    import fastexcel  # noqa: PLC0415 - slow to import, and only XLSX needs it

    _check_size(path)
    try:
        book = fastexcel.read_excel(path)
        if sheet is not None and sheet not in book.sheet_names:
            raise SourceError(f"{path} has no sheet {sheet!r}.{did_you_mean(sheet, book.sheet_names)}")
        frame = book.load_sheet(sheet or 0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise SourceError(f"{path} is not an XLSX workbook: {first_line(error)}.") from error
    if not frame.columns:
        raise SourceError(f"{path} is empty: its first row should name its columns.")
    if sheet is not None or len(book.sheet_names) == 1:
        return table_of(frame, path)
    first, *others = book.sheet_names
    note = f"{path.name}: sheet {name_in_quotes(first)} is read. The setting sheet names another: {', '.join(others)}."
    return replace(table_of(frame, path), notes=(note,))


def _check_size(path: Path) -> None:
    try:
        with ZipFile(path) as book:
            parts = [part for part in book.infolist() if not part.filename.lower().startswith("xl/media/")]
            n_bytes = sum(part.file_size for part in parts)
            if n_bytes > MAX_UNPACKED_BYTES:
                raise SourceError(f"{path} unpacks to {n_bytes >> 20:,} MB. Save its table as CSV.")
            for part in parts:
                _check_cells(path, _extent(book, part))
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SourceError(f"{path} is not an XLSX workbook: {first_line(error)}.") from error


@dataclass
class _Extent:
    """The last row and the last column of a sheet, and its number of cells."""

    n_rows: int = 0
    n_columns: int = 0
    n_cells: int = 0


def _extent(book: ZipFile, part: ZipInfo) -> _Extent:
    extent = _Extent()
    for columns, rows in _places(book, part):
        extent.n_cells += len(rows)
        extent.n_rows = max(extent.n_rows, *map(int, rows))
        extent.n_columns = max(extent.n_columns, *map(_number, columns))
    return extent


def _places(book: ZipFile, part: ZipInfo) -> Iterator[tuple[set[bytes], list[bytes]]]:
    """Yield the columns and the rows of the cells of a sheet, a chunk of cells at a time."""
    rest = b""
    with book.open(part) as file:
        while chunk := file.read(CHUNK):
            data = rest + chunk
            cells = _CELL.findall(data)
            if cells:
                yield {column for column, _ in cells}, [row for _, row in cells]
            rest = data[data.rfind(b"<") :][-1024:] if b"<" in data else b""


def _number(column: bytes) -> int:
    """Return the number of a column.

    >>> _number(b"A"), _number(b"XFD")
    (1, 16384)
    """
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - 64
    return number


def _check_cells(path: Path, extent: _Extent) -> None:
    area = extent.n_rows * extent.n_columns
    is_sparse = area > SPARSE_CELLS and area > MAX_CELLS_A_FILLED * extent.n_cells
    if extent.n_columns > MAX_COLUMNS or area > MAX_CELLS or is_sparse:
        raise SourceError(
            f"{path} has a sheet whose cells reach to row {extent.n_rows:,}, column {extent.n_columns:,}. "
            f"It holds {extent.n_cells:,}. Delete the cells outside the table, or save it as CSV."
        )
