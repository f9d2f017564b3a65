"""Rows of a local Parquet file by their numbers, with any row groups. Bytes that are not UTF-8 become U+FFFD."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.errors import SourceError, first_line
from counterpoint.schema import Frame


def read_slice(path: str, columns: Sequence[str], first: int, n_rows: int) -> Frame:
    """Return *columns* of *n_rows* rows of the file at *path*, from row *first* on.

    Parameters
    ----------
    path
        *path* is a local Parquet file.
    columns
        *columns* are the names of the columns to read.
    first
        *first* is the number of the first row, from 0.
    n_rows
        *n_rows* is the number of rows.

    Raises
    ------
    SourceError
        When these rows are damaged.
    """
    try:
        return pl.scan_parquet(path, glob=False).slice(first, n_rows).select(cs.by_name(*columns)).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return _read_bytes(path, columns, first, n_rows)


def _read_bytes(path: str, columns: Sequence[str], first: int, n_rows: int) -> Frame:
    """Read strings that are not UTF-8 as bytes, because polars cannot read them."""
    tables, start, end = [], 0, first + n_rows
    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                height = file.metadata.row_group(group).num_rows
                if start < end and first < start + height:
                    skipped = max(0, first - start)
                    rows = file.read_row_group(group, columns=list(columns))
                    tables.append(rows.slice(skipped, end - start - skipped))
                start += height
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path} is a damaged Parquet file: {first_line(error)}.") from error
    return pl.DataFrame(_as_bytes(pa.concat_tables(tables)))


def _as_bytes(table: pa.Table) -> pa.Table:
    texts = (pa.string(), pa.large_string())
    kinds = [pa.large_binary() if field.type in texts else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, kinds, strict=True))))


def decoded(column: pl.Series) -> pl.Series:
    r"""Return bytes as strings.

    >>> decoded(pl.Series([b"\xc3\xa9t\xc3\xa9", b"\xe9t\xe9", None])).to_list()
    ['été', '�t�', None]
    """
    try:
        return column.cast(pl.String)
    except pl.exceptions.ComputeError:
        strings = [None if value is None else value.decode(errors="replace") for value in column]
        return pl.Series(column.name, strings, dtype=pl.String)


def has_all(about: Any, column: str) -> bool:
    """Return whether the statistics of each row group exclude null and empty strings in *column*."""
    index = next(n for n in range(about.num_columns) if about.schema.column(n).path == column)
    statistics = [about.row_group(group).column(index).statistics for group in range(about.num_row_groups)]
    return all(
        each and each.has_null_count and not each.null_count and each.has_min_max and each.min for each in statistics
    )
