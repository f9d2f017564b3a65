"""Acquired shards: the columns of a plan's lists and of shards, and readers and a writer of both.

``plan/00000.parquet`` is the list of a shard, ``shards/00000.parquet`` the shard itself.  Slot i owns row i, also when
it failed.  ``shards/00000.r1.parquet`` is a retry generation with some slots again.  The newest counts.  A shard exists
when its marker, ``shards/00000.json``, exists and fits it.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.artifacts import replacing
from counterpoint.errors import RunFolderError
from counterpoint.formats.images import COLUMN, KEPT, row_groups, row_ref
from counterpoint.formats.shard_markers import Marker, list_name, shard_name
from counterpoint.schema import Frame
from counterpoint.store import Store

LISTED: Mapping[str, Any] = {
    "slot": pl.Int64,
    "id": pl.String,
    "url": pl.String,
    "text": pl.String,
    "label": pl.String,
    "host": pl.String,
    "sha256_expected": pl.String,
    "width_listed": pl.Int64,
    "height_listed": pl.Int64,
    "similarity": pl.Float64,
    "nsfw": pl.String,
    "punsafe": pl.Float64,
    "pwatermark": pl.Float64,
    "license": pl.String,
}
"""A planned row.  ``slot`` counts over the whole plan, from 0.  Values that the list lacks are null."""

SHARD: Mapping[str, Any] = {
    **LISTED,
    "text_clean": pl.String,
    "status": pl.String,
    "http_code": pl.Int64,
    "sha256": pl.String,
    "phash": pl.UInt64,
    "format": pl.String,
    "width_px": pl.Int64,
    "height_px": pl.Int64,
    "n_bytes": pl.Int64,
    "agreement": pl.Float64,
    "image": pl.Binary,
}
"""A finished slot.  sha256, format, size as shown and bytes describe the fetched body, ``image`` has the kept bytes.
``agreement`` is the cosine of text and image with ``select.agreement``, else null."""

REF = "ref"
"""In place of ``image`` when shards are read: the reference of the kept image, null where none was kept."""

_GROUP_ROWS, _TINY_BYTES = 1024, 1 << 20
_ARROW = {
    pl.Int64: pa.int64(), pl.Float64: pa.float64(), pl.UInt64: pa.uint64(), pl.String: pa.string(),
    pl.Binary: pa.binary(),
}  # fmt: skip
_BLOCK_BYTES = 1 << 20


def read_shard(store: Store, markers: Sequence[Marker], *, copies: Path | None = None) -> Frame:
    """Return one shard with the columns of `SHARD`, but `REF` in place of ``image``.

    The newest row of a slot counts.  Slots come in the order of their numbers.

    Parameters
    ----------
    store
        *store* is the folder of an acquisition.
    markers
        *markers* are the markers of its generations, from `committed`.
    copies
        *copies* is a folder for copies of shards in an object store (default: none, and null references).

    Raises
    ------
    RunFolderError
        When the shard cannot be read.
    """
    rows = [_rows(store, marker, copies) for marker in markers]
    newest = pl.concat(rows).unique("slot", keep="last") if len(rows) > 1 else rows[0]
    return newest.sort("slot")


def read_slots(
    store: Store, shard: int, markers: Sequence[Marker], *, waiting: str, copies: Path | None = None
) -> Frame:
    """Return all slots of *shard* like `read_shard`, or the planned rows where it has no markers.

    Parameters
    ----------
    store
        *store* is the folder of an acquisition.
    shard
        *shard* is the number of the shard.
    markers
        *markers* are the markers of its generations, from `committed`, none where the shard does not exist.
    waiting
        *waiting* is the status of planned rows.
    copies
        *copies* is a folder for copies of shards in an object store (default: none, and null references).

    Raises
    ------
    RunFolderError
        When the shard or its list cannot be read.
    """
    if markers:
        return read_shard(store, markers, copies=copies)
    columns = {**{name: kind for name, kind in SHARD.items() if name != COLUMN}, REF: pl.String}
    unknown = [pl.lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in LISTED]
    listed = read_listed(store, shard).with_columns(unknown)
    return listed.with_columns(pl.lit(waiting).alias("status")).select(*columns)


def read_listed(store: Store, shard: int) -> Frame:
    """Return the planned rows of *shard*, with the columns of `LISTED`."""
    return _read(store, list_name(shard), list(LISTED))


def _rows(store: Store, marker: Marker, copies: Path | None) -> Frame:
    columns = [name for name in SHARD if name != COLUMN]
    rows = _read(store, marker.file, columns)
    if "agreement" not in rows.columns:  # a shard of an earlier version
        rows = rows.with_columns(agreement=pl.lit(None, dtype=SHARD["agreement"])).select(columns)
    path = store.local / marker.file if store.local else copies and _copy(store, marker, copies)
    if path is None:
        return rows.with_columns(pl.lit(None, dtype=pl.String).alias(REF))
    ref = pl.lit(row_ref(path, 0).removesuffix("0")) + pl.int_range(pl.len()).cast(pl.String)
    return rows.with_columns(pl.when(pl.col("status") == "ok").then(ref).alias(REF))


def _read(store: Store, name: str, columns: list[str]) -> Frame:
    try:
        with store.open(name) as file, pq.ParquetFile(store.local / name if store.local else file) as table:
            return pl.DataFrame(pl.from_arrow(table.read(columns)))
    except (FileNotFoundError, pa.ArrowException) as error:
        raise RunFolderError(f"{store.url} holds no whole {name}: {' '.join(str(error).split())}.") from error


def _copy(store: Store, marker: Marker, folder: Path) -> Path:
    """Return the path of a copy of a shard in *folder*.  An existing copy is used again."""
    path = folder / f"{shard_name(marker.shard, marker.generation)}-{marker.sha256[:16]}.parquet"
    if not path.exists():
        with replacing(path) as draft, draft.open("wb") as copy, store.open(marker.file) as file:
            shutil.copyfileobj(file, copy, _BLOCK_BYTES)
    return path


def write_shard(file: BinaryIO, rows: Frame, images: Iterable[bytes | None], *, kept: str) -> None:
    """Write *rows* and their images to *file* as a shard.  Equal rows give equal bytes.

    A row group has 64 images, more when they are tiny (1 MB), fewer when they are large (8 MB).  Thus any image is read
    fast, and groups are not too many.

    Parameters
    ----------
    file
        *file* is open for writing.  It need not seek.
    rows
        *rows* have the columns of `SHARD` except ``image``.
    images
        *images* yields one image a row, null where none was kept.
    kept
        *kept* is the kind of the images: ``jpeg-256``, ``gray-64`` or ``original``.
    """
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in SHARD.items()]).with_metadata({KEPT: kept})
    others = [name for name in SHARD if name != COLUMN]
    with pq.ParquetWriter(
        file,
        schema,
        compression=dict.fromkeys(others, "zstd") | {COLUMN: "none"},
        use_dictionary=[name for name in others if SHARD[name] == pl.String],
        write_statistics=False,
    ) as writer:
        table = rows.select(others).to_arrow().cast(schema.remove(schema.get_field_index(COLUMN)))
        start = 0
        for group in row_groups(images, min_bytes=_TINY_BYTES, max_rows=_GROUP_ROWS):
            # By way of polars: pa.array would import pandas to test the type of the list.
            kept_of = pl.Series(group, dtype=pl.Binary).to_arrow().cast(pa.binary())
            writer.write_table(table.slice(start, len(group)).append_column(schema.field(COLUMN), kept_of))
            start += len(group)
