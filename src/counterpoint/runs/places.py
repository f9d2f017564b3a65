"""Where the files of a run folder are.  Reads and writes nothing."""

from pathlib import Path

PAGE, RESULTS = "report.html", "results.json"
ENCODINGS = ".encodings"
"""The folder, next to run folders, of the texts and images that were encoded for any study."""


def table_path(root: Path, table: str) -> Path:
    """Return the path of a table in the run folder *root*.

    >>> table_path(Path("runs/demo"), "pairs").as_posix()
    'runs/demo/tables/pairs.parquet'
    """
    return root / "tables" / f"{table}.parquet"


def stage_record(root: Path, stage: str) -> Path:
    """Return the path of the record of a stage.

    >>> stage_record(Path("runs/demo"), "fits").as_posix()
    'runs/demo/tables/.fits.json'
    """
    return root / "tables" / f".{stage}.json"


def fits_folder(root: Path) -> Path:
    """Return the folder with a folder for each fit.

    >>> fits_folder(Path("runs/demo")).as_posix()
    'runs/demo/fits'
    """
    return root / "fits"


def cache_folder(root: Path, key: str) -> Path:
    """Return the folder of the resized pixels of the records with *key*.

    >>> cache_folder(Path("runs/demo"), "5f3a").as_posix()
    'runs/demo/cache/5f3a'
    """
    return root / "cache" / key
