"""Save the winner of a study: its fit to all rows with everything that a prediction and a reader of it need."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import numpy as safetensors

from counterpoint import __version__
from counterpoint.artifacts import check_new_folder, replacing, why_not_written
from counterpoint.contenders.fit import kept
from counterpoint.contenders.folds import rows_by_part
from counterpoint.contenders.images import images_of
from counterpoint.contenders.kept.digests import DIGESTS, MAX_BYTES
from counterpoint.contenders.kept.files import load as load_fit
from counterpoint.contenders.readings import Reading
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.errors import ConfigError, RunFolderError
from counterpoint.features.shaped_images import why_unreadable
from counterpoint.lookup import path_of
from counterpoint.metrics import METRICS
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.runs.places import ENCODINGS
from counterpoint.saved.card import card
from counterpoint.saved.finished_run import FinishedRun
from counterpoint.saved.model import SavedModel, open_saved
from counterpoint.saved.model_inputs import inputs_of
from counterpoint.saved.record import CARD, FIT, FORMAT, REFERENCE, write_record
from counterpoint.saved.refit import on_all_rows, refitted
from counterpoint.saved.training_reference import (
    FALSE_ALARMS,
    FOLDS,
    MOST_ROWS,
    MOST_TEXTS,
    OF_ONE,
    CharacterReference,
    TrainingReference,
    VectorReference,
)
from counterpoint.schema import ALARMS, Frame
from counterpoint.seeds import child_seed

ALL_ROWS = "all rows"


def save(
    run_folder: Path | str,
    to: Path | str,
    *,
    contender: str | None = None,
    fit: str | None = None,
    on_progress: OnProgress = ignore_progress,
) -> dict[str, Any]:
    """Save a contender of a finished study in the folder *to*, and return the record of the saved model.

    Parameters
    ----------
    run_folder
        *run_folder* is the folder of a finished study.
    to
        *to* is the folder to write.  It must be new or empty.
    contender
        *contender* is a contender of the study (default: the one that the answer recommends).
    fit
        *fit* is one of its fits, such as ``seed-0.fold-2`` (default: a new fit to all rows).
    on_progress
        *on_progress* receives the progress of a new fit.

    Raises
    ------
    RunFolderError
        When the study is not finished or damaged, or *to* is not empty or cannot be written.  Or when most images that
        the model was trained on cannot be read any more: new ones are compared with them.
    ConfigError
        When the study has no such contender or fit, or the contender is no model of ours.
    UnreadableFitError
        When the fit was not kept.
    """
    run, where = FinishedRun(Path(run_folder)), Path(to)
    check_new_folder(where, "--to")
    name, why = run.recommended() if contender is None else (contender, f"{contender} was chosen by name")
    if name in {each.name for each in run.config.predictions}:
        raise ConfigError(f"{name} is a model from outside, of which only predictions are known. It cannot be saved.")
    run.fits_of(name)
    source = run.fit_folder(name, fit) if fit is not None else None
    _make_folder(where)  # before the work
    if source is None or fit is None:
        task = refitted(run, name, on_progress=on_progress)
        source, model, pairs = task.folder, kept(task), on_all_rows(run.pairs())
    else:
        model, pairs = load_fit(source, trusted=_trusted(run)), _of_fold(run.pairs(), fit)
    on_progress("comparing with training rows", 0, 0)
    record = _record(run, name, model, pairs, fit=fit, why=why)
    train = pairs.filter(pl.col("fold") == "train")
    bare = SavedModel(model, record, TrainingReference(), run.folder.parent / ENCODINGS)
    reference = _reference(bare, train, on_progress)
    _write(where, source, reference)
    write_record(where, record)
    _write_text(where / CARD, card(record, run.results))
    open_saved(where, trusted=record["trusted"])  # a folder that cannot be read is found here
    return record


def _make_folder(where: Path) -> None:
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(why_not_written(where, error)) from error


def _of_fold(pairs: Frame, fit: str) -> Frame:
    """Return the training and validation rows of one fit, with their part as the fold."""
    fold = fit.rpartition("fold-")[2]
    parts = rows_by_part(pairs, fold)
    named = [parts[part].with_columns(fold=pl.lit(part)) for part in ("train", "validation")]
    return pl.concat(named)


def _trusted(run: FinishedRun) -> tuple[str, ...]:
    return tuple(each.kind for each in run.config.contenders if ":" in each.kind)


def _record(run: FinishedRun, name: str, model: Any, pairs: Frame, *, fit: str | None, why: str) -> dict[str, Any]:
    config = run.config
    parts = dict(pairs.group_by("fold").len().iter_rows())
    return {
        "format": FORMAT,
        "version": __version__,
        "contender": name,
        "kind": next(each.kind for each in config.contenders if each.name == name),
        "modalities": list(run.results["modalities"][name]),
        "classes": list(map(str, model.classes_)),
        "class_shares": [float(share) for share in model.class_shares_],
        "metric": config.evaluate.primary,
        "text": config.text.model_dump(mode="json"),
        "trained_on": {
            "fit": fit or ALL_ROWS,
            "train": parts.get("train", 0),
            "validation": parts.get("validation", 0),
            "why": why,
        },
        "encoders": [_encoder(reading) for reading in inputs_of(model).readings],
        "trusted": sorted(({*_trusted(run)} & _outside(model)) | ({config.evaluate.primary} - {*METRICS})),
        "study": _of_study(run, name),
    }


def _encoder(reading: Reading) -> dict[str, str]:
    known = CATALOGUE.get(reading.encoder)
    return {
        "name": reading.encoder,
        "modality": reading.modality,
        "fingerprint": reading.fingerprint(),
        "licence": known.licence if known else "not stated",
    }


def _of_study(run: FinishedRun, name: str) -> dict[str, Any]:
    """Return the part of the results of a study that a saved model keeps: its scores, answer, alarms and settings."""
    results = run.results
    kept = ("version", "config_hash", "attribution", "rows", "primary", "answer", "config")
    return {
        "name": results["study"],
        **{key: results.get(key) for key in kept},
        "scores": run.scores_of(name),
        "confidence": run.config.evaluate.confidence,
        "findings": [row for row in results["findings"] if row["severity"] in ALARMS],
        "costs": [row for row in results["costs"] if row["contender"] == name],
    }


def _outside(model: Any) -> set[str]:
    return {path_of(type(model))}.union(*(_outside(inner) for inner in model.state().fits.values()))


def _reference(saved: SavedModel, train: Frame, on_progress: OnProgress) -> TrainingReference:
    """Return the training rows in small, where the model reads their modality.  Rows that cannot be read are left out.

    Raises
    ------
    RunFolderError
        When most images cannot be read.
    """
    texts, images = (
        train.filter(pl.col(modality).is_not_null()) if modality in saved.modalities else train.head(0)
        for modality in ("text", "image")
    )
    counted, texts, images = _sampled(texts, MOST_TEXTS), _sampled(texts, MOST_ROWS), _sampled(images, MOST_ROWS)
    texts = texts.filter(~pl.Series(saved.lacks_vector(texts)))
    by_text = saved.text_vectors(texts) if len(texts) else None
    with images_of(images, is_silent=True):
        images = _readable(saved, images, on_progress)
        by_image = saved.image_vectors(images) if len(images) else None
    n_measures = sum((len(counted) > 0, by_text is not None, by_image is not None))
    share = min(OF_ONE, FALSE_ALARMS / max(1, n_measures))
    return TrainingReference(
        CharacterReference.of(counted["text"].to_list(), _folds(counted), share=share),
        None if by_text is None else VectorReference.of(by_text, _folds(texts), share=share),
        None if by_image is None else VectorReference.of(by_image, _folds(images), share=share),
    )


def _readable(saved: SavedModel, rows: Frame, on_progress: OnProgress) -> Frame:
    """Return the *rows* whose images can be read, and say how many are left out."""
    is_lost = pl.Series(saved.lacks_image(rows), dtype=pl.Boolean)
    if not is_lost.any():
        return rows
    ref = rows["image"].filter(is_lost)[0]
    lost = (
        f"{is_lost.sum():,} of {len(rows):,} training images cannot be read. The first is {ref} "
        f"({why_unreadable(ref) or 'its vector is missing'})"
    )
    if 2 * int(is_lost.sum()) > len(rows):
        raise RunFolderError(
            f"{lost}. At least half of them are needed, to flag new images that are unlike them. "
            "Put the images back where the study read them, or run the study again on images that are there."
        )
    on_progress(f"{lost}. New images are compared with the others", 0, 0)
    return rows.filter(~is_lost)


def _sampled(rows: Frame, most: int) -> Frame:
    return rows.sample(min(most, len(rows)), seed=child_seed(0, "training reference"))


def _folds(rows: Frame) -> NDArray[np.int64]:
    """Return a number below `FOLDS` for each row, the same within a group."""
    found: NDArray[np.int64] = (rows["group"].rank("dense").to_numpy().astype(np.int64) * 7919) % FOLDS
    return found


def _write(where: Path, source: Path, reference: TrainingReference) -> None:
    folder = where / FIT
    folder.mkdir()
    for name in (*MAX_BYTES, DIGESTS):
        if (source / name).exists():
            with replacing(folder / name) as temporary:
                shutil.copyfile(source / name, temporary)
    with replacing(where / REFERENCE) as temporary:
        temporary.write_bytes(safetensors.save(reference.arrays()))


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
