"""The file of predictions: a part for each batch, kept when the command is killed, and at the end one whole file."""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import polars as pl
import pyarrow.parquet as pq

from counterpoint.artifacts import (
    check_replaceable,
    read_sealed,
    remove,
    replacing,
    why_not_written,
    write_parquet,
    write_sealed,
)
from counterpoint.errors import ConfigError, RunFolderError, did_you_mean
from counterpoint.files import read_parquet
from counterpoint.formats.tables import is_text
from counterpoint.saved.new_rows import Batch
from counterpoint.schema import Frame

KEY, LOCK = "key.json", "lock"
_PART = re.compile(r"\d{6}(?:\.[0-9a-f]+)?\.parquet")


class PredictionFile:
    """A file that is written in parts.  `opened` makes one, which no other command can write meanwhile.

    Parameters
    ----------
    path
        *path* is the file: Parquet, CSV or JSON lines, by its ending.
    key
        *key* is the hash of everything that the predictions depend on.  Parts with another key are made again.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self._parts = path, _folder(path)
        record = read_sealed(self._parts / KEY, {"key": str})
        is_own = record is not None and record["key"] == key
        self.is_another = record is not None and not is_own and _has_parts(self._parts)
        """Whether there are parts of other rows or of another model, which are removed."""
        if not is_own:
            for part in self._parts.iterdir():
                if part.name != LOCK:
                    remove(part)
            write_sealed(self._parts / KEY, {"key": key})

    @classmethod
    @contextmanager
    def opened(cls, path: Path, key: str) -> Iterator[Self]:
        """Yield the file at *path* with the *key*.  Parts that were written stay until it is finished.

        At an error before the first part, no folder stays that was made for it.

        Raises
        ------
        ConfigError
            When the ending is not allowed.
        RunFolderError
            When *path* exists already, cannot be written, or is being written by another command.
        """
        check_new(path)
        with _folders_for(path):
            check_replaceable(path)
            _check_own(_folder(path))
            with _locked(_folder(path), path), _kept_with_parts(_folder(path)):
                yield cls(path, key)

    def has(self, batch: Batch) -> bool:
        """Return whether the predictions of *batch* were written before."""
        try:
            return len(read_parquet(self._path(batch.number, batch.stamp), ["row"])) == len(batch.rows)
        except (OSError, pl.exceptions.PolarsError):
            return False

    def write(self, batch: Batch, predictions: Frame) -> None:
        """Write the *predictions* of *batch*, whole or not at all."""
        write_parquet(self._path(batch.number, batch.stamp), predictions)

    def finish(self, stamps: Iterable[str]) -> None:
        """Write the whole file from its parts, whose *stamps* are in their order, and remove them."""
        parts = (read_parquet(self._path(number, stamp)) for number, stamp in enumerate(stamps))
        with replacing(self.path) as temporary:
            WRITERS[self.path.suffix.lower()](temporary, parts)
        shutil.rmtree(self._parts, ignore_errors=True)

    def _path(self, number: int, stamp: str) -> Path:
        return self._parts / f"{number:06d}.{stamp}.parquet"


def _folder(path: Path) -> Path:
    return path.with_name(f".{path.name}.parts")


@contextmanager
def _folders_for(path: Path) -> Iterator[None]:
    """Remove the folders that are made for *path* meanwhile, if they are empty after an error."""
    missing = [folder for folder in path.parents if not os.path.lexists(folder)]
    try:
        yield
    except BaseException:
        for folder in missing:  # the deepest one first
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def _kept_with_parts(folder: Path) -> Iterator[None]:
    """Remove the *folder* of the parts after an error, if it has none."""
    try:
        yield
    except BaseException:
        if not _has_parts(folder):
            with suppress(OSError):
                for name in (KEY, LOCK):
                    (folder / name).unlink(missing_ok=True)
                folder.rmdir()
        raise


def _has_parts(folder: Path) -> bool:
    return any(_PART.fullmatch(part.name) for part in folder.iterdir())


@contextmanager
def _locked(folder: Path, path: Path) -> Iterator[None]:
    """Make *folder*, and hold its lock.  The lock of a killed command is free."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise RunFolderError(why_not_written(folder, error)) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFolderError(
                f"{path} is being written by another command. Wait for it, or name another --out."
            ) from None
        except OSError:
            pass  # a file system without locks
        yield


def _check_own(folder: Path) -> None:
    names = [path.name for path in folder.glob("*")]
    own = (KEY, LOCK)
    foreign = [name for name in names if not (name.startswith(".") or name in own or _PART.fullmatch(name))]
    if foreign:
        raise RunFolderError(f"{folder} has the file {foreign[0]}, which is no part. Name another --out.")


def check_new(path: Path) -> None:
    """Raise unless *path* may become a file of predictions: by its ending, and because nothing is there.

    Raises
    ------
    ConfigError
        When the ending is not allowed.
    RunFolderError
        When something is there.
    """
    check_ending(path)
    if path.is_dir():
        raise RunFolderError(why_not_written(path, IsADirectoryError(errno.EISDIR, "")))
    if os.path.lexists(path):
        raise RunFolderError(f"{path} exists already. Name another file with --out, or delete it.")


def check_ending(path: Path) -> None:
    """Raise ConfigError unless a file of predictions may have the ending of *path*.

    >>> check_ending(Path("a.parquet"))
    """
    ending = path.suffix.lower()
    if not is_text(str(path)):
        raise ConfigError(f"--out {path} has a name that is not UTF-8. Choose another name.")
    if ending not in WRITERS:
        raise ConfigError(f"--out {path} has the ending {ending!r}.{did_you_mean(ending, WRITERS)}")


def _write_parquet(path: Path, parts: Iterator[Frame]) -> None:
    first = next(parts)
    with pq.ParquetWriter(path, first.to_arrow().schema) as writer:
        writer.write_table(first.to_arrow())
        for part in parts:
            writer.write_table(part.cast(first.schema).to_arrow())


def _write_csv(path: Path, parts: Iterator[Frame]) -> None:
    with path.open("wb") as file:
        for number, part in enumerate(parts):
            part.write_csv(file, include_header=number == 0)


def _write_json_lines(path: Path, parts: Iterator[Frame]) -> None:
    with path.open("wb") as file:
        for part in parts:
            part.write_ndjson(file)


WRITERS: dict[str, Callable[[Path, Iterator[pl.DataFrame]], None]] = {
    ".parquet": _write_parquet, ".csv": _write_csv, ".jsonl": _write_json_lines,
}  # fmt: skip
