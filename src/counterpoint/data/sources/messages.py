"""Parts of the errors of sources: names in a list, names on one line, and a column that is missing."""

from collections.abc import Collection
from difflib import get_close_matches

from counterpoint.errors import did_you_mean


def no_column(table: str, name: str, columns: Collection[str]) -> str:
    """Return the message for a missing column, with the columns found and the nearest of them.

    Parameters
    ----------
    table
        *table* is the beginning of the message: the table, and the setting that names the column.
    name
        *name* is the column that is missing.
    columns
        *columns* are the columns of the table.

    Examples
    --------
    >>> no_column("a.csv has no column", "captoin", ["caption", "file"])
    "a.csv has no column 'captoin'. Found caption, file. Did you mean 'caption'?"
    """
    near = did_you_mean(name, columns) if get_close_matches(name, columns, n=1) else ""
    return f"{table} {name!r}. Found {some(columns)}.{near}"


def some(names: Collection[str], n: int = 8) -> str:
    """Return the first *n* names as one text.

    >>> some(["a", "b", "c"], 2), some([])
    ('a, b and 1 more', 'nothing')
    """
    shown = ", ".join(printable(name) for name in list(names)[:n]) or "nothing"
    return f"{shown} and {len(names) - n} more" if len(names) > n else shown


def printable(name: str) -> str:
    r"""Return *name* on one line: a sign stands for each character that cannot be printed.

    >>> printable("a\n\x1b[2J.png")
    'a��[2J.png'
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
