"""The train, validation and test rows of a fold."""

import polars as pl

from counterpoint.schema import PARTS, Frame


def rows_by_part(pairs: Frame, fold: str) -> dict[str, Frame]:
    """Return the train, validation and test rows of *pairs* for a test fold.

    In a k-fold the validation fold of test fold k is k + 1 (the first after the last).  In a hold-out the folds are the
    parts.

    Examples
    --------
    >>> pairs = pl.DataFrame({"id": list("abcde"), "fold": ["0", "1", "2", "1", "2"]})
    >>> {part: rows["id"].to_list() for part, rows in rows_by_part(pairs, "2").items()}
    {'train': ['b', 'd'], 'validation': ['a'], 'test': ['c', 'e']}
    """
    if fold == "test":
        return {part: pairs.filter(pl.col("fold") == part) for part in PARTS}
    n_folds = pairs["fold"].n_unique()
    validation = str((int(fold) + 1) % n_folds)
    return {
        "train": pairs.filter(~pl.col("fold").is_in([fold, validation])),
        "validation": pairs.filter(pl.col("fold") == validation),
        "test": pairs.filter(pl.col("fold") == fold),
    }


def folds_to_test(pairs: Frame) -> list[str]:
    """Return the test folds of *pairs*: ["test"] in a hold-out, ["0", "1", …] in a k-fold.

    A hold-out may have no test rows: its fit is then for other pairs.

    >>> folds_to_test(pl.DataFrame({"fold": ["train", "test", "validation"]}))
    ['test']
    """
    folds = pairs["fold"].unique().to_list()
    return sorted(folds, key=int) if set(folds).isdisjoint(PARTS) else ["test"]
