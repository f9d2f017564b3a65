"""Faults planted on purpose in split pairs, for autopsies and for the tests of the checks."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.config import Fault
from counterpoint.errors import ConfigError
from counterpoint.schema import NOTE, Frame, finding
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
            NOTE, "info", fault.part,
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


def _shuffle(columns: Sequence[str], pairs: Frame, rows: Rows, fault: Fault) -> Frame:
    origins = _rng(fault, f"{columns[0]}s").permutation(rows)
    return _moved(pairs, columns, rows, origins)


def _shift(column: str, pairs: Frame, rows: Rows, fault: Fault) -> Frame:
    return _moved(pairs, [column], rows, np.roll(rows, -fault.by))


def _drop_labels(pairs: Frame, rows: Rows, fault: Fault) -> Frame:
    places = np.arange(len(rows))
    dropped = np.sort(_rng(fault, "drops").choice(places, min(fault.by, len(places)), replace=False))
    return _moved(pairs, ["label"], rows, rows[places - np.searchsorted(dropped, places)])


def _sort_labels(pairs: Frame, rows: Rows, _fault: Fault) -> Frame:
    return _moved(pairs, ["label"], rows, rows[np.argsort(pairs["label"].to_numpy()[rows], kind="stable")])


def _swap_labels(pairs: Frame, rows: Rows, _fault: Fault) -> Frame:
    return _with_other_classes(pairs, rows, 1)


def _resplit(pairs: Frame, rows: Rows, fault: Fault) -> Frame:
    for column in ("text", "image", "label"):
        pairs = _moved(pairs, [column], rows, _rng(fault, column).choice(len(pairs), len(rows), replace=False))
    return pairs


def _flip_labels(pairs: Frame, rows: Rows, fault: Fault) -> Frame:
    n_classes = pairs["label"].n_unique()
    return _with_other_classes(pairs, rows, _rng(fault, "labels").integers(1, n_classes, len(rows)))


def _with_other_classes(pairs: Frame, rows: Rows, steps: Rows | int) -> Frame:
    """Return *pairs* in which each of *rows* has the class that is so many *steps* later, the first after the last."""
    classes = np.array(sorted(pairs["label"].unique()))
    codes = np.searchsorted(classes, pairs["label"].to_numpy())
    codes[rows] += steps
    return pairs.with_columns(label=pl.Series(classes[codes % len(classes)], dtype=pl.String))


def _moved(pairs: Frame, columns: Sequence[str], rows: Rows, origins: Rows) -> Frame:
    """Return *pairs* in which the cells of *columns* in *rows* come from the rows *origins*."""
    places = np.arange(len(pairs))
    places[rows] = origins
    return pairs.with_columns(pairs[column].gather(places) for column in columns)


def _rng(fault: Fault, draw: str) -> np.random.Generator:
    return np.random.default_rng(child_seed(fault.seed, f"{fault.kind} {draw}"))


PLANT: Mapping[str, Callable[[Frame, Rows, Fault], Frame]] = {
    "shuffle_texts": partial(_shuffle, ["text"]),
    "shuffle_images": partial(_shuffle, ["image"]),
    "shuffle_labels": partial(_shuffle, ["label"]),
    "shuffle_pairs": partial(_shuffle, ["text", "image"]),
    "shift_texts": partial(_shift, "text"),
    "shift_images": partial(_shift, "image"),
    "shift_labels": partial(_shift, "label"),
    "drop_labels": _drop_labels,
    "sort_labels": _sort_labels,
    "swap_labels": _swap_labels,
    "flip_labels": _flip_labels,
    "resplit": _resplit,
}
"""The function that plants each kind of fault in some rows."""
