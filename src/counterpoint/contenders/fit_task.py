"""One fit of one contender on one fold with one seed, as a task that can run in any process and run again.

The folder of a fit holds its model, predictions, history and costs.  ``done.json`` is written last.  It contains the
key of the inputs of the fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from counterpoint.artifacts import are_true, digests, read_sealed, write_sealed

if TYPE_CHECKING:
    from counterpoint.contenders.readings import Reading

DONE = "done.json"
_DONE = {"key": str, "costs": dict, "files": dict}


@dataclass(frozen=True)
class FitTask:
    """The inputs of one fit.

    ``needed`` has the fit of each contender that this one needs.  ``trusted`` has the classes and encoders from outside
    this package that the study file names.  ``fingerprints`` has the fingerprint of each encoder at the start of the
    study, which is a part of ``key``.  ``n_gpus`` is the number of GPUs that a Ray cluster gives the fit.
    """

    contender: str
    kind: str
    settings: Mapping[str, Any]
    seed: int
    fold: str
    pairs: Path
    fits: Path
    cache: Path
    key: str
    needed: Mapping[str, "FitTask"] = field(default_factory=dict)
    estimate_s: float = 0.0
    trusted: tuple[str, ...] = ()
    fingerprints: Mapping["Reading", str] = field(default_factory=dict)
    encodings: Path | None = None
    n_gpus: int = 0

    @property
    def fit(self) -> str:
        """Return the name of this fit in its study, which is also the name of its folder."""
        return fit_name(self.contender, self.seed, self.fold)

    @property
    def name(self) -> str:
        """Return the name of this fit among the fits of several studies."""
        return f"{self.fits.parent.name}/{self.fit}"

    @property
    def after(self) -> tuple[str, ...]:
        """Return the names of the fits that this one needs."""
        return tuple(task.name for task in self.needed.values())

    @property
    def folder(self) -> Path:
        """Return the folder of the files of this fit."""
        return self.fits / self.fit

    @property
    def stores(self) -> dict[str, Path | None]:
        """Return the folders of the stored pixels and of the stored encodings."""
        return {"cache": self.cache, "encodings": self.encodings}

    @property
    def is_done(self) -> bool:
        """Report whether this fit is finished and its files are unchanged."""
        return is_done(self.folder, self.key)


def fit_name(contender: str, seed: int, fold: str) -> str:
    """Return the name of a fit.

    Parameters
    ----------
    contender, seed, fold
        *contender*, *seed* and *fold* are the parts of the name.

    Examples
    --------
    >>> fit_name("text-svm", 0, "test")
    'text-svm.seed-0.fold-test'
    """
    return f"{contender}.seed-{seed}.fold-{fold}"


def write_done(folder: Path, *, key: str, costs: Mapping[str, Any]) -> None:
    """Record that the fit in *folder* is finished, with a digest of each of its files.

    Parameters
    ----------
    folder
        *folder* is the folder of the fit.
    key, costs
        *key* is the hash of the inputs of the fit, and *costs* its row of Costs.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    found = digests(folder, [path for path in files if path.name != DONE])
    write_sealed(folder / DONE, {"key": key, "costs": dict(costs), "files": found})


def is_done(folder: Path, key: str) -> bool:
    """Report whether the fit in *folder* has this *key*, is finished, and has unchanged files.

    >>> is_done(Path("nowhere"), "key")
    False
    """
    done = finished(folder)
    return done is not None and done["key"] == key and are_true(folder, done["files"])


def finished(folder: Path) -> Mapping[str, Any] | None:
    """Return the ``key``, ``costs`` and ``files`` of the fit in *folder*, or None where it is not finished.

    >>> finished(Path("nowhere")) is None
    True
    """
    return read_sealed(folder / DONE, _DONE)
