"""Finished runs as archives of numbers and figures, without texts, images and models, to go on on another machine.

``make study-2023`` runs everything.  ``write.py --kept`` starts from the runs in ``results/`` that have the version and
the settings of today, and keeps each further run there.
"""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import polars as pl
import yaml

from counterpoint import __version__
from counterpoint.artifacts import key_of, read_json, replacing

FOLDER = Path(__file__).parent / "results"
MARK = "kept.json"
"""The file of a run folder that came from an archive: the key of its settings."""
COLUMNS = {"scores": None, "differences": None, "costs": None, "history": None, "pairs": ("id", "label", "fold"),
           "dropped": ("reason",)}  # fmt: skip
"""The tables that the page reads, and the columns of them that are kept (None: all)."""
FIGURES = ("rows", "classes", "learning-", "layers-", "differences-", "curve")
"""The beginnings of the names of the figures that the page shows."""


def key(path: Path) -> str:
    """Return the key of the study or sweep of the file at *path*: another version or setting gives another."""
    return key_of(__version__, *_settings(path))


def _settings(path: Path) -> Iterator[Any]:
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    yield values
    if "sweep" in values:
        yield from _settings(path.parent / values["study"])


def keep(run: Path, path: Path, folder: Path = FOLDER) -> Path:
    """Write the numbers and figures of the run folder *run* into an archive, and return its path.

    Parameters
    ----------
    run, path
        *run* is the run folder of the study or sweep of the file at *path*.
    folder
        *folder* is the folder of the archives.
    """
    archive = folder / f"{run.name}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(archive) as draft, ZipFile(draft, "w", ZIP_DEFLATED) as opened:
        opened.writestr(MARK, json.dumps({"key": key(path)}))
        for name, data in _members(run):
            opened.writestr(name, data)
    return archive


def _members(run: Path) -> Iterator[tuple[str, bytes]]:
    for record in sorted(run.rglob("tables/.*.json")):
        yield str(record.relative_to(run)), record.read_bytes()
    for name, columns in COLUMNS.items():
        for table in sorted(run.rglob(f"tables/{name}.parquet")):
            rows = pl.read_parquet(table)
            yield str(table.relative_to(run)), _parquet(rows.select(columns) if columns else rows)
    for figure in sorted(run.glob("figures/*")):
        if figure.stem.startswith(FIGURES) and b"<image" not in figure.read_bytes():
            yield str(figure.relative_to(run)), figure.read_bytes()
    if (run / "sweep.json").is_file():
        yield "sweep.json", (run / "sweep.json").read_bytes()


def _parquet(rows: pl.DataFrame) -> bytes:
    written = BytesIO()
    rows.write_parquet(written)
    return written.getvalue()


def restore(path: Path, run: Path, folder: Path = FOLDER) -> bool:
    """Extract the archive of the file at *path* into the run folder *run*, and report whether it did.

    It does not where there is a run folder, or no archive of this version and these settings.

    Parameters
    ----------
    path, run
        *path* is the file of a study or sweep, and *run* its run folder.
    folder
        *folder* is the folder of the archives.
    """
    try:
        with ZipFile(folder / f"{run.name}.zip") as archive:
            is_wanted = not run.exists() and json.loads(archive.read(MARK))["key"] == key(path)
            if is_wanted:
                archive.extractall(run)
            return is_wanted
    except (FileNotFoundError, BadZipFile):
        return False


def is_restored(path: Path, run: Path) -> bool:
    """Report whether the run folder *run* came from an archive of the file at *path* as it is today."""
    mark = read_json(run / MARK)
    return mark is not None and mark["key"] == key(path)
