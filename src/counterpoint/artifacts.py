"""The run folder: tables that are kept or made, atomic writes, and the record of what made what.

A table counts as made only when its record (the key of what it was made from) was written after it.
"""

import errno
import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import polars as pl
from pydantic import BaseModel

from counterpoint.errors import RunFolderError
from counterpoint.files import read_parquet
from counterpoint.schema import Frame


def key_of(*parts: object) -> str:
    """Return a hash of *parts*, JSON-like or sections of settings; equal parts have equal keys on every machine.

    >>> key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    True
    """
    return sha256(json.dumps(parts, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def _plain(part: Any) -> Any:
    return part.model_dump(mode="json") if isinstance(part, BaseModel) else str(part)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside *path*; on leaving, flush it to disk and rename it to *path*.

    What killed writers of *path* left beside it is removed.

    Raises
    ------
    RunFolderError
        When the disk is full or the folder cannot be written; *path* is then as it was before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _in_use(temporary):
            yield temporary
            _flush(temporary)
            temporary.replace(path)
        _flush(path.parent)
        _remove_abandoned(path)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise RunFolderError(why_not_written(path, error)) from error


@contextmanager
def _in_use(path: Path) -> Iterator[None]:
    """Make the file *path*, hold a lock on it that tells it from an abandoned one, and remove it at the end."""
    with path.open("xb") as file:
        try:
            with suppress(OSError):  # a file system without locks: what is abandoned there stays
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            path.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(f".{path.name}.")]
    for temporary in (path.with_name(name) for name in names if name.endswith(".tmp")):
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
    """Return one line on why *path* could not be written, and what to do when the disk is full.

    >>> why_not_written("a", OSError(errno.EACCES, ""))
    'Cannot write a: Permission denied.'
    """
    inner = re.search(r"os error (\d+)", str(error))  # polars keeps the system's number in its words
    number = int(inner[1]) if inner else getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"No space left to write {path}; what was finished is kept: make space and run the same command again."
    return f"Cannot write {path}: {os.strerror(number) if number else ' '.join(str(error).split())}."


def write_json(path: Path, value: object) -> None:
    """Write *value* to *path* as JSON, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return the JSON at *path*, or None when there is none or it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


class RunFolder:
    """One study's folder: ``tables/`` with its records, and the places of everything else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as runs:
    ...     run = RunFolder(Path(runs) / "a", study="a", source={"kind": "emoji"})
    ...     made = run.keep_or_make("numbers", "key", lambda: {"numbers": pl.DataFrame({"n": [1]})})
    ...     kept = run.keep_or_make("numbers", "key", lambda: 1 / 0)
    >>> kept["numbers"]["n"].to_list()
    [1]
    """

    def __init__(self, root: Path, *, study: str, source: Mapping[str, Any]) -> None:
        self.root = root
        self._nested_s = 0.0
        self._claim({"study": study, "source": key_of(dict(source)), "kind": source.get("kind")})

    @property
    def images(self) -> Path:
        """Where a source puts the images that it makes."""
        return self.root / "images"

    def _claim(self, identity: dict[str, Any]) -> None:
        found = read_json(self.root / "run.json")
        if found is None and self.root.exists() and any(self.root.iterdir()):
            raise RunFolderError(f"{self.root} is not a run folder and not empty; name another with --runs DIR.")
        if found is None:
            write_json(self.root / "run.json", identity)
        elif found != identity:
            raise RunFolderError(
                f"{self.root} holds study {found.get('study')!r} of another source ({found.get('kind')}); "
                "give this study another name, or another folder with --runs DIR."
            )

    def path(self, table: str) -> Path:
        """Return where *table* is, or will be."""
        return self.root / "tables" / f"{table}.parquet"

    def has(self, stage: str, key: str) -> bool:
        """Say whether *stage* was finished with *key*."""
        return self.kept(stage, key) is not None

    def kept(self, stage: str, key: str) -> dict[str, Frame] | None:
        """Return the tables of *stage* when it was finished with *key*, else None."""
        record = read_json(self._record(stage))
        if record is None or record["key"] != key:
            return None
        paths = {table: self.path(table) for table in record["tables"]}
        if any(not path.exists() or path.stat().st_size != record["tables"][name] for name, path in paths.items()):
            return None
        return {name: read_parquet(path) for name, path in paths.items()}

    def keep_or_make(self, stage: str, key: str, make: Callable[[], Mapping[str, Frame]]) -> dict[str, Frame]:
        """Return the tables of *stage*: read when it was finished with *key*, else made, written and recorded."""
        kept = self.kept(stage, key)
        if kept is not None:
            return kept
        started, outer_s = time.perf_counter(), self._nested_s
        self._nested_s = 0.0
        self._record(stage).unlink(missing_ok=True)
        tables = dict(make())
        for name, frame in tables.items():
            write_parquet(self.path(name), frame)
        sizes = {name: self.path(name).stat().st_size for name in tables}
        elapsed_s = time.perf_counter() - started
        # Making a stage may make others first: their time is theirs.
        write_json(self._record(stage), {"key": key, "tables": sizes, "took_s": round(elapsed_s - self._nested_s, 3)})
        self._nested_s = outer_s + elapsed_s
        return tables

    def took_s(self) -> dict[str, float]:
        """Return how long each stage took when it was made, in seconds."""
        records = sorted((self.root / "tables").glob(".*.json"))
        return {path.stem.removeprefix("."): read_json(path)["took_s"] for path in records}

    def _record(self, stage: str) -> Path:
        return self.root / "tables" / f".{stage}.json"


def write_parquet(path: Path, frame: Frame) -> None:
    """Write *frame* to *path* as Parquet, atomically."""
    with replacing(path) as temporary:
        frame.write_parquet(temporary)
