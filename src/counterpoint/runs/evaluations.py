"""The record of test evaluations: each time that test rows were scored with new settings.

It is the only file of a run folder that cannot be made again.  A damaged or missing record is replaced by one that
notes the loss.  From then on every page of the study shows it.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from os.path import lexists
from pathlib import Path
from typing import Any

from counterpoint.artifacts import read_sealed, write_sealed

log = logging.getLogger(__name__)
LOST = "is_lost"


class Evaluations:
    """The test evaluations of one run folder.

    Parameters
    ----------
    path
        *path* is the file of the record.
    is_expected
        *is_expected* is True if test rows were scored before.  A missing record was then lost.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "test_evaluations.json")
    ...     for config in ("a", "b", "a"):
    ...         Evaluations(path).note(config, ["majority"])
    ...     len(Evaluations(path).read()), Evaluations(path).lost()
    ...     _ = path.write_text("")
    ...     len(Evaluations(path).read()), len(Evaluations(path).lost())
    (2, [])
    (1, 1)
    """

    def __init__(self, path: Path, *, is_expected: bool = False) -> None:
        self._path = path
        self._is_expected = is_expected

    def read(self) -> list[dict[str, Any]]:
        """Return each test evaluation: its time, the hash of the settings, the contenders."""
        record = read_sealed(self._path, {"evaluations": list})
        if record is not None and all(map(_is_evaluation, record["evaluations"])):
            return list(record["evaluations"])
        if not (self._is_expected or lexists(self._path)):
            return []
        log.warning("%s was damaged or removed: the number of earlier test evaluations is not known", self._path)
        lost: dict[str, Any] = {"time": _now(), "config_hash": None, "contenders": [], LOST: True}
        write_sealed(self._path, {"evaluations": [lost]})
        return [lost]

    def note(self, config_hash: str, contenders: Sequence[str]) -> None:
        """Record that test rows are about to be scored, unless they were scored with these settings before."""
        found = self.read()
        if config_hash not in {each["config_hash"] for each in found}:
            new = {"time": _now(), "config_hash": config_hash, "contenders": list(contenders)}
            write_sealed(self._path, {"evaluations": [*found, new]})

    def lost(self) -> list[str]:
        """Return each time at which the record was found damaged."""
        return [each["time"] for each in self.read() if each.get(LOST)]


def _is_evaluation(found: Any) -> bool:
    return isinstance(found, dict) and {"time", "config_hash", "contenders"} <= found.keys()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
