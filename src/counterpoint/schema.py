"""The tables that travel through a study: their columns, their types, and the ledger of rows that left."""

import json
from collections.abc import Mapping
from typing import Any, NewType

import polars as pl

from counterpoint.errors import SchemaError

Frame = pl.DataFrame
Dropped = NewType("Dropped", pl.DataFrame)
Columns = Mapping[str, Any]

RECORDS: Columns = {
    "id": pl.String,
    "row": pl.Int64,
    "text": pl.String,
    "image": pl.String,
    "source": pl.String,
}
"""What every source yields.  May also have label, group, fold, url, host, text_id, image_id, any metadata."""

DROPPED: Columns = {
    "row": pl.Int64,
    "id": pl.String,
    "source": pl.String,
    "stage": pl.String,
    "reason": pl.String,
    "label": pl.String,
    "host": pl.String,
}
"""Every row that left, once.  ``row`` of Pairs and ``row`` of Dropped partition the input."""

PAIRS: Columns = {
    "id": pl.String,
    "row": pl.Int64,
    "text": pl.String,
    "image": pl.String,
    "label": pl.String,
    "label_source": pl.String,
    "group": pl.String,
    "fold": pl.String,
}
"""Fold is "train", "validation", "test" of a hold-out, or "0", "1" … of a k-fold.  Null text or image: missing."""

PREDICTIONS: Columns = {
    "id": pl.String,
    "contender": pl.String,
    "seed": pl.Int64,
    "fold": pl.String,
    "part": pl.String,
    "group": pl.String,
    "label": pl.String,
}
"""The narrow waist, plus one ``p_<class>`` column a class (sorted by class name).

``fold`` is the test fold of the fit ("0" … of a k-fold, "test" of a hold-out); ``part`` says on which
side of that fit the row stood: "train", "validation" or "test".
"""

HISTORY: Columns = {
    "contender": pl.String,
    "seed": pl.Int64,
    "fold": pl.String,
    "epoch": pl.Int64,
    "branch": pl.String,
    "train_loss": pl.Float64,
    "valid_loss": pl.Float64,
    "train_score": pl.Float64,
    "valid_score": pl.Float64,
    "gradient_norm": pl.Float64,
}
"""One row an epoch; scores are accuracies; branch is "joint" where the whole network is trained at once."""

COSTS: Columns = {
    "contender": pl.String,
    "seed": pl.Int64,
    "fold": pl.String,
    "trials": pl.Int64,
    "epochs": pl.Int64,
    "parameters": pl.Int64,
    "fit_s": pl.Float64,
    "predict_s": pl.Float64,
}

SCORES: Columns = {
    "contender": pl.String,
    "part": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "seeds": pl.Int64,
}
"""``part`` is "train", "validation", "test", or "oof": the test rows of all folds of a k-fold together."""

DIFFERENCES: Columns = {
    "a": pl.String,
    "b": pl.String,
    "metric": pl.String,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p": pl.Float64,
    "p_holm": pl.Float64,
    "test": pl.String,
    "minimum_detectable": pl.Float64,
    "is_primary": pl.Boolean,
}
"""``difference`` is the score of *a* minus the score of *b* on the same test rows; ``test`` names where p is from."""

FINDINGS: Columns = {
    "code": pl.String,
    "severity": pl.String,
    "subject": pl.String,
    "explanation": pl.String,
    "evidence": pl.String,
}
"""``severity`` is info, warn, fail or not_applicable; ``evidence`` is a JSON object."""


def empty(columns: Columns) -> Frame:
    """Return a frame of no rows with these columns.

    >>> empty(DROPPED).columns[:2]
    ['row', 'id']
    """
    return pl.DataFrame(schema=dict(columns))


def check(frame: Frame, columns: Columns, *, table: str) -> Frame:
    """Return *frame* unchanged when it has all *columns* with their types.

    Raises
    ------
    SchemaError
        One line with what is missing, and what was found.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise SchemaError(f"{table} lack {', '.join(missing)}; found {', '.join(frame.columns)}.")
    found = frame.schema
    wrong = [f"{name} is {found[name]}, not {kind}" for name, kind in columns.items() if found[name] != kind]
    if wrong:
        raise SchemaError(f"{table} have a wrong type: {'; '.join(wrong)}.")
    return frame


def ledger(rows: Frame, *, stage: str, reason: str | pl.Expr) -> Dropped:
    """Return the Dropped rows for *rows* that leave at *stage* for *reason* (a word, or an expression over rows)."""
    columns = {name: pl.col(name) if name in rows.columns else pl.lit(None) for name in DROPPED}
    columns["stage"] = pl.lit(stage)
    columns["reason"] = pl.lit(reason) if isinstance(reason, str) else reason
    return Dropped(rows.select(columns[name].cast(kind).alias(name) for name, kind in DROPPED.items()))


def sift(rows: Frame, reason: pl.Expr, *, stage: str) -> tuple[Frame, Dropped]:
    """Return the rows whose *reason* is null, and the ledger of all others.

    Examples
    --------
    >>> rows = pl.DataFrame({"id": ["a", "b"], "row": [0, 1]})
    >>> kept, dropped = sift(rows, pl.when(pl.col("id") == "b").then(pl.lit("is_b")), stage="clean")
    >>> kept["id"].to_list(), dropped["reason"].to_list()
    (['a'], ['is_b'])
    """
    reasons = rows.select(reason.cast(pl.String).alias("reason"))["reason"]
    stays = reasons.is_null()
    leaving = rows.filter(~stays).with_columns(reasons.filter(~stays).alias("reason"))
    return rows.filter(stays), ledger(leaving, stage=stage, reason=pl.col("reason"))


def first_reason(fails: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the first name of *fails* whose expression is true of a row; null where none is.

    >>> rows = pl.DataFrame({"n": [1, None, 9]})
    >>> rows.select(first_reason({"is_odd": pl.col("n") % 2 == 1, "is_big": pl.col("n") > 5}).alias("r"))["r"].to_list()
    ['is_odd', None, 'is_odd']
    """
    return pl.coalesce(*(pl.when(fail.fill_null(False)).then(pl.lit(name)) for name, fail in fails.items()))


def finding(code: str, severity: str, subject: str, explanation: str, **evidence: Any) -> dict[str, str]:
    """Return one row of ``FINDINGS``.

    >>> finding("CP011", "info", "seeds", "One fit.", n_fits=1)["evidence"]
    '{"n_fits": 1}'
    """
    return dict(zip(FINDINGS, (code, severity, subject, explanation, json.dumps(evidence)), strict=True))


def class_names(predictions: Frame) -> list[str]:
    """Return the classes of a Predictions table, in the order of its ``p_`` columns."""
    return [name.removeprefix("p_") for name in predictions.columns if name.startswith("p_")]
