"""Functions on tables: the empty one, the check of one, dropped rows, findings, and classes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from counterpoint.errors import SchemaError
from counterpoint.schema.columns import DROPPED, FINDINGS, Columns, Dropped, Frame


def empty(columns: Columns) -> Frame:
    """Return a frame of no rows with these columns.

    >>> empty(DROPPED).columns[:2]
    ['row', 'id']
    """
    return pl.DataFrame(schema=dict(columns))


def check(frame: Frame, columns: Columns, *, table: str) -> Frame:
    """Return *frame* unchanged if it has all *columns* with their types.

    Parameters
    ----------
    frame
        *frame* is a table.
    columns
        *columns* are the types of its columns, by name.
    table
        *table* is the name of the table in the error, in the plural.

    Raises
    ------
    SchemaError
        When a column is missing or has another type.
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
    """Return the ledger of *rows* that leave: schema.DROPPED.

    Parameters
    ----------
    rows
        *rows* are the rows that leave.
    stage
        *stage* is the stage at which they leave.
    reason
        *reason* is one reason for all, or an expression over *rows*.
    """
    columns = {name: pl.col(name) if name in rows.columns else pl.lit(None) for name in DROPPED}
    columns["stage"] = pl.lit(stage)
    columns["reason"] = pl.lit(reason) if isinstance(reason, str) else reason
    return Dropped(rows.select(columns[name].cast(kind).alias(name) for name, kind in DROPPED.items()))


def sift(rows: Frame, reason: pl.Expr, *, stage: str) -> tuple[Frame, Dropped]:
    """Return the rows whose *reason* is null, and the ledger of all others.

    Parameters
    ----------
    rows
        *rows* are the rows of a table.
    reason
        *reason* is an expression over *rows*: null for a row that stays.
    stage
        *stage* is the stage at which the others leave.

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
    """Return the first name of *fails* whose expression is true for a row, or null.

    >>> rows = pl.DataFrame({"n": [1, None, 9]})
    >>> rows.select(first_reason({"is_odd": pl.col("n") % 2 == 1, "is_big": pl.col("n") > 5}).alias("r"))["r"].to_list()
    ['is_odd', None, 'is_odd']
    """
    return pl.coalesce(*(pl.when(fail.fill_null(False)).then(pl.lit(name)) for name, fail in fails.items()))


def finding(code: str, severity: str, subject: str, explanation: str, **evidence: Any) -> dict[str, str]:
    """Return one row of ``FINDINGS``.

    Parameters
    ----------
    code
        *code* is the code of the check or stage, such as "CP011".
    severity
        *severity* is "info", "warn", "fail" or "not_applicable".
    subject
        *subject* is the thing that the finding is about, such as a contender or "seeds".
    explanation
        *explanation* is the text for the reader.
    evidence
        *evidence* are the numbers behind it, as values of JSON.

    Examples
    --------
    >>> finding("CP011", "info", "seeds", "One fit.", n_fits=1)["evidence"]
    '{"n_fits": 1}'
    """
    return dict(zip(FINDINGS, (code, severity, subject, explanation, json.dumps(evidence)), strict=True))


def class_names(predictions: Frame) -> list[str]:
    """Return the classes of a Predictions table, in the order of its ``p_`` columns."""
    return [name.removeprefix("p_") for name in predictions.columns if name.startswith("p_")]


def predicted_class(classes: Sequence[str]) -> pl.Expr:
    """Return the class of the largest ``p_`` column of a Predictions table.  Of equal ones, the first counts.

    >>> pl.DataFrame({"p_a": [0.9, 0.5], "p_b": [0.1, 0.5]}).select(predicted_class(["a", "b"]))["p_a"].to_list()
    ['a', 'a']
    """
    largest = pl.concat_list([f"p_{name}" for name in classes]).list.arg_max()
    return largest.replace_strict(dict(enumerate(classes)), return_dtype=pl.String)
