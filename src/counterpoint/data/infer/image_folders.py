"""The settings that fit a folder of images in one of the layouts of the source ``folder``."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from counterpoint.data.infer.columns import label_columns, text_columns
from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.infer.sample import sampled
from counterpoint.data.infer.tables import choose
from counterpoint.data.sources.folder_layouts import METADATA
from counterpoint.errors import SourceError
from counterpoint.formats.fold_names import fold_of
from counterpoint.formats.folders import is_image_file
from counterpoint.formats.tables import open_table

MAX_IMAGES = 20_000
"""How many images of a class are counted."""


def infer_imagefolder(path: Path) -> InferredSource | None:
    """Return the settings for Hugging Face's imagefolder: the columns of its metadata."""
    parts = [path, *folders_of_folds(path)]
    files = [part / name for part in parts for name in METADATA if (part / name).is_file()]
    if not files or "file_name" not in open_table(files[0]).columns:
        return None
    rows = pl.concat([sampled(open_table(file)).rows for file in files], how="diagonal_relaxed").drop("file_name")
    label = label_columns(rows)
    text = text_columns(rows, label.names[:1])
    if text.first is None:
        raise SourceError(f"{files[0]} has file_name, but no column of texts. Found {', '.join(rows.columns)}.")
    found = InferredSource(
        {"kind": "folder", "path": path, "layout": "imagefolder"}, split=_fold_words(path), is_whole=True
    )
    choose(found, "text", text)
    if label.first is None:
        return found
    choose(found, "label", label)
    found.is_labelled = True
    counts = rows[label.first].cast(pl.String).drop_nulls().value_counts(sort=True)
    found.classes = dict(counts.iter_rows())
    return found


def infer_study2023(path: Path) -> InferredSource | None:
    """Return the settings for the folders of the 2023 study, pos/ and neg/."""
    for images in (path, path / "images"):
        if all(any(images_in(images / name)) for name in ("pos", "neg")):
            return InferredSource({"kind": "folder", "path": path, "layout": "study2023"}, is_labelled=True)
    return None


def infer_class_folders(path: Path) -> InferredSource | None:
    """Return the settings for a folder with one folder for each class, when its images have texts next to them."""
    folds = folders_of_folds(path)
    classes = _classes_in(folds or [path])
    if len(classes) < 2 and any(fold_of(folder.name) is None for folder in folders_in(path)):
        folds, classes = [], _classes_in([path])  # for example, the classes of vehicles: train, car and bus
    if len(classes) < 2:
        return None
    split = _fold_words(path) if folds else None
    found = InferredSource({"kind": "folder", "path": path, "layout": "classes"}, split=split, is_whole=True)
    found.notes["path"] = "each folder is a class, and captions are .txt files"
    found.classes, found.is_labelled = classes, True
    return found


def _classes_in(parts: list[Path]) -> dict[str, int]:
    """Return the number of images with a text in each folder in *parts*, by its name, where it is not 0."""
    counts = Counter[str]()
    for folder in (folder for part in parts for folder in folders_in(part)):
        counts[folder.name] += sum(file.with_suffix(".txt").is_file() for file in islice(images_in(folder), MAX_IMAGES))
    return dict(+counts)


def folders_of_folds(path: Path) -> list[Path]:
    """Return the folders named after folds, when one of them is a training fold."""
    folds = [folder for folder in folders_in(path) if fold_of(folder.name)]
    return folds if any(fold_of(folder.name) == "train" for folder in folds) else []


def _fold_words(path: Path) -> str | None:
    folds = folders_of_folds(path)
    return ", ".join(folder.name for folder in folds) if len(folds) > 1 else None


def folders_in(path: Path) -> list[Path]:
    """Return the folders in *path*, sorted, without hidden ones."""
    return sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith((".", "__MACOSX")))


def images_in(folder: Path) -> Iterator[Path]:
    """Yield the images in *folder* and the folders below it, if it exists."""
    if not folder.is_dir():
        return
    for file in folder.rglob("*"):
        if is_image_file(file):
            yield file
