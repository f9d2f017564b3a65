"""The run folder: tables that are kept or made, and a record of each stage.

The record has the key of all inputs of the stage, and a digest of each file.  A table is read only if both are right.
Anything else in a run folder is made again.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl

from counterpoint.artifacts import are_true, digests, key_of, read_sealed, remove, write_parquet, write_sealed
from counterpoint.errors import RunFolderError
from counterpoint.files import read_parquet
from counterpoint.runs.places import stage_record, table_path
from counterpoint.schema import Frame

_OWNER = {"study": str, "file": str | None, "kind": str, "source": str}
_STAGE = {"key": str, "tables": list, "images": int, "root": str, "files": dict, "took_s": int | float}


class RunFolder:
    """One study's folder: ``tables/`` with its records, and the places of everything else.

    The first stage that is made in it claims it for the study.  Until then it belongs to no study.

    Parameters
    ----------
    root
        *root* is the folder.
    study
        *study* is the study's name.
    source
        *source* is the section ``source`` of its settings.
    file
        *file* is the study file (default: none).

    Raises
    ------
    RunFolderError
        When the folder belongs to another study, or has files of other programs.

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

    def __init__(self, root: Path, *, study: str, source: Mapping[str, Any], file: Path | None = None) -> None:
        self.root = root
        self._nested_s = 0.0
        self._identity = {
            "study": study,
            "file": self._seen_from_here(file) if file else None,
            "kind": str(source.get("kind")),
            "source": key_of(str(source.get("kind")), self._seen_from_here(source.get("path"))),
        }
        self._check_owner()

    @property
    def images(self) -> Path:
        """The folder for images that a source makes."""
        return self.root / "images"

    def _seen_from_here(self, path: Any) -> str | None:
        """Return *path* relative to this folder, so that a project can be moved as a whole."""
        is_local = isinstance(path, str | Path) and "://" not in str(path)
        return os.path.relpath(path, self.root) if is_local else path and str(path)

    def _check_owner(self) -> None:
        found = read_sealed(self.root / "run.json", _OWNER)
        if found is None and not self.holds_stages("*") and self._holds_anything():
            raise RunFolderError(
                f"{self.root} is not a run folder and not empty. Name another with --runs DIR, or delete it."
            )
        if found is not None and self._is_of_another(found):
            file = f" ({os.path.normpath(self.root / found['file'])})" if found["file"] else ""
            raise RunFolderError(
                f"{self.root} holds study {found['study']!r}{file} of another source ({found['kind']}). Give this "
                f"study another name, name another folder with --runs DIR, or delete {self.root}."
            )

    def _is_of_another(self, found: Mapping[str, Any]) -> bool:
        """Return whether both the study file and the source differ.  If only one changes, it is the same study."""
        own = self._identity
        is_its_file = own["file"] is not None and own["file"] == found["file"]
        return found["study"] != own["study"] or not (is_its_file or own["source"] == found["source"])

    def _holds_anything(self) -> bool:
        try:
            return any(self.root.iterdir())
        except FileNotFoundError:
            return False
        except OSError as error:
            raise RunFolderError(f"Cannot read {self.root}: {error.strerror}.") from error

    @contextmanager
    def _claimed(self) -> Iterator[None]:
        """Record the owner of this folder, and remove the record if the first stage in it fails."""
        is_new = not self._holds_anything()
        if read_sealed(self.root / "run.json") != self._identity:
            write_sealed(self.root / "run.json", self._identity)
        try:
            yield
        except BaseException:
            if is_new:
                self._take_back()
            raise

    def _take_back(self) -> None:
        with suppress(OSError):
            folders = [path for path in self.root.iterdir() if path.name != "run.json"]
            for folder in folders:
                folder.rmdir()  # fails when something is in it: then the claim stays
            (self.root / "run.json").unlink()
            self.root.rmdir()

    def path(self, table: str) -> Path:
        """Return the path of *table*."""
        return table_path(self.root, table)

    def holds_stages(self, *stages: str) -> bool:
        """Return whether one of *stages* was ever finished here.  "*" stands for any stage."""
        records = (stage_record(self.root, stage) for stage in stages)
        return any(any(record.parent.glob(record.name)) for record in records)

    def has(self, stage: str, key: str) -> bool:
        """Return whether *stage* was finished with *key*."""
        return self.kept(stage, key) is not None

    def kept(self, stage: str, key: str) -> dict[str, Frame] | None:
        """Return the tables of *stage* when it was finished with *key* and nothing of it has changed, else None."""
        record = read_sealed(stage_record(self.root, stage), _STAGE)
        if record is None or record["key"] != key or not are_true(self.root, record["files"]):
            return None
        if record["images"] and record["root"] != str(self.root.absolute()):
            return None  # tables refer to images by their whole paths
        try:
            return {name: read_parquet(self.path(name)) for name in record["tables"]}
        except (OSError, pl.exceptions.PolarsError):
            return None

    def keep_or_make(
        self, stage: str, key: str, make: Callable[[], Mapping[str, Frame]], *, makes_images: bool = False
    ) -> dict[str, Frame]:
        """Return the tables of *stage*: read if it was finished with *key*, else made, written and recorded.

        Parameters
        ----------
        stage
            *stage* is the name of the stage.
        key
            *key* is the hash of all inputs of the stage.
        make
            *make* returns the tables by name.
        makes_images
            *makes_images* is True for a stage that also writes to `images`.  It is made again if these files changed.

        Raises
        ------
        RunFolderError
            When the folder cannot be written.
        """
        kept = self.kept(stage, key)
        if kept is not None:
            return kept
        started, outer_s = time.perf_counter(), self._nested_s
        self._nested_s = 0.0
        with self._claimed():
            remove(stage_record(self.root, stage))
            tables = dict(make())
            for name, frame in tables.items():
                write_parquet(self.path(name), frame)
        images = [path for path in self.images.rglob("*") if path.is_file()] if makes_images else []
        elapsed_s = time.perf_counter() - started
        record = {
            "key": key,
            "tables": list(tables),
            "images": len(images),
            "root": str(self.root.absolute()),
            "files": digests(self.root, [*map(self.path, tables), *images]),
            # Making a stage may make others first. Their time is not counted here.
            "took_s": round(elapsed_s - self._nested_s, 3),
        }
        write_sealed(stage_record(self.root, stage), record)
        self._nested_s = outer_s + elapsed_s
        return tables

    def took_s(self) -> dict[str, float]:
        """Return the time that each stage took when it was made, in seconds."""
        every = stage_record(self.root, "*")
        found = {path: read_sealed(path, _STAGE) for path in sorted(every.parent.glob(every.name))}
        return {path.stem.removeprefix("."): record["took_s"] for path, record in found.items() if record is not None}
