"""Folders of images in three layouts: the 2023 study, a folder for each class, and Hugging Face's imagefolder."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from posixpath import splitext
from typing import Any, Literal, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr

from counterpoint.data.sources.base import REASON, Source, row_frames, row_schema, stamp
from counterpoint.data.sources.folder_layouts import METADATA, FoldFolder, base_of, fold_folders, layout_of, metadata_in
from counterpoint.data.sources.folder_rows import Place, Row, class_rows, fold_image_row, image_row, place_of
from counterpoint.data.sources.messages import no_column, some
from counterpoint.data.sources.paths import existing
from counterpoint.data.sources.table import TableSource
from counterpoint.data.sources.unused_files import UnusedFiles
from counterpoint.errors import SourceError
from counterpoint.formats.folders import TEXT, Listing
from counterpoint.formats.hidden import OTHER
from counterpoint.formats.png import rgb_png
from counterpoint.formats.tables import BAD, FORMATS, open_table
from counterpoint.schema import Frame

OPTIONAL: Mapping[str, Any] = dict.fromkeys(("label", "fold", "image_id", "text_id"), pl.String)
STUDY_CLASSES = {"pos": "1", "neg": "0"}
"""The folders of the 2023 study, and the beginning of the names of their images."""

OUTSIDE, SECOND = "an image outside the folders that are read", "a second table of metadata"
TEXT_ALONE = "text of no image"


class FolderSource(Source):
    """Images of a folder with their texts.  A missing modality is null.

    The content of a file decides whether it is an image, and a name such as ``x.jpg`` too.  A file that is neither an
    image nor the text or table of one is counted in the findings.  One of three layouts is detected, or set by
    *layout*:

    imagefolder
        ``metadata.csv``, ``.jsonl`` or ``.parquet`` with a column ``file_name``.
    study2023
        ``pos/1_7.jpg`` and ``neg/0_14.jpg``, below *path* or ``images/``, and a table of descriptions for each.
        The number in the name is the row of its description.
    classes
        ``<class>/x.jpg`` and its text ``<class>/x.txt``.

    An imagefolder or a folder of classes may also stand in ``train/``, ``validation/`` and ``test/``, or in folders
    with synonyms of these names.

    Parameters
    ----------
    path
        *path* is the folder.
    layout
        *layout* is one of the three names above.
    folds
        *folds* is true when folders such as ``train/`` are folds, false when they are classes (default: detected, and
        an error where both are possible).
    text, label
        *text* is the column of texts (default: "text", or "desc" in study2023).  *label* is the column of labels in an
        imagefolder (default: "label", if there is one).
    captions
        *captions* are the tables of descriptions of "pos" and "neg", as paths below *path* (default: the only table
        with a name that begins so).
    first_index
        *first_index* is the number of the first description: 0 or 1.
    number
        *number* is a column of the descriptions with their own numbers.  Alignment then refuses a pair whose image has
        another number.
    """

    kind: Literal["folder"] = "folder"
    path: Path
    layout: Literal["imagefolder", "study2023", "classes"] | None = None
    folds: bool | None = None
    text: str | None = None
    label: str | None = None
    captions: Mapping[Literal["pos", "neg"], Path] | None = None
    first_index: Literal[0, 1] = 0
    number: str | None = None

    _unused: UnusedFiles = PrivateAttr(default_factory=UnusedFiles)
    _notes: list[dict[str, str]] = PrivateAttr(default_factory=list)

    def rows(self, work: Path) -> Iterator[Frame]:  # the images stay where they are
        """Yield one row for each image, and one for each text without an image."""
        listing, used = Listing(self._folder()), set[str]()
        self._notes.clear()
        base = base_of(listing)
        layout = self.layout or layout_of(listing, base, self.folds)
        if layout == "study2023":
            yield from row_frames(self._study(listing, used), OPTIONAL)
        elif layout == "classes":
            parts = fold_folders(listing, base, self.folds)
            yield from row_frames((row for part in parts for row in class_rows(listing, part, used)), OPTIONAL)
        else:
            yield from self._imagefolder(listing, base, used)
        self._note_unused(listing, used)

    def findings(self) -> list[dict[str, str]]:
        """Return findings on files that became no row, and on the detected format of tables."""
        return [*self._unused.findings(), *self._notes]

    def fingerprint(self) -> str:
        """Return a hash of the settings, and of the size and time of every file."""
        listing = Listing(self._folder())
        return stamp(self, [file for name in listing.files if (file := listing.root / name).exists()])

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Write an image of a cat and its text."""
        (folder / "cats").mkdir()
        (folder / "cats" / "1.png").write_bytes(rgb_png(np.zeros((16, 16, 3), np.uint8)))
        (folder / "cats" / "1.txt").write_text("a cat", encoding="utf-8")
        return cls(path=folder)

    def _folder(self) -> Path:
        path = existing(self.path, what="folder")
        if not path.is_dir():
            raise SourceError(f"{path} is a file, not a folder. Use kind: table or webdataset for files.")
        return path

    def _note_unused(self, listing: Listing, used: set[str]) -> None:
        """Count the files that are neither the image nor the text or table of a row."""
        self._unused.clear()
        n_images = len(listing.images & used)
        self._unused.used = {"images": n_images, "texts_and_tables": len(used.intersection(listing.files)) - n_images}
        for reason, name in listing.aside:
            self._unused.add(reason, name)
        for name in listing.files:
            if name not in used and name in listing.images:
                self._unused.add(OUTSIDE, name, is_warning=True)
            elif name not in used:
                is_table = name.rpartition("/")[2].lower() in METADATA
                reason = SECOND if is_table else TEXT_ALONE if name.lower().endswith(TEXT) else OTHER
                self._unused.add(reason, name, is_warning=is_table)

    # study2023

    def _study(self, listing: Listing, used: set[str]) -> Iterator[Row]:
        prefix = "images/" if "images" in listing.folders else ""
        for name in STUDY_CLASSES:
            existing(listing.root / prefix / name, what="folder")
            yield from self._study_class(listing, f"{prefix}{name}/", name, used)

    def _study_class(self, listing: Listing, prefix: str, name: str, used: set[str]) -> Iterator[Row]:
        """Yield the rows of one of the two folders: images in the order of their numbers, then texts without one."""
        first = STUDY_CLASSES[name]
        table = self._captions(listing, name)
        used.add(str(table.relative_to(listing.root)) if table.is_relative_to(listing.root) else "")
        texts, seen = self._descriptions(table), set()
        images = [image for image in listing.below(prefix) if image in listing.images]
        for number, image in sorted((_number(image, first), image.split("/")) for image in images):
            path = "/".join(image)
            seen.add(number)
            used.add(path)
            row: Row = {**image_row(listing, path, splitext(image[-1])[0], name), "label": name}
            yield row | ({"image_id": str(number)} | texts.get(number, {}) if number >= 0 else {})
        for number in sorted(texts.keys() - seen):
            yield {"id": f"{first}_{number}", "label": name, "source": name} | texts[number]

    def _descriptions(self, path: Path) -> dict[int, Row]:
        """Return the columns of a row that come from each description, by its number."""
        table = open_table(path)
        used = [self.text or "desc"] + ([self.number] if self.number else [])
        for column in used:
            if column not in table.columns:
                raise SourceError(no_column(f"{table.path} has no column", column, table.columns))
        rows = (row for frame in table.frames(used) for row in frame.iter_rows(named=True))
        return {
            number: {
                "text": row[used[0]],
                "text_id": str(number) if self.number is None else row[self.number],
                REASON: row[BAD],
            }
            for number, row in enumerate(rows, self.first_index)
        }

    def _captions(self, listing: Listing, name: str) -> Path:
        given = (self.captions or {}).get(name)  # type: ignore[call-overload]
        if given is not None:
            return existing(listing.root / given, what="table of descriptions")
        found = [file for file in listing.files if "/" not in file and splitext(file)[1].lower() in FORMATS]
        fits = [file for file in found if file.lower().startswith(name)]
        if len(fits) != 1:
            raise SourceError(
                f"{listing.root} needs one table named {name}…, or source.captions.{name}. Found {some(fits or found)}."
            )
        return listing.root / fits[0]

    # imagefolder

    def _imagefolder(self, listing: Listing, base: str, used: set[str]) -> Iterator[Frame]:
        """Yield the rows of the whole folder, then of each fold: its metadata, then the images without a row."""
        parts, whole = fold_folders(listing, base, self.folds), FoldFolder(None, base, "")
        areas = parts if parts == [whole] else [whole, *parts]
        if not any(metadata_in(listing, area.prefix) for area in areas):
            raise SourceError(f"{listing.path(base)} has none of metadata.csv, metadata.jsonl, metadata.parquet.")
        for area in areas:
            for file in metadata_in(listing, area.prefix)[:1]:
                used.add(file)
                yield from self._metadata(listing, file, [*parts, whole], used)
            if area in parts:
                unnamed = listing.images - used
                rest = [name for name in listing.below(area.prefix) if name in unnamed]
                used.update(rest)
                yield from row_frames((fold_image_row(listing, name, area) for name in rest), OPTIONAL)

    def _metadata(self, listing: Listing, file: str, areas: list[FoldFolder], used: set[str]) -> Iterator[Frame]:
        """Yield the rows of the table *file*.  Each image has one name, in any spelling of its path."""
        columns = {"text": self.text} if self.text else {}
        columns |= {"label": self.label} if self.label else {}
        table = TableSource(path=listing.root / file, image="file_name", id="file_name", **columns)
        for frame in table.rows(listing.root):
            places = [place_of(listing, image, areas) for image in frame["image"]]
            used.update(place.name for place in places if place.name)
            found = pl.DataFrame(places, schema=dict.fromkeys(Place._fields, pl.String), orient="row")
            given = [found["fold"], *([frame["fold"]] if "fold" in frame.columns else [])]
            own = frame.with_columns(
                pl.coalesce(found["path"], "image").alias("image"),
                pl.coalesce(found["key"], "id").alias("id"),
                pl.coalesce(given).alias("fold"),
            )
            yield pl.concat([pl.DataFrame(schema=row_schema(OPTIONAL)), own], how="diagonal")
        self._notes += table.findings()


def _number(image: str, prefix: str) -> int:
    """Return 7 for ``1_7.jpg``, and -1 for a name of another form."""
    found = re.fullmatch(rf"{prefix}_([0-9]+)", splitext(image.rpartition("/")[2])[0])
    return int(found[1]) if found else -1
