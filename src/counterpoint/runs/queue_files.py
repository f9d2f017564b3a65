"""The queues of findings as files, which ``exclude`` and ``relabel`` of a study file can read."""

from collections.abc import Mapping
from pathlib import Path

from counterpoint.artifacts import remove, replacing
from counterpoint.runs.finished import QUEUES
from counterpoint.schema import Frame


def write_queues(root: Path, queues: Mapping[str, Frame]) -> None:
    """Write each queue as a CSV into the folder ``queues`` of a run folder, and remove those of earlier findings.

    Parameters
    ----------
    root
        *root* is the run folder.
    queues
        *queues* are tables with the column ``id``, by the code of the finding.

    Raises
    ------
    RunFolderError
        When the folder cannot be written.

    Examples
    --------
    >>> import polars as pl; from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_queues(Path(folder), {"CP004": pl.DataFrame({"id": ["a"], "standing": [0.1]})})
    ...     Path(folder, "queues", "CP004.csv").read_text(encoding="utf-8").split()
    ['id,standing', 'a,0.1']
    """
    paths = {root / QUEUES / f"{code}.csv": table for code, table in queues.items()}
    for path in {*(root / QUEUES).glob("*.csv")} - paths.keys():
        remove(path)
    for path, table in paths.items():
        with replacing(path) as draft:
            table.write_csv(draft)
