"""A fit is kept only if it can be read back, and for a class from outside only if its predictions are then equal."""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from counterpoint.contenders.kept.files import keep, keep_none, load
from counterpoint.errors import UnreadableFitError
from counterpoint.schema import Frame

COMPARED = 32
"""The number of rows on which the predictions of a kept fit are compared."""
log = logging.getLogger(__name__)


def keep_compared(
    model: Any,
    folder: Path,
    *,
    rows: Frame,
    trusted: Collection[str],
    cache: Path | None,
    encodings: Path | None = None,
) -> None:
    """Keep the fitted *model* in *folder*, or else the reason for not keeping it.

    Parameters
    ----------
    model, folder
        *model* is a fitted contender, and *folder* the folder of its fit.
    rows
        *rows* are pairs for which its predictions must be equal after it is read back.
    trusted
        *trusted* are the classes and encoders from outside this package that *model* may contain.  Without any, nothing
        is compared.
    cache, encodings
        *cache* is the folder of the stored pixels, and *encodings* the folder of the stored encodings.
    """
    try:
        keep(model, folder)
        if trusted:
            _compare(model, load(folder, trusted=trusted, cache=cache, encodings=encodings), rows.head(COMPARED))
    except UnreadableFitError as error:
        log.warning("%s is fitted again where it is needed: %s", folder.name, error)
        keep_none(folder, str(error))


def _compare(model: Any, again: Any, rows: Frame) -> None:
    name = type(model).__name__
    try:
        is_same = np.array_equal(again.predict_proba(rows), model.predict_proba(rows))
    except Exception as error:  # the state of a class from outside may be incomplete
        raise UnreadableFitError(f"{name} fails after it is read back: {type(error).__name__}: {error}") from error
    if not is_same:
        raise UnreadableFitError(f"{name} has other predictions after it is read back.")
