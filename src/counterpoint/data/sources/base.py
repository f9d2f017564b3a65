"""The contract of every source, and the division of its rows into Records and Dropped.

It is independent of any layout, and decodes no image.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

import polars as pl
import polars.selectors as cs
from pydantic import BaseModel

from counterpoint.artifacts import key_of
from counterpoint.errors import SourceError
from counterpoint.formats.images import write_images
from counterpoint.schema import RECORDS, Dropped, Frame, ledger
from counterpoint.settings import Section

Batch = tuple[Frame, Dropped]
BATCH_ROWS = 10_000
REASON = "reason"
"""A column that sources add to their rows: the reason of a row that leaves at once, or null."""


class Source(BaseModel, ABC):
    """Where records come from: the settings of an input, and a stream of its rows.

    A child has a field ``kind`` with its name, a field for each setting, and the methods ``rows`` and ``fingerprint``.
    A child with settings that have no default also has its own ``example``, which the contract tests read.
    """

    model_config = Section.model_config

    attribution: ClassVar[str | None] = None
    """The credit that a page must show with this data, or None."""

    def read(self, work: Path) -> Iterator[Batch]:
        """Yield (Records, Dropped), at most 10,000 rows at a time.

        Images that the source makes are written to folder *work*.  ``row`` counts over both tables, from 0, in the
        order of the input.  Together they hold each input row once.

        Raises
        ------
        SourceError
            When the input does not exist, is of another kind, or has no rows.
        """
        n_rows = 0
        for rows in self._read(work):
            for part in rows.iter_slices(BATCH_ROWS):
                yield _batch(part, start=n_rows)
                n_rows += part.height
        if not n_rows:
            known = "".join(f" {found['explanation']}" for found in self.findings())
            raise SourceError(f"Source {self.name} has no rows.{known}")

    def _read(self, work: Path) -> Iterator[Frame]:
        try:
            yield from self.rows(work)
        except FileNotFoundError as error:
            raise SourceError(f"Source {self.name} cannot be read: there is no {error.filename}.") from error

    @property
    def name(self) -> str:
        """The name of the source in an error: its kind and its path."""
        return " ".join(str(value) for value in (getattr(self, "kind", "?"), getattr(self, "path", None)) if value)

    def findings(self) -> list[dict[str, str]]:
        """Return findings on how the input was read, once all rows are read: rows of schema.FINDINGS.

        Most sources have none.  Their code is CP000, because no check makes them.
        """
        return []

    @classmethod
    def example(cls, folder: Path) -> Self:  # noqa: ARG003 - the input of a source without a path is elsewhere
        """Write a small input of this kind to the empty *folder*, and return a source that reads it.

        It has at least one row, each with an image that can be decoded, and no row that leaves.

        Raises
        ------
        NotImplementedError
            When a setting has no default, and the source does not override this method.
        """
        if any(setting.is_required() for setting in cls.model_fields.values()):
            raise NotImplementedError(
                f"{cls.__name__} needs a classmethod example(folder): it writes a small input to the folder, "
                "and returns a source that reads it."
            )
        return cls()

    @abstractmethod
    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield frames with the columns of schema.RECORDS except ``row``, with `REASON`, and any optional columns."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a hash that changes whenever the rows of the source may have changed."""


def _batch(rows: Frame, *, start: int) -> Batch:
    numbered = rows.with_columns(pl.int_range(start, start + rows.height, dtype=pl.Int64).alias("row"))
    leaves = pl.col(REASON).is_not_null()
    gone, kept = numbered.filter(leaves), numbered.filter(~leaves)
    optional = [name for name in rows.columns if name not in RECORDS and name != REASON]
    dropped = ledger(gone, stage="source", reason=pl.col(REASON))
    return kept.select(*(pl.col(name).cast(kind) for name, kind in RECORDS.items()), cs.by_name(*optional)), dropped


def row_frames(rows: Iterable[Mapping[str, Any]], optional: Mapping[str, Any]) -> Iterator[Frame]:
    """Yield *rows* as frames of at most 10,000 rows, with the columns of `row_schema`.

    *optional* maps further columns to their types.

    >>> rows = [{"id": "a", "text": "a cat", "label": "1"}, {"id": "b", "reason": "bad_json"}]
    >>> [frame.columns for frame in row_frames(rows, {"label": pl.String})]
    [['id', 'text', 'image', 'source', 'label', 'reason']]
    """
    left = iter(rows)
    while chunk := list(islice(left, BATCH_ROWS)):
        yield pl.DataFrame(chunk, schema=row_schema(optional))


def row_schema(optional: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a frame of `row_frames`: Records without ``row``, *optional* columns and `REASON`.

    >>> list(row_schema({}))
    ['id', 'text', 'image', 'source', 'reason']
    """
    return {name: kind for name, kind in RECORDS.items() if name != "row"} | dict(optional) | {REASON: pl.String}


def stamp(settings: BaseModel, files: Iterable[Path]) -> str:
    """Return a hash of *settings*, and of the path, size and time of change of each of *files*.

    Raises
    ------
    SourceError
        When a file does not exist or may not be read.
    """
    try:
        found = [(str(file), stat.st_size, stat.st_mtime_ns) for file in files for stat in [file.stat()]]
    except OSError as error:
        raise SourceError(f"Cannot read {error.filename}: {error.strerror}.") from error
    return key_of(settings.model_dump(mode="json"), found)


def spill(images: Iterable[bytes | None], path: Path) -> list[str | None]:
    """Write *images* as a shard at *path*, and return a reference for each.  Null stays null."""
    images = list(images)
    refs = iter(write_images(path, (image for image in images if image is not None)))
    return [None if image is None else next(refs) for image in images]
