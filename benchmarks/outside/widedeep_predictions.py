"""The fits of pytorch-widedeep to the rows of a study, and the predictions of the better candidate of each."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from counterpoint import Study
from counterpoint.artifacts import key_of
from counterpoint.config import OutsidePredictions
from outside.exported_rows import ENCODERS, export_rows

FITS = Path(__file__).with_name("widedeep_fits.py")
REQUIREMENTS = Path(__file__).with_name("requirements-widedeep.txt")


def fits_of(
    study: Study,
    python: Path,
    work: Path,
    *,
    epochs: int | None,
    workers: int,
    n_folds: int | None = None,
    encoders: Mapping[str, str] = ENCODERS,
) -> tuple[Path, Path]:
    """Return the folders of the rows of *study* and of the fits of pytorch-widedeep, and make all that are missing.

    Parameters
    ----------
    study
        *study* has fitted our contenders, so its texts and images are encoded.
    python
        *python* is the Python of the environment of pytorch-widedeep.
    work
        *work* is the folder of rows and fits.
    epochs
        *epochs* is the largest number of epochs (default: that of `widedeep_fits.py`).
    workers
        *workers* is the number of processes at a time, of one thread each.
    n_folds
        *n_folds* is the number of folds to test (default: all).
    encoders
        *encoders* are the encoders of the vectors, by modality.
    """
    key = export_rows(study, work / "rows", encoders)
    rows, out = work / "rows" / key, work / "fits" / key_of(key, FITS.read_text(), REQUIREMENTS.read_text(), epochs)
    folds = list(json.loads((rows / "rows.json").read_text())["folds"])[:n_folds]
    kinds = ",".join(entry.kind for entry in study.config.contenders)
    limit = () if epochs is None else (str(epochs),)
    places = [(fold, str(seed)) for seed in study.config.fit.seeds for fold in folds]

    def run(place: tuple[str, str]) -> None:
        subprocess.run([python, FITS, rows, out, *place, kinds, *limit], check=True)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, places))
    return rows, out


def better(fits: Mapping[str, Mapping[str, Any]], codes: Sequence[int]) -> str:
    """Return the name of the candidate with the smallest log loss on the validation rows.

    Parameters
    ----------
    fits
        *fits* are the fits of the candidates by name, as `widedeep_fits.py` writes them.
    codes
        *codes* are the true classes of the validation rows.

    Examples
    --------
    >>> better({"a": {"validation": [[0.9, 0.1]]}, "b": {"validation": [[0.6, 0.4]]}}, [0])
    'a'
    """

    def loss(name: str) -> float:
        of_true = np.array(fits[name]["validation"])[np.arange(len(codes)), codes]
        return float(-np.log(of_true.clip(min=1e-15)).mean())

    return min(fits, key=loss)


def predictions_of(
    kind: str, name: str, rows: Path, out: Path, where: Path
) -> tuple[OutsidePredictions, list[dict[str, Any]]]:
    """Write the predictions of the better candidate of each fit of one *kind* for its test rows.

    Parameters
    ----------
    kind, name
        *kind* is a kind of `widedeep_fits.py`, and *name* the name of its contender.
    rows, out
        *rows* is a folder of `exported_rows.py`, and *out* a folder of fits of `widedeep_fits.py`.
    where
        *where* is the folder for the table.

    Returns
    -------
    tuple
        The outside model for a study, and for each fit the name of the better candidate with the costs of both.
    """
    exported = json.loads((rows / "rows.json").read_text())
    ids, codes = np.array(exported["ids"]), np.array(exported["codes"])
    tables, chosen = [], []
    for (fold, seed), fits in sorted(_fits(out, kind).items()):
        places = exported["folds"][fold]
        best = better(fits, codes[places["validation"]])
        proba = np.array(fits[best]["test"])
        columns = {f"p_{label}": proba[:, place] for place, label in enumerate(exported["classes"])}
        tables.append(pl.DataFrame({"id": ids[places["test"]], "seed": int(seed), "fold": fold, **columns}))
        chosen.append({"candidate": best, "fit_s": [fit["took_s"] for fit in fits.values()]})
    where.mkdir(parents=True, exist_ok=True)
    path = where / f"{kind}.parquet"
    pl.concat(tables).write_parquet(path)
    return OutsidePredictions(path=path, name=name), chosen


def _fits(out: Path, kind: str) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """Return the fits of one kind by fold and seed, then by candidate."""
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for path in sorted(out.glob(f"{kind}.*.json")):
        _, candidate, fold, seed, _ = path.name.split(".")
        found.setdefault((fold, seed), {})[candidate] = json.loads(path.read_text())
    return found
