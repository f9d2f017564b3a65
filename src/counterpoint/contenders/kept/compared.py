"""A fit is kept only if it can be read back; one of a class from outside only if it then predicts as before."""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from counterpoint.contenders.kept.files import keep, keep_none, load
from counterpoint.errors import UnreadableFitError
from counterpoint.schema import Frame

COMPARED = 32
"""Rows on which a fit that was read back is compared with the one that was kept."""
log = logging.getLogger(__name__)


def keep_compared(model: Any, folder: Path, *, rows: Frame, trusted: Collection[str], cache: Path) -> None:
    """Keep the fitted *model* in *folder*, or else the reason why it is not kept.

    Parameters
    ----------
    model, folder
        *model* is a fitted contender, *folder* that of its fit.
    rows
        *rows* are pairs on which it must predict the same once it is read back.
    trusted, cache
        *trusted* are classes from outside this package, one of which may be in *model*; without any, nothing is
        compared.  *cache* is the folder of the store of pixels.
    """
    try:
        keep(model, folder)
        if trusted:
            _compare(model, load(folder, trusted=trusted, cache=cache), rows.head(COMPARED))
    except UnreadableFitError as error:
        log.warning("%s is fitted again where it is needed: %s", folder.name, error)
        keep_none(folder, str(error))


def _compare(model: Any, again: Any, rows: Frame) -> None:
    name = type(model).__name__
    try:
        is_same = np.array_equal(again.predict_proba(rows), model.predict_proba(rows))
    except Exception as error:  # a class from outside may need more than its state gives back
        raise UnreadableFitError(f"{name}, read back, fails: {type(error).__name__}: {error}") from error
    if not is_same:
        raise UnreadableFitError(f"{name}, read back, predicts otherwise.")
