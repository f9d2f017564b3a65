"""Tables of JSON objects: a list of objects (``.json``), or one object a line (``.jsonl``, ``.ndjson``)."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from counterpoint.errors import SourceError
from counterpoint.formats.encodings import UTF_8, encoding_of
from counterpoint.formats.records import SAVE_AGAIN, Dialect, lines_of
from counterpoint.formats.tables import FRAME_ROWS, MAX_COLUMNS, Row, Table, frames_of, is_text, json_text
from counterpoint.schema import Frame

Object = Mapping[str, Any] | str
"""The values of a row by column, or the reason why the row has none."""


def open_json_lines(path: Path, *, encoding: str | None = None) -> Table:
    r"""Return the table of the JSON objects in the lines of *path*.

    Raises
    ------
    SourceError
        When the first lines have no object.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.jsonl")
    ...     _ = path.write_text('{"text": "a cat"}\n{"text": "a dog", "label": 1.0}\n')
    ...     [frame] = open_json_lines(path).frames(["label"])
    >>> frame["label"].to_list()
    [None, '1']
    """
    known = encoding or encoding_of(path)

    def rows() -> Iterator[tuple[int, Object]]:
        for line, text in enumerate(lines_of(path, Dialect(encoding=known)), 1):
            if text.strip():
                yield from ((line, row) for row in _line(path, line, text.removeprefix("\ufeff")))

    return _of_objects(path, rows, known if encoding is None else UTF_8)


def _line(path: Path, line: int, text: str) -> list[Object]:
    """Return the row of a line, or several rows where carriage returns between objects end rows."""
    row, parts = _object(text), [part for part in text.split("\r") if part.strip()]
    if isinstance(row, Mapping) or len(parts) == 1:
        return [row]
    rows = [_object(part) for part in parts]
    is_row = [isinstance(part, Mapping) for part in rows]
    # Two adjacent broken parts may be one row, with the carriage return in one of its texts.
    if not all(one or other for one, other in pairwise(is_row)):
        raise SourceError(f"{path}: line {line:,} holds a carriage return and is no JSON. {SAVE_AGAIN}")
    return rows


def _object(text: str) -> Object:
    if not is_text(text):
        return "bad_text"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "bad_json"
    return _row(value)


def _row(value: Any) -> Object:
    if not isinstance(value, dict):
        return "bad_json"
    return value if all(map(is_text, value)) else "bad_text"


def open_json_list(path: Path, *, encoding: str | None = None) -> Table:
    """Return the table of the list of JSON objects in *path*.

    Raises
    ------
    SourceError
        When the file holds anything else.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.json")
    ...     _ = path.write_text('[{"text": "a cat"}, {"text": null}]')
    ...     [frame] = open_json_list(path).frames(["text"])
    >>> frame["text"].to_list()
    ['a cat', None]
    """
    known = encoding or encoding_of(path)
    try:
        values = json.loads(path.read_bytes().decode(known).removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"{path} is not JSON: {error}. A file with one object a line needs the suffix .jsonl."
        ) from error
    if not isinstance(values, list):
        raise SourceError(f"{path} should hold a list of objects, but holds a {type(values).__name__}.")
    rows = [(row, _row(value)) for row, value in enumerate(values, 1)]
    return _of_objects(path, lambda: rows, known if encoding is None else UTF_8)


def _of_objects(path: Path, rows: Callable[[], Iterable[tuple[int, Object]]], found: str) -> Table:
    columns: dict[str, None] = {}
    for _, row in islice(rows(), FRAME_ROWS):
        columns |= dict.fromkeys(row if isinstance(row, Mapping) else ())
        if len(columns) > MAX_COLUMNS:
            raise SourceError(f"{path} has objects of more than {MAX_COLUMNS:,} names, the limit.")
    if not columns:
        raise SourceError(f"{path} holds no JSON object in its first {FRAME_ROWS:,} rows.")
    notes = (
        ()
        if found == UTF_8
        else (f"{path.name} is read with encoding {found}, as found in it. The setting of this name changes that.",)
    )
    return Table(path, tuple(columns), partial(_frames, rows, tuple(columns)), notes)


def _frames(
    rows: Callable[[], Iterable[tuple[int, Object]]], columns: tuple[str, ...], wanted: Collection[str]
) -> Iterator[Frame]:
    names = [name for name in columns if name in wanted]

    def values() -> Iterator[tuple[int, Row]]:
        for line, row in rows():
            yield line, row if isinstance(row, str) else [json_text(row.get(name)) for name in names]

    return frames_of(values(), names, wanted)
