"""Folds with every class in each fold and no group in two folds.  Does not balance sources."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.config import Split
from counterpoint.data.given_split import given_folds, is_k_fold, resolved
from counterpoint.data.stratified_assignment import apportion, assign_parts
from counterpoint.errors import SplitError
from counterpoint.schema import DROPPED, PAIRS, Dropped, Frame, check, empty, finding, first_reason, sift
from counterpoint.seeds import child_seed

_ROUNDING = 1e-6


def split(pairs: Frame, rules: Split) -> tuple[Frame, Dropped]:
    """Return Pairs with ``fold``, sorted by row, and the ledger of the rows left out.

    Parameters
    ----------
    pairs
        *pairs* have ``label`` and ``group``, and ``fold`` where the source gives a split.
    rules
        *rules* is the section ``split`` of the study file.

    Raises
    ------
    SplitError
        When a fold would lack a class, or the given folds are neither a hold-out nor a k-fold.

    Examples
    --------
    >>> ids = [str(row) for row in range(60)]
    >>> pairs = pl.DataFrame({"id": ids, "row": range(60), "text": ids, "image": ids, "label": ["cat", "dog"] * 30,
    ...                       "label_source": ["column"] * 60, "group": ids})
    >>> folds, _ = split(pairs, Split(test_share=0.2, validation_share=0.2))
    >>> folds["fold"].value_counts().sort("fold").rows()
    [('test', 12), ('train', 36), ('validation', 12)]
    """
    is_open, rules = rules.kind == "auto", resolved(pairs, rules)
    try:
        return _split(pairs.sort("row"), rules)
    except SplitError as error:
        if is_open and rules.kind == "given":
            raise SplitError(f"{error} split.kind: holdout draws a split of its own.") from error
        raise


def _split(pairs: Frame, rules: Split) -> tuple[Frame, Dropped]:
    placed, unplaced = _placed(pairs, rules)
    if placed["label"].n_unique() < 2:
        raise SplitError(f"A split needs two classes. Got {placed.height:,} rows of {placed['label'].n_unique()}.")
    named = _named(placed) if rules.kind == "given" else placed
    sampled, unsampled = _sampled(named, rules)
    folds = _folds(sampled, rules)
    rest = [name for name in sampled.columns if name not in PAIRS]
    folded = check(sampled.with_columns(folds)[[*PAIRS, *rest]], PAIRS, table="Pairs")
    kept, untrained = _trained(folded, rules)
    return kept, Dropped(pl.concat([unplaced, unsampled, untrained]))


def straddling_groups(pairs: Frame) -> list[dict[str, str]]:
    """Return a finding when rows of one group are in several folds, which a given split allows.

    >>> pairs = pl.DataFrame({"group": ["g1", "g1", "g2"], "fold": ["train", "test", "test"]})
    >>> [found["explanation"] for found in straddling_groups(pairs)]
    ['1 of 2 groups (2 rows) is in several folds of the given split.']
    """
    groups = pairs.group_by("group").agg(pl.len(), pl.col("fold").n_unique()).sort("group")
    torn = groups.filter(pl.col("fold") > 1)
    if torn.is_empty():
        return []
    n, n_rows = torn.height, int(torn["len"].sum())
    are = "is" if n == 1 else "are"
    message = f"{n:,} of {groups.height:,} groups ({n_rows:,} rows) {are} in several folds of the given split."
    return [finding("CP002", "warn", "fold", message, groups=n, rows=n_rows, such_as=torn["group"].head(3).to_list())]


def _placed(pairs: Frame, rules: Split) -> tuple[Frame, Dropped]:
    """Return the rows that can be split: in a given split the rows that have a fold, otherwise all rows."""
    if rules.kind != "given":
        return pairs, Dropped(empty(DROPPED))
    if "fold" not in pairs.columns:
        raise SplitError(
            "split.kind is given, but there is no column fold. Name it in the source, or choose another kind."
        )
    return sift(pairs, first_reason({"null_fold": pl.col("fold").is_null()}), stage="split")


def _sampled(pairs: Frame, rules: Split) -> tuple[Frame, Dropped]:
    """Return the rows within ``balance`` and ``limit``, drawn from each class in a seeded order."""
    sizes = pairs["label"].value_counts().sort("label")
    even = _balanced(dict(sizes.iter_rows()), rules.balance)
    some = even if rules.limit is None or rules.limit >= even.sum() else apportion(rules.limit, even)
    draw = pl.Series("_draw", np.random.default_rng(child_seed(rules.seed, "sample")).random(pairs.height))
    place = pl.col("_draw").rank("ordinal").over("label")
    fails = {
        reason: place > pl.col("label").replace_strict(sizes["label"], most)
        for reason, most in (("balance", even), ("limit", some))
    }
    sampled, dropped = sift(pairs.with_columns(draw), first_reason(fails), stage="split")
    return sampled.drop("_draw"), dropped


def _balanced(sizes: Mapping[str, int], balance: bool | Mapping[str, float]) -> NDArray[np.int64]:
    """Return the number of rows of each class, in the order of *sizes*, after ``balance``."""
    full = np.array(list(sizes.values()), dtype=np.int64)
    if not balance:
        return full
    if balance is True:
        return full.clip(max=full.min(initial=sum(sizes.values())))
    if set(balance) != set(sizes):
        raise SplitError(f"split.balance has the classes {', '.join(sorted(balance))}. Found {', '.join(sizes)}.")
    shares = np.array([balance[name] for name in sizes])
    wanted = (full / shares).min() * shares
    return full.clip(max=np.floor(wanted + _ROUNDING).astype(np.int64))


def _trained(pairs: Frame, rules: Split) -> tuple[Frame, Dropped]:
    """Return *pairs* with at most ``train_limit`` training rows.  A smaller limit keeps a subset of them."""
    if rules.train_limit is None:
        return pairs, Dropped(empty(DROPPED))
    is_train = pl.col("fold") == "train"
    if is_k_fold(set(pairs["fold"])):
        raise SplitError("split.train_limit needs a hold-out: a given k-fold tests every row.")
    sizes = pairs.filter(is_train)["label"].value_counts().sort("label")
    wanted = apportion(min(rules.train_limit, int(sizes["count"].sum())), sizes["count"].to_numpy())
    if not wanted.all():
        raise SplitError(f"split.train_limit is {rules.train_limit}: too few training rows for {len(sizes)} classes.")
    draw = pl.Series("_draw", np.random.default_rng(child_seed(rules.seed, "train_limit")).random(pairs.height))
    place = pl.col("_draw").rank("ordinal").over("label", "fold")
    beyond = is_train & (place > pl.col("label").replace_strict(sizes["label"], wanted, default=0))
    kept, dropped = sift(pairs.with_columns(draw), first_reason({"train_limit": beyond}), stage="split")
    return kept.drop("_draw"), dropped


def _folds(pairs: Frame, rules: Split) -> pl.Series:
    if rules.kind == "given":
        return _given(pairs, rules)
    shares = {str(fold): 1 / rules.folds for fold in range(rules.folds)}
    if rules.kind == "holdout":
        train = 1 - rules.validation_share - rules.test_share
        shares = {"train": train, "validation": rules.validation_share, "test": rules.test_share}
    return assign_parts(pairs["label"], pairs["group"], shares, seed=rules.seed).alias("fold")


def _named(pairs: Frame) -> Frame:
    """Return *pairs* with the names of a hold-out or a k-fold in place of the given ones."""
    found = given_folds(pairs["fold"])
    _check_given(pairs["fold"], is_split=found.is_split)
    return pairs.with_columns(found.folds)


def _check_given(folds: pl.Series, *, is_split: bool) -> None:
    if not is_split:
        known = ", ".join(sorted(set(folds)))
        raise SplitError(f"A given split has the folds train, validation, test, or 0, 1, 2 …. Found {known}.")


def _given(pairs: Frame, rules: Split) -> pl.Series:
    """Return the given folds.  A hold-out without a validation fold gets one, drawn from the training rows."""
    folds, names = pairs["fold"], set(pairs["fold"])
    if is_k_fold(names):
        return folds
    _check_given(folds, is_split={"train", "test"} <= names)
    if "validation" not in names:
        share = rules.validation_share / (1 - rules.test_share)
        train = pairs.filter(folds == "train")
        shares = {"train": 1 - share, "validation": share}
        parts = assign_parts(train["label"], train["group"], shares, seed=rules.seed)
        folds = folds.scatter((folds == "train").arg_true(), parts)
    unseen = set(pairs["label"]) - set(pairs.filter(folds == "train")["label"])
    if unseen:
        raise SplitError(f"The given split has no training row of class {min(unseen)!r}.")
    return folds
