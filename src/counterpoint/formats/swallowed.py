r"""Whether a field of several lines holds rows that a stray quotation mark has swallowed.

A caption of several lines is one field.  So are eight rows between two stray marks.  What the other rows of the table
hold tells them apart: where a line of the field would be a row, its columns hold what those columns hold elsewhere.
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
MIN_SHARE = 0.9
MAX_CLASSES, ROWS_A_CLASS = 50, 3
LINE_ENDS = re.compile("\r\n|\n|\ud800|\r")


@dataclass(frozen=True)
class Forms:
    """What the columns of a table hold: *shapes* and *classes* are by column."""

    separator: str
    n_columns: int
    shapes: dict[int, Fits]
    classes: dict[int, Fits]

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]], separator: str, n_columns: int) -> "Forms":
        """Return the forms that the columns of *rows* have."""
        columns = [[row[number].strip() for row in rows if row[number].strip()] for number in range(n_columns)]
        shapes = {number: shape for number, column in enumerate(columns) if (shape := _shape(column))}
        few = {number: fits for number, column in enumerate(columns) if (fits := _few(column)) and number not in shapes}
        return cls(separator, n_columns, shapes, few)

    def are_swallowed(self, fields: Sequence[str]) -> bool:
        r"""Say whether one of *fields* has lines that look like rows, or like parts of rows.

        >>> rows = [[f"{n}.png", "a river", ("cat", "dog")[n % 2]] for n in range(9)]
        >>> forms = Forms.of(rows, ",", 3)
        >>> forms.are_swallowed(["5.png", "lamp table,cat\n6.png,a river", "dog"])
        True
        >>> forms.are_swallowed(["5.png", "a lamp, blue\na table, red", "cat"])
        False
        """
        return any(self._holds_rows(LINE_ENDS.split(field), number) for number, field in enumerate(fields))

    def _holds_rows(self, lines: Sequence[str], column: int) -> bool:
        if len(lines) == 1:
            return False
        first, *inner, last = (line.replace('"', "").split(self.separator) for line in lines)
        # Of the first line the beginning, of the last the end is text of this column, whatever it says.
        first_fits = self._fits(first[1:], column + 1, self.n_columns - column - 1)
        last_fits = self._fits(last[:column], 0, column) and len(last) <= column + 1
        if first_fits or last_fits or any(self._fits(line, 0, self.n_columns) for line in inner):
            return True
        if self.shapes or self.classes:
            return False
        widths = [len(first) + column, *map(len, inner), len(last) + self.n_columns - column - 1]
        return self.n_columns > 1 and set(widths) == {self.n_columns}

    def _fits(self, values: Sequence[str], start: int, n: int) -> bool:
        """Say whether *values* may stand in the *n* columns from *start* on: none contradicts, one speaks for it."""
        if not 0 < len(values) <= n:
            return False
        known = [
            fits(value)
            for forms in (self.shapes, self.classes if len(values) == n else {})
            for number, value in enumerate(values, start)
            if (fits := forms.get(number))
        ]
        return bool(known) and all(known)


def _shape(column: Sequence[str]) -> Fits | None:
    fitting = (shape for shape in SHAPES if column and _share(column, shape) >= MIN_SHARE)
    shape = next(fitting, None)
    return shape and (lambda value: shape.fullmatch(value) is not None)


def _share(column: Sequence[str], shape: re.Pattern[str]) -> float:
    return sum(shape.fullmatch(value) is not None for value in column) / len(column)


def _few(column: Sequence[str]) -> Fits | None:
    """Return what may be another value of a column of few values: as many words, and no space around them."""
    values = set(column)
    if not 0 < len(values) <= min(MAX_CLASSES, len(column) // ROWS_A_CLASS):
        return None
    most = max(value.count(" ") for value in values)
    return lambda value: value != "" and value == value.strip() and value.count(" ") <= most
