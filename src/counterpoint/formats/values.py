"""The meaning of values in a column of names, the same in every format: missing values and whole numbers.

Programs write a missing value as NaN, and then whole numbers of the same column as 1.0.  Names have neither form.
"""

import json
from collections.abc import Collection

import polars as pl

from counterpoint.formats.tables import Table

MISSING = ("NaN", "nan", "<NA>")
"""Missing values as pandas and JSON write them.  In a column of texts these are texts."""

_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.(?:0|[0-9]*[1-9]))?$"
"""A number as programs write it, unlike 1.10 and 007."""


def name_strings(column: pl.Series, *, is_number: bool = False) -> pl.Series:
    """Return a column of names or numbers as strings: whole numbers have no decimals, missing values are null.

    Parameters
    ----------
    column
        *column* has strings, numbers or truth values.
    is_number
        *is_number* is true where all its strings are numbers (`number_columns`).

    Examples
    --------
    >>> name_strings(pl.Series([1.0, None, 0.5, float("nan")])).to_list()
    ['1', None, '0.5', None]
    >>> name_strings(pl.Series(["1.0", "2", "NaN"]), is_number=True).to_list()
    ['1', '2', None]
    >>> name_strings(pl.Series(["1.0", "1.10"])).to_list()
    ['1.0', '1.10']
    """
    name, column = column.name, column.alias("")  # a name such as "^)$" would be read as a regular expression
    if column.dtype.is_decimal():
        column = column.cast(pl.Float64)
    if column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        known = pl.when(column.is_finite()).then(column)
        strings = pl.select(known.cast(pl.String)).to_series()
        return whole.cast(pl.String).zip_with((whole == column).fill_null(False), strings).alias(name)
    value = pl.col("value")
    made: pl.Expr = pl.when(~value.str.strip_chars().is_in(MISSING)).then(value)
    if is_number:
        made = made.str.strip_chars().str.replace(r"\.0$", "").replace("-0", "0")
    return column.cast(pl.String).to_frame("value").select(made).to_series().alias(name)


def number_columns(table: Table, columns: Collection[str]) -> frozenset[str]:
    """Return the string columns of *columns* in which every value is a number as programs write it.

    Versions such as 1.0 and 1.10 are names, so their column is not among them.

    Examples
    --------
    >>> from counterpoint.formats.tables import table_of
    >>> frame = pl.DataFrame({"label": ["1.0", None, "0"], "version": ["1.0", "1.10", "2.0"]})
    >>> sorted(number_columns(table_of(frame), ["label", "version"]))
    ['label']
    """
    left = set(columns)
    for frame in table.frames(left) if left else ():
        left = {name for name in left if _holds_numbers(frame[name])}
        if not left:
            break
    return frozenset(left)


def _holds_numbers(column: pl.Series) -> bool:
    if column.dtype != pl.String:
        return False
    given = name_strings(column).alias("").drop_nulls().str.strip_chars()
    return bool(given.str.contains(_NUMBER).all())


def as_json(column: pl.Series) -> pl.Series:
    """Return a column of lists or structs as strings of JSON.

    >>> as_json(pl.Series([["a", "b"], None])).to_list()
    ['["a", "b"]', None]
    """
    strings = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in column.to_list()
    ]
    return pl.Series(column.name, strings, dtype=pl.String)
