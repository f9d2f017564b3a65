"""The pairs to predict: the rows of a table, or of any other source, in batches of a known size."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from counterpoint.artifacts import key_of
from counterpoint.data.infer import infer_source
from counterpoint.data.infer.columns import id_column_to_predict, text_column_to_predict
from counterpoint.data.infer.images import image_column
from counterpoint.data.infer.layouts import tables_to_predict
from counterpoint.data.infer.tables import sampled_of_all
from counterpoint.data.sources import Source, open_source
from counterpoint.data.sources.base import REASON
from counterpoint.data.sources.columns import NO_ID
from counterpoint.data.sources.table import TableSource
from counterpoint.encoders import COLUMNS
from counterpoint.errors import SourceError
from counterpoint.formats.images import split_ref
from counterpoint.formats.tables import FORMATS, open_table
from counterpoint.schema import Frame

FIRST_ROWS, BATCH_ROWS = 8, 128
"""The rows of the first batch, so that a first result comes soon, and of each other batch."""
UNUSED = ("label", "group", "split", "url", "text_id", "image_id")
"""Columns that a prediction does not need.  A row that lacks one stays."""


class Batch(NamedTuple):
    """Rows to predict, in the order of the input.

    Attributes
    ----------
    number
        *number* counts the batches from 0.
    rows
        *rows* have row, id, text and image, and ``reason`` where a row cannot be read.
    stamp
        *stamp* is a hash of the rows, and of the sizes and times of the files with their images.
    """

    number: int
    rows: Frame
    stamp: str


class NewRows:
    """The rows of an input.

    Parameters
    ----------
    source
        *source* is an opened source.
    work
        *work* is a folder for images that the source makes.
    notes
        *notes* are sentences on the columns that are read.
    """

    def __init__(self, source: Source, work: Path, notes: Iterable[str] = ()) -> None:
        self._source, self._work, self.notes = source, work, tuple(notes)

    def fingerprint(self) -> str:
        """Return a hash that changes whenever the rows may have changed."""
        return self._source.fingerprint()

    def count(self) -> int:
        """Return the number of rows, after reading all of them."""
        return sum(len(records) + len(dropped) for records, dropped in self._source.read(self._work))

    def batches(self) -> Iterator[Batch]:
        """Yield all rows in batches, the first one small.

        Raises
        ------
        SourceError
            When the input cannot be read, or has no rows.
        """
        number, waiting = 0, pl.DataFrame()
        for records, dropped in self._source.read(self._work):
            gone = dropped.select("row", "id", pl.col(REASON))
            rows = pl.concat([records.drop("source"), gone], how="diagonal").sort("row")
            waiting = pl.concat([waiting, rows], how="diagonal") if len(waiting) else rows
            while len(waiting) >= (size := BATCH_ROWS if number else FIRST_ROWS):
                yield batch_of(number, waiting[:size])
                number, waiting = number + 1, waiting[size:]
        if len(waiting):
            yield batch_of(number, waiting)


def batch_of(number: int, rows: Frame) -> Batch:
    """Return *rows* as the batch with this *number*, with its stamp."""
    refs = rows["image"].drop_nulls().to_list() if "image" in rows.columns else []
    stamp = sha256(rows.hash_rows().to_numpy().tobytes())
    for ref in refs:
        try:
            found = os.stat(split_ref(ref)[0])  # noqa: PTH116 - for many rows
            stamp.update(f"{found.st_size} {found.st_mtime_ns} ".encode())
        except (OSError, ValueError):
            stamp.update(b"- ")
    return Batch(number, rows, stamp.hexdigest()[:16])


class TableToPredict(TableSource):
    """The rows of tables, where a row without an id stays: a prediction needs none, and its id is null."""

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the rows of each file.  The default id counts over all files."""
        for frame in super().rows(work):
            yield frame.with_columns(pl.when(pl.col(REASON) != NO_ID).then(REASON))


def rows_of_table(
    path: Path, work: Path, *, modalities: Collection[str] = ("text", "image"), encoders: Collection[str] = ()
) -> NewRows:
    """Return the rows of a table, of a folder with tables, or of tar shards at *path*.

    The columns of a table are those named text, image and id, or else those that fit best.  Several tables in a folder
    are read one after the other.

    Parameters
    ----------
    path, work
        *path* is the input, and *work* a folder for images that it makes.
    modalities
        *modalities* are those that the model reads.  A table may lack one of two.
    encoders
        *encoders* are those of the model.  Vectors in columns are read where one needs them.

    Raises
    ------
    SourceError
        When no source can read *path*, tables in it differ in their columns, or a table has no column of the
        *modalities*.
    """
    place, files = _tables_at(path)
    if not files:
        return NewRows(open_source(dict(infer_source(path).source)), work)
    starts = [encoder.removeprefix(COLUMNS) for encoder in encoders if encoder.startswith(COLUMNS)]
    settings = {"kind": "table", "path": place, **_columns_of(files, modalities, has_vectors=bool(starts))}
    settings |= dict.fromkeys(UNUSED) | ({"numbers": [f"{start}*" for start in starts]} if starts else {})
    return NewRows(TableToPredict(**settings), work, _notes(settings, () if starts else modalities))


def _tables_at(path: Path) -> tuple[Path, list[Path]]:
    if path.suffix.lower() in FORMATS and path.is_file():
        return path, [path]
    return tables_to_predict(path.absolute()) if path.is_dir() else (path, [])


def _notes(settings: Mapping[str, Any], modalities: Collection[str]) -> list[str]:
    """Return a sentence for each modality of the model whose column has another name, or that has no column.

    And one for the id, where it has another name.
    """
    columns = {modality: settings.get(modality, modality) for modality in modalities}
    columns |= {"id": settings["id"]} if settings["id"] else {}
    return [
        f"The {role} is in column {column}." if column else f"No column has the {role}: it is missing in each row."
        for role, column in columns.items()
        if column != role
    ]


def _columns_of(files: Sequence[Path], modalities: Collection[str], *, has_vectors: bool) -> dict[str, Any]:
    """Return the settings for the columns of *files*, tables of the same columns."""
    table, sample = open_table(files[0]), sampled_of_all(files)
    found: dict[str, Any] = {name: name if name in table.columns else None for name in ("text", "image")}
    found["id"] = "id" if "id" in table.columns else id_column_to_predict(sample.rows)
    if found["image"] is None and "image" in modalities:
        with suppress(SourceError):  # a table of texts alone
            pictures = image_column(table, sample, files[0].parent)
            found |= {"image": pictures.column} | ({"root": pictures.root} if pictures.root else {})
    if found["text"] is None and "text" in modalities:
        found["text"] = text_column_to_predict(sample.rows.drop(found["image"] or "", strict=False))
    if "image" not in modalities:
        found["image"] = None
    if found["text"] is None and found["image"] is None:
        if not has_vectors:
            wanted = " or ".join(modalities) or "text"
            raise SourceError(
                f"{files[0]} has no column of {wanted}. Found {', '.join(table.columns)}. Name one {wanted}."
            )
        found["text"] = found["id"] or table.columns[0]  # the model reads vectors alone
    return found


def key_of_rows(rows: NewRows, *others: object) -> str:
    """Return the hash of an input and of everything else that its predictions depend on.

    Parameters
    ----------
    rows
        *rows* are the input.
    others
        *others* are JSON-like values.
    """
    return key_of(rows.fingerprint(), BATCH_ROWS, FIRST_ROWS, *others)
