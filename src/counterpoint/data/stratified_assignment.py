"""Rows dealt to sides in given shares: class by class, no group torn.  Names no folds and draws no sample."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from counterpoint.errors import SplitError
from counterpoint.seeds import child_seed

Ints = NDArray[np.int64]


def deal(labels: pl.Series, groups: pl.Series, shares: Mapping[str, float], *, seed: int) -> pl.Series:
    """Return the side of each row, every class in its *shares* as near as the groups allow.

    Groups of several rows are dealt first, the largest first, each to the side that is least full of the group's
    classes (Sainte-Laguë's rule, so sides fill up in proportion).  Rows that are a group of their own then fill each
    side to its quota, which is the share of each class to within one row.

    Parameters
    ----------
    labels
        *labels* are the classes.
    groups
        *groups* are names of what must stay together.
    shares
        *shares* are the sides and their parts of the rows.
    seed
        *seed* decides between what is equally good.

    Raises
    ------
    SplitError
        When a class would be missing on a side: one line with the figures.

    Examples
    --------
    >>> labels, groups = pl.Series(list("aaaabbbb")), pl.Series([1, 1, 2, 3, 4, 5, 6, 6])
    >>> sides = deal(labels, groups, {"train": 0.5, "test": 0.5}, seed=0)
    >>> sides.value_counts().sort("side").rows(), sides[0] == sides[1], sides[6] == sides[7]
    ([('test', 4), ('train', 4)], True, True)
    """
    _check_enough(labels, groups, list(shares))
    label, group = _codes(labels), _codes(groups)
    rng = np.random.default_rng(child_seed(seed, "deal"))
    quota = _quota(np.bincount(label), list(shares.values()))
    is_alone = np.bincount(group)[group] == 1
    side = np.full(label.size, -1)
    side[~is_alone] = _deal_groups(label, group, quota, rng)[~is_alone]
    dealt = _count(side[~is_alone], label[~is_alone], quota.shape)
    for each in range(quota.shape[1]):
        rows = rng.permutation(np.flatnonzero(is_alone & (label == each)))
        room = fill(rows.size, quota[:, each] - dealt[:, each], held=dealt[:, each])
        side[rows] = np.repeat(np.arange(len(shares)), room)
    _check_sides(_count(side, label, quota.shape), labels.unique().sort(), list(shares))
    return pl.Series("side", list(shares), dtype=pl.String).gather(side)


def fill(n: int, wanted: ArrayLike, *, held: Ints | int = 0, load: Ints | int = 0) -> Ints:
    """Return how *n* rows are divided in proportion to what is *wanted*, by largest remainder.

    Equal remainders go to the side with the least *load*; a side that would hold nothing gets one of the richest's.

    >>> fill(10, [0.64, 0.16, 0.2]).tolist(), fill(3, [0.64, 0.16, 0.2]).tolist()
    ([6, 2, 2], [1, 1, 1])
    """
    weights = np.maximum(np.asarray(wanted, dtype=float), 0)
    exact = n * weights / (weights.sum() or 1)
    given: Ints = np.floor(exact).astype(np.int64)
    by_remainder = np.lexsort((np.broadcast_to(load, given.shape), given - exact))
    given[by_remainder[: n - given.sum()]] += 1
    for bare in np.flatnonzero(given + held == 0):
        spare = np.where(given > 0, given + held - 1, 0)
        if spare.any():
            given[[spare.argmax(), bare]] += -1, 1
    return given


def _quota(n_of_class: Ints, shares: list[float]) -> Ints:
    """Return how many rows of each class each side should have, shape (n_sides, n_classes)."""
    quota = np.zeros((len(shares), n_of_class.size), np.int64)
    for each, n in enumerate(n_of_class):
        quota[:, each] = fill(n, shares, load=quota.sum(axis=1))
    return quota


def _deal_groups(label: Ints, group: Ints, quota: Ints, rng: np.random.Generator) -> Ints:
    """Return the side of each row whose group has several rows; -1 for the others."""
    sizes = np.bincount(group)
    counts = csr_array((np.ones(label.size, np.int64), (group, label)), shape=(sizes.size, quota.shape[1]))
    waiting = (counts > 0).sum(axis=0)  # groups of each class that are not dealt yet
    dealt, side = np.zeros_like(quota), np.full(sizes.size, -1)
    order = np.lexsort((rng.random(sizes.size), -sizes))
    for each in order[: np.count_nonzero(sizes > 1)]:
        span = slice(counts.indptr[each], counts.indptr[each + 1])
        classes, n_rows = counts.indices[span], counts.data[span]
        side[each] = _least_full(dealt[:, classes], quota[:, classes], n_rows, waiting[classes])
        dealt[side[each], classes] += n_rows
        waiting[classes] -= 1
    return side[group]


def _least_full(dealt: Ints, quota: Ints, n_rows: Ints, waiting: Ints) -> int:
    """Return the side that a group goes to, seen only in its own classes: dealt and quota are (n_sides, n_classes)."""
    fullness = (dealt + n_rows / 2) / quota @ (n_rows / quota.sum(axis=0))
    bare = dealt == 0
    # As many sides without a class as groups that have it: each of these groups must go to such a side.
    must = (bare & (bare.sum(axis=0) >= waiting)).any(axis=1)
    return int(np.argmin(np.where(must | ~must.any(), fullness, np.inf)))


def _codes(values: pl.Series) -> Ints:
    codes: Ints = values.rank("dense").to_numpy().astype(np.int64) - 1
    return codes


def _count(side: Ints, label: Ints, shape: tuple[int, ...]) -> Ints:
    """Return the rows of each side and class, shape (n_sides, n_classes)."""
    count: Ints = np.bincount(side * shape[1] + label, minlength=shape[0] * shape[1]).reshape(shape)
    return count


def _check_enough(labels: pl.Series, groups: pl.Series, sides: list[str]) -> None:
    if labels.len() < len(sides):
        raise SplitError(f"{len(sides)} folds ({', '.join(sides)}) need at least as many rows; got {labels.len()}.")
    per_class = pl.DataFrame({"label": labels, "group": groups}).group_by("label")
    scarcest = per_class.agg(pl.len(), pl.col("group").n_unique()).sort("group", "label").row(0, named=True)
    if scarcest["group"] < len(sides):
        raise SplitError(
            f"{len(sides)} folds ({', '.join(sides)}) need at least as many groups of each class; "
            f"{scarcest['label']!r} has {scarcest['group']} (of {scarcest['len']:,} rows)."
        )


def _check_sides(table: Ints, classes: pl.Series, sides: list[str]) -> None:
    for side, each in np.argwhere(table == 0):
        rows = ", ".join(f"{name} {n:,}" for name, n in zip(sides, table[:, each], strict=True))
        raise SplitError(f"The groups leave no row of class {classes[int(each)]!r} in fold {sides[side]!r}: {rows}.")
