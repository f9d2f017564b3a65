"""The layout of a table, of tar shards or of a folder, and the settings that read it."""

from collections.abc import Callable
from pathlib import Path

from counterpoint.artifacts import read_json
from counterpoint.data.infer.image_folders import (
    folders_in,
    folders_of_folds,
    images_in,
    infer_class_folders,
    infer_imagefolder,
    infer_study2023,
)
from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.infer.joins import infer_joined_tables
from counterpoint.data.infer.tables import infer_tables, tables_in
from counterpoint.data.infer.tars import infer_tars
from counterpoint.data.sources.messages import some
from counterpoint.data.sources.paths import existing
from counterpoint.data.sources.pixels import ENDING, is_pixels
from counterpoint.data.sources.table_files import tables_of
from counterpoint.errors import SourceError
from counterpoint.formats.fold_names import folds_of_files
from counterpoint.formats.tables import FORMATS, open_table
from counterpoint.runs.places import table_path

TABLES_BELOW = ("data", "tables", "annotations", "metadata")
"""Folders whose tables are read when the folder itself has none."""


def infer_source(path: Path) -> InferredSource:
    """Return the settings that fit the input at *path*.

    Raises
    ------
    SourceError
        When nothing at *path* can be read by a source: one line with the files found and the files needed.
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
        return infer_tars([path], path)
    if path.suffix.lower() in FORMATS:
        return _pixels(path) or infer_tables([path], path)
    raise SourceError(f"{path} is no table or tar that can be read. Allowed: {', '.join(sorted((*FORMATS, '.tar')))}.")


def _acquisition(path: Path) -> InferredSource | None:
    """Return the settings for the output of `counterpoint acquire`, with the labels of its plan."""
    if not (path / "plan.json").is_file():
        return None
    plan = read_json(path / "plan.json")
    labels_of = plan.get("labels", {}) if isinstance(plan, dict) else {}
    found = InferredSource({"kind": "acquired", "path": path}, is_labelled=bool(labels_of))
    if labels_of:
        found.notes["path"] = f"labelled {', '.join(labels_of)}"
    return found


def _run_folder(path: Path) -> InferredSource | None:
    """Return the settings for the pairs in the run folder of a study."""
    pairs = table_path(path, "pairs")
    return infer_tables([pairs], pairs) if pairs.is_file() else None


def _tars(path: Path) -> InferredSource | None:
    for pattern in ("*.tar", "*/*.tar"):
        files = sorted(file for file in path.glob(pattern) if not file.name.startswith("."))
        if files:
            return infer_tars(files, path if pattern == "*.tar" else path / pattern)
    return None


def _pixels(path: Path) -> InferredSource | None:
    """Return the settings for tables of pixels, as `counterpoint export-pairs` writes them.  One table has no folds."""
    is_table = path.is_file() and path.suffix.lower() == ".csv"
    files = [path] if is_table else [*path.glob(f"fold-*/test{ENDING}"), *path.glob(f"train{ENDING}")]
    # pairs.csv of an export stands next to the images themselves, which are better.
    is_next_to_images = is_table and (path.parent / "images").is_dir()
    if not files or is_next_to_images or not is_pixels(open_table(files[0]).columns):
        return None
    found = InferredSource({"kind": "pixels", "path": path}, is_labelled=True)
    folds = ", ".join(sorted(file.parent.name for file in files)) if len(files) > 1 else "train, validation, test"
    found.split = None if is_table else folds
    return found


def _tables(path: Path) -> InferredSource | None:
    """Return the settings for the tables of a folder: one, several of the same columns, or two to join."""
    for folder in _places_of_tables(path):
        files = _readable(tables_in(folder))
        if not files:
            continue
        kinds = {frozenset(open_table(file).columns) for file in files}
        if len(kinds) > 1:
            return infer_joined_tables(files)
        found = infer_tables(files, files[0] if len(files) == 1 else folder)
        folds = folds_of_files(files, folder)
        found.split = found.split or (", ".join(dict.fromkeys(folds.values())) if len(files) > 1 and folds else None)
        return found
    return None


def _places_of_tables(path: Path) -> list[Path]:
    return [path, *(path / name for name in TABLES_BELOW if (path / name).is_dir())]


def tables_to_predict(path: Path) -> tuple[Path, list[Path]]:
    """Return the place and the files of the tables of a folder, or no files where it has another layout.

    A source of tables reads all of them at that place, which is the only file or a folder.

    Raises
    ------
    SourceError
        When the tables differ in their columns, or another file stands among several tables.
    """
    pairs = table_path(path, "pairs")
    if pairs.is_file():
        return pairs, [pairs]
    if any(layout(path) for layout in LAYOUTS if layout not in (_run_folder, _tables, _only_folder)):
        return path, []
    for folder in _places_of_tables(path):
        files = _readable(tables_in(folder))
        if files:
            return files[0] if len(files) == 1 else folder, _of_same_columns(folder, files)
    folders = folders_in(path)
    if len(folders) == 1 and _has_more_than_images(folders[0]):
        return tables_to_predict(folders[0])
    return path, []


def _of_same_columns(folder: Path, files: list[Path]) -> list[Path]:
    first, *others = (set(open_table(file).columns) for file in files)
    unlike = next((place for place, columns in enumerate(others, 1) if columns != first), None)
    if unlike is not None:
        differing = some(sorted(first ^ others[unlike - 1]))
        raise SourceError(
            f"The tables in {folder} differ in their columns: {files[0].name} and {files[unlike].name} "
            f"do not both have {differing}. Name one table instead of the folder."
        )
    strange = sorted({*tables_of(folder)} - {*files}) if others else []
    if strange:
        raise SourceError(
            f"{strange[0]} stands among tables and is none of them. Name one table instead of the folder."
        )
    return files


def _readable(files: list[Path]) -> list[Path]:
    """Return the tables among *files*.  A JSON file of settings is none.

    Raises
    ------
    SourceError
        When there are files, and none is a table.
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
    """Return the settings for the only folder inside a folder, as in many archives."""
    folders = folders_in(path)
    return infer_source(folders[0]) if len(folders) == 1 and _has_more_than_images(folders[0]) else None


def _has_more_than_images(path: Path) -> bool:
    return any(each.is_dir() or each.suffix.lower() in (*FORMATS, ".tar") for each in path.iterdir())


LAYOUTS: tuple[Callable[[Path], InferredSource | None], ...] = (
    _acquisition, _run_folder, _tars, infer_imagefolder, _pixels, infer_study2023, infer_class_folders, _tables,
    _only_folder,
)  # fmt: skip
"""The layouts in the order in which they are tried.  The first that fits counts."""


def _nothing_in(path: Path) -> str:
    holds = some(sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(".")))
    parts = folders_of_folds(path) or [path]
    pictured = [folder.name for part in parts for folder in folders_in(part) if any(images_in(folder))]
    if pictured or any(images_in(path)):
        texts_in = [file.name for file in sorted(path.glob("*.txt")) if _may_be_table(file)]
        hint = f" If {texts_in[0]} is a table, call it {Path(texts_in[0]).stem}.csv." if texts_in else ""
        where = f"in {some(pictured, 4)}" if pictured else "in it"
        return (
            f"{path} holds images {where}, but no texts: put x.txt next to each x.jpg, or a table with a column of "
            f"image paths and one of texts.{hint}"
        )
    return (
        f"{path} holds no tar shards, no table, and no folders of images. Found {holds}. Name one of them with --from."
    )


def _may_be_table(file: Path) -> bool:
    with file.open(encoding="utf-8", errors="replace") as lines:
        return "," in lines.readline(1000)
