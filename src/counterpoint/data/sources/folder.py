"""Folders of images: the 2023 study's, a folder a class with captions beside, and Hugging Face's imagefolder."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl

from counterpoint.data.sources.base import REASON, Source, existing, no_column, row_frames, row_schema, some, stamp
from counterpoint.data.sources.table import TableSource
from counterpoint.errors import SourceError
from counterpoint.formats.fold_names import FOLD_NAMES
from counterpoint.formats.tables import BAD, FORMATS, open_table
from counterpoint.formats.tars import IMAGE_EXTENSIONS
from counterpoint.schema import Frame

OPTIONAL: Mapping[str, Any] = dict.fromkeys(("label", "fold", "image_id", "text_id"), pl.String)
STUDY_CLASSES = {"pos": "1", "neg": "0"}
"""The folders of the 2023 study, and what the names of their images begin with."""

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
Row = dict[str, Any]


class FolderSource(Source):
    """Images of a folder with their texts; a side that is not there is null.

    Three layouts are told apart, or set by *layout*:

    imagefolder
        ``metadata.csv``, ``.jsonl`` or ``.parquet`` with a column ``file_name``.
    study2023
        ``pos/1_7.jpg`` and ``neg/0_14.jpg``, below *path* or ``images/``, and a table of descriptions for each:
        the number in the name is that of the description's row.
    classes
        ``<class>/x.jpg`` and its text ``<class>/x.txt``.

    An imagefolder or a folder of classes may also stand in ``train/``, ``validation/`` and ``test/``.

    Parameters
    ----------
    path
        *path* is the folder.
    layout
        *layout* is one of the three names above.
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
    text: str | None = None
    label: str | None = None
    captions: Mapping[Literal["pos", "neg"], Path] | None = None
    first_index: Literal[0, 1] = 0
    number: str | None = None

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield one row an image, and one for each text without an image."""
        path = self._folder()
        layout = self.layout or _layout(path)
        if layout == "study2023":
            images = path / "images" if (path / "images").is_dir() else path
            yield from row_frames((row for name in STUDY_CLASSES for row in self._study(path, images, name)), OPTIONAL)
        elif layout == "classes":
            yield from row_frames((row for fold, part in _parts(path) for row in _classes(part, fold)), OPTIONAL)
        else:
            for fold, part in _parts(path):
                yield from self._imagefolder(part, fold, work)

    def fingerprint(self) -> str:
        """Return a hash of the settings and of every file's size and time."""
        return stamp(self, _files(self._folder()))

    def _folder(self) -> Path:
        path = existing(self.path, what="folder")
        if not path.is_dir():
            raise SourceError(f"{path} is a file, not a folder; kind: table or webdataset reads files.")
        return path

    def _study(self, path: Path, images: Path, name: str) -> Iterator[Row]:
        """Yield the rows of one of the two folders: its images in the order of their numbers, then what is left."""
        folder, prefix = existing(images / name, what="folder"), STUDY_CLASSES[name]
        texts = self._descriptions(path, name)
        seen = set()
        for number, image in sorted((_number(image, prefix), image) for image in _files(folder) if _is_image(image)):
            seen.add(number)
            row: Row = {"id": image.stem, "image": str(image), "label": name, "source": name}
            yield row | ({"image_id": str(number)} | texts.get(number, {}) if number >= 0 else {})
        for number in sorted(texts.keys() - seen):
            yield {"id": f"{prefix}_{number}", "label": name, "source": name} | texts[number]

    def _descriptions(self, path: Path, name: str) -> dict[int, Row]:
        """Return what a row has of each description, by its number."""
        table = open_table(self._captions(path, name))
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

    def _captions(self, path: Path, name: str) -> Path:
        given = (self.captions or {}).get(name)  # type: ignore[call-overload]
        if given is not None:
            return existing(path / given, what="table of descriptions")
        found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in FORMATS]
        fits = [file for file in found if file.name.lower().startswith(name)]
        if len(fits) != 1:
            names = some([file.name for file in fits or found])
            raise SourceError(f"{path} needs one table named {name}…, or source.captions.{name}; found {names}.")
        return fits[0]

    def _imagefolder(self, path: Path, fold: str | None, work: Path) -> Iterator[Frame]:
        """Yield the rows of the metadata, then the images that it does not name."""
        file = next((path / name for name in METADATA if (path / name).is_file()), None)
        if file is None:
            raise SourceError(f"{path} has none of {', '.join(METADATA)}.")
        columns = {"text": self.text} if self.text else {}
        columns |= {"label": self.label} if self.label else {}
        seen: set[str] = set()
        table = TableSource(path=file, image="file_name", id="file_name", **columns)
        for frame in table.rows(work):
            seen.update(frame["image"].drop_nulls())
            here = (
                [] if fold is None else [pl.lit(fold).alias("fold"), pl.lit(f"{fold}/").add(pl.col("id")).alias("id")]
            )
            yield pl.concat([pl.DataFrame(schema=row_schema(OPTIONAL)), frame.with_columns(here)], how="diagonal")
        rest = (image for image in _files(path) if _is_image(image) and str(image) not in seen)
        yield from row_frames((_row(image, path, fold) for image in rest), OPTIONAL)


def _layout(path: Path) -> str:
    if any((part / name).is_file() for _, part in _parts(path) for name in METADATA):
        return "imagefolder"
    if any(_holds(root / "pos", r"1_\d+") and (root / "neg").is_dir() for root in (path, path / "images")):
        return "study2023"
    if any(_holds(folder) for _, part in _parts(path) for folder in _folders(part)):
        return "classes"
    names = sorted(entry.name for entry in path.iterdir())
    raise SourceError(
        f"{path} is no folder of pairs: it needs metadata.csv, or pos/ and neg/, or a folder of images a class; "
        f"found {some(names)}."
    )


def _parts(path: Path) -> Sequence[tuple[str | None, Path]]:
    """Return each fold and its folder, where all folders are named after folds, else *path* itself."""
    folders = _folders(path)
    if folders and all(folder.name.lower() in FOLD_NAMES for folder in folders):
        return [(FOLD_NAMES[folder.name.lower()], folder) for folder in folders]
    return [(None, path)]


def _classes(path: Path, fold: str | None) -> Iterator[Row]:
    for folder in _folders(path):
        files = _files(folder)
        pictured = {file.with_suffix("") for file in files if _is_image(file)}
        for file in files:
            row = {**_row(file, path, fold), "label": folder.name, "source": folder.name}
            if _is_image(file):
                yield row | _text_of(file.with_suffix(".txt"))
            elif file.suffix.lower() == ".txt" and file.with_suffix("") not in pictured:
                yield {**row, "image": None} | _text_of(file)


def _row(file: Path, path: Path, fold: str | None) -> Row:
    name = file.relative_to(path).as_posix()
    return {"id": f"{fold}/{name}" if fold else name, "image": str(file), "fold": fold, "source": path.name}


def _text_of(file: Path) -> Row:
    try:
        return {"text": file.read_bytes().decode("utf-8-sig").strip()} if file.is_file() else {}
    except (OSError, UnicodeDecodeError):
        return {REASON: "bad_text"}


def _folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _files(path: Path) -> list[Path]:
    """Return the files at any depth, but for hidden ones, sorted."""
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))


def _is_image(file: Path) -> bool:
    return file.suffix.lower().removeprefix(".") in IMAGE_EXTENSIONS


def _holds(folder: Path, name: str = ".*") -> bool:
    """Say whether *folder* has an image with such a name."""
    return folder.is_dir() and any(_is_image(file) and re.fullmatch(name, file.stem) for file in folder.rglob("*"))


def _number(image: Path, prefix: str) -> int:
    """Return 7 for ``1_7.jpg``, and -1 for a name that is not of this kind."""
    found = re.fullmatch(rf"{prefix}_([0-9]+)", image.stem)
    return int(found[1]) if found else -1
