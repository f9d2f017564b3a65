"""Learning curves from a file: a log of Keras, a study's own history.parquet, or any table with such columns."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from counterpoint.errors import ConfigError, SchemaError, did_you_mean
from counterpoint.formats.tables import BAD, open_table
from counterpoint.measures.curve_signs import Curves, ValidationRows
from counterpoint.schema import Frame

_LOSSES = ("loss",)
_ACCURACIES = (
    "accuracy", "acc", "score", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
)  # fmt: skip


def _names(prefixes: Sequence[str], values: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}{value}" for value in values for prefix in prefixes)


TRAINING, VALIDATION = ("train_", "training_", ""), ("val_", "valid_", "validation_")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "epoch": ("epoch",),
    "training loss": _names(TRAINING, _LOSSES),
    "validation loss": _names(VALIDATION, _LOSSES),
    "training accuracy": _names(TRAINING, _ACCURACIES),
    "validation accuracy": _names(VALIDATION, _ACCURACIES),
}
"""The names that each column may have, in any case."""
KEYS = ("contender", "seed", "fold", "branch")
"""The columns of a study's history.parquet that tell its trainings apart."""
TOLERANCE = 0.01
"""Class shares may miss the sum of 1 by this much, because they are rounded."""


def read_history(path: Path) -> dict[str, Curves]:
    r"""Return the curves of each training in the file at *path*, by a name that is empty for the only training.

    Parameters
    ----------
    path
        *path* is a table with the columns of `COLUMNS`.  Epochs are counted from 0 or from 1.

    Raises
    ------
    SourceError
        When the file cannot be read.
    SchemaError
        When a column is missing, or a value is no number, no share, or not finite.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.csv")
    ...     _ = path.write_text("epoch,accuracy,loss,val_accuracy,val_loss\n0,0.9,0.3,0.8,0.5\n")
    ...     read_history(path)[""].valid_accuracy.tolist()
    [0.8]
    """
    table = open_table(path)
    found = {column: _found(path, column, table.columns) for column in COLUMNS}
    keys = [key for key in KEYS if key in table.columns]
    rows = pl.concat(list(table.frames([*found.values(), *keys])) or [pl.DataFrame()])
    if rows.is_empty():
        raise SchemaError(f"{path} has no rows. It should have one for each epoch.")
    if rows[BAD].is_not_null().any():
        raise SchemaError(f"{path}: row {_first(rows[BAD].is_not_null()) + 1} has another number of values.")
    return {name: _curves(path, name, part, found) for name, part in _trainings(rows, keys)}


def _found(path: Path, column: str, names: Sequence[str]) -> str:
    by_lower = {name.strip().lower(): name for name in names}
    for allowed in COLUMNS[column]:
        if allowed in by_lower:
            return by_lower[allowed]
    used = {by_lower[name] for each in COLUMNS.values() for name in each if name in by_lower}
    free = [name for name in names if name not in used]
    near = next((hint for name in free if "mean" in (hint := did_you_mean(name, COLUMNS[column]))), "")
    hint = f"{near} Rename {free[0]!r}." if near and len(free) == 1 else near
    allowed_names = ", ".join(COLUMNS[column][:4])
    raise SchemaError(f"{path} has no column of the {column} ({allowed_names}). Found {', '.join(names)}.{hint}")


def _trainings(rows: Frame, keys: Sequence[str]) -> Iterator[tuple[str, Frame]]:
    if not keys:
        yield "", rows
        return
    for values, part in rows.group_by(keys, maintain_order=True):
        named = [
            f"{key} {value}" if key != "contender" else str(value) for key, value in zip(keys, values, strict=True)
        ]
        yield ", ".join(named), part


def _curves(path: Path, name: str, rows: Frame, found: Mapping[str, str]) -> Curves:
    where = f"{path} ({name})" if name else str(path)
    values = {column: _numbers(where, rows[found[column]], rows[found["epoch"]]) for column in COLUMNS}
    for column in ("training accuracy", "validation accuracy"):
        _require_shares(where, found[column], values[column])
    order = np.argsort(values["epoch"], kind="stable")
    epochs = values["epoch"][order]
    twice = np.flatnonzero(np.diff(epochs) == 0)
    if len(twice):
        number = f"{epochs[twice[0]]:g}"
        raise SchemaError(f"{where} has epoch {number} twice. Give one training: a log may have been continued.")
    return Curves(*(values[column][order] for column in COLUMNS))


def _numbers(where: str, column: pl.Series, epochs: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    read = column.str.strip_chars() if column.dtype == pl.String else column
    cast = read.cast(pl.Float64, strict=False)
    wrong = cast.is_null() | ~cast.is_finite().fill_null(False)
    if wrong.any():
        row = _first(wrong)
        value = "missing" if column[row] is None else repr(column[row])
        advice = "Each epoch needs a number." if cast[row] is None else "Give the epochs before the training diverged."
        raise SchemaError(f"{where}: {column.name} is {value} in epoch {epochs[row]}. {advice}")
    return cast.to_numpy().astype(np.float64)


def _require_shares(where: str, name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    wrong = (values < 0) | (values > 1)
    if wrong.any():
        value = values[wrong][0]
        advice = " Divide percentages by 100." if 1 < value <= 100 else ""
        raise SchemaError(f"{where}: {name} has {value:g}, which is no share from 0 to 1.{advice}")


def _first(is_true: pl.Series) -> int:
    return int(is_true.arg_max() or 0)


def validation_rows(shares: Sequence[float] | None, *, n: int | None, n_classes: int | None) -> ValidationRows:
    """Return the validation rows that a user describes.

    Parameters
    ----------
    shares
        *shares* are the class shares, or None for even ones.
    n
        *n* is the number of rows, or None.
    n_classes
        *n_classes* is the number of classes (default: as many as *shares*, or 2).

    Raises
    ------
    ConfigError
        When the shares are not shares, or are not as many as the classes.

    Examples
    --------
    >>> validation_rows(None, n=None, n_classes=4).shares.tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    if n_classes is not None and n_classes < 2:
        raise ConfigError(f"--classes is {n_classes}. A label has 2 classes or more.")
    if n is not None and n < 1:
        raise ConfigError(f"--rows is {n}. It is the number of validation rows, 1 or more.")
    if shares is None:
        k = n_classes or 2
        return ValidationRows(np.full(k, 1 / k), n)
    given = np.asarray(shares, dtype=float)
    if n_classes not in (None, len(given)):
        raise ConfigError(f"--shares has {len(given)} classes, and --classes is {n_classes}.")
    _require_sum(given)
    return ValidationRows(given / given.sum(), n)


def _require_sum(shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    total, example = shares.sum(), "Give one share for each class, such as 0.58,0.42."
    if len(shares) < 2 or not np.isfinite(shares).all() or (shares < 0).any() or (shares == total).any():
        raise ConfigError(f"--shares is {','.join(f'{each:g}' for each in shares)}. {example}")
    if abs(total - 100) <= 100 * TOLERANCE:
        raise ConfigError(f"--shares sums to {total:g}. Divide percentages by 100, such as 0.58,0.42.")
    if abs(total - 1) > TOLERANCE:
        raise ConfigError(f"--shares sums to {total:g}, not to 1. {example}")
