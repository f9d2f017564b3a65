"""Finished runs as archives of predictions, numbers and figures, without texts, photos and models.

``make study-2023`` runs everything.  ``write.py --kept`` starts from the runs in ``results/`` that have the version and
the settings of today, and keeps each further run there.  Scores and differences are then computed from the predictions.
"""

import json
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import polars as pl
import yaml

from counterpoint import __version__
from counterpoint.artifacts import key_of, read_json, replacing
from hosted.chain import NAME as CHAIN
from page.figures import SHOWN_FREELY

FOLDER = Path(__file__).parent / "results"
MARK = "kept.json"
"""The file of a run folder that came from an archive: the key of its settings."""
COLUMNS = {"predictions": None, "scores": None, "differences": None, "costs": None, "history": None,
           "pairs": ("id", "label", "fold"), "dropped": ("reason",)}  # fmt: skip
"""The tables that the page rests on, and the columns of them that are kept (None: all)."""
DOCUMENTS = ("sweep.json", CHAIN)
FIGURES = ("rows", "classes", "examples", "learning-", "layers-", "differences-", "curve")
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
        for name, data in _members(run, has_free_images=_kind(path) == SHOWN_FREELY):
            opened.writestr(name, data)
    return archive


def _kind(path: Path) -> str:
    """Return the kind of source of the study at *path*, or of the study that a sweep starts from."""
    *_, study = _settings(path)
    return str(study["source"]["kind"])


def _members(run: Path, *, has_free_images: bool) -> Iterator[tuple[str, bytes]]:
    for record in sorted(run.rglob("tables/.*.json")):
        made = {"tables": (read_json(record) or {}).get("tables", [])}  # and no folder of this machine
        yield str(record.relative_to(run)), json.dumps(made).encode()
    for name, columns in COLUMNS.items():
        for table in sorted(run.rglob(f"tables/{name}.parquet")):
            rows = pl.read_parquet(table)
            yield str(table.relative_to(run)), _parquet(rows.select(columns) if columns else rows)
    for figure in sorted(run.glob("figures/*")):
        has_images = figure.stem.startswith("examples") or b"<image" in figure.read_bytes()
        if figure.stem.startswith(FIGURES) and (has_free_images or not has_images):
            yield str(figure.relative_to(run)), figure.read_bytes()
    for name in DOCUMENTS:
        if (run / name).is_file():
            yield name, (run / name).read_bytes()


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


def commit_of(path: Path) -> str:
    """Return the last commit that changed the file or folder at *path*, or nothing where none did."""
    return git("log", "-1", "--format=%h", "--", str(path))


def git(*arguments: str) -> str:
    """Return what git prints in this folder, or nothing outside of a repository."""
    command, folder = ["git", *arguments], Path(__file__).parent
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else ""
