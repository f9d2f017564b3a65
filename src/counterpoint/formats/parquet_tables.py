"""Tables in Parquet files, read in batches."""

from collections.abc import Collection, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.errors import SourceError, first_line
from counterpoint.formats.class_labels import features_of, with_names
from counterpoint.formats.tables import BAD, FRAME_ROWS, LINE, Table, check_width
from counterpoint.schema import Frame

BYTES_FRAME_ROWS = 256
"""Rows of a frame where a column holds bytes, which may be whole photos."""
MAX_FOOTER_BYTES = 32 << 20
"""A footer lists the columns of each row group.  A footer of a million columns takes seconds to read."""


def open_parquet(path: Path) -> Table:
    """Return the table in the Parquet file at *path*.

    Raises
    ------
    SourceError
        When the file is not Parquet or has too many columns.  While rows are read: when it is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.parquet")
    ...     pl.DataFrame({"text": ["a cat"], "label": [1]}).write_parquet(path)
    ...     [frame] = open_parquet(path).frames(["label"])
    >>> frame.columns, frame["label"].to_list()
    (['label', '__bad__'], [1])
    """
    _check_footer(path)
    try:
        with pq.ParquetFile(path) as file:
            check_width(path, file.metadata.num_columns)
            schema = file.schema_arrow
    except pa.ArrowException as error:
        raise SourceError(f"{path} is not a Parquet file: {first_line(error)}.") from error
    return Table(path, tuple(schema.names), lambda wanted: _frames(path, schema, wanted))


def _check_footer(path: Path) -> None:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        n_bytes = int.from_bytes(file.read(4), "little")
    if MAX_FOOTER_BYTES < n_bytes < size:
        raise SourceError(f"{path} describes its columns in {n_bytes >> 20:,} MB. Write it with fewer columns.")


def _frames(path: Path, schema: pa.Schema, wanted: Collection[str]) -> Iterator[Frame]:
    names = [name for name in schema.names if name in wanted]
    has_bytes = any("binary" in str(schema.field(name).type) for name in names)
    features = features_of(schema)
    added = [pl.lit(None, pl.String).alias(BAD), *[pl.lit(None, pl.Int64).alias(LINE)] * (LINE in wanted)]
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BYTES_FRAME_ROWS if has_bytes else FRAME_ROWS, columns=names):
                yield with_names(pl.DataFrame(pa.table(batch)), features).with_columns(added)
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise SourceError(f"{path} is a damaged Parquet file: {first_line(error)}.") from error
