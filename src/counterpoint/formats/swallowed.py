r"""Recognises a field of several lines that holds rows, swallowed by a stray quotation mark.

A caption of several lines is one field.  Eight rows between two stray marks look the same.  The other rows of the table
show the difference.  A line that is a row has, in each column, the form that this column has elsewhere.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Fits = Callable[[str], bool]

SHAPES = (
    re.compile(r"https?://\S+", re.IGNORECASE),
    re.compile(r"-?\d+(?:\.\d+)?"),
    re.compile(r"\S(?:.*\S)?\.\w{2,5}"),
)
"""An address, a number, the name of a file."""
MIN_SHARE = 0.8
MAX_CLASSES, ROWS_A_CLASS = 50, 3
LINE_ENDS = re.compile("\r\n|\n|\ud800|\r")


@dataclass(frozen=True)
class _Column:
    """The form of a column: *is_like* tests whether a value may belong to it, *is_one* whether it surely does."""

    is_like: Fits
    is_one: Fits
    has_shape: bool


@dataclass(frozen=True)
class Forms:
    """The forms of the columns of a table, by their number.  Columns of free text have no form."""

    separator: str
    n_columns: int
    columns: dict[int, _Column]

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]], separator: str, n_columns: int) -> "Forms":
        """Return the forms of the columns of *rows*.

        Parameters
        ----------
        rows
            *rows* are rows of the table, all of *n_columns* fields.
        separator
            *separator* is the character between fields.
        n_columns
            *n_columns* is the number of columns.
        """
        values = ([row[number].strip() for row in rows if row[number].strip()] for number in range(n_columns))
        found = {number: _shape(column) or _few(column) for number, column in enumerate(values)}
        return cls(separator, n_columns, {number: column for number, column in found.items() if column})

    def are_swallowed(self, fields: Sequence[str]) -> bool:
        r"""Return whether one of *fields* has lines with the form of rows, or of parts of rows.

        >>> rows = [[f"{n}.png", "a river", ("cat", "dog")[n % 2]] for n in range(9)]
        >>> forms = Forms.of(rows, ",", 3)
        >>> forms.are_swallowed(["5.png", "lamp table,cat\n6.png,a river", "dog"])
        True
        >>> forms.are_swallowed(["5.png", "a lamp, blue\na table, red", "cat"])
        False
        """
        return any(self._holds_rows(LINE_ENDS.split(field), number) for number, field in enumerate(fields))

    def may_be_row(self, fields: Sequence[str]) -> bool:
        """Return whether there is one field for each column, and each may belong to its column."""
        return len(fields) == self.n_columns and all(self._known(fields, 0, is_sure=False))

    def begins_row(self, line: str) -> bool:
        """Return whether *line* surely is a row, or the beginning of a row."""
        return self._is_row(line.replace('"', "").split(self.separator), 0, self.n_columns)

    def _holds_rows(self, lines: Sequence[str], column: int) -> bool:
        if len(lines) == 1:
            return False
        own = self.columns.get(column)
        if own and own.has_shape and not own.is_like("\n".join(lines)):
            return True
        first, *inner, last = (line.replace('"', "").split(self.separator) for line in lines)
        # The beginning of the first line and the end of the last line are text of this column.
        parts = [
            (first[1:], column + 1, self.n_columns - column - 1),
            *((line, 0, self.n_columns) for line in inner),
            (last[:column] if len(last) <= column + 1 else last, 0, column),
        ]
        if any(self._is_row(*part) for part in parts):
            return True
        # Few rows give no forms: then an inner line with as many fields as the header may be a row.
        if not self.columns and self.n_columns > 1 and any(len(line) == self.n_columns for line in inner):
            return True
        widths = [len(first) + column, *map(len, inner), len(last) + self.n_columns - column - 1]
        may_be = self.n_columns > 1 and all(width == self.n_columns for width in widths)
        return may_be and all(all(self._known(values, start, is_sure=False)) for values, start, _ in parts)

    def _is_row(self, values: Sequence[str], start: int, n: int) -> bool:
        """Return whether *values* surely belong to the *n* columns from *start* on, or to the first of them."""
        if not 0 < len(values) <= n:
            return False
        known = self._known(values, start, is_sure=True)
        return bool(known) and all(known)

    def _known(self, values: Sequence[str], start: int, *, is_sure: bool) -> list[bool]:
        """Return, for each of *values* in a column with a form, whether the value has this form."""
        columns = ((self.columns.get(number), value) for number, value in enumerate(values, start))
        return [(column.is_one if is_sure else column.is_like)(value) for column, value in columns if column]


def _shape(column: Sequence[str]) -> _Column | None:
    fitting = (shape for shape in SHAPES if column and _share(column, shape) >= MIN_SHARE)
    shape = next(fitting, None)
    fits = None if shape is None else lambda value: shape.fullmatch(value) is not None
    return fits and _Column(fits, fits, has_shape=True)


def _share(column: Sequence[str], shape: re.Pattern[str]) -> float:
    return sum(shape.fullmatch(value) is not None for value in column) / len(column)


def _few(column: Sequence[str]) -> _Column | None:
    """Return the form of a column of few values: at most as many words as the longest of them, no space around."""
    values = set(column)
    if not 0 < len(values) <= min(MAX_CLASSES, len(column) // ROWS_A_CLASS):
        return None
    most = max(value.count(" ") for value in values)

    def is_like(value: str) -> bool:
        return value != "" and value == value.strip() and value.count(" ") <= most

    return _Column(is_like, lambda value: value in values, has_shape=False)
