"""The record of a finished study: its page, its results, and the keys of its fits."""

from collections.abc import Mapping
from os.path import lexists
from pathlib import Path
from typing import Any, NamedTuple

from counterpoint.artifacts import are_true, digests, read_json, read_sealed, write_sealed
from counterpoint.config.yaml_text import NotPlainError, read_yaml
from counterpoint.errors import RunFolderError
from counterpoint.runs.places import PAGE, RESULTS

MARK = "report.json"
FIGURES, QUEUES = "figures", "queues"
AGAIN = "counterpoint run makes it again"

_FORM = {"key": str, "files": dict, "fits": dict}

Fits = Mapping[str, Mapping[str, str]]
"""The key of each fit by its name, of each contender."""


class Finished(NamedTuple):
    """The content of results.json, and the keys of the fits behind it."""

    results: dict[str, Any]
    fits: Fits


def write_finished(root: Path, key: str, fits: Fits) -> None:
    """Record that the page and the results in a folder are whole.

    Parameters
    ----------
    root
        *root* is the run folder.
    key
        *key* is the hash of everything that the page is made from.
    fits
        *fits* has the key of each fit by its name, by contender.
    """
    figures = [path for folder in (FIGURES, QUEUES) for path in (root / folder).glob("*") if path.is_file()]
    pages = [path for path in (root / PAGE, root / RESULTS) if path.exists()]
    write_sealed(root / MARK, {"key": key, "files": digests(root, [*pages, *figures]), "fits": fits})


def is_finished(root: Path, key: str) -> bool:
    """Return whether the page and the results in folder *root* are unchanged, and made with *key*.

    >>> is_finished(Path("nowhere"), "key")
    False
    """
    record = read_sealed(root / MARK, _FORM)
    return record is not None and record["key"] == key and are_true(root, record["files"])


def read_finished(root: Path) -> Finished:
    """Return the results of the finished study in folder *root*, and its fits.

    Raises
    ------
    RunFolderError
        When the study is not finished, or its record or its results are damaged.
    """
    if not lexists(root / RESULTS):
        raise RunFolderError(f"{root} has no {RESULTS}. counterpoint run finishes the study.")
    record = read_sealed(root / MARK, _FORM)
    if record is None or not _is_record(record["fits"]):
        raise RunFolderError(f"{root / MARK} is damaged or missing. {AGAIN}.")
    if not are_true(root, {name: digest for name, digest in record["files"].items() if name == RESULTS}):
        raise RunFolderError(f"{root / RESULTS} is damaged. {AGAIN}.")
    return Finished(read_json(root / RESULTS), record["fits"])


def settings_of_run(config: Any, root: Path) -> dict[str, Any]:
    """Return the settings of the finished study in folder *root*, the YAML text *config* of its results.

    They may come from a stranger, and are not checked.

    Raises
    ------
    RunFolderError
        When *config* holds no settings.

    Examples
    --------
    >>> settings_of_run("study: demo", Path("demo"))
    {'study': 'demo'}
    >>> settings_of_run("[1, 2]", Path("demo"))
    Traceback (most recent call last):
    counterpoint.errors.RunFolderError: demo/results.json has no settings of a study. counterpoint run makes it again.
    """
    try:
        found = read_yaml(config)
    except (TypeError, NotPlainError):
        found = None
    if not isinstance(found, dict):
        raise RunFolderError(f"{root / RESULTS} has no settings of a study. {AGAIN}.")
    return found


def _is_record(fits: Mapping[str, Any]) -> bool:
    """Return whether each contender has a fit, and no fit lies in another folder."""
    if not all(isinstance(keys, dict) and keys for keys in fits.values()):
        return False
    return all(Path(name).parts == (name,) != ("..",) for keys in fits.values() for name in keys)
