"""The pairs to predict: the rows of a table or of a folder, or one pair, in parts of a known size."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from counterpoint.artifacts import key_of
from counterpoint.data.infer import infer_source
from counterpoint.data.infer.columns import text_columns
from counterpoint.data.infer.images import image_column
from counterpoint.data.infer.sample import sampled
from counterpoint.data.sources import Source, open_source
from counterpoint.data.sources.base import REASON, row_frames, stamp
from counterpoint.encoders import COLUMNS
from counterpoint.errors import SourceError
from counterpoint.files import read_bytes
from counterpoint.formats.tables import FORMATS, open_table
from counterpoint.schema import Frame

FIRST_ROWS, PART_ROWS = 8, 128
"""The rows of the first part, so that a first result comes soon, and of each other part."""
MOST_TEXT_BYTES = 1 << 20
IMAGES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif")
UNUSED = ("label", "group", "split", "url", "text_id", "image_id")
"""Columns that a prediction does not need.  A row that lacks one stays."""


class Part(NamedTuple):
    """Rows to predict, in the order of the input.

    Attributes
    ----------
    number
        *number* counts the parts from 0.
    rows
        *rows* have row, id, text and image, and ``reason`` where a row cannot be read.
    """

    number: int
    rows: Frame


class NewRows:
    """The rows of an input.

    Parameters
    ----------
    source
        *source* is an opened source.
    work
        *work* is a folder for images that the source makes.
    """

    def __init__(self, source: Source, work: Path) -> None:
        self._source, self._work = source, work

    def fingerprint(self) -> str:
        """Return a hash that changes whenever the rows may have changed."""
        return self._source.fingerprint()

    def count(self) -> int:
        """Return the number of rows, after reading all of them."""
        return sum(len(records) + len(dropped) for records, dropped in self._source.read(self._work))

    def parts(self) -> Iterator[Part]:
        """Yield all rows in parts, the first one small.

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
            while len(waiting) >= (size := PART_ROWS if number else FIRST_ROWS):
                yield Part(number, waiting[:size])
                number, waiting = number + 1, waiting[size:]
        if len(waiting):
            yield Part(number, waiting)


def rows_of_table(
    path: Path, work: Path, *, modalities: Collection[str] = ("text", "image"), encoders: Collection[str] = ()
) -> NewRows:
    """Return the rows of a table, of a folder with a table, or of tar shards at *path*.

    The columns of a table are those named text, image and id, or else those that fit best.

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
        When no source can read *path*, or a table has no column of the *modalities*.
    """
    starts = [encoder.removeprefix(COLUMNS) for encoder in encoders if encoder.startswith(COLUMNS)]
    if path.suffix.lower() in FORMATS and path.is_file():
        settings = {"kind": "table", "path": path, **_columns_of(path, modalities, has_vectors=bool(starts))}
        settings |= {"numbers": [f"{start}*" for start in starts]} if starts else {}
    else:
        settings = dict(infer_source(path).source)
    if settings["kind"] == "table":
        settings |= dict.fromkeys(UNUSED)
    return NewRows(open_source(settings), work)


def _columns_of(path: Path, modalities: Collection[str], *, has_vectors: bool) -> dict[str, Any]:
    """Return the settings for the columns of the table at *path*."""
    table = open_table(path)
    found: dict[str, Any] = {name: name if name in table.columns else None for name in ("text", "image", "id")}
    sample = sampled(table)
    if found["image"] is None and "image" in modalities:
        with suppress(SourceError):  # a table of texts alone
            pictures = image_column(table, sample, path.parent)
            found |= {"image": pictures.column} | ({"root": pictures.root} if pictures.root else {})
    if found["text"] is None and "text" in modalities:
        found["text"] = text_columns(sample.rows.drop(found["image"] or "", strict=False)).first
    if "image" not in modalities:
        found["image"] = None
    if found["text"] is None and found["image"] is None:
        if not has_vectors:
            wanted = " or ".join(modalities) or "text"
            raise SourceError(f"{path} has no column of {wanted}. Found {', '.join(table.columns)}. Name one {wanted}.")
        found["text"] = found["id"] or table.columns[0]  # the model reads vectors alone
    return found


class ImagesOfFolder(Source):
    """Every image file below a folder, in the order of their paths, each with the text of ``x.txt`` next to ``x.jpg``.

    Parameters
    ----------
    path
        *path* is the folder.
    """

    kind: str = "images"
    path: Path

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the images with their texts."""
        return row_frames(map(self._row, self._files()), {})

    def fingerprint(self) -> str:
        """Return a hash of the paths, sizes and times of the images."""
        return stamp(self, self._files())

    def _files(self) -> list[Path]:
        every = (path for path in self.path.rglob("*") if path.suffix.lower() in IMAGES)
        found = [path for path in every if path.is_file() and not path.name.startswith(".")]
        if not found:
            raise SourceError(f"{self.path} has no image file. Allowed endings: {', '.join(IMAGES)}.")
        return sorted(found)

    def _row(self, path: Path) -> dict[str, Any]:
        text = None
        with suppress(OSError):  # there is none, or it is no text of a picture
            text = read_bytes(path.with_suffix(".txt"), most_bytes=MOST_TEXT_BYTES).decode(errors="replace").strip()
        return {
            "id": str(path.relative_to(self.path)),
            "text": text,
            "image": str(path.resolve()),
            "source": str(self.path),
        }


def rows_of_folder(path: Path, work: Path) -> NewRows:
    """Return the images below the folder *path*, with the texts next to them.

    Parameters
    ----------
    path, work
        *path* is the folder, and *work* a folder for images that a source makes.

    Raises
    ------
    SourceError
        When there is no such folder.
    """
    if not path.is_dir():
        raise SourceError(f"{path} is no folder. For a table use --table.")
    return NewRows(ImagesOfFolder(path=path), work)


def key_of_rows(rows: NewRows, *others: object) -> str:
    """Return the hash of an input and of everything else that its predictions depend on.

    Parameters
    ----------
    rows
        *rows* are the input.
    others
        *others* are JSON-like values.
    """
    return key_of(rows.fingerprint(), PART_ROWS, FIRST_ROWS, *others)
