"""The folder from which the paths of an image column lead to files, when they do not from the given folder.

A bounded number of folders is listed, for a bounded time.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import monotonic

import polars as pl

from counterpoint.errors import name_in_quotes
from counterpoint.formats.image_paths import ImagePaths

TRIED_NAMES, MAX_FOLDERS, MAX_DEPTH, LIMIT_S = 50, 200, 3, 2.0
OF_IMAGES = ("image", "img", "photo", "foto", "picture", "pic", "bild", "media")
"""First letters of the names of sibling folders that are searched too."""


def roots_of(names: Sequence[str], root: Path) -> list[Path]:
    """Return the folders below *root*, else one level above it, from which most of *names* lead to files.

    Several folders have equally many files.  The list is empty where no folder has more than half of the names.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "photos").mkdir()
    ...     Path(folder, "photos", "1.jpg").touch()
    ...     [path.name for path in roots_of(["1.jpg"], Path(folder))]
    ['photos']
    """
    until = monotonic() + LIMIT_S
    tried = pl.Series(list(dict.fromkeys(names))[:TRIED_NAMES], dtype=pl.String)
    return _best(_folders_below(root), tried, until) or _best(_sibling_folders(root), tried, until)


def _best(folders: Iterator[Path], tried: pl.Series, until: float) -> list[Path]:
    n_found: dict[Path, int] = {}
    for folder in islice(folders, MAX_FOLDERS):
        if monotonic() > until:
            break
        paths = ImagePaths(folder, lambda: [tried])
        paths.find(tried)
        n_found[folder] = paths.n_found
    most = max(n_found.values(), default=0)
    return [folder for folder, n in n_found.items() if n == most] if 2 * most > len(tried) else []


def _folders_below(root: Path) -> Iterator[Path]:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [below for folder in level for below in _below(folder)]
        yield from level


def _sibling_folders(root: Path) -> Iterator[Path]:
    if root.parent != root:
        yield root.parent
        yield from (each for each in _below(root.parent) if each != root and each.name.lower().startswith(OF_IMAGES))


def _below(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


def no_file(where: str, name: str, tried: str, roots: Sequence[Path]) -> str:
    """Return the message for an image column without a name that leads to a file.

    Parameters
    ----------
    where
        *where* names the table and its column.
    name
        *name* is the first name of the column.
    tried
        *tried* is the path at which its file was expected.
    roots
        *roots* are folders from which most names lead to files (`roots_of`).

    Examples
    --------
    >>> no_file("a.csv: image column 'file'", "1.jpg", "/d/1.jpg", [Path("/d/photos")])
    "a.csv: image column 'file' names no file: '1.jpg' is not at /d/1.jpg. Its files are below /d/photos: set root to
    that folder."
    """
    message = f"{where} names no file: {name_in_quotes(name)} is not at {tried}."
    if len(roots) == 1:
        return f"{message} Its files are below {roots[0]}: set root to that folder."
    if roots:
        return f"{message} They may be below {' or '.join(map(str, roots[:3]))}: set root to one of these."
    return message
