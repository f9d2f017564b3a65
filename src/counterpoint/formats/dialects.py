"""The dialect of a CSV or TSV, found in its first rows: separator, quotation marks, line ends, encoding."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from counterpoint.errors import SourceError
from counterpoint.formats.encodings import UTF_8, encoding_of, open_lines
from counterpoint.formats.records import CHUNK, MAX_ROW, Dialect, lines_of
from counterpoint.formats.tables import check_width

SEPARATORS = (",", ";", "\t", "|")
N_LINES, N_CHARACTERS = 1_000, 1 << 19
"""Length of the sample that shows the dialect of a file."""
MIN_SHARE, CLEAR_SHARE = 0.5, 0.9
"""Least share of rows as wide as the header: for another separator, and for one where the usual separator fits too."""
FEW_ROWS = 3
"""In so few rows, every field of a column may begin and end with a quotation mark by chance."""

_SEP = re.compile(r'"?sep=(.)"?\r*', re.IGNORECASE)
"""A first line that Excel writes and reads: it names the separator."""
_DOUBLED = '(?:^|{0})"[^"{0}]*(?:""[^"{0}]*)+"(?:{0}|$)'


@dataclass(frozen=True)
class FirstLines:
    """The lines of a file from its header on.  *is_whole* is true when the file has no other lines."""

    lines: Sequence[str]
    is_whole: bool


def dialect_of(
    path: Path, *, separator: str | None = None, quoting: str = "auto", encoding: str | None = None
) -> tuple[Dialect, FirstLines, list[str]]:
    r"""Return the dialect of the file at *path*, its first lines, and the settings that were found in it.

    Parameters
    ----------
    path
        *path* is a CSV or TSV.
    separator, quoting, encoding
        These are the settings of `counterpoint.config.Delimited`.  A setting that is given is not searched for.

    Returns
    -------
    tuple
        The dialect, the sample, and a phrase for each setting that differs from the usual one.

    Raises
    ------
    SourceError
        When the file has too many columns, or is not of the encoding.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.csv")
    ...     _ = path.write_text("Datei;Text\n1.png;rot, blau\n2.png;gelb\n")
    ...     dialect, _, found = dialect_of(path)
    >>> dialect.separator, found
    (';', ["separator ';'"])
    """
    found_encoding = encoding or encoding_of(path)
    start = Dialect(encoding=found_encoding, is_given=quoting != "auto", newline=_newline(path, found_encoding))
    lines, is_whole = _first_lines(path, start)
    n_columns = 1 + max((lines[0].count(each) for each in SEPARATORS if lines), default=0)
    check_width(path, n_columns)
    stated = _SEP.fullmatch(lines[0]) if lines else None
    sample = FirstLines(lines[1:] if stated else lines, is_whole)
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    between = separator or (stated[1] if stated else _separator(sample, usual))
    marks = quoting if quoting != "auto" else _quoting(sample, between)
    dialect = replace(start, separator=between, quoting=marks, n_skipped=int(stated is not None))
    found = {
        f"encoding {found_encoding}": encoding is None and found_encoding != UTF_8,
        f"separator {between!r}": separator is None and between != usual,
        f"quoting {marks}": quoting == "auto" and between == "\t" and marks != "none",
    }
    return dialect, sample, [phrase for phrase, is_found in found.items() if is_found]


def _newline(path: Path, encoding: str) -> str:
    try:
        with open_lines(path, encoding) as file:
            chunk = file.read(CHUNK)
    except UnicodeError as error:
        raise SourceError(f"{path} is not {encoding}: set encoding.") from error
    return "\r" if chunk.count("\r") - chunk.count("\r\n") > chunk.count("\n") else "\n"


def _first_lines(path: Path, dialect: Dialect) -> tuple[list[str], bool]:
    lines: list[str] = []
    left = N_CHARACTERS
    for line in lines_of(path, dialect):
        if left < 0 or len(lines) > N_LINES:
            return lines, False
        lines.append(line.removeprefix("\ufeff") if not lines else line)
        left -= len(line)
    return lines, True


def sample_rows(sample: FirstLines, separator: str, *, is_quoted: bool) -> Iterator[list[str]]:
    """Yield the header and the rows of *sample*, except blank rows, up to a misplaced quotation mark.

    Parameters
    ----------
    sample
        *sample* has the first lines of a file.
    separator
        *separator* is one character between fields.
    is_quoted
        *is_quoted* is true where quotation marks enclose fields, false where they are plain characters.

    Examples
    --------
    >>> sample = FirstLines(['text,label', '"a cat, asleep",cat'], is_whole=True)
    >>> [len(row) for row in sample_rows(sample, ",", is_quoted=True)]
    [2, 2]
    >>> [len(row) for row in sample_rows(sample, ",", is_quoted=False)]
    [2, 3]
    """
    if not is_quoted:
        yield from (line.rstrip("\r").split(separator) for line in sample.lines if line.strip("\r"))
        return
    csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_ROW))
    lines = (line.rstrip("\r").replace("\r", " ") + "\n" for line in sample.lines)
    try:
        yield from filter(None, csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error:
        return


def _separator(sample: FirstLines, usual: str) -> str:
    """Return the separator that makes most rows as wide as the header.  The usual one is preferred."""
    fits = {each: _width_test(sample, each) for each in SEPARATORS}
    width, share = fits[usual]
    least = MIN_SHARE if width < 2 else max(CLEAR_SHARE, share + 1 - CLEAR_SHARE)
    others = [each for each, (wide, share) in fits.items() if each != usual and wide > 1 and share >= least]
    return max(others, key=lambda each: (fits[each][1], fits[each][0]), default=usual)


def _width_test(sample: FirstLines, separator: str) -> tuple[int, float]:
    """Return the number of columns of the header, and the share of the rows with the same number."""
    # A stray quotation mark spoils one reading, a separator between marks the other.
    return max((_fit(sample_rows(sample, separator, is_quoted=each)) for each in (True, False)), key=lambda fit: fit[1])


def _fit(rows: Iterator[list[str]]) -> tuple[int, float]:
    width = len(next(rows, []))
    widths = [len(row) for row in islice(rows, N_LINES)]
    return width, sum(each == width for each in widths) / len(widths) if widths else 1.0


def _quoting(sample: FirstLines, separator: str) -> str:
    """Return "standard", but "none" between tabs unless quotation marks enclose fields there too."""
    if separator != "\t":
        return "standard"
    marked = any(line.startswith('"') or '\t"' in line for line in sample.lines)
    is_enclosed = marked and (_are_enclosed(sample.lines[0].rstrip("\r").split("\t")) or _encloses(sample, separator))
    return "standard" if is_enclosed else "none"


def _are_enclosed(fields: Sequence[str]) -> bool:
    return all(len(field) > 1 and field[0] == field[-1] == '"' for field in fields)


def _encloses(sample: FirstLines, separator: str) -> bool:
    """Return whether all rows fit the header if marks enclose fields, and the marks are not plain characters.

    Marks are not plain where rows fit worse with plain marks, or marks are doubled or enclose a whole column.
    """
    quoted, plain = (list(sample_rows(sample, separator, is_quoted=each)) for each in (True, False))
    if not sample.is_whole:
        quoted = quoted[:-1]
    if not quoted or any(len(row) != len(quoted[0]) for row in quoted) or not _is_strict(sample, separator):
        return False
    doubled = re.compile(_DOUBLED.format(re.escape(separator)))
    if any(len(row) != len(quoted[0]) for row in plain) or any(map(doubled.search, sample.lines)):
        return True
    return len(plain) > FEW_ROWS and any(map(_are_enclosed, zip(*plain[1:], strict=True)))


def _is_strict(sample: FirstLines, separator: str) -> bool:
    """Return whether no quotation mark of *sample* is misplaced.  The end of the sample may leave one open."""
    lines = (line.rstrip("\r").replace("\r", " ") + "\n" for line in sample.lines)
    try:
        for _ in csv.reader(lines, delimiter=separator, strict=True):
            pass
    except csv.Error as error:
        return not sample.is_whole and "end of data" in str(error)
    return True
