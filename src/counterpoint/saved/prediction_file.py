"""The file of predictions: parts that are kept when the command is killed, and at the end one whole file."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from counterpoint.artifacts import read_sealed, replacing, write_parquet, write_sealed
from counterpoint.errors import ConfigError, RunFolderError, did_you_mean
from counterpoint.files import read_parquet
from counterpoint.schema import Frame

_PART = re.compile(r"\d{6}\.parquet|key\.json")


class PredictionFile:
    """A file that is written in parts.

    Parameters
    ----------
    path
        *path* is the file: Parquet, CSV or JSON lines, by its ending.
    key
        *key* is the hash of everything that the predictions depend on.  Parts with another key are made again.

    Raises
    ------
    ConfigError
        When the ending is not allowed.
    RunFolderError
        When *path* exists already.
    """

    def __init__(self, path: Path, key: str) -> None:
        check_ending(path)
        if path.exists():
            raise RunFolderError(f"{path} exists already. Name another file with --out, or delete it.")
        self.path, self._parts = path, path.with_name(f".{path.name}.parts")
        record = read_sealed(self._parts / "key.json", {"key": str})
        self.is_continued = record is not None and record["key"] == key
        self.is_another = record is not None and record["key"] != key
        """Whether there are parts of other rows or of another model, which are removed."""
        self._check_own()
        if not self.is_continued:
            shutil.rmtree(self._parts, ignore_errors=True)
            write_sealed(self._parts / "key.json", {"key": key})

    def _check_own(self) -> None:
        names = [path.name for path in self._parts.glob("*")] if self._parts.is_dir() else []
        foreign = [name for name in names if not name.startswith(".") and not _PART.fullmatch(name)]
        if foreign:
            raise RunFolderError(f"{self._parts} has the file {foreign[0]}, which is no part. Name another --out.")

    def has(self, number: int, n_rows: int) -> bool:
        """Return whether part *number* was written before, with *n_rows* rows."""
        try:
            return len(read_parquet(self._path(number), ["row"])) == n_rows
        except (OSError, pl.exceptions.PolarsError):
            return False

    def write(self, number: int, predictions: Frame) -> None:
        """Write part *number*, whole or not at all."""
        write_parquet(self._path(number), predictions)

    def finish(self, n_parts: int) -> None:
        """Write the whole file from its parts, and remove them."""
        with replacing(self.path) as temporary:
            WRITERS[self.path.suffix.lower()](temporary, (read_parquet(self._path(n)) for n in range(n_parts)))
        shutil.rmtree(self._parts, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._parts / f"{number:06d}.parquet"


def check_ending(path: Path) -> None:
    """Raise ConfigError unless a file of predictions may have the ending of *path*.

    >>> check_ending(Path("a.parquet"))
    """
    ending = path.suffix.lower()
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
