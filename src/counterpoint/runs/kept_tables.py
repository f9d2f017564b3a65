"""Tables of a finished run folder that may come from a stranger: read only if they are unchanged."""

from pathlib import Path

import polars as pl

from counterpoint.artifacts import are_true, read_sealed
from counterpoint.errors import RunFolderError
from counterpoint.files import read_parquet
from counterpoint.runs.finished import AGAIN
from counterpoint.runs.places import stage_record, table_path
from counterpoint.schema import Frame

_STAGE = {"key": str, "files": dict}


def stage_key(root: Path, stage: str) -> str | None:
    """Return the key with which *stage* was made in folder *root*, or None without a record of it.

    >>> stage_key(Path("nowhere"), "pairs") is None
    True
    """
    record = read_sealed(stage_record(root, stage), _STAGE)
    return None if record is None else record["key"]


def read_kept_table(root: Path, stage: str, table: str) -> Frame:
    """Return one table that *stage* made.

    Parameters
    ----------
    root
        *root* is the run folder.
    stage
        *stage* is the name of the stage, such as "fits".
    table
        *table* is the name of the table, such as "predictions".

    Raises
    ------
    RunFolderError
        When the table or the record of the stage is missing or damaged.
    """
    record, name = read_sealed(stage_record(root, stage), _STAGE), table_path(Path(), table).as_posix()
    digest = None if record is None else record["files"].get(name)
    if not isinstance(digest, str) or not are_true(root, {name: digest}):
        raise RunFolderError(f"{root / name} is damaged or missing. {AGAIN}.")
    try:
        return read_parquet(root / name)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunFolderError(f"{root / name} cannot be read. {AGAIN}.") from error
