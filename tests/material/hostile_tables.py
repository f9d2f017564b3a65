"""Damaged tables with the number of rows from which each was built, arbitrary bytes, and the check of each.

An input begins with a line such as ``csv 12``: its format and its number of rows.  ``csv ?`` has an unknown number.
"""

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from counterpoint.errors import SourceError
from counterpoint.formats.tables import BAD, LINE, open_table

Draw = Callable[[st.SearchStrategy], Any]
Row = list[str]

WORDS = ("lamp", "table", "stone", "river", "cloud", "schön", "été", "猫")
SEPARATORS = {"csv": (",", ",", ";", "|"), "tsv": ("\t", "\t", ",")}
REASONS = {"bad_row", "bad_text", "bad_json"}
MAX_DAMAGES = 4

_places = st.sampled_from(["start", "end", "middle"])


@cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="hostile-tables-")


def _put(draw: Draw, row: Row, text: str, column: int | None = None) -> None:
    """Insert a text somewhere into a field."""
    number = draw(st.integers(0, len(row) - 1)) if column is None else column
    field, place = row[number], draw(_places)
    if "\n" in field:  # out of its marks, a field of several lines is several rows
        return
    at = {"start": 0, "end": len(field), "middle": len(field) // 2}[place]
    row[number] = field[:at] + text + field[at:]


def _stray(draw: Draw, row: Row) -> None:
    _put(draw, row, '"')


def _stray_begins(draw: Draw, row: Row) -> None:
    number = draw(st.integers(0, len(row) - 1))
    row[number] = f'"{row[number]}' if "\n" not in row[number] else row[number]


def _stray_ends(draw: Draw, row: Row) -> None:
    number = draw(st.integers(0, len(row) - 1))
    row[number] += '"' * ("\n" not in row[number])


def _return(draw: Draw, row: Row) -> None:
    _put(draw, row, "\r")


def _nul(draw: Draw, row: Row) -> None:
    _put(draw, row, "\0")


def _other(draw: Draw, row: Row) -> None:
    _put(draw, row, draw(st.sampled_from(["\u2028", "\x0b", "\x85", "\x1a", "'", "\\", "\ufeff", '""', " "])))


def _wrong_bytes(draw: Draw, row: Row) -> None:
    _put(draw, row, draw(st.sampled_from(["\udcff", "\udce9", "\udcc3", "\udc80\udc81"])))


def _fewer(draw: Draw, row: Row) -> None:
    del draw, row[-1:]


def _more(draw: Draw, row: Row) -> None:
    row += ["x"] * draw(st.integers(1, 2))


def _long(draw: Draw, row: Row) -> None:
    _put(draw, row, "x" * 140_000, column=min(1, len(row) - 1))


def _quoted(draw: Draw, row: Row) -> None:
    """Quote a caption that has lines and separators, as a program would."""
    caption = draw(st.sampled_from(["a lamp, blue\na table; red", 'he said ""hi"" to her', "one\r\ntwo", "a\tb, c"]))
    row[min(1, len(row) - 1)] = f'"{caption}"'


_USUAL = (_stray, _stray_begins, _stray_ends, _return, _nul, _other, _wrong_bytes, _fewer, _more, _quoted)
_DAMAGES = st.sampled_from([*_USUAL * 8, _long])


@st.composite
def delimited(draw: Draw) -> bytes:
    """Draw a CSV or TSV with a few damaged rows."""
    suffix = draw(st.sampled_from(["csv", "csv", "tsv"]))
    separator = draw(st.sampled_from(SEPARATORS[suffix]))
    n_rows = draw(st.integers(8, 16))
    first = draw(st.integers(0, 99))
    rows = [[f"im/{first + n}.png", f"{WORDS[n % 8]} {WORDS[n % 5]} {n}", ("cat", "dog")[n % 2]] for n in range(n_rows)]
    for _ in range(draw(st.integers(0, MAX_DAMAGES))):
        row = rows[draw(st.integers(0, n_rows - 1))]
        if row:
            draw(_DAMAGES)(draw, row)
    ends = draw(st.sampled_from([("\n",), ("\n",), ("\r\n",), ("\r",), ("\n", "\r\n"), ("\n", "\r\n", "\r")]))
    if ends == ("\r",) and any("\r" in field for row in rows for field in row):
        ends = ("\n",)  # such an end would look like the end of a row
    lines = [separator.join(row) + draw(st.sampled_from(ends)) for row in [["file", "caption", "class"], *rows]]
    n_lost = sum(not row or row == [""] for row in rows)  # a blank line is no row
    # A lone return may end the header, or a row, as well as stand within: then the number of rows is unknown.
    is_open = any("\r" in "".join(row) and len(row) > 3 for row in rows)
    is_open |= lines[0].endswith("\r") and ends != ("\r",)
    return f"{suffix} {'?' if is_open else n_rows - n_lost}\n".encode() + _encoded(draw, "".join(lines))


def _encoded(draw: Draw, text: str) -> bytes:
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    if any("\udc80" <= letter <= "\udcff" for letter in text):
        return text.encode("utf-8", "surrogateescape")
    return text.encode(encoding, "replace")


def _cut(draw: Draw, line: str) -> str:
    return line[: draw(st.integers(1, len(line) - 1))]


def _into(what: str) -> Callable[[Draw, str], str]:
    def put(draw: Draw, line: str) -> str:
        at = draw(st.integers(1, len(line) - 1))
        return line[:at] + what + line[at:]

    return put


_JSON_DAMAGES = st.sampled_from([_cut, *map(_into, ('"', "\r", "\0", "\udcff", "[" * 2000, "NaN", "\\ud800", "}"))])


@st.composite
def json_lines(draw: Draw) -> bytes:
    """Draw JSON lines with a few damaged lines."""
    n_rows = draw(st.integers(4, 10))
    values = st.sampled_from([1, 1.0, None, float("nan"), float("inf"), "x", [1], {"a": 1}, 10**400])
    lines = [json.dumps({"file": f"{n}.png", "caption": WORDS[n % 8], "class": draw(values)}) for n in range(n_rows)]
    for _ in range(draw(st.integers(0, MAX_DAMAGES))):
        number = draw(st.integers(0, n_rows - 1))
        if len(lines[number]) > 2:
            lines[number] = draw(_JSON_DAMAGES)(draw, lines[number])
    ends = draw(st.sampled_from([("\n",), ("\n",), ("\r\n",), ("\n", "\r\n"), ("\n", "\r\n", "\r")]))
    n_lost = sum(not line.strip() for line in lines)
    text = "".join(line + draw(st.sampled_from(ends)) for line in lines)
    is_open = any("\r" in line for line in lines)  # it may end an object
    return f"jsonl {'?' if is_open else n_rows - n_lost}\n".encode() + text.encode("utf-8", "surrogateescape")


@st.composite
def anything(draw: Draw) -> bytes:
    """Draw bytes of no format at all, or text of letters that mean something in some format."""
    suffix = draw(st.sampled_from(["csv", "tsv", "json", "jsonl", "parquet", "xlsx"]))
    letters = st.text(st.sampled_from('a1,;\t|"\r\n\\ \0é{}[]:\ufeff'), max_size=60).map(str.encode)
    begins = draw(
        st.sampled_from([b"", b"", b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x03\x04", b"PAR1", b"sep=;\n", b"a,b\n"])
    )
    return f"{suffix} ?\n".encode() + begins + draw(st.one_of(letters, st.binary(max_size=200)))


TABLES = st.one_of(delimited(), delimited(), json_lines(), anything())


def check_of_table(data: bytes) -> str:
    """Hold the readers to their promise: every row is in a frame, or the file is refused in one line by its name."""
    head, _, body = data.partition(b"\n")
    suffix, n_rows = head.decode().split(" ")
    path = Path(_folder().name, f"t.{suffix}")
    path.write_bytes(body)
    try:
        table = open_table(path)
        frames = list(table.frames({*table.columns, LINE}))
    except SourceError as error:
        message = str(error)
        assert "\n" not in message
        assert path.name in message
        return f"refused: {suffix}"
    n_read = sum(frame.height for frame in frames)
    assert n_rows in ("?", str(n_read)), f"{n_rows} rows were written, {n_read} were read"
    bad = {reason for frame in frames for reason in frame[BAD].drop_nulls()}
    assert bad <= REASONS
    return f"read: {suffix}" + (", rows dropped" if bad else "")
