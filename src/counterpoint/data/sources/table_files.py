"""The files of a folder of tables, Hugging Face layouts included, and the fold of each file."""

from collections.abc import Sequence
from os.path import isdir
from pathlib import Path

from counterpoint.data.sources.paths import files_of
from counterpoint.errors import SourceError
from counterpoint.files import is_pattern, pattern_of
from counterpoint.formats.fold_names import fold_of, folds_of_files
from counterpoint.formats.hidden import is_hidden
from counterpoint.formats.tables import FORMATS

INFO = ("dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json")
"""Files of facts that Hugging Face writes next to the tables of a data set."""
INNER = ("data", "default")
"""Folders that hold the tables of a data set, in addition to folders named after folds."""


def tables_of(path: Path) -> list[Path]:
    """Return the tables at *path*: itself, the tables of a folder, or the matches of a pattern.

    The tables of a folder may also stand in its ``data/`` or in folders named after folds.

    Raises
    ------
    SourceError
        When there is no table.
    """
    try:
        found = files_of(path, FORMATS.keys(), what="table")
    except SourceError:
        found = []
    tables = [file for file in found if file.name not in INFO or file == path.expanduser().absolute()]
    is_folder = isdir(path.expanduser())  # noqa: PTH112 - Path.is_dir raises on a name that is too long
    tables = tables or (_inner(path.expanduser().absolute()) if is_folder else [])
    return tables or found or files_of(path, FORMATS.keys(), what="table")


def _inner(path: Path) -> list[Path]:
    """Return the tables in the folders of *path* that hold a data set or a fold."""
    found = []
    for entry in sorted(path.iterdir()):
        if entry.is_dir() and not is_hidden(entry.name) and (entry.name.lower() in INNER or fold_of(entry.name)):
            tables = [file for file in sorted(entry.iterdir()) if file.suffix.lower() in FORMATS and file.is_file()]
            found += [file for file in tables if not is_hidden(file.name)] + _inner(entry)
    return found


def folds_of_tables(files: Sequence[Path], path: Path) -> dict[Path, str]:
    """Return the fold of each of several *files* of *path*, when the names of all files contain one."""
    if len(files) < 2:
        return {}
    path = path.expanduser().absolute()
    root = pattern_of(path)[0] if is_pattern(path) else path
    return {Path(file): fold for file, fold in folds_of_files(files, root).items()}
