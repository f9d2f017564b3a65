"""Faults planted on purpose in split pairs, for autopsies and for the tests of the checks."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.config import Fault
from counterpoint.errors import ConfigError
from counterpoint.schema import Frame, finding
from counterpoint.seeds import child_seed

Rows = NDArray[np.int64]


def plant(pairs: Frame, faults: Sequence[Fault]) -> Frame:
    """Return *pairs* with each of *faults*.  The rows, their order and their folds stay.

    Raises
    ------
    ConfigError
        When these pairs lack the fold of a fault.

    Examples
    --------
    >>> pairs = pl.DataFrame({"image": ["a", "b", "c"], "fold": ["train", "test", "train"]})
    >>> plant(pairs, [Fault(kind="shift_images", part="train")])["image"].to_list()
    ['c', 'b', 'a']
    """
    for fault in faults:
        pairs = PLANT[fault.kind](pairs, _rows(pairs, fault), fault)
    return pairs


def fault_findings(faults: Sequence[Fault]) -> list[dict[str, str]]:
    """Return a finding for each fault, so that the page of a study names its planted faults.

    >>> [found["explanation"] for found in fault_findings([Fault(kind="flip_labels", share=0.1)])]
    ['Planted on purpose: flip_labels in 10 % of all rows.']
    """
    return [
        finding(
            "CP000", "info", fault.part,
            f"Planted on purpose: {fault.kind} in {100 * fault.share:.0f} % of {fault.part} rows.",
            **fault.model_dump(),
        )
        for fault in faults
    ]  # fmt: skip


def _rows(pairs: Frame, fault: Fault) -> Rows:
    folds = pairs["fold"].to_numpy()
    if fault.part != "all" and fault.part not in folds:
        found = ", ".join(sorted(set(folds)))
        raise ConfigError(f"faults: no fold {fault.part!r} in these pairs. Found {found}.")
    rows = np.arange(len(folds)) if fault.part == "all" else np.flatnonzero(folds == fault.part)
    if fault.share == 1:
        return rows
    n_rows = round(fault.share * len(rows))
    return np.sort(_rng(fault, "rows").choice(rows, n_rows, replace=False))


def _shuffle_texts(pairs: Frame, rows: Rows, fault: Fault) -> Frame:
    return _moved(pairs, "text", rows, _rng(fault, "texts").permutation(rows))


def _shift_images(pairs: Frame, rows: Rows, fault: Fault) -> Frame:
    return _moved(pairs, "image", rows, np.roll(rows, -fault.by))


def _flip_labels(pairs: Frame, rows: Rows, fault: Fault) -> Frame:
    classes = np.array(sorted(pairs["label"].unique()))
    codes = np.searchsorted(classes, pairs["label"].to_numpy())
    codes[rows] += _rng(fault, "labels").integers(1, len(classes), len(rows))
    return pairs.with_columns(label=pl.Series(classes[codes % len(classes)], dtype=pl.String))


def _moved(pairs: Frame, column: str, rows: Rows, origins: Rows) -> Frame:
    """Return *pairs* in which the cells of *column* in *rows* come from the rows *origins*."""
    places = np.arange(len(pairs))
    places[rows] = origins
    return pairs.with_columns(pairs[column].gather(places))


def _rng(fault: Fault, draw: str) -> np.random.Generator:
    return np.random.default_rng(child_seed(fault.seed, f"{fault.kind} {draw}"))


PLANT: Mapping[str, Callable[[Frame, Rows, Fault], Frame]] = {
    "shuffle_texts": _shuffle_texts,
    "shift_images": _shift_images,
    "flip_labels": _flip_labels,
}
"""The function that plants each kind of fault in some rows."""
