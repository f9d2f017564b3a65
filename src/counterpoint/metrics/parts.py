"""One part of a Predictions table (train, validation or test) as arrays, with the same order of rows for all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from counterpoint.errors import ConfigError, SchemaError, did_you_mean
from counterpoint.metrics.decision import class_shares, decide, shares_by_row
from counterpoint.metrics.rows import Floats, Ints, PredictedRows
from counterpoint.schema import PREDICTIONS, Frame, check, class_names

FEW_GROUPS = 20
"""With fewer groups of the rarest class, intervals may be much too narrow (benchmarks/coverage.py)."""


@dataclass(frozen=True)
class Part:
    """The rows that all contenders predicted, with the predictions of each contender and seed.

    Parameters
    ----------
    groups
        *groups* are the codes 0 … n_groups − 1 of the rows' groups, shape (n,).
    trials
        *trials* are the `PredictedRows` of each contender, one for each seed.  A contender with one seed is used for
        all seeds.
    name
        *name* is the part in a Scores table: "train", "validation", "test" or "oof".
    n
        *n* is the number of pairs.  In the training part of a k-fold a pair has several rows.
    """

    groups: Ints
    trials: Mapping[str, tuple[PredictedRows, ...]]
    name: str
    n: int

    @property
    def n_seeds(self) -> int:
        """The number of seeds."""
        return max(map(len, self.trials.values()))

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return int(self.groups.max()) + 1


def read_part(
    predictions: Frame,
    part: str,
    contenders: Iterable[str] | None = None,
    *,
    primary: str = "accuracy",
    shares: Mapping[str, Floats] | None = None,
) -> Part:
    """Return one part of a Predictions table as arrays.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    part
        *part* is "train", "validation" or "test".
    contenders
        *contenders* are the names of the contenders to read.  By default, all are read.
    primary
        *primary* is the metric for which the predicted classes are the best (`counterpoint.metrics.decide`).
    shares
        *shares* are the class shares of the training rows by fold.  By default they are those of *predictions*.

    Raises
    ------
    ConfigError
        If the part or a contender is not in the table.
    SchemaError
        If contenders or seeds have different rows, a label is not a class, or a row has no valid probabilities.
    """
    classes = class_names(check(predictions, PREDICTIONS, table="Predictions"))
    rows = predictions.filter(pl.col("part") == part)
    if rows.is_empty():
        raise ConfigError(f"No predictions of part {part!r}.{did_you_mean(part, predictions['part'].unique())}")
    frames = _by_contender(rows, contenders)
    _check_same_rows(frames)
    first = next(iter(frames.values()))[0]
    codes, folds = encode(first["label"].to_list(), classes), _stretches(first["fold"])
    known = class_shares(predictions) if shares is None else shares
    by_row = shares_by_row(known, first["fold"].to_numpy(), len(classes))

    def trial(proba: Floats) -> PredictedRows:
        return PredictedRows(codes, proba, folds, predicted=decide(proba, metric=primary, shares=by_row))

    trials = {name: tuple(trial(_proba(seed, classes, name)) for seed in seeds) for name, seeds in frames.items()}
    groups = first.select(pl.coalesce("group", "id").rank("dense") - 1).to_series().to_numpy().astype(np.intp)
    is_oof = part == "test" and set(first["fold"]) != {"test"}
    return Part(groups, trials, "oof" if is_oof else part, first["id"].n_unique())


def encode(labels: Sequence[object], classes: Sequence[object]) -> Ints:
    """Return the place of each label among *classes*.

    >>> encode(["b", "a"], ["a", "b"])
    array([1, 0])
    """
    places = {name: place for place, name in enumerate(classes)}
    strange = [label for label in dict.fromkeys(labels) if label not in places]
    if strange:
        raise SchemaError(f"Label {strange[0]!r} is not a class.{did_you_mean(str(strange[0]), map(str, classes))}")
    return np.array([places[label] for label in labels], dtype=np.intp)


def check_proba(proba: Floats, *, of: str) -> Floats:
    """Return *proba* if the probabilities of each row sum to 1.  Raise SchemaError otherwise.

    >>> check_proba(np.array([[0.25, 0.75]]), of="text-svm")
    array([[0.25, 0.75]])
    """
    with np.errstate(invalid="ignore"):
        is_good = (proba >= 0).all(axis=1) & (np.abs(proba.sum(axis=1) - 1) < 1e-3)
    if not is_good.all():
        row = int(np.flatnonzero(~is_good)[0])
        raise SchemaError(f"Row {row} of {of} has {proba[row].tolist()}. These are not probabilities that sum to 1.")
    return proba


def _proba(trial: Frame, classes: Sequence[str], name: str) -> Floats:
    return check_proba(trial.select(pl.col(f"p_{label}").cast(pl.Float64) for label in classes).to_numpy(), of=name)


def _by_contender(rows: Frame, contenders: Iterable[str] | None) -> dict[str, list[Frame]]:
    """Return the rows of each seed of each contender, in the order of the table, sorted by fold and id."""
    present = rows["contender"].unique(maintain_order=True).to_list()
    frames = {}
    for name in present if contenders is None else contenders:
        if name not in present:
            raise ConfigError(f"Unknown contender {name!r}.{did_you_mean(name, present)}")
        own = rows.filter(pl.col("contender") == name).sort("seed", "fold", "id")
        frames[name] = own.partition_by("seed", maintain_order=True)
    return frames


def _check_same_rows(frames: Mapping[str, Sequence[Frame]]) -> None:
    (reference, (first, *_)), *_ = frames.items()
    n_seeds = max(map(len, frames.values()))
    same = first.select("fold", "id", "label")
    for name, seeds in frames.items():
        if len(seeds) not in (1, n_seeds):
            raise SchemaError(f"{name} has predictions of {len(seeds)} seeds. A comparison needs 1 or all {n_seeds}.")
        for seed in seeds:
            if not seed.select(same.columns).equals(same):
                raise SchemaError(
                    f"{name} (seed {seed['seed'][0]}) predicts other {first['part'][0]} rows or labels than "
                    f"{reference}: {seed.height} and {first.height} rows, which must be the same."
                )


def _stretches(folds: pl.Series) -> tuple[slice, ...]:
    """Return the slice of each run of equal values.

    >>> _stretches(pl.Series(["0", "0", "1"]))
    (slice(0, 2, None), slice(2, 3, None))
    """
    lengths = folds.rle().struct.field("len").cast(pl.Int64).to_list()
    ends = np.cumsum(lengths).tolist()
    return tuple(slice(end - length, end) for end, length in zip(ends, lengths, strict=True))
