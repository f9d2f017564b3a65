"""Folders of images: the 2023 study's, a folder a class with captions beside, and Hugging Face's imagefolder."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from posixpath import splitext
from typing import Any, Literal, NamedTuple

import polars as pl
from pydantic import PrivateAttr

from counterpoint.data.sources.base import REASON, Source, existing, no_column, row_frames, row_schema, some, stamp
from counterpoint.data.sources.folder_layouts import METADATA, FoldFolder, base_of, fold_folders, layout_of, metadata_in
from counterpoint.data.sources.table import TableSource
from counterpoint.data.sources.unused_files import UnusedFiles
from counterpoint.errors import SourceError
from counterpoint.files import read_bytes
from counterpoint.formats.folders import TEXT, Listing
from counterpoint.formats.hidden import OTHER
from counterpoint.formats.tables import BAD, FORMATS, is_text, open_table
from counterpoint.schema import Frame

OPTIONAL: Mapping[str, Any] = dict.fromkeys(("label", "fold", "image_id", "text_id"), pl.String)
STUDY_CLASSES = {"pos": "1", "neg": "0"}
"""The folders of the 2023 study, and what the names of their images begin with."""

MAX_TEXT_BYTES = 1 << 20
OUTSIDE, SECOND = "an image outside the folders that are read", "a second table of metadata"
TEXT_ALONE = "text of no image"
Row = dict[str, Any]


class FolderSource(Source):
    """Images of a folder with their texts; a modality that is not there is null.

    What is an image is seen from its content, and from names such as ``x.jpg``; a file that is neither an image nor the
    text or table of one is counted in the findings.  Three layouts are told apart, or set by *layout*:

    imagefolder
        ``metadata.csv``, ``.jsonl`` or ``.parquet`` with a column ``file_name``.
    study2023
        ``pos/1_7.jpg`` and ``neg/0_14.jpg``, below *path* or ``images/``, and a table of descriptions for each:
        the number in the name is that of the description's row.
    classes
        ``<class>/x.jpg`` and its text ``<class>/x.txt``.

    An imagefolder or a folder of classes may also stand in ``train/``, ``validation/`` and ``test/``, or in folders
    with other names for these.

    Parameters
    ----------
    path
        *path* is the folder.
    layout
        *layout* is one of the three names above.
    folds
        *folds* says whether folders such as ``train/`` are folds; false: they are classes (default: seen from what is
        there, and refused where it may be both).
    text, label
        *text* is the column of texts (default: "text"; in study2023 "desc"), *label* that of labels in an imagefolder
        (default: "label" if it is there).
    captions
        *captions* names the tables of descriptions of "pos" and "neg", from *path* on (default: the one table whose
        name begins with "pos", or "neg").
    first_index
        *first_index* is the number of the first description: 0 or 1.
    number
        *number* is a column of the descriptions with their own numbers: alignment then refuses a pair whose image
        has another.
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
        """Yield one row an image, and one for each text without an image."""
        listing, used = Listing(self._folder()), set[str]()
        self._notes.clear()
        base = base_of(listing)
        layout = self.layout or layout_of(listing, base, self.folds)
        if layout == "study2023":
            yield from row_frames(self._study(listing, used), OPTIONAL)
        elif layout == "classes":
            parts = fold_folders(listing, base, self.folds)
            yield from row_frames((row for part in parts for row in _classes(listing, part, used)), OPTIONAL)
        else:
            yield from self._imagefolder(listing, base, used)
        self._note_unused(listing, used)

    def findings(self) -> list[dict[str, str]]:
        """Return which files became no row, and how tables were read."""
        return [*self._unused.findings(), *self._notes]

    def fingerprint(self) -> str:
        """Return a hash of the settings and of every file's size and time."""
        listing = Listing(self._folder())
        return stamp(self, [file for name in listing.files if (file := listing.root / name).exists()])

    def _folder(self) -> Path:
        path = existing(self.path, what="folder")
        if not path.is_dir():
            raise SourceError(f"{path} is a file, not a folder; kind: table or webdataset reads files.")
        return path

    def _note_unused(self, listing: Listing, used: set[str]) -> None:
        """Count the files that are in no row, and are no text or table of one."""
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
        """Yield the rows of one of the two folders: its images in the order of their numbers, then what is left."""
        first = STUDY_CLASSES[name]
        table = self._captions(listing, name)
        used.add(str(table.relative_to(listing.root)) if table.is_relative_to(listing.root) else "")
        texts, seen = self._descriptions(table), set()
        images = [image for image in listing.below(prefix) if image in listing.images]
        for number, image in sorted((_number(image, first), image.split("/")) for image in images):
            path = "/".join(image)
            seen.add(number)
            used.add(path)
            row: Row = {**_row(listing, path, splitext(image[-1])[0], name), "label": name}
            yield row | ({"image_id": str(number)} | texts.get(number, {}) if number >= 0 else {})
        for number in sorted(texts.keys() - seen):
            yield {"id": f"{first}_{number}", "label": name, "source": name} | texts[number]

    def _descriptions(self, path: Path) -> dict[int, Row]:
        """Return what a row has of each description, by its number."""
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
                f"{listing.root} needs one table named {name}…, or source.captions.{name}; found {some(fits or found)}."
            )
        return listing.root / fits[0]

    # imagefolder

    def _imagefolder(self, listing: Listing, base: str, used: set[str]) -> Iterator[Frame]:
        """Yield, for the whole folder and then for each fold, the rows of its metadata, then the images in no row."""
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
                yield from row_frames((_row_of_part(listing, name, area) for name in rest), OPTIONAL)

    def _metadata(self, listing: Listing, file: str, areas: list[FoldFolder], used: set[str]) -> Iterator[Frame]:
        """Yield the rows of the table *file*; each image has one name, however the table writes it."""
        columns = {"text": self.text} if self.text else {}
        columns |= {"label": self.label} if self.label else {}
        table = TableSource(path=listing.root / file, image="file_name", id="file_name", **columns)
        for frame in table.rows(listing.root):
            places = [_place(listing, image, areas) for image in frame["image"]]
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


class Place(NamedTuple):
    """Where the image of a row lies: its name in the folder, its whole path, its fold, and its id."""

    name: str | None = None
    path: str | None = None
    fold: str | None = None
    key: str | None = None


def _place(listing: Listing, image: str | None, areas: list[FoldFolder]) -> Place:
    """Return where an image lies that a table names; nothing of one outside the folder."""
    path, root = os.path.normpath(image or ""), listing.path("")
    name = path.removeprefix(root)
    area = next((area for area in areas if name.startswith(area.prefix)), None)
    return Place(name, path, area.fold, _key(name, area)) if area and path.startswith(root) else Place()


def _key(name: str, part: FoldFolder) -> str:
    own = name.removeprefix(part.prefix)
    return f"{part.name}/{own}" if part.name else own


def _classes(listing: Listing, part: FoldFolder, used: set[str]) -> Iterator[Row]:
    """Yield a row an image of a folder of classes, and one for each text in a class that stands beside no image."""
    files = listing.below(part.prefix)
    texts = {splitext(name)[0]: name for name in files if name.lower().endswith(TEXT)}
    text_of = {name: texts.get(name, texts.get(splitext(name)[0])) for name in files if name in listing.images}
    taken = {text for text in text_of.values() if text is not None}
    used |= taken | text_of.keys()
    for name in files:
        folder, _, rest = name.removeprefix(part.prefix).partition("/")
        label = _readable(folder) if rest else None
        row = {**_row_of_part(listing, name, part), "label": label, "source": label or listing.root.name}
        text = text_of.get(name)
        if name in listing.images:
            yield row | (_text_of(listing, text) if text else {})
        elif rest and name.lower().endswith(TEXT) and name not in taken:
            used.add(name)
            yield row if listing.holds_image(name) else {**row, "image": None} | _text_of(listing, name)


def _row_of_part(listing: Listing, name: str, part: FoldFolder) -> Row:
    return _row(listing, name, _key(name, part), listing.root.name) | {"fold": part.fold}


def _row(listing: Listing, name: str, key: str, source: str) -> Row:
    """Return the row of an image; a name that is no text, which no table can hold, is its reason to leave."""
    if is_text(name):
        return {"id": key, "image": listing.path(name), "source": source}
    return {"id": _readable(key), "source": _readable(source), REASON: "bad_name"}


def _readable(name: str) -> str:
    return name if is_text(name) else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _text_of(listing: Listing, name: str) -> Row:
    try:
        data = read_bytes(listing.path(name), most_bytes=MAX_TEXT_BYTES)
        return {"text": data.decode("utf-8-sig").strip()}
    except (OSError, UnicodeDecodeError):
        return {REASON: "bad_text"}


def _number(image: str, prefix: str) -> int:
    """Return 7 for ``1_7.jpg``, and -1 for a name that is not of this kind."""
    found = re.fullmatch(rf"{prefix}_([0-9]+)", splitext(image.rpartition("/")[2])[0])
    return int(found[1]) if found else -1
