"""The files that a comparison of runs is written to: outside of the runs, and none that is something else."""

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from counterpoint.artifacts import read_json, why_not_written
from counterpoint.errors import ConfigError, RunFolderError
from counterpoint.files import read_text

MARKS = ('<meta name="generator" content="Counterpoint ', '<section id="run-B">')
"""Parts of each page of a comparison.  The page of a study has no section for a second run."""
KEYS = {"version", "runs", "comparisons"}
"""Keys of each comparison for programs."""


def check_targets(runs: Sequence[Path], targets: Mapping[str, Path | None]) -> None:
    """Raise unless the comparison of *runs* can be written to *targets* without loss of another file.

    Parameters
    ----------
    runs
        *runs* are the run folders.
    targets
        *targets* are the files by their option: ``--json`` and ``--page``.  An earlier comparison may be replaced.

    Raises
    ------
    ConfigError
        When two of them are the same file, or one is in a run folder.
    RunFolderError
        When one is a folder, or an existing file that is no comparison.
    """
    given = {option: path for option, path in targets.items() if path is not None}
    places: dict[str, str] = {}
    for option, path in given.items():
        place = os.path.realpath(path)
        if place in places:
            raise ConfigError(f"{places[place]} and {option} are the same file, {path}. Name two different ones.")
        places[place] = option
        run = next((run for run in runs if Path(place).is_relative_to(os.path.realpath(run))), None)
        if run is not None:
            raise ConfigError(f"{option} {path} is in the run folder {run}. Name a file outside of it.")
        _check_replaceable(path, option)


def _check_replaceable(path: Path, option: str) -> None:
    if path.is_dir():
        raise RunFolderError(why_not_written(path, IsADirectoryError(errno.EISDIR, "")))
    is_earlier = _is_page if option == "--page" else _is_for_programs
    if path.exists() and not is_earlier(path):
        raise RunFolderError(
            f"{path} exists already, and is no earlier comparison of {option}. Name another file with {option}."
        )


def _is_for_programs(path: Path) -> bool:
    found = read_json(path)
    return isinstance(found, dict) and set(found) >= KEYS


def _is_page(path: Path) -> bool:
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError):
        return False
    return all(mark in text for mark in MARKS)
