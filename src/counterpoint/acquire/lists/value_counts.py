"""Counts of values in a stream of columns with possibly millions of different values."""

from collections.abc import Mapping

import polars as pl

from counterpoint.schema import Frame

_MIN_ROWS = 1_000_000
"""Counts wait until there are this many, and are then added up."""


class ValueCounts:
    """Counts of values. Null is not counted.

    Examples
    --------
    >>> tally = ValueCounts()
    >>> tally.add(pl.Series(["a", "b", "a", None]))
    >>> tally.add(pl.Series(["b", "b"]))
    >>> tally.n_values, tally.most(1)
    (2, {'b': 3})
    """

    def __init__(self) -> None:
        self._waiting: list[Frame] = []
        self._counts = pl.DataFrame(schema={"value": pl.String, "n": pl.Int64})

    def add(self, column: pl.Series) -> None:
        """Count the values of *column*."""
        counts = column.alias("value").drop_nulls().value_counts(name="n")
        self._waiting.append(counts.with_columns(pl.col("n").cast(pl.Int64)))
        if sum(frame.height for frame in self._waiting) > max(_MIN_ROWS, self._counts.height):
            self._add_up()

    def _add_up(self) -> None:
        if self._waiting:
            together = pl.concat([self._counts, *self._waiting])
            # The strings of a group are copied. Otherwise they would keep whole parts of the list in memory.
            self._counts = together.group_by("value").agg(pl.col("n").sum()).rechunk()
            self._waiting = []

    @property
    def n_values(self) -> int:
        """The number of different values."""
        self._add_up()
        return self._counts.height

    def most(self, n: int | None = None) -> Mapping[str, int]:
        """Return the *n* most frequent values and their counts, or all. Ties are in alphabetical order."""
        self._add_up()
        ordered = self._counts.sort("n", "value", descending=[True, False])
        return dict(ordered.head(ordered.height if n is None else n).iter_rows())
