"""The inputs of the checks, from the tables and settings of one study."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from counterpoint.config import Fit, StudyConfig
from counterpoint.contenders.folds import folds_to_test, rows_by_part
from counterpoint.contenders.plan import encodings_read
from counterpoint.diagnose import Inputs
from counterpoint.encoders.base import Encoder
from counterpoint.encoders.building import build_encodings
from counterpoint.encoders.encodings import Encodings, load_encodings
from counterpoint.fits import Fits, workers_of
from counterpoint.measures.contender_fits import ContenderFit
from counterpoint.measures.encoded_pairs import installed_files
from counterpoint.on_progress import OnProgress, ignore_progress
from counterpoint.runs.evaluations import Evaluations
from counterpoint.schema import Frame

MANY_ROWS = 500
"""The number of texts or images whose encoding for the checks is reported.  Fewer take seconds."""


def inputs_of(
    tables: Mapping[str, Frame],
    config: StudyConfig,
    *,
    primary: Mapping[str, Any] | None,
    modalities: Mapping[str, tuple[str, ...]],
    contenders: Mapping[str, Any],
    evaluations: Evaluations,
    fits: Fits,
    encodings: Path,
    on_progress: OnProgress = ignore_progress,
) -> Inputs:
    """Return the inputs of the checks.

    Parameters
    ----------
    tables
        *tables* are the tables of a finished comparison without findings, by name.
    config
        *config* are the settings of the study.
    primary, modalities
        *primary* is the primary contrast, and *modalities* are the modalities that each contender reads.
    contenders, fits
        *contenders* are the unfitted contenders by name, and *fits* their fits.
    evaluations
        *evaluations* is the record of test evaluations.
    encodings
        *encodings* is the folder of the encoded texts and images.
    on_progress
        *on_progress* receives the number of encoded texts and images, where at least `MANY_ROWS` are lacking.
    """
    is_encoding = config.checks.encoders and installed_files() is not None
    return Inputs({
        **tables,
        "primary": primary,
        "modalities": modalities,
        "additive": tuple(name for name, model in contenders.items() if model.is_additive),
        "members": {name: found for name, model in contenders.items() if (found := _members(model, contenders))},
        "complexity": {name: model.complexity for name, model in contenders.items() if model.complexity is not None},
        "pretrained": _pretrained(config, contenders),
        "n_fits": _n_fits(tables, config, primary or {}),
        "test_evaluations": len(evaluations.read()),
        "is_record_lost": bool(evaluations.lost()),
        "metric": config.evaluate.primary,
        "margin": config.evaluate.margin,
        "confidence": config.evaluate.confidence,
        "untrained": tuple(name for name, model in contenders.items() if not model.is_trained),
        "depth": config.checks.depth,
        "encode": partial(_encode, cache=encodings, rules=config.fit, on_progress=on_progress) if is_encoding else None,
        "fit_of": lambda contender: _fit_of(contender, fits, tables["pairs"]),
    })  # fmt: skip


def _members(model: Any, contenders: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the contenders that *model* combines: those of the study, and those that it trains itself."""
    return tuple(dict.fromkeys((*model.needs_in(contenders), *model.needs)))


def _pretrained(config: StudyConfig, contenders: Mapping[str, Any]) -> frozenset[str]:
    """Return the modalities that a frozen encoder reads, or an outside model, whose training is not known."""
    own = {reading.modality for reading in encodings_read(contenders)}
    return frozenset(own.union(*(entry.modalities for entry in config.predictions)))


def _encode(
    pairs: Frame, encoder: Encoder, modality: str, *, cache: Path, rules: Fit, on_progress: OnProgress
) -> Encodings:
    """Return the vectors of *pairs* from the store in *cache*, after encoding those that it lacks."""

    def on_count(n_done: int, n_lacking: int) -> None:
        if n_lacking >= MANY_ROWS:
            on_progress(f"encoding {modality}s for CP004", n_done, n_lacking)

    build_encodings(
        pairs, encoder, modality, cache=cache, workers=workers_of(rules), engine=rules.engine, address=rules.address,
        on_count=on_count,
    )  # fmt: skip
    return load_encodings(pairs, encoder, modality, cache=cache)


def _n_fits(tables: Mapping[str, Frame], config: StudyConfig, primary: Mapping[str, Any]) -> int:
    """Return the number of fits behind the primary contrast.  For an outside model its predictions are counted."""
    own = len(config.fit.seeds) * len(folds_to_test(tables["pairs"])) * config.evaluate.repeats
    chosen = {name for side in ("a", "b") for name in (primary.get(side), *primary.get("shares", {}).get(side, ()))}
    outside = {entry.name for entry in config.predictions}
    predicted = (tables["predictions"].filter(contender=name).select("seed", "fold") for name in chosen & outside)
    return min([*(fits.n_unique() for fits in predicted), *([own] if chosen - outside else [])])


def _fit_of(contender: str, fits: Fits, pairs: Frame) -> ContenderFit | None:
    """Return the first fit of *contender* with the pairs of each part, or None."""
    first = fits.first_of(contender)
    return ContenderFit(fits.model(first), **rows_by_part(pairs, first.fold)) if first is not None else None
