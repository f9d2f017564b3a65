"""The points of a sweep by variant and contender: the single changes, and the curves along a key."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import polars as pl

from counterpoint.compare.holm import holm
from counterpoint.report.results import rows_of
from counterpoint.schema import Frame

Row = dict[str, Any]
GAP = 0.2
"""A training score this far above the validation score is marked."""


class Changes(NamedTuple):
    """The single changes of one variant and contender: the variant's own row, and theirs, the largest gain first."""

    variant: str
    contender: str
    own: Row | None
    rows: list[Row]

    @property
    def known(self) -> list[Row]:
        """The rows whose difference is known."""
        return [row for row in self.rows if row["difference"] is not None]

    @property
    def gains(self) -> list[Row]:
        """The rows whose interval lies above 0, the largest gain first."""
        return [row for row in self.known if row["is_clear"] and row["difference"] > 0]

    @property
    def losses(self) -> list[Row]:
        """The rows whose interval lies below 0, the largest loss first."""
        return [row for row in reversed(self.known) if row["is_clear"] and row["difference"] < 0]


class ScoreCurve(NamedTuple):
    """The scores of one contender in one variant at each value of a key, in the order of the sweep file."""

    variant: str
    contender: str
    key: str
    rows: list[Row]


def marked_rows(table: Frame) -> list[Row]:
    """Return the rows of *table* with its gap, its p value after Holm, and whether its interval excludes 0.

    *table* has the columns of ``counterpoint.sweep.POINTS``.  In the result, ``gap`` is train − validation, ``is_gap``
    marks a gap of at least `GAP`, and ``is_clear`` marks an interval that excludes 0.  The p values of one variant
    and contender are corrected together (Holm, 1979).
    """
    clear = (pl.col("difference_low") > 0) | (pl.col("difference_high") < 0)
    gap = pl.col("train") - pl.col("validation")
    marks = {"gap": gap, "is_gap": (gap >= GAP).fill_null(False), "is_clear": clear.fill_null(False)}
    rows = [row | {"p_holm": None} for row in rows_of(table.with_columns(**marks))]
    for variant, contender in _learners(rows):
        _add_holm(_rows_of(rows, variant, contender))
    return rows


def _add_holm(rows: Sequence[Row]) -> None:
    tested = [row for row in rows if row["p"] is not None]
    for row, p in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = p


def _learners(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return every variant and contender, in the order in which variants, then contenders, first appear."""
    variants, contenders = (list(dict.fromkeys(row[name] for row in rows)) for name in ("variant", "contender"))
    pairs = dict.fromkeys((row["variant"], row["contender"]) for row in rows)
    return sorted(pairs, key=lambda pair: (variants.index(pair[0]), contenders.index(pair[1])))


def _rows_of(rows: Sequence[Row], variant: str, contender: str) -> list[Row]:
    return [row for row in rows if (row["variant"], row["contender"]) == (variant, contender)]


def single_changes(rows: Sequence[Row], along: Collection[str]) -> list[Changes]:
    """Return the single changes among *rows* by variant and contender. Choices in *along* are keys of curves."""
    found = []
    for variant, contender in _learners(rows):
        of_both = _rows_of(rows, variant, contender)
        own = next((row for row in of_both if row["choice"] is None), None)
        changes = [row for row in of_both if row["choice"] and row["choice"] not in along]
        changes.sort(key=lambda row: -_or_least(row["difference"]))
        if changes:
            found.append(Changes(variant, contender, own, changes))
    return found


def _or_least(value: float | None) -> float:
    return -float("inf") if value is None else value


def curves_along(rows: Sequence[Row], along: Collection[str]) -> list[ScoreCurve]:
    """Return the curves among *rows*, one for each key in *along*, variant and contender that has points."""
    found = [
        ScoreCurve(variant, contender, key, [row for row in _rows_of(rows, variant, contender) if row["choice"] == key])
        for key in along
        for variant, contender in _learners(rows)
    ]
    return [curve for curve in found if curve.rows]


def short_key(key: str) -> str:
    """Return a dotted key without the contender whose setting it is.

    >>> short_key("contenders.image-cnn.side_px"), short_key("split.limit")
    ('side_px', 'split.limit')
    """
    return key.split(".", 2)[2] if key.startswith("contenders.") and key.count(".") > 1 else key
