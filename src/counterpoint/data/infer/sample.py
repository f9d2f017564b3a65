"""A sample of a table, from its first row to its last, in bounded time and memory."""

from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.errors import SourceError
from counterpoint.formats.tables import BAD, Table, open_table
from counterpoint.schema import Frame

MAX_ROWS, MAX_CELLS, LIMIT_S = 50_000, 2_000_000, 10.0
OF_LINES, LARGE_BYTES = (".csv", ".tsv", ".jsonl", ".ndjson"), 32 << 20
"""Files that can be read in pieces, and the size above which they are."""
N_PIECES, PIECE_BYTES = 64, 1 << 16


class SampledTable(NamedTuple):
    """Rows spread evenly over the rows read.  A cell that holds bytes is null."""

    rows: Frame
    n_read: int
    is_whole: bool
    """Whether the sample is the whole table."""


def sampled(table: Table, columns: Collection[str] | None = None) -> SampledTable:
    """Return rows of *table*, spread over all rows that can be read in 10 seconds.  Bytes are not read.

    Examples
    --------
    >>> from counterpoint.formats.tables import table_of
    >>> rows, n_read, is_whole = sampled(table_of(pl.DataFrame({"n": range(200_000)}), Path("frame")))
    >>> len(rows) <= MAX_ROWS, rows["n"].max() > 199_000, n_read, is_whole
    (True, True, 200000, False)
    """
    of_bytes = bytes_columns(table)
    wanted = [name for name in columns or table.columns if name not in of_bytes]
    pieces = _of_pieces(table, wanted)
    if pieces is not None:
        return SampledTable(pieces, pieces.height, is_whole=False)
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


def _of_pieces(table: Table, wanted: Collection[str]) -> Frame | None:
    """Return rows from pieces of a large file of lines, from its beginning to its end, or None for another file.

    A row at the edge of a piece is left out.  The result is also None when pieces cannot be read, for example because
    fields contain line breaks.  Such a file is read from its first row on.
    """
    if table.path.suffix.lower() not in OF_LINES or not _is_large(table.path):
        return None
    with TemporaryDirectory() as folder:
        excerpt = Path(folder, f"excerpt{table.path.suffix}")
        excerpt.write_bytes(_pieces(table.path))
        try:
            opened = open_table(excerpt)
            rows = pl.concat(list(opened.frames(wanted))) if opened.columns == table.columns else pl.DataFrame()
        except SourceError:
            return None
    is_bad = rows[BAD].is_not_null() if BAD in rows.columns else pl.Series([True])
    return None if is_bad.sum() > len(rows) / 10 else rows.filter(~is_bad).drop(BAD)


def _is_large(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > LARGE_BYTES


def _pieces(path: Path) -> bytes:
    """Return the first line of a file, and the whole lines of some pieces."""
    size = path.stat().st_size
    with path.open("rb") as file:
        found = [file.read(PIECE_BYTES).rpartition(b"\n")[0]]
        for number in range(1, N_PIECES):
            file.seek(size * number // N_PIECES)
            found.append(file.read(PIECE_BYTES).partition(b"\n")[2].rpartition(b"\n")[0])
    return b"\n".join(piece for piece in found if piece) + b"\n"


def bytes_columns(table: Table) -> list[str]:
    """Return the columns of a Parquet file that hold images: bytes, or ``{bytes, path}``."""
    if table.path.suffix.lower() != ".parquet":
        return []
    return [field.name for field in pq.read_schema(table.path) if _has_bytes(field.type)]


def _has_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_has_bytes(kind.field(place).type) for place in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
