"""Validation rows and folds within training rows, which share no group.  Balances classes, not sources."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.contenders.base import Rows
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed


def hold_out(rows: Rows, *, seed: int, share: float = 0.15) -> tuple[Rows, Rows]:
    """Return training and validation rows that share no group.

    A class that is a single group stays in training.  Where all classes are, training and validation are the same rows.
    A row without a ``group`` is a group of its own.

    Parameters
    ----------
    rows
        *rows* are the rows to divide.
    seed
        *seed* shuffles the groups.
    share
        *share* is about the share of validation rows in each class.

    Examples
    --------
    >>> pairs = pl.DataFrame({"group": list("aabbccddeeff")})
    >>> train, validation = hold_out(Rows(pairs, np.repeat([0, 1], 6)), seed=0)
    >>> len(train.codes), validation.codes.tolist()
    (8, [0, 0, 1, 1])
    """
    member, groups = _groups(rows)
    draw = np.random.default_rng(child_seed(seed, "hold-out")).random(len(groups))
    target = share * pl.col("size").sum().over("code")
    # Groups larger than the whole target come last, so that one family cannot fill the validation rows.
    groups = groups.with_columns(large=pl.col("size") > target, draw=pl.Series(draw)).sort("large", "draw")
    until = pl.col("size").cum_sum().over("code") - pl.col("size") / 2
    is_first = pl.int_range(pl.len()).over("code") == 0
    chosen = groups.filter((pl.len().over("code") > 1) & (is_first | (until <= target)))["group"]
    is_out = member.is_in(chosen.implode()).to_numpy()
    return (_part(rows, ~is_out), _part(rows, is_out)) if is_out.any() else (rows, rows)


def cross_folds(rows: Rows, n_folds: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Return a fold for each row, or -1 for a class of one group: the folds share no group, and balance classes.

    Groups are shuffled.  Where rows repeat in a cycle, folds in turn would be parts of the cycle.

    Parameters
    ----------
    rows
        *rows* are the rows to divide.
    n_folds
        *n_folds* is the number of folds.
    seed
        *seed* shuffles the groups.

    Examples
    --------
    >>> cross_folds(Rows(pl.DataFrame({"group": list("aabcd")}), np.array([0, 0, 0, 0, 1])), 2).tolist()
    [0, 0, 0, 1, -1]
    """
    member, groups = _groups(rows)
    groups = groups[np.random.default_rng(child_seed(seed, "cross-folds")).permutation(len(groups))]
    turn = pl.int_range(pl.len()).over("code") % n_folds
    folds = groups.select("group", fold=pl.when(pl.len().over("code") > 1).then(turn).otherwise(-1))
    joined = member.to_frame("group").join(folds, on="group", how="left", maintain_order="left")
    return joined["fold"].to_numpy().astype(np.int64)


def _groups(rows: Rows) -> tuple[pl.Series, Frame]:
    """Return the group of each row, and the most frequent class and the size of each group."""
    own = pl.format("row {}", pl.int_range(pl.len()))
    group = pl.coalesce(pl.col("group").cast(pl.String), own) if "group" in rows.pairs.columns else own
    members = rows.pairs.select(group=group, code=pl.Series(rows.codes))
    groups = members.group_by("group", maintain_order=True).agg(pl.col("code").mode().min(), size=pl.len())
    return members["group"], groups


def _part(rows: Rows, mask: NDArray[np.bool_]) -> Rows:
    return Rows(rows.pairs.filter(mask), rows.codes[mask])
