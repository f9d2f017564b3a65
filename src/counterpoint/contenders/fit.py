"""The work of a fit: fit a contender, predict all parts, write everything to the folder of the fit, and read it."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from counterpoint.artifacts import remove, write_parquet
from counterpoint.contenders import MODELS, make, settings_of
from counterpoint.contenders.fit_task import DONE, FitTask, finished, write_done
from counterpoint.contenders.folds import rows_by_part
from counterpoint.contenders.kept.compared import keep_compared
from counterpoint.contenders.kept.files import load
from counterpoint.contenders.readings import Reading
from counterpoint.encoders.building import encoding_s
from counterpoint.errors import CounterpointError, SchemaError, SourceError, UnreadableFitError
from counterpoint.files import read_parquet
from counterpoint.lookup import find
from counterpoint.schema import COSTS, HISTORY, PREDICTIONS, Columns, Frame, empty

log = logging.getLogger(__name__)


def fit(task: FitTask) -> dict[str, Any]:
    """Fit the contender of *task*, predict all three parts, write everything to its folder, and return its costs."""
    pairs = read_parquet(task.pairs)
    parts = rows_by_part(pairs, task.fold)
    remove(task.folder / DONE)
    started = time.perf_counter()
    model = _fitted(task, parts)
    fit_s = time.perf_counter() - started
    classes = sorted(pairs["label"].unique().to_list())
    started = time.perf_counter()
    predictions = pl.concat([_predictions(task, model, part, rows, classes) for part, rows in parts.items()])
    _check_encoders(task)
    costs = {
        "contender": task.contender,
        "seed": task.seed,
        "fold": task.fold,
        "trials": int(getattr(model, "n_trials_", 1)),
        "epochs": int(getattr(model, "n_epochs_", 0)),
        "parameters": int(getattr(model, "n_parameters_", 0)),
        "fit_s": fit_s,
        "predict_s": time.perf_counter() - started,
        "encode_s": _encode_s(task, len(predictions)),
    }
    keep_compared(model, task.folder, rows=_xy(parts["train"])[0], trusted=task.trusted, **task.stores)
    _keep_tables(task, model, predictions, costs)
    return costs


def _fitted(task: FitTask, parts: Mapping[str, Frame]) -> Any:
    model = configured(task.kind, task.settings, seed=task.seed, **task.stores)
    inputs: dict[str, Any] = {"validation": _xy(parts["validation"])}
    if task.needed:
        inputs["fits"] = {name: fitted(needed) for name, needed in task.needed.items()}
    with _naming(task):
        return model.fit(*_xy(parts["train"]), **inputs)


def _check_encoders(task: FitTask) -> None:
    """Raise SourceError where an encoder of *task*, or of a fit that it needs, is no longer that of its key."""
    for needed in task.needed.values():
        _check_encoders(needed)
    for reading, planned in task.fingerprints.items():
        if reading.fingerprint() != planned:
            raise SourceError(f"{reading.encoder} has changed while the study ran. Run it again.")


def _encode_s(task: FitTask, n: int) -> float | None:
    """Return the seconds that the encoders of *task* take for *n* pairs, or None where that is not known."""
    folder = task.encodings or Path()
    each = [encoding_s(folder, reading.opened(), reading.modality) for reading in _readings(task)]
    known = [took_s for took_s in each if took_s is not None]
    return n * sum(known) if len(known) == len(each) else None


def _readings(task: FitTask) -> set[Reading]:
    """Return what a pair must be encoded with for *task*: by itself and by the fits that it needs."""
    return set(task.fingerprints).union(*map(_readings, task.needed.values()))


@contextmanager
def _naming(task: FitTask) -> Iterator[None]:
    """Add the contender and the fold to an error.  Any error of a contender from outside becomes one line."""
    try:
        yield
    except CounterpointError as error:
        raise type(error)(f"{task.contender} (fold {task.fold}): {error}") from error
    except Exception as error:
        if ":" not in task.kind:
            raise
        reason = f"{type(error).__name__}: {error}"
        raise CounterpointError(f"{task.contender} ({task.kind}) failed on fold {task.fold}: {reason}") from error


def configured(
    kind: str, settings: Mapping[str, Any], *, seed: int, cache: Path | None, encodings: Path | None = None
) -> Any:
    """Return the unfitted contender of a study, with the seed and the stores of the study where it has such settings.

    Parameters
    ----------
    kind, settings
        *kind* and *settings* are the entry of the study file.
    seed, cache, encodings
        *seed*, *cache* and *encodings* are used where *settings* do not set them.

    Examples
    --------
    >>> configured("majority", {}, seed=1, cache=Path("cache")).get_params()
    {'seed': 1, 'smoothing': 0.0}
    """
    model = find(kind, MODELS, what="contender")
    known = settings_of(model).model_fields if isinstance(model, type) else {}
    ours = {"seed": seed} | {name: place and str(place) for name, place in (("cache", cache), ("encodings", encodings))}
    return make(kind, **{**{name: value for name, value in ours.items() if name in known}, **settings})


def _xy(rows: Frame) -> tuple[Frame, pl.Series]:
    return rows.drop("label", "label_source", "fold", strict=False), rows["label"]


def _predictions(task: FitTask, model: Any, part: str, rows: Frame, classes: list[str]) -> Frame:
    features, _ = _xy(rows)
    with _naming(task):
        proba = np.asarray(model.predict_proba(features))
        expected = (len(rows), len(model.classes_))
        if proba.shape != expected:
            raise SchemaError(
                f"predict_proba returned shape {proba.shape}. It must be (n_pairs, n_classes): {expected}."
            )
    # A class that the training rows lack has no column of its own: its probability is 0.
    column = {str(name): proba[:, index] for index, name in enumerate(model.classes_)}
    chances = [pl.Series(f"p_{name}", column.get(name, np.zeros(len(rows))), pl.Float64) for name in classes]
    return rows.select(
        "id",
        pl.lit(task.contender).alias("contender"),
        pl.lit(task.seed, pl.Int64).alias("seed"),
        pl.lit(task.fold).alias("fold"),
        pl.lit(part).alias("part"),
        "group",
        "label",
        *chances,
    )


def _keep_tables(task: FitTask, model: Any, predictions: Frame, costs: dict[str, Any]) -> None:
    own = {"contender": task.contender, "seed": task.seed, "fold": task.fold}
    history = [{**dict.fromkeys(HISTORY), **own, **epoch} for epoch in getattr(model, "history_", [])]
    write_parquet(task.folder / "history.parquet", pl.DataFrame(history, schema=dict(HISTORY)))
    write_parquet(task.folder / "predictions.parquet", predictions)
    write_done(task.folder, key=task.key, costs=costs)
    log.info("fitted %s in %.1f s", task.name, costs["fit_s"])


def fitted(task: FitTask) -> Any:
    """Return the fitted contender of *task* from its files, or else from a new fit."""
    if not task.is_done:
        return fit_again(task)
    try:
        return kept(task)
    except UnreadableFitError as error:
        log.info("fitting %s again: %s", task.name, error)
        return fit_again(task)


def kept(task: FitTask) -> Any:
    """Return the fitted contender of *task* from its files.

    Raises
    ------
    UnreadableFitError
        When it cannot be read.
    """
    return load(task.folder, trusted=task.trusted, **task.stores)


def fit_again(task: FitTask) -> Any:
    """Fit the contender of *task* again, keep it, and return it, without a new file of predictions."""
    parts = rows_by_part(read_parquet(task.pairs), task.fold)
    model = _fitted(task, parts)
    _check_encoders(task)
    keep_compared(model, task.folder, rows=_xy(parts["train"])[0], trusted=task.trusted, **task.stores)
    done = finished(task.folder)
    if done is not None:  # its files have changed
        write_done(task.folder, key=done["key"], costs=done["costs"])
    return model


def gather(tasks: list[FitTask]) -> dict[str, Frame]:
    """Return the Predictions, History and Costs of finished fits, in the order of *tasks*."""

    def stacked(name: str, columns: Columns) -> Frame:
        frames = [read_parquet(task.folder / f"{name}.parquet") for task in tasks]
        return pl.concat(frames) if frames else empty(columns)

    costs = [done["costs"] for task in tasks if (done := finished(task.folder)) is not None]
    return {
        "predictions": stacked("predictions", PREDICTIONS),
        "history": stacked("history", HISTORY),
        "costs": pl.DataFrame(costs, schema=dict(COSTS)),
    }
