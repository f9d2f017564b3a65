"""The split that a source gives: the part of each of its folds, and a finding on it for the page."""

from typing import NamedTuple

import polars as pl

from counterpoint.config import Split
from counterpoint.schema import NOTE, PARTS, Frame, finding

FEWEST_FOLDS = 3
"""One to test on, the next to validate on, and at least one to train on."""


class Given(NamedTuple):
    """The folds that a source gives, one for each row, and the reason why they are no split (empty: they are one)."""

    folds: pl.Series
    problem: str
    is_grave: bool = False
    """Whether a split was probably meant: the source has several folds, but they are no split."""

    @property
    def is_split(self) -> bool:
        """Whether these folds can be used."""
        return not self.problem


def given_folds(folds: pl.Series) -> Given:
    """Return the folds of a source under the names of a hold-out or a k-fold.

    ``eval`` is the test fold, or the validation fold of a source with a test fold.  In a source with only training
    and validation rows, the validation rows are the test fold, so that nothing is chosen on them.

    Examples
    --------
    >>> given_folds(pl.Series(["train", "validation", None])).folds.to_list()
    ['train', 'test', None]
    >>> given_folds(pl.Series(["train", "train"])).problem
    'all its rows are of the fold train'
    """
    names = set(folds.drop_nulls())
    if "eval" in names:
        stands_for = "validation" if "test" in names else "test"
        folds = folds if {"validation", "test"} <= names else folds.replace({"eval": stands_for})
        names = set(folds.drop_nulls())
    if names == {"train", "validation"}:
        return Given(folds.replace({"validation": "test"}), "")
    return Given(folds, *_problem(names))


def _problem(names: set[str]) -> tuple[str, bool]:
    """Return the reason why folds of these *names* are no split, and whether a split was probably meant."""
    if is_k_fold(names) or {"train", "test"} <= names <= set(PARTS):
        return "", False
    shown = ", ".join(sorted(names)[:8])
    if len(names) < 2:
        return f"all its rows are of the fold {shown}" if names else "it has no folds", False
    if names <= set(PARTS):
        return f"it has no training rows, only {shown}", True
    return f"its folds are {shown}", True


def is_k_fold(names: set[str]) -> bool:
    """Return whether *names* are the folds of a k-fold, numbered from 0.

    >>> is_k_fold({"0", "1", "2"}), is_k_fold({"1", "2", "3"})
    (True, False)
    """
    return len(names) >= FEWEST_FOLDS and names == {str(number) for number in range(len(names))}


def resolved(pairs: Frame, rules: Split) -> Split:
    """Return *rules* with a definite kind for *pairs*: ``auto`` keeps a split that the source gives.

    >>> pairs = pl.DataFrame({"fold": ["train", "test"]})
    >>> resolved(pairs, Split()).kind, resolved(pairs.drop("fold"), Split()).kind
    ('given', 'holdout')
    """
    if rules.kind != "auto":
        return rules
    is_given = "fold" in pairs.columns and given_folds(pairs["fold"]).is_split
    return rules.model_copy(update={"kind": "given" if is_given else "holdout"})


def split_findings(pairs: Frame, folded: Frame, rules: Split) -> list[dict[str, str]]:
    """Return a finding on the split that the source gives, if it gives one: rows of schema.FINDINGS.

    Parameters
    ----------
    pairs
        *pairs* are the rows before the split, with the column ``fold`` of the source, if it has one.
    folded
        *folded* are the rows after the split.
    rules
        *rules* is the section ``split`` of the study file.

    Examples
    --------
    >>> pairs = pl.DataFrame({"fold": ["train", "train", "test"]})
    >>> [found["explanation"] for found in split_findings(pairs, pairs, Split(kind="given"))]
    ["The source's own split is kept: 2 training, 0 validation and 1 test rows."]
    """
    if "fold" not in pairs.columns or pairs["fold"].null_count() == pairs.height:
        return []
    kind = resolved(pairs, rules).kind
    if kind == "given":
        kept = _kept(pairs["fold"], folded["fold"])
        return [finding(NOTE, "info", "split", kept, kind=kind, given=_counts(pairs["fold"]))]
    given = given_folds(pairs["fold"])
    if rules.kind != "auto":
        return []
    why = f"The split of the source is not kept, and a hold-out is drawn: {given.problem}."
    severity = "warn" if given.is_grave else "info"
    return [finding(NOTE, severity, "split", why, kind=kind, given=_counts(pairs["fold"]))]


def is_split_given(findings: Frame) -> bool:
    """Return whether a study keeps the split of its source, by the note of `split_findings` among its *findings*.

    >>> pairs = pl.DataFrame({"fold": ["train", "train", "test"]})
    >>> is_split_given(pl.DataFrame(split_findings(pairs, pairs, Split(kind="given"))))
    True
    """
    notes = findings.filter(code=NOTE, subject="split")["evidence"]
    return any('"kind": "given"' in note for note in notes)


def _kept(given: pl.Series, folds: pl.Series) -> str:
    n = {fold: f"{number:,}" for fold, number in _counts(folds).items()}
    if is_k_fold(set(n)):
        return f"The source's own {len(n)} folds are kept."
    train, validation, test = (n.get(fold, "0") for fold in PARTS)
    stands_for = given_folds(given).folds
    sentence = f"The source's own split is kept: {train} training, {validation} validation and {test} test rows."
    for name, fold in sorted(set(zip(given.drop_nulls(), stands_for.drop_nulls(), strict=True))):
        sentence += f" Its {name} rows are the {fold} part." if name != fold else ""
    if "validation" not in set(stands_for) and "validation" in n:
        sentence += f" The {validation} validation rows are drawn from its training rows."
    return sentence + (f" {given.null_count():,} rows have no fold and are left out." if given.null_count() else "")


def _counts(folds: pl.Series) -> dict[str, int]:
    return dict(folds.drop_nulls().value_counts().sort(folds.name).iter_rows())
