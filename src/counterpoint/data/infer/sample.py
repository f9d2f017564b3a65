"""A sample of a table, from its first row to its last, in bounded time and memory."""

from collections.abc import Collection
from time import monotonic
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.formats.tables import BAD, Table
from counterpoint.schema import Frame

MAX_ROWS, MAX_CELLS, LIMIT_S = 50_000, 2_000_000, 10.0


class SampledTable(NamedTuple):
    """Rows spread evenly over those that were read: of all columns, but null where a cell holds bytes."""

    rows: Frame
    n_read: int
    is_whole: bool
    """Whether every row was read, and every one is here."""


def sampled(table: Table, columns: Collection[str] | None = None) -> SampledTable:
    """Return rows of *table*, spread over all that can be read in 10 seconds; bytes are not read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from counterpoint.formats.tables import table_of
    >>> rows, n_read, is_whole = sampled(table_of(pl.DataFrame({"n": range(200_000)}), Path("frame")))
    >>> len(rows) <= MAX_ROWS, rows["n"].max() > 199_000, n_read, is_whole
    (True, True, 200000, False)
    """
    of_bytes = bytes_columns(table)
    wanted = [name for name in columns or table.columns if name not in of_bytes]
    until = monotonic() + LIMIT_S
    kept: list[Frame] = []
    n_read, step, at_most = 0, 1, max(500, min(MAX_ROWS, MAX_CELLS // max(1, len(wanted))))
    is_whole = True
    for frame in table.frames(wanted):
        kept.append(frame.gather_every(step, offset=-n_read % step))
        n_read += frame.height
        while sum(map(len, kept)) > at_most:
            rows = pl.concat(kept, how="vertical_relaxed").gather_every(2)
            kept, step = [rows], 2 * step
        if monotonic() > until:
            is_whole = False
            break
    rows = pl.concat(kept, how="vertical_relaxed") if kept else pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    return SampledTable(rows.drop(BAD, strict=False), n_read, is_whole and step == 1)


def bytes_columns(table: Table) -> list[str]:
    """Return the columns of a Parquet file that hold images: bytes, or ``{bytes, path}``."""
    if table.path.suffix.lower() != ".parquet":
        return []
    return [field.name for field in pq.read_schema(table.path) if _has_bytes(field.type)]


def _has_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_has_bytes(kind.field(place).type) for place in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
