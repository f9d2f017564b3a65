"""Tables of pairs on disk (CSV, TSV, XLSX, JSON, JSON lines, Parquet), and a frame in memory."""

from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr

from counterpoint.artifacts import key_of
from counterpoint.config import Delimited
from counterpoint.data.sources.base import spill, stamp
from counterpoint.data.sources.columns import ROLES, TabularSource
from counterpoint.data.sources.folder_labels import labelled_by_folder
from counterpoint.data.sources.joined import Join, join_tables
from counterpoint.data.sources.paths import existing
from counterpoint.data.sources.table_files import folds_of_tables, tables_of
from counterpoint.errors import SchemaError, SourceError
from counterpoint.features.in_memory import as_frame
from counterpoint.formats.images import COLUMN, row_ref
from counterpoint.formats.png import rgb_png
from counterpoint.formats.tables import Table, open_table, table_of
from counterpoint.schema import NOTE, Frame, finding
from counterpoint.settings import validated


class TableSource(TabularSource, Delimited):
    """The rows of a table, or of several with the same columns, one after the other.

    Parameters
    ----------
    path
        *path* is a table, a folder of tables, or a glob such as ``shards/*.parquet``.  When the names of several files
        contain folds, such as ``train-00000-of-00001.parquet``, each file is of that fold.
    root
        *root* is the folder that image paths start from (default: the table's folder).
    sheet
        *sheet* is the name of a sheet of an XLSX (default: its first).
    join
        *join* is a second table whose columns count as columns of the first: ``{path, key, matches}``.  Column *key* of
        the second table has the values of column *matches* of the first.
    label_from
        *label_from* is "folder" when the label is the folder of the image: the class of ``cats/1.jpg`` is cats.

    Notes
    -----
    The other settings name columns, see `TabularSource`, or describe the format of a table of text, see
    `counterpoint.config.Delimited`.  Images in a Parquet file are read from there, not copied.
    """

    kind: Literal["table"] = "table"
    path: Path
    root: Path | None = None
    sheet: str | None = None
    join: Join | None = None
    label_from: Literal["folder"] | None = None

    _notes: list[str] = PrivateAttr(default_factory=list)

    @staticmethod
    def of(frame: Any, **columns: Any) -> "FrameSource":
        """Return the source of a pandas, polars or Arrow table in memory.  *columns* are settings of `FrameSource`.

        Raises
        ------
        ConfigError
            When a setting is unknown.
        SourceError
            When *frame* is no such table, or has a column of mixed types.

        Examples
        --------
        >>> frame = pl.DataFrame({"file": ["/a/1.jpg"], "caption": ["a cat"], "class": [1.0]})
        >>> source = TableSource.of(frame, image="file", text="caption", label="class")
        >>> [(records, dropped)] = source.read(Path())
        >>> records.row(0, named=True)
        {'id': '0', 'row': 0, 'text': 'a cat', 'image': '/a/1.jpg', 'source': 'frame', 'label': '1'}
        """
        source = validated(FrameSource, columns, where="read_pairs")
        source._frame = _to_polars(frame, source.image)
        return source

    def rows(self, work: Path) -> Iterator[Frame]:  # the images stay where they are
        """Yield the rows of each file.  The default id counts over all files."""
        start = 0
        self._notes.clear()
        self._image_notes.clear()
        files = self._files()
        folds = folds_of_tables(files, self.path)
        for file in files:
            table = self._joined(open_table(file, **self.reading(), sheet=self.sheet))
            self._notes.extend(table.notes)
            root = file.parent if self.root is None else existing(self.root, what="folder of images")
            refs = partial(_rows_of, file, self.image or COLUMN, -start)
            for frame in self.records(table, root=root, start=start, refs=refs):
                has_own = "fold" in frame.columns or file not in folds
                yield frame if has_own else frame.with_columns(fold=pl.lit(folds[file]))
                start += frame.height

    def findings(self) -> list[dict[str, str]]:
        """Return findings on the detected format of tables, and on image paths that were found in another way."""
        of_images = super().findings()
        if not self._notes:
            return of_images
        others = f" {len(self._notes) - 1:,} other files are too, or otherwise." if len(self._notes) > 1 else ""
        return [finding(NOTE, "info", "source", self._notes[0] + others, notes=self._notes[:20]), *of_images]

    def fingerprint(self) -> str:
        """Return a hash of the settings, and of the sizes and times of the tables, not of the images."""
        return stamp(self, [*self._files(), *([existing(self.join.path, what="table to join")] if self.join else [])])

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Write a CSV of one row, and its image."""
        (folder / "1.png").write_bytes(rgb_png(np.zeros((16, 16, 3), np.uint8)))
        (folder / "pairs.csv").write_text("image,text,label\n1.png,a cat,cat\n", encoding="utf-8")
        return cls(path=folder / "pairs.csv")

    def _joined(self, table: Table) -> Table:
        """Return *table* with labels from folders and with the columns of the second table, as the settings ask."""
        if self.label_from is not None:
            table = labelled_by_folder(table, image=self.image or "image", label=self.label or "label")
        if self.join is None:
            return table
        wanted = {name for role in ROLES if (name := getattr(self, role)) is not None} | set(self.numbers)
        return join_tables(table, self.join, wanted, open_table)

    def _files(self) -> list[Path]:
        return tables_of(self.path)


class FrameSource(TabularSource):
    """The rows of a table in memory, made by `TableSource.of`.

    Parameters
    ----------
    root
        *root* is the folder that image paths start from (default: the working folder).
    """

    kind: Literal["frame"] = "frame"
    root: Path = Path()

    _frame: Frame = PrivateAttr(pl.DataFrame())

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the rows, and write image bytes to shards in *work*."""
        name = f"frame-{self.fingerprint()}"

        def refs(images: pl.Series, start: int) -> list[str | None]:
            return spill(images, work.absolute() / f"{name}-{start:09d}.parquet")

        root = existing(self.root, what="folder of images")
        return self.records(table_of(self._frame, Path("frame")), root=root, start=0, refs=refs)

    def fingerprint(self) -> str:
        """Return a hash of the settings and of the columns in use."""
        table = table_of(self._frame, Path("frame"))
        used = self._frame[list(dict.fromkeys([*self.used(table).values(), *self.further(table)]))]
        content = sha256(used.hash_rows(seed=0).to_numpy().tobytes()).hexdigest()
        return key_of(self.model_dump(mode="json"), content)


def _rows_of(file: Path, column: str, shift: int, images: pl.Series, start: int) -> list[str | None]:
    """Return a reference to each row of a Parquet file with an image, and null for the others."""
    present = enumerate(images.alias("").is_not_null(), start + shift)
    return [row_ref(file, row, column) if is_there else None for row, is_there in present]


def _to_polars(frame: Any, image: str | None) -> Frame:
    try:
        return as_frame(frame, image=image or "")
    except TypeError as error:
        raise SourceError(
            f"Pairs are read from a path, or a pandas, polars or Arrow table. Got {type(frame).__name__}."
        ) from error
    except SchemaError as error:
        raise SourceError(str(error)) from error
