"""The rows that a fit was not trained on: what it said of them, and which of them stand on which side."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from counterpoint.contenders.folds import folds_to_test, rows_by_part
from counterpoint.diagnose.case import Case
from counterpoint.schema import Frame, class_names

HOLDOUT = {"train", "test"}


def has_test_rows(pairs: Frame) -> bool:
    """Say whether *pairs* have the folds of a hold-out, or those of a k-fold.

    >>> has_test_rows(pl.DataFrame({"fold": ["train", "test"]})), has_test_rows(pl.DataFrame({"fold": ["train"]}))
    (True, False)
    """
    if "fold" not in pairs.columns:
        return False
    folds = set(pairs["fold"].drop_nulls())
    return folds >= HOLDOUT or (len(folds) > 2 and folds == {str(number) for number in range(len(folds))})


def parts(pairs: Frame) -> Iterator[dict[str, Frame]]:
    """Yield the train, validation and test rows of each test fold; nothing where there are no test rows."""
    if has_test_rows(pairs):
        yield from (rows_by_part(pairs, fold) for fold in folds_to_test(pairs))


def hits(predictions: Frame, contender: str) -> Frame:
    """Return each row of *predictions* of *contender* once, with ``hit``: the share of seeds that are right on it.

    >>> rows = pl.DataFrame({"id": ["1", "1"], "contender": "m", "seed": [0, 1], "fold": "test", "group": "1",
    ...                      "label": "a", "p_a": [0.9, 0.4], "p_b": [0.1, 0.6]})
    >>> hits(rows, "m").row(0)
    ('1', 'test', '1', 'a', 0.5)
    """
    names = class_names(predictions)
    if not names:
        return predictions.select("id", "fold", "group", "label", hit=pl.lit(None, pl.Float64)).clear()
    best = pl.concat_list(f"p_{name}" for name in names).list.arg_max()
    guess = best.replace_strict(dict(enumerate(names)), return_dtype=pl.String)
    rows = predictions.filter(pl.col("contender") == contender).with_columns(hit=guess == pl.col("label"))
    said = rows.group_by("id", "fold", maintain_order=True)
    return said.agg(pl.col("group", "label").first(), pl.col("hit").mean())


def right(model: Any, rows: Frame) -> Frame:
    """Return label and ``hit`` of *rows*: 1 where *model* is right, else 0."""
    return rows.select("label", hit=pl.Series(model.predict(rows) == rows["label"].to_numpy()).cast(pl.Float64))


def voices(case: Case) -> list[str]:
    """Return the contenders to look at: the two of the primary contrast, or else all that read something."""
    if case.primary is not None:
        return [case.primary["a"], case.primary["b"]]
    return [name for name, reads in case.modalities.items() if reads]


def rounded(rows: Sequence[dict[str, Any]], digits: int = 4) -> list[dict[str, Any]]:
    """Return the *rows* of a table as evidence keeps them.

    >>> rounded([{"contender": "svm", "score": 0.123456}])
    [{'contender': 'svm', 'score': 0.1235}]
    """
    return [
        {name: round(value, digits) if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    ]
