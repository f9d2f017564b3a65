"""Assign rows to parts in given shares: class by class, and no group is torn.  Names no folds and draws no sample."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from counterpoint.errors import SplitError
from counterpoint.seeds import child_seed

Ints = NDArray[np.int64]


def assign_parts(labels: pl.Series, groups: pl.Series, shares: Mapping[str, float], *, seed: int) -> pl.Series:
    """Return the part of each row, so that each part has its share of every class, as nearly as groups allow.

    Groups of several rows are assigned first, the largest first.  Each goes to the part that is least full of the
    group's classes (Sainte-Laguë's rule, so that parts fill up in proportion).  Rows that are a group of their own
    then fill each part to its quota: the share of each class, to within one row.

    Parameters
    ----------
    labels
        *labels* are the classes of the rows.
    groups
        *groups* are the names of the groups.  The rows of one group stay in one part.
    shares
        *shares* maps each part to its share of the rows.  The shares need not sum to 1.
    seed
        *seed* decides between assignments that are equally good.

    Raises
    ------
    SplitError
        When a part would lack a class: one line with the figures.

    Examples
    --------
    >>> labels, groups = pl.Series(list("aaaabbbb")), pl.Series([1, 1, 2, 3, 4, 5, 6, 6])
    >>> parts = assign_parts(labels, groups, {"train": 0.5, "test": 0.5}, seed=0)
    >>> parts.value_counts().sort("part").rows(), parts[0] == parts[1], parts[6] == parts[7]
    ([('test', 4), ('train', 4)], True, True)
    """
    _check_enough(labels, groups, list(shares))
    label, group = _codes(labels), _codes(groups)
    rng = np.random.default_rng(child_seed(seed, "deal"))
    quota = _quota(np.bincount(label), list(shares.values()))
    is_alone = np.bincount(group)[group] == 1
    part = np.full(label.size, -1)
    part[~is_alone] = _assign_groups(label, group, quota, rng)[~is_alone]
    assigned = _count(part[~is_alone], label[~is_alone], quota.shape)
    for each in range(quota.shape[1]):
        rows = rng.permutation(np.flatnonzero(is_alone & (label == each)))
        room = apportion(rows.size, quota[:, each] - assigned[:, each], held=assigned[:, each])
        part[rows] = np.repeat(np.arange(len(shares)), room)
    _check_parts(_count(part, label, quota.shape), labels.unique().sort(), list(shares))
    return pl.Series("part", list(shares), dtype=pl.String).gather(part)


def apportion(n: int, wanted: ArrayLike, *, held: Ints | int = 0, load: Ints | int = 0) -> Ints:
    """Return how many of *n* rows each part gets, in proportion to *wanted*, by largest remainder.

    This is Hamilton's method of apportionment, except that no part stays empty while another has rows to give.

    Parameters
    ----------
    n
        *n* is the number of rows.
    wanted
        *wanted* are the weights of the parts, shape (n_parts,).  A weight below 0 counts as 0.
    held
        *held* is the number of rows that each part has already.  A part that would hold nothing gets one row from the
        part that holds most.
    load
        *load* decides between equal remainders: the part with the least *load* comes first.

    Examples
    --------
    >>> apportion(10, [0.64, 0.16, 0.2]).tolist(), apportion(3, [0.64, 0.16, 0.2]).tolist()
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
    """Return how many rows of each class each part should have, shape (n_parts, n_classes)."""
    quota = np.zeros((len(shares), n_of_class.size), np.int64)
    for each, n in enumerate(n_of_class):
        quota[:, each] = apportion(n, shares, load=quota.sum(axis=1))
    return quota


def _assign_groups(label: Ints, group: Ints, quota: Ints, rng: np.random.Generator) -> Ints:
    """Return the part of each row whose group has several rows, and -1 for the others."""
    sizes = np.bincount(group)
    counts = csr_array((np.ones(label.size, np.int64), (group, label)), shape=(sizes.size, quota.shape[1]))
    waiting = (counts > 0).sum(axis=0)  # groups of each class that are not assigned yet
    assigned, part = np.zeros_like(quota), np.full(sizes.size, -1)
    order = np.lexsort((rng.random(sizes.size), -sizes))
    for each in order[: np.count_nonzero(sizes > 1)]:
        span = slice(counts.indptr[each], counts.indptr[each + 1])
        classes, n_rows = counts.indices[span], counts.data[span]
        part[each] = _least_full(assigned[:, classes], quota[:, classes], n_rows, waiting[classes])
        assigned[part[each], classes] += n_rows
        waiting[classes] -= 1
    return part[group]


def _least_full(assigned: Ints, quota: Ints, n_rows: Ints, waiting: Ints) -> int:
    """Return the part that a group goes to, from its own classes only: both tables are (n_parts, n_classes)."""
    fullness = (assigned + n_rows / 2) / quota @ (n_rows / quota.sum(axis=0))
    bare = assigned == 0
    # As many parts without a class as groups that have it: each of these groups must go to such a part.
    must = (bare & (bare.sum(axis=0) >= waiting)).any(axis=1)
    return int(np.argmin(np.where(must | ~must.any(), fullness, np.inf)))


def _codes(values: pl.Series) -> Ints:
    codes: Ints = values.rank("dense").to_numpy().astype(np.int64) - 1
    return codes


def _count(part: Ints, label: Ints, shape: tuple[int, ...]) -> Ints:
    """Return the rows of each part and class, shape (n_parts, n_classes)."""
    count: Ints = np.bincount(part * shape[1] + label, minlength=shape[0] * shape[1]).reshape(shape)
    return count


def _check_enough(labels: pl.Series, groups: pl.Series, parts: list[str]) -> None:
    if labels.len() < len(parts):
        raise SplitError(f"{len(parts)} folds ({', '.join(parts)}) need at least as many rows. Got {labels.len()}.")
    per_class = pl.DataFrame({"label": labels, "group": groups}).group_by("label")
    scarcest = per_class.agg(pl.len(), pl.col("group").n_unique()).sort("group", "label").row(0, named=True)
    if scarcest["group"] < len(parts):
        raise SplitError(
            f"{len(parts)} folds ({', '.join(parts)}) need at least as many groups of each class. "
            f"Class {scarcest['label']!r} has {scarcest['group']} (of {scarcest['len']:,} rows)."
        )


def _check_parts(table: Ints, classes: pl.Series, parts: list[str]) -> None:
    for part, each in np.argwhere(table == 0):
        rows = ", ".join(f"{name} {n:,}" for name, n in zip(parts, table[:, each], strict=True))
        raise SplitError(f"The groups leave no row of class {classes[int(each)]!r} in fold {parts[part]!r}: {rows}.")
