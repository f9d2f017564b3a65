"""What every source shares: the contract, the look at its paths, and rows counted into Records and Dropped.

Does not know any layout, and does not look into images.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from os import R_OK, access
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, ClassVar

import polars as pl
from pydantic import BaseModel

from counterpoint.artifacts import key_of
from counterpoint.errors import SourceError, did_you_mean
from counterpoint.files import is_pattern, is_pseudo, pattern_of
from counterpoint.formats.images import write_images
from counterpoint.schema import RECORDS, Dropped, Frame, ledger
from counterpoint.settings import Section

Batch = tuple[Frame, Dropped]
BATCH_ROWS = 10_000
REASON = "reason"
"""A column that sources add to their rows: why a row leaves at once, or null."""


class Source(BaseModel, ABC):
    """Where records come from: settings, and a stream of what they point to.

    A child has a field ``kind`` with its name, a field for each setting, and the two methods below that are abstract.
    """

    model_config = Section.model_config

    attribution: ClassVar[str | None] = None
    """What a page that shows this data must say of its origin."""

    def read(self, work: Path) -> Iterator[Batch]:
        """Yield (Records, Dropped), at most 10,000 rows at a time; images that it makes go into folder *work*.

        ``row`` counts over both, from 0, in the order of the input: together they hold each input row once.

        Raises
        ------
        SourceError
            When the input is not there, is of another kind, or has no rows at all.
        """
        n_rows = 0
        for rows in self.rows(work):
            for part in rows.iter_slices(BATCH_ROWS):
                yield _batch(part, start=n_rows)
                n_rows += part.height
        if not n_rows:
            known = "".join(f" {found['explanation']}" for found in self.findings())
            raise SourceError(f"Source {self.name} has no rows.{known}")

    @property
    def name(self) -> str:
        """What the source is called in an error."""
        return " ".join(str(value) for value in (getattr(self, "kind", "?"), getattr(self, "path", None)) if value)

    def findings(self) -> list[dict[str, str]]:
        """Return what is known, once all is read, of how the input was read: rows of schema.FINDINGS.

        A source without anything to add has none.  The code is CP000: no check finds it.
        """
        return []

    @abstractmethod
    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield frames of schema.RECORDS without ``row``, with `REASON`, and any optional columns."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a hash that changes when what the source yields may have changed."""


def _batch(rows: Frame, *, start: int) -> Batch:
    numbered = rows.with_columns(pl.int_range(start, start + rows.height, dtype=pl.Int64).alias("row"))
    leaves = pl.col(REASON).is_not_null()
    gone, kept = numbered.filter(leaves), numbered.filter(~leaves)
    optional = [name for name in rows.columns if name not in RECORDS and name != REASON]
    dropped = ledger(gone, stage="source", reason=pl.col(REASON))
    return kept.select(*(pl.col(name).cast(kind) for name, kind in RECORDS.items()), *optional), dropped


def row_frames(rows: Iterable[Mapping[str, Any]], optional: Mapping[str, Any]) -> Iterator[Frame]:
    """Yield *rows* as frames of at most 10,000, with the columns of Records, `REASON` and those that are *optional*.

    >>> rows = [{"id": "a", "text": "a cat", "label": "1"}, {"id": "b", "reason": "bad_json"}]
    >>> [frame.columns for frame in row_frames(rows, {"label": pl.String})]
    [['id', 'text', 'image', 'source', 'label', 'reason']]
    """
    left = iter(rows)
    while chunk := list(islice(left, BATCH_ROWS)):
        yield pl.DataFrame(chunk, schema=row_schema(optional))


def row_schema(optional: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a frame of `row_frames`.

    >>> list(row_schema({}))
    ['id', 'text', 'image', 'source', 'reason']
    """
    return {name: kind for name, kind in RECORDS.items() if name != "row"} | dict(optional) | {REASON: pl.String}


def existing(path: Path, *, what: str) -> Path:
    """Return *path*, absolute.

    Raises
    ------
    SourceError
        When it is not there or may not be read: with the nearest name beside where it should be.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "captions.csv").touch()
    ...     try:
    ...         existing(Path(folder, "caption.csv"), what="table")
    ...     except SourceError as error:
    ...         print(str(error).replace(folder, "data"))
    No table data/caption.csv. Did you mean 'captions.csv'?
    """
    path = path.expanduser().absolute()
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise SourceError(f"No {what} {path}.{_nearest(path)}") from None
    except OSError as error:
        raise SourceError(f"Cannot read {what} {path}: {error.strerror}.") from error
    if not access(path, R_OK):
        raise SourceError(f"Cannot read {what} {path}: permission denied.")
    if is_pseudo(found) or not (S_ISREG(found.st_mode) or S_ISDIR(found.st_mode)):
        raise SourceError(f"Cannot read {what} {path}: neither a regular file nor a folder.")
    return path


def _nearest(path: Path) -> str:
    """Return a hint: the nearest of the names that are there where the path stops being true."""
    parent = next(folder for folder in path.parents if folder.exists())
    wrong = path.relative_to(parent).parts[0]
    if not parent.is_dir():
        return f" {parent} is a file, not a folder."
    if not access(parent, R_OK):
        return f" {parent} may not be read."
    names = sorted(entry.name for entry in parent.iterdir() if not entry.name.startswith("."))
    if get_close_matches(wrong, names, n=1):
        return did_you_mean(wrong, names)
    return f" {parent} holds {some(names)}."


def no_column(table: str, name: str, columns: Collection[str]) -> str:
    """Return the message for a column that is not there.

    >>> no_column("a.csv has no column", "captoin", ["caption", "file"])
    "a.csv has no column 'captoin'; found caption, file. Did you mean 'caption'?"
    """
    near = did_you_mean(name, columns) if get_close_matches(name, columns, n=1) else ""
    return f"{table} {name!r}; found {some(columns)}.{near}"


def some(names: Collection[str], n: int = 8) -> str:
    """Return the first *n* names as one text.

    >>> some(["a", "b", "c"], 2), some([])
    ('a, b and 1 more', 'nothing')
    """
    shown = ", ".join(printable(name) for name in list(names)[:n]) or "nothing"
    return f"{shown} and {len(names) - n} more" if len(names) > n else shown


def printable(name: str) -> str:
    r"""Return *name* on one line: what cannot be shown becomes a sign for it.

    >>> printable("a\n\x1b[2J.png")
    'a��[2J.png'
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


def files_of(path: Path, suffixes: Collection[str], *, what: str) -> list[Path]:
    """Return the files that *path* means, sorted: itself, those of a folder, or those that a glob finds.

    Raises
    ------
    SourceError
        When there is none with one of these *suffixes*.
    """
    path = path.expanduser().absolute()
    if is_pattern(path):
        folder, pattern = pattern_of(path)
        where = existing(folder, what="folder")
        found = sorted(file for file in where.glob(pattern) if _fits(file, suffixes))
    else:
        where = existing(path, what=what)
        found = [where] if where.is_file() else sorted(file for file in where.iterdir() if _fits(file, suffixes))
    if not found or found[0].suffix.lower() not in suffixes:
        names = sorted(file.name for file in where.iterdir()) if where.is_dir() else [where.name]
        raise SourceError(f"No {what} at {path}: needs {', '.join(sorted(suffixes))}; found {some(names)}.")
    return found


def _fits(file: Path, suffixes: Collection[str]) -> bool:
    return file.is_file() and file.suffix.lower() in suffixes and not file.name.startswith(".")


def stamp(settings: BaseModel, files: Iterable[Path]) -> str:
    """Return a hash of *settings* and of the path, size and time of change of each of *files*."""
    found = [(str(file), stat.st_size, stat.st_mtime_ns) for file in files for stat in [file.stat()]]
    return key_of(settings.model_dump(mode="json"), found)


def spill(images: Iterable[bytes | None], path: Path) -> list[str | None]:
    """Write *images* as a shard at *path*; return a reference for each, null where there is no image."""
    images = list(images)
    refs = iter(write_images(path, (image for image in images if image is not None)))
    return [None if image is None else next(refs) for image in images]
