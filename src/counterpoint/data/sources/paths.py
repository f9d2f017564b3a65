"""Checks of the paths of sources: an existing file or folder, and the files of a folder or a pattern."""

from collections.abc import Collection
from difflib import get_close_matches
from os import R_OK, access
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from counterpoint.data.sources.messages import some
from counterpoint.errors import SourceError, did_you_mean
from counterpoint.files import is_pattern, is_pseudo, pattern_of
from counterpoint.formats.tables import check_name


def existing(path: Path, *, what: str) -> Path:
    """Return *path* as an absolute path.

    Raises
    ------
    SourceError
        When *path* does not exist or may not be read.  The message names *what* was wanted and the nearest name in
        the same folder.  And where its name is not UTF-8.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "captions.csv").touch()
    ...     try:
    ...         existing(Path(folder, "caption.csv"), what="table")
    ...     except SourceError as error:
    ...         print(str(error).replace(folder, "data"))
    No table data/caption.csv. Did you mean 'captions.csv'?
    """
    path = path.expanduser().absolute()
    check_name(path)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise SourceError(f"No {what} {path}.{_nearest(path)}") from None
    except OSError as error:
        raise SourceError(f"Cannot read {what} {path}: {error.strerror}.") from error
    if not access(path, R_OK):
        raise SourceError(f"Cannot read {what} {path}: permission denied.")
    if is_pseudo(found) or not (S_ISREG(found.st_mode) or S_ISDIR(found.st_mode)):
        raise SourceError(f"Cannot read {what} {path}: neither a regular file nor a folder.")
    return path


def _nearest(path: Path) -> str:
    """Return a hint: the nearest name in the last folder of the path that exists."""
    parent = next(folder for folder in path.parents if folder.exists())
    wrong = path.relative_to(parent).parts[0]
    if not parent.is_dir():
        return f" {parent} is a file, not a folder."
    if not access(parent, R_OK):
        return f" {parent} may not be read."
    names = sorted(entry.name for entry in parent.iterdir() if not entry.name.startswith("."))
    if get_close_matches(wrong, names, n=1):
        return did_you_mean(wrong, names)
    return f" {parent} holds {some(names)}."


def files_of(path: Path, suffixes: Collection[str], *, what: str) -> list[Path]:
    """Return the files of *path*, sorted: itself, the files of a folder, or the matches of a glob.

    Parameters
    ----------
    path
        *path* is a file, a folder or a glob pattern.
    suffixes
        *suffixes* are the allowed endings in small letters, with their dots.
    what
        *what* is the noun for such a file in an error.

    Raises
    ------
    SourceError
        When no file has one of these *suffixes*, or a file has a name that is not UTF-8.
    """
    path = path.expanduser().absolute()
    if is_pattern(path):
        folder, pattern = pattern_of(path)
        where = existing(folder, what="folder")
        found = sorted(file for file in where.glob(pattern) if _fits(file, suffixes))
    else:
        where = existing(path, what=what)
        found = [where] if where.is_file() else sorted(file for file in where.iterdir() if _fits(file, suffixes))
    if not found or found[0].suffix.lower() not in suffixes:
        names = sorted(file.name for file in where.iterdir()) if where.is_dir() else [where.name]
        raise SourceError(f"No {what} at {path}: needs {', '.join(sorted(suffixes))}. Found {some(names)}.")
    for file in found:
        check_name(file)
    return found


def _fits(file: Path, suffixes: Collection[str]) -> bool:
    return file.is_file() and file.suffix.lower() in suffixes and not file.name.startswith(".")
