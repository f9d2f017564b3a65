"""Whether the labels of a table are classes: not sets of classes (multi-label), not measurements (regression)."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection

import polars as pl

from counterpoint.errors import SchemaError

MOST = 0.5
"""A property of more than this share of the rows is a property of the column."""
MIN_RECURRING = 2 / 3
"""Least share of the parts of labels such as ``a, b`` that also come in other labels."""
MIN_NUMBERS = 0.9
"""Least share of numbers among labels.  The others, such as n/a, stand for missing values."""
MIN_VALUES, MANY_VALUES = 10, 50
"""Few numbers with decimals may be classes, such as stars from 1 to 5 in steps of one half."""

_LIST = r"""^(?:\[\s*(?:\]|["'\d.\-\[].*\])|\(\s*["'\d].*\)|\{\s*["'].*\})$"""
_SEPARATORS = (",", ";", "|")
_PRICE = r"^\s*[€$£]?\s*([-+]?\d+)[.,](\d+)\s*(?:[€$£%]|EUR)?\s*$"
"""A number with decimals, in the notation of a shop of any country."""
_ONE = "A comparison needs one class for each row"


def check_classes(labels: pl.Series) -> None:
    """Raise `SchemaError` when *labels* are sets of classes, or measurements.

    Examples
    --------
    >>> check_classes(pl.Series(["Smith, John", "Smith, Jane", "Doe, Jim"]))
    >>> check_classes(pl.Series(["cat", "dog", "cat, dog"]))
    Traceback (most recent call last):
    counterpoint.errors.SchemaError: Labels such as 'cat, dog' name several classes, which also come in other labels:
    they are multi-label. A comparison needs one class for each row: name another column, or set label.mapping.
    """
    given = labels.drop_nulls()
    if given.is_empty():
        return
    _check_numbers(given)
    lists = given.filter(given.str.contains(_LIST))
    if len(lists) > MOST * len(given):
        raise SchemaError(_multi(lists[0], "are lists"))
    distinct = given.unique(maintain_order=True).to_list()
    several = _set_of_classes(distinct)
    if several is not None:
        raise SchemaError(_multi(several, "name several classes, which also come in other labels"))


def _multi(label: str, form: str) -> str:
    shown = label if len(label) <= 60 else f"{label[:59]}…"
    return f"Labels such as {shown!r} {form}: they are multi-label. {_ONE}: name another column, or set label.mapping."


def _set_of_classes(distinct: Collection[str]) -> str | None:
    """Return the first label that is a set of classes, if labels are: their parts recur, in other places or alone."""
    counts = {separator: sum(separator in label for label in distinct) for separator in _SEPARATORS}
    separator = max(_SEPARATORS, key=lambda each: counts[each])
    if not counts[separator]:
        return None
    split = {label: _parts(label, separator) for label in distinct}
    labels_of, places = Counter[str](), defaultdict[str, set[int]](set)
    for parts in split.values():
        labels_of.update(set(parts))
        for place, part in enumerate(parts):
            places[part].add(place if len(parts) > 1 else -1)
    several = [label for label, parts in split.items() if len(set(parts)) > 1]
    all_parts = {part for label in several for part in split[label]}
    recurring = [part for part in all_parts if labels_of[part] > 1]
    moving = [part for part in recurring if len(places[part]) > 1]
    is_set = len(recurring) >= MIN_RECURRING * len(all_parts) and 2 * len(moving) >= len(recurring)
    return several[0] if several and is_set else None


def _parts(label: str, separator: str) -> list[str]:
    """Return the parts of a label, and of a list without its brackets and quotation marks."""
    is_list, marks = re.search(_LIST, label), " \t[](){}'\""
    parts = (part.strip(marks if is_list else None) for part in label.split(separator))
    return [part for part in parts if part]


def _check_numbers(given: pl.Series) -> None:
    read = given.str.replace(_PRICE, "$1.$2").cast(pl.Float64, strict=False)
    numbers = read.filter(read.is_finite().fill_null(False))
    if len(numbers) < MIN_NUMBERS * len(given):
        return
    values = numbers.unique()
    n_decimal = int((values != values.round()).sum())
    if len(values) > MIN_VALUES and 2 * n_decimal > len(values) and len(values) > min(MANY_VALUES, MOST * len(numbers)):
        shown = given.filter(read != read.round())[0]
        raise SchemaError(
            f"Labels such as {shown!r} are measurements, {len(values):,} different ones in {len(given):,} rows: "
            f"to predict them is regression. {_ONE}: write a column of classes, or set label.mapping."
        )
