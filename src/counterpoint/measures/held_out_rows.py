"""The rows that a fit was not trained on: their parts by test fold, and which of them are predicted correctly."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from counterpoint.contenders.folds import folds_to_test, rows_by_part
from counterpoint.data.given_split import is_k_fold
from counterpoint.measures.recombined_logits import shares_of
from counterpoint.metrics.decision import BALANCED, class_shares, decide, with_predicted
from counterpoint.schema import Frame, class_names

HOLDOUT = {"train", "test"}


def has_test_rows(pairs: Frame) -> bool:
    """Return whether *pairs* have the folds of a hold-out or of a k-fold.

    >>> has_test_rows(pl.DataFrame({"fold": ["train", "test"]})), has_test_rows(pl.DataFrame({"fold": ["train"]}))
    (True, False)
    """
    if "fold" not in pairs.columns:
        return False
    folds = set(pairs["fold"].drop_nulls())
    return folds >= HOLDOUT or is_k_fold(folds)


def parts_by_fold(pairs: Frame) -> Iterator[dict[str, Frame]]:
    """Yield the train, validation and test rows of each test fold.  Without test rows, nothing."""
    if has_test_rows(pairs):
        yield from (rows_by_part(pairs, fold) for fold in folds_to_test(pairs))


def correct_shares(predictions: Frame, contender: str, *, metric: str = BALANCED) -> Frame:
    """Return each test row of *contender* once, with ``hit``: the share of seeds that predict its class.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS, with the training rows.
    contender
        *contender* is the name of a contender.
    metric
        *metric* is the metric for which the predicted class is the best.

    Examples
    --------
    >>> rows = pl.DataFrame({"id": ["1", "1"], "contender": "m", "seed": [0, 1], "fold": "test", "part": "test",
    ...                      "group": "1", "label": "a", "p_a": [0.9, 0.4], "p_b": [0.1, 0.6]})
    >>> correct_shares(rows, "m").row(0)
    ('1', 'test', '1', 'a', 0.5)
    """
    names = class_names(predictions)
    if not names:
        return predictions.select("id", "fold", "group", "label", hit=pl.lit(None, pl.Float64)).clear()
    tested = predictions.filter(contender=contender, part="test")
    rows = with_predicted(tested, metric, class_shares(predictions))
    rows = rows.with_columns(hit=pl.col("predicted") == pl.col("label"))
    by_row = rows.group_by("id", "fold", maintain_order=True)
    return by_row.agg(pl.col("group", "label").first(), pl.col("hit").mean())


def correctness(model: Any, rows: Frame, *, metric: str = BALANCED) -> Frame:
    """Return label and ``hit`` of *rows*: 1 where *model* predicts the label, else 0.

    Parameters
    ----------
    model
        *model* is a fitted contender.
    rows
        *rows* are pairs with a label.
    metric
        *metric* is the metric for which the predicted class is the best.
    """
    predicted = model.classes_[decide(model.predict_proba(rows), metric=metric, shares=shares_of(model))]
    return rows.select("label", hit=pl.Series(predicted == rows["label"].to_numpy()).cast(pl.Float64))
