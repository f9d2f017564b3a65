"""What stands at a place (a table, tars, a folder of one kind or another), and the settings that read it."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from counterpoint.artifacts import read_json
from counterpoint.data.infer.columns import label_columns, text_columns
from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.infer.joins import of_several
from counterpoint.data.infer.sample import sampled
from counterpoint.data.infer.tables import choose, of_tables, tables_in
from counterpoint.data.infer.tars import of_tars
from counterpoint.data.sources.base import existing, some
from counterpoint.data.sources.pixels import ENDING, is_pixels
from counterpoint.errors import SourceError
from counterpoint.formats.fold_names import fold_of, folds_of_files
from counterpoint.formats.folders import is_image_file
from counterpoint.formats.tables import FORMATS, open_table

LOOKED_AT = 20_000
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
TABLES_BELOW = ("data", "tables", "annotations", "metadata")
"""Folders whose tables are looked at where the folder itself has none."""


def infer_source(path: Path) -> InferredSource:
    """Return the settings that fit what is at *path*.

    Raises
    ------
    SourceError
        When there is nothing, or nothing that a source reads: one line with what was found and what is needed.
    """
    path = existing(path, what="folder, table or tar")
    if path.is_file():
        return _of_file(path)
    for layout in LAYOUTS:
        found = layout(path)
        if found is not None:
            return found
    raise SourceError(_nothing_in(path))


def _of_file(path: Path) -> InferredSource:
    if path.suffix.lower() == ".tar":
        return of_tars([path], path)
    if path.suffix.lower() in FORMATS:
        return _pixels(path) or of_tables([path], path)
    raise SourceError(f"{path} is no table or tar that can be read; allowed: {', '.join(sorted((*FORMATS, '.tar')))}.")


def _acquisition(path: Path) -> InferredSource | None:
    """Return the settings for the output of `counterpoint acquire`, with the labels that its plan gave."""
    if not (path / "plan.json").is_file():
        return None
    plan = read_json(path / "plan.json")
    labels_of = plan.get("labels", {}) if isinstance(plan, dict) else {}
    found = InferredSource({"kind": "acquired", "path": path}, is_labelled=bool(labels_of))
    if labels_of:
        found.notes["path"] = f"labelled {', '.join(labels_of)}"
    return found


def _run_folder(path: Path) -> InferredSource | None:
    """Return the settings for the pairs of a study that was made."""
    pairs = path / "tables" / "pairs.parquet"
    return of_tables([pairs], pairs) if pairs.is_file() else None


def _tars(path: Path) -> InferredSource | None:
    for pattern in ("*.tar", "*/*.tar"):
        files = sorted(file for file in path.glob(pattern) if not file.name.startswith("."))
        if files:
            return of_tars(files, path if pattern == "*.tar" else path / pattern)
    return None


def _imagefolder(path: Path) -> InferredSource | None:
    """Return the settings for Hugging Face's imagefolder: the columns of its metadata."""
    parts = [path, *_folds(path)]
    files = [part / name for part in parts for name in METADATA if (part / name).is_file()]
    if not files or "file_name" not in open_table(files[0]).columns:
        return None
    rows = pl.concat([sampled(open_table(file)).rows for file in files], how="diagonal_relaxed").drop("file_name")
    label = label_columns(rows)
    text = text_columns(rows, label.names[:1])
    if text.first is None:
        raise SourceError(f"{files[0]} has no column of texts beside file_name; found {', '.join(rows.columns)}.")
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


def _pixels(path: Path) -> InferredSource | None:
    """Return the settings for tables of pixels, such as `counterpoint export-pairs` writes; one alone has no folds."""
    is_table = path.is_file() and path.suffix.lower() == ".csv"
    files = [path] if is_table else [*path.glob(f"fold-*/test{ENDING}"), *path.glob(f"train{ENDING}")]
    # pairs.csv of an export stands beside the images themselves, which are better.
    is_beside_images = is_table and (path.parent / "images").is_dir()
    if not files or is_beside_images or not is_pixels(open_table(files[0]).columns):
        return None
    found = InferredSource({"kind": "pixels", "path": path}, is_labelled=True)
    folds = ", ".join(sorted(file.parent.name for file in files)) if len(files) > 1 else "train, validation, test"
    found.split = None if is_table else folds
    return found


def _study2023(path: Path) -> InferredSource | None:
    for images in (path, path / "images"):
        if all(any(_images_in(images / name)) for name in ("pos", "neg")):
            return InferredSource({"kind": "folder", "path": path, "layout": "study2023"}, is_labelled=True)
    return None


def _folders_of_classes(path: Path) -> InferredSource | None:
    """Return the settings for a folder a class, when its images have their texts beside them."""
    folds = _folds(path)
    classes = _classes_in(folds or [path])
    if len(classes) < 2 and any(fold_of(folder.name) is None for folder in _folders(path)):
        folds, classes = [], _classes_in([path])  # the classes of vehicles, say, are train, car and bus
    if len(classes) < 2:
        return None
    split = _fold_words(path) if folds else None
    found = InferredSource({"kind": "folder", "path": path, "layout": "classes"}, split=split, is_whole=True)
    found.notes["path"] = "each folder is a class; captions are .txt files"
    found.classes, found.is_labelled = classes, True
    return found


def _classes_in(parts: list[Path]) -> dict[str, int]:
    """Return how many images with a text each folder in *parts* has, by its name; those of none are left out."""
    counts = Counter[str]()
    for folder in (folder for part in parts for folder in _folders(part)):
        counts[folder.name] += sum(file.with_suffix(".txt").is_file() for file in islice(_images_in(folder), LOOKED_AT))
    return dict(+counts)


def _tables(path: Path) -> InferredSource | None:
    """Return the settings for the tables of a folder: one, several of the same columns, or two that belong together."""
    for folder in (path, *(path / name for name in TABLES_BELOW if (path / name).is_dir())):
        files = _readable(tables_in(folder))
        if not files:
            continue
        kinds = {frozenset(open_table(file).columns) for file in files}
        if len(kinds) > 1:
            return of_several(files)
        found = of_tables(files, files[0] if len(files) == 1 else folder)
        folds = folds_of_files(files, folder)
        found.split = found.split or (", ".join(dict.fromkeys(folds.values())) if len(files) > 1 and folds else None)
        return found
    return None


def _readable(files: list[Path]) -> list[Path]:
    """Return those of *files* that are tables; a JSON of settings beside them is none.

    Raises
    ------
    SourceError
        When none of several is one.
    """
    tables, errors = [], []
    for file in files:
        try:
            open_table(file)
        except SourceError as error:
            errors.append(error)
        else:
            tables.append(file)
    if errors and not tables:
        raise errors[0]
    return tables


def _only_folder(path: Path) -> InferredSource | None:
    """Return the settings for the one folder that a folder holds, as archives often have it."""
    folders = _folders(path)
    return infer_source(folders[0]) if len(folders) == 1 and _has_more_than_images(folders[0]) else None


def _has_more_than_images(path: Path) -> bool:
    return any(each.is_dir() or each.suffix.lower() in (*FORMATS, ".tar") for each in path.iterdir())


LAYOUTS: tuple[Callable[[Path], InferredSource | None], ...] = (
    _acquisition, _run_folder, _tars, _imagefolder, _pixels, _study2023, _folders_of_classes, _tables,
    _only_folder,
)  # fmt: skip
"""In this order: the first that fits is it."""


def _nothing_in(path: Path) -> str:
    holds = some(sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(".")))
    parts = _folds(path) or [path]
    pictured = [folder.name for part in parts for folder in _folders(part) if any(_images_in(folder))]
    if pictured or any(_images_in(path)):
        texts_in = [file.name for file in sorted(path.glob("*.txt")) if _may_be_table(file)]
        hint = f" If {texts_in[0]} is a table, call it {Path(texts_in[0]).stem}.csv." if texts_in else ""
        where = f"in {some(pictured, 4)}" if pictured else "in it"
        return (
            f"{path} holds images {where}, but no texts: put x.txt beside each x.jpg, or a table with a column of "
            f"image paths and one of texts.{hint}"
        )
    return (
        f"{path} holds no tar shards, no table, and no folders of images; found {holds}. Name one of them with --from."
    )


def _may_be_table(file: Path) -> bool:
    with file.open(encoding="utf-8", errors="replace") as lines:
        return "," in lines.readline(1000)


def _folds(path: Path) -> list[Path]:
    """Return the folders named after folds, when there is a training fold among them."""
    folds = [folder for folder in _folders(path) if fold_of(folder.name)]
    return folds if any(fold_of(folder.name) == "train" for folder in folds) else []


def _fold_words(path: Path) -> str | None:
    return ", ".join(folder.name for folder in _folds(path)) or None if len(_folds(path)) > 1 else None


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith((".", "__MACOSX")))


def _images_in(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for file in folder.rglob("*"):
        if is_image_file(file):
            yield file
