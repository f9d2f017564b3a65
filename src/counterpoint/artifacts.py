"""Files that are written whole or not at all, with a digest that later shows any change."""

import errno
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from types import UnionType
from typing import Any

import polars as pl
from pydantic import BaseModel

from counterpoint.errors import RunFolderError, first_line
from counterpoint.files import digest_of, open_regular
from counterpoint.schema import Frame

_SEAL = "sha256"


def key_of(*parts: object) -> str:
    """Return a hash of *parts* (JSON-like, or sections of settings), the same on every machine.

    >>> key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    True
    """
    return sha256(json.dumps(parts, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def _plain(part: Any) -> Any:
    return part.model_dump(mode="json") if isinstance(part, BaseModel) else str(part)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of *path*; on leaving, flush it to disk and rename it to *path*.

    Temporary files of killed writers of *path* are removed.

    Raises
    ------
    RunFolderError
        When the disk is full, *path* is a folder, or its folder cannot be written.  *path* is then unchanged.
    """
    try:
        temporary = _temporary(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _in_use(temporary):
            yield temporary
            _flush(temporary)
            temporary.replace(path)
        _flush(path.parent)
        remove_abandoned(path.parent, path.name)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise RunFolderError(why_not_written(path, error)) from error


def check_replaceable(path: Path) -> None:
    """Raise RunFolderError where `replacing` cannot write a file at *path*.  Its folder is made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _in_use(_temporary(path)):
            pass
    except OSError as error:
        raise RunFolderError(why_not_written(path, error)) from error


def check_new_folder(path: Path, option: str) -> None:
    """Raise RunFolderError unless *path* is new or an empty folder.  *option* is the one that names it.

    >>> check_new_folder(Path("nowhere"), "--to")
    """
    try:
        if path.is_dir() and any(path.iterdir()):
            raise RunFolderError(f"{path} is not empty. Name a new folder with {option}.")
        if path.exists() and not path.is_dir():
            raise RunFolderError(f"{path} is a file. Name a new folder with {option}.")
    except OSError as error:
        raise RunFolderError(why_not_written(path, error)) from error


def _temporary(path: Path) -> Path:
    if path.is_dir():  # also "." and "/", which have no name
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}.tmp")


@contextmanager
def _in_use(path: Path) -> Iterator[None]:
    """Make the file *path*, hold a lock on it as long as it is in use, and remove it at the end."""
    with path.open("xb") as file:
        try:
            with suppress(OSError):  # a file system without locks: abandoned files stay there
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            path.unlink(missing_ok=True)


def remove_abandoned(folder: Path, name: str = "") -> None:
    """Remove the temporary files of killed writers in *folder*: all, or those of the file *name*."""
    start, names = f".{name}." if name else ".", list[str]()
    with suppress(OSError), os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(start) and entry.name.endswith(".tmp")]
    for temporary in (folder / each for each in names):
        with suppress(OSError), temporary.open("rb") as file:  # locked: its writer lives
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            temporary.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def why_not_written(path: Path | str, error: Exception) -> str:
    """Return one line: the reason why *path* could not be written, and advice if the disk is full.

    >>> why_not_written("a", OSError(errno.EACCES, ""))
    'Cannot write a: Permission denied.'
    >>> why_not_written("a", OSError(errno.EISDIR, ""))
    'Cannot write a: it is a folder. Name another file, or move the folder away.'
    """
    number = _number(error)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"No space left to write {path}. Finished work is kept. Make space and run the same command again."
    if number == errno.EISDIR:
        return f"Cannot write {path}: it is a folder. Name another file, or move the folder away."
    is_occupied = number in (errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY)
    advice = ". Choose another name, or move the file away" if is_occupied else ""
    return f"Cannot write {path}: {_words(error)}{advice}."


def why_not_read(path: Path | str, error: Exception) -> str:
    """Return one line: the reason why *path* could not be read.

    >>> why_not_read("a", OSError(errno.ENOTDIR, ""))
    'Cannot read a: Not a directory.'
    """
    return f"Cannot read {path}: {_words(error)}."


def _words(error: Exception) -> str:
    number = _number(error)
    return os.strerror(number) if number else " ".join(str(error).split()).rstrip(".")


def _number(error: Exception) -> int | None:
    inner = re.search(r"os error (\d+)", str(error))  # polars quotes the number of the system
    return int(inner[1]) if inner else getattr(error, "errno", None)


def write_json(path: Path, value: object) -> None:
    """Write *value* to *path* as JSON, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return the JSON at *path*, or None when there is none or it cannot be read."""
    try:
        with open_regular(path) as file:
            return json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None


def write_sealed(path: Path, record: Mapping[str, Any]) -> None:
    """Write *record* to *path* as JSON with a digest of itself and of the file's name, atomically."""
    write_json(path, {**record, _SEAL: _seal(path, record)})


def read_sealed(path: Path, form: Mapping[str, type | UnionType] | None = None) -> dict[str, Any] | None:
    """Return the record at *path*; None if there is none, or if it changed after `write_sealed` wrote it.

    A stranger can write a record with a right digest.  So *form* has the type that each value must have.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.json")
    ...     write_sealed(path, {"n": 1})
    ...     found = read_sealed(path)
    ...     _ = path.write_text(path.read_text().replace("1", "3", 1))
    ...     found, read_sealed(path)
    ({'n': 1}, None)
    """
    found = read_json(path)
    if not isinstance(found, dict):
        return None
    is_own = found.pop(_SEAL, None) == _seal(path, found)
    return found if is_own and all(isinstance(found.get(name), kind) for name, kind in (form or {}).items()) else None


def _seal(path: Path, record: Mapping[str, Any]) -> str:
    return sha256(json.dumps([path.name, record], sort_keys=True).encode()).hexdigest()


def digests(root: Path, paths: Iterable[Path]) -> dict[str, str]:
    """Return the sha256 of each file of *paths*, by its path relative to *root*.

    Raises
    ------
    RunFolderError
        When one cannot be read.
    """
    try:
        return {str(path.relative_to(root)): digest_of(path) for path in sorted(paths)}
    except OSError as error:
        raise RunFolderError(f"Cannot read {error.filename or root}: {first_line(error)}.") from error


def are_true(root: Path, found: Mapping[str, str]) -> bool:
    """Return whether each file below *root* still has the digest that `digests` found."""
    try:
        return all(digest_of(root / name) == digest for name, digest in found.items())
    except OSError:
        return False


def remove(path: Path) -> None:
    """Remove the file *path*, if it is there.

    Raises
    ------
    RunFolderError
        When it is a folder, or may not be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        path = path.parent if isinstance(error, NotADirectoryError) else path
        why = "it is a folder" if path.is_dir() else first_line(error)
        raise RunFolderError(f"Cannot remove {path}: {why}. Delete it and run the same command again.") from error


def write_parquet(path: Path, frame: Frame) -> None:
    """Write *frame* to *path* as Parquet, atomically."""
    with replacing(path) as temporary:
        frame.write_parquet(temporary)
