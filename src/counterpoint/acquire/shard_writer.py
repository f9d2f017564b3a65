"""A shard under way: it collects the result of each slot, in any order, until all of it is written at once.

Images wait in a scratch file without a name (in TMPDIR). Memory stays bounded, and a killed process leaves nothing.
"""

import hashlib
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, Literal, NamedTuple, cast

import polars as pl

from counterpoint.acquire.agreement import LOW
from counterpoint.acquire.statuses import OK
from counterpoint.acquire.transcode import SlotOutcome
from counterpoint.artifacts import why_not_written
from counterpoint.errors import RunFolderError
from counterpoint.formats.shard_markers import Marker, shard_name
from counterpoint.formats.shards import SHARD, write_shard
from counterpoint.rules import cleaned
from counterpoint.schema import Frame
from counterpoint.store import Store

DUPLICATE = "duplicate"
N_FAILING_HOSTS = 8
_OF_KEPT = (*SlotOutcome._fields[:-1], "http_code")


class _Place(NamedTuple):
    """The place of an image in the scratch file."""

    start: int
    n_bytes: int


class ShardWriter:
    """Takes the outcome of each slot of *listed*, each once, in any order and from any thread.

    Parameters
    ----------
    listed
        *listed* are the slots, with the columns of ``formats.shards.LISTED``.
    shard
        *shard* is the number of the shard.
    kept
        *kept* is the stored form of the images: a key of ``transcode.TRANSCODERS``.
    generation
        *generation* is the number of retries before (default: 0, the first run).

    Raises
    ------
    RunFolderError
        From `add` and `commit`, when the disk is full.

    Examples
    --------
    >>> from counterpoint.formats.shards import LISTED, read_shard
    >>> listed = pl.DataFrame([{"slot": 0, "text": "Tom &amp; Jerry"}, {"slot": 1, "text": ""}], schema=LISTED)
    >>> writer = ShardWriter(listed, shard=0, kept="original")
    >>> writer.add(1, SlotOutcome("http_404"), 404)
    >>> writer.add(0, SlotOutcome("ok", image=b"..."), 200)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     marker = writer.commit(Store(folder))
    ...     rows = read_shard(Store(folder), [marker])
    >>> dict(marker.statuses), rows["text_clean"].to_list()
    ({'http_404': 1, 'ok': 1}, ['Tom & Jerry', ''])
    """

    def __init__(self, listed: Frame, *, shard: int, kept: str, generation: int = 0) -> None:
        self._listed = listed.sort("slot")
        self._shard, self._generation, self._kept = shard, generation, kept
        self._row_of = {slot: row for row, slot in enumerate(self._listed["slot"])}
        self._rows: list[tuple[Any, ...] | None] = [None] * len(self._row_of)
        self._places: list[_Place | None] = [None] * len(self._row_of)
        self._scratch = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._end = 0
        self._adding = threading.Lock()
        self.n_left = len(self._row_of)

    def add(self, slot: int, kept: SlotOutcome, http_code: int | None = None) -> None:
        """Take the outcome of *slot*.

        Parameters
        ----------
        slot
            *slot* is a slot of the list that was not added before.
        kept
            *kept* is its outcome, with the stored form of its image.
        http_code
            *http_code* is the status code of the response, None without one.
        """
        row = self._row_of[slot]
        with self._adding:
            assert self._rows[row] is None, f"slot {slot} ended twice"
            if kept.image is not None:
                self._places[row] = self._spilled(kept.image)
            self._rows[row] = (*kept[:-1], http_code)
            self.n_left -= 1

    def _spilled(self, image: bytes) -> _Place:
        with self._named_disk_errors():
            self._scratch.write(image)
        place = _Place(self._end, len(image))
        self._end += len(image)
        return place

    @contextmanager
    def _named_disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunFolderError(why_not_written(f"a scratch file in {tempfile.gettempdir()}", error)) from error

    def commit(
        self, store: Store, *, duplicates: Literal["keep", "mark"] = "keep", replaces: Mapping[str, int] | None = None
    ) -> Marker:
        """Write the shard to *store*, then its marker, and close this writer.

        Parameters
        ----------
        store
            *store* is the folder of the acquisition.
        duplicates
            *duplicates* is "mark" to keep ok for the first of the slots with one sha256 only (default: "keep", for
            all).
        replaces
            *replaces* counts the earlier statuses of the slots, when they are tried again.
        """
        assert not self.n_left, f"{self.n_left} slots have not ended"
        with self._named_disk_errors():
            self._scratch.flush()
        rows = self._table(duplicates)
        with store.writing(f"shards/{shard_name(self._shard, self._generation)}.parquet") as file:
            hashed = _Hashed(file)
            write_shard(cast(BinaryIO, hashed), rows, self._images(rows["status"]), kept=self._kept)
        self.close()
        marker = Marker(
            shard=self._shard,
            generation=self._generation,
            sha256=hashed.digest.hexdigest(),
            n_bytes=hashed.n_bytes,
            statuses=_counts(rows["status"]),
            replaces=dict(replaces or {}),
            body_bytes=int(rows["n_bytes"].sum()),
            failing_hosts=_failing_hosts(rows),
        )
        marker.write(store)
        return marker

    def close(self) -> None:
        """Close the scratch file."""
        self._scratch.close()

    def _table(self, duplicates: str) -> Frame:
        columns = zip(_OF_KEPT, zip(*cast(Any, self._rows), strict=True), strict=True)
        ended = pl.DataFrame([pl.Series(name, values, dtype=SHARD[name]) for name, values in columns])
        rows = pl.concat(
            [self._listed.with_columns(cleaned(pl.col("text")).alias("text_clean")), ended], how="horizontal"
        )
        if duplicates == "keep":
            return rows
        again = (pl.col("status") == OK) & ~pl.struct("status", "sha256").is_first_distinct()
        return rows.with_columns(pl.when(again).then(pl.lit(DUPLICATE)).otherwise("status").alias("status"))

    def _images(self, statuses: pl.Series) -> Iterator[bytes | None]:
        for status, place in zip(statuses, self._places, strict=True):
            if status != OK or place is None:
                yield None
                continue
            self._scratch.seek(place.start)
            yield self._scratch.read(place.n_bytes)


class _Hashed:
    """A file that passes writes on, and computes their digest and size."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest, self.n_bytes = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.n_bytes += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.n_bytes

    def flush(self) -> None:
        self._file.flush()


def _counts(values: pl.Series) -> dict[str, int]:
    counts = Counter(values.to_list())
    return dict(sorted(counts.items(), key=lambda count: (-count[1], count[0])))


def _failing_hosts(rows: Frame) -> dict[str, int]:
    failed = rows.filter(~pl.col("status").is_in([OK, DUPLICATE, LOW]) & pl.col("host").is_not_null())
    return dict(list(_counts(failed["host"]).items())[:N_FAILING_HOSTS])
