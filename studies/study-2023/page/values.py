"""A number with its interval, a change with its scores, and the phrases that they allow.  Reads no file."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.schema import Frame

NOT_RUN = "*not run yet*"


@dataclass(frozen=True)
class Number:
    """A score or a difference with its interval, with *value* None where it has not been run."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    seeds: int | None = None
    is_signed: bool = False

    @property
    def is_known(self) -> bool:
        """Whether *value* is a number."""
        return self.value is not None

    def __str__(self) -> str:
        if self.value is None:
            return NOT_RUN
        write = numbers.signed if self.is_signed else numbers.score
        if self.low is None or self.high is None or self.low == self.high:
            return write(self.value)
        between = " to " if self.is_signed else "–"
        return f"{write(self.value)} ({write(self.low)}{between}{write(self.high)})"

    @property
    def bare(self) -> str:
        """The value without its interval, for a sentence that already contains the interval."""
        return NOT_RUN if self.value is None else (numbers.signed if self.is_signed else numbers.score)(self.value)

    def phrase(self, *, more: str, less: str, neither: str) -> str:
        """Return the phrase that the interval allows.

        Parameters
        ----------
        more, less
            *more* and *less* are the phrases for an interval above 0 and below 0.
        neither
            *neither* is the phrase for an interval that contains 0.
        """
        if self.value is None:
            return NOT_RUN
        if self.low is None or self.high is None:
            return neither
        return more if self.low > 0 else less if self.high < 0 else neither

    def over(self, limit: float) -> "Number":
        """Return the number minus *limit*."""
        if self.value is None:
            return self
        low, high = (None if edge is None else edge - limit for edge in (self.low, self.high))
        return Number(self.value - limit, low, high, self.n, self.seeds, is_signed=True)


@dataclass(frozen=True)
class Change:
    """A contender at one point of a sweep: its scores, and its difference from the variant itself."""

    variant: str
    choice: str | None
    value: str | None
    contender: str
    score: Number = Number()
    train: Number = Number()
    validation: Number = Number()
    difference: Number = Number()
    is_paired: bool = False
    metric: str = ""


@dataclass(frozen=True)
class Learning:
    """The learning of one contender, as medians over fits.  *best* is the epoch with the lowest validation loss."""

    n_epochs: int
    best: float
    loss_at_best: float
    loss_at_end: float
    score_at_best: float
    score_at_end: float
    train_at_end: float

    @property
    def is_overfitted(self) -> bool:
        """Whether the last validation loss is more than a tenth above the lowest."""
        return self.loss_at_end > 1.1 * self.loss_at_best


def as_number(row: Mapping[str, Any], name: str = "value") -> Number:
    """Return the number *name* of a row of scores, of differences or of a sweep, with its interval."""
    prefix = "difference_" if "difference_low" in row and name == "difference" else ""
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    return Number(row[name], low, high, row.get("n"), row.get("seeds"), is_signed=name == "difference")


def best(changes: Sequence[Change]) -> Change | None:
    """Return the change with the largest gain whose interval lies above 0, or None."""
    gains = [change for change in changes if change.difference.low is not None and change.difference.low > 0]
    return max(gains, key=lambda change: change.difference.value or 0.0, default=None)


def worst(changes: Sequence[Change]) -> Change | None:
    """Return the change with the largest loss whose interval lies below 0, or None."""
    losses = [change for change in changes if change.difference.high is not None and change.difference.high < 0]
    return min(losses, key=lambda change: change.difference.value or 0.0, default=None)


def negative(number: Number) -> Number:
    """Return a difference with the opposite sign."""
    low, high = (None if edge is None else -edge for edge in (number.high, number.low))
    return Number(None if number.value is None else -number.value, low, high, number.n, number.seeds, number.is_signed)


def learning_of(history: Frame) -> Learning | None:
    """Return the learning in the rows of one contender's history, or None where there are none."""
    if history.is_empty():
        return None
    fits = history.sort("epoch").partition_by("seed", "fold")
    bests = pl.concat([fit.sort("valid_loss", "epoch").head(1) for fit in fits])
    ends = pl.concat([fit.tail(1) for fit in fits])
    return Learning(
        n_epochs=int(_median(ends, "epoch")),
        best=_median(bests, "epoch"),
        loss_at_best=_median(bests, "valid_loss"),
        loss_at_end=_median(ends, "valid_loss"),
        score_at_best=_median(bests, "valid_score"),
        score_at_end=_median(ends, "valid_score"),
        train_at_end=_median(ends, "train_score"),
    )


def _median(rows: Frame, column: str) -> float:
    value = rows[column].median()
    return float(value) if isinstance(value, int | float) else math.nan


def apart(one: Number, other: Number) -> Number:
    """Return the difference of two independent scores, with their half-widths added in quadrature."""
    if one.value is None or other.value is None:
        return Number(is_signed=True)
    difference = one.value - other.value
    if None in (one.low, one.high, other.low, other.high):
        return Number(difference, is_signed=True)
    below = math.hypot(one.value - one.low, other.high - other.value)  # type: ignore[operator]
    above = math.hypot(one.high - one.value, other.value - other.low)  # type: ignore[operator]
    return Number(difference, difference - below, difference + above, is_signed=True)


def rise(curve: Sequence[Change]) -> Number:
    """Return the last point of a curve minus its first, paired where the sweep has that difference."""
    return curve[-1].difference if curve[-1].difference.is_known else apart(curve[-1].score, curve[0].score)
