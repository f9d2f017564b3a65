"""From the path of a study file to its study."""

from collections.abc import Sequence
from pathlib import Path

from counterpoint.config import read_study
from counterpoint.errors import ConfigError
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.study import Study


def open_study(
    path: Path | str,
    *,
    runs: Path | str = "runs",
    overrides: Sequence[str] = (),
    on_progress: OnProgress = ignore_progress,
) -> Study:
    """Return the study of the study file at *path*, without running it.

    Parameters
    ----------
    path
        *path* is a study file (docs/study-file.md).
    runs
        *runs* is the folder in which the study has its run folder.
    overrides
        *overrides* change settings of the file, as in ``("split.seed=1",)``.
    on_progress
        *on_progress* receives the progress of each stage.

    Raises
    ------
    ConfigError
        When the file cannot be read, or has an unknown key or a value that is not allowed.
    """
    if not isinstance(path, str | Path):
        kind = type(path).__name__
        raise ConfigError(f"open_study takes the path of a study file, not a {kind}. Study takes settings.")
    return Study(read_study(Path(path), tuple(overrides)), runs=runs, on_progress=on_progress, file=Path(path))
