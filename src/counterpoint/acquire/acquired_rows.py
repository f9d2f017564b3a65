"""Every row of a plan with what came of it, in the order of the slots; one whose shard is not there yet, waits."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from counterpoint.acquire.plan import Plan
from counterpoint.acquire.statuses import OK
from counterpoint.errors import ImageError
from counterpoint.features.chunks import OnCount, ignore_count
from counterpoint.formats.images import ImageReader
from counterpoint.formats.shards import REF, committed, digests, read_slots
from counterpoint.store import Store

WAITING = "waiting"
"""The status of a row whose shard is not there yet."""

Row = Mapping[str, Any]


class AcquiredRows:
    """The rows of the plan in *store*, each once; who leaves some of them out counts these in ``left_out``, by status.

    A row has the columns of a shard, but of its image the reference; `kept` reads it.  Holds one shard without its
    images at a time.
    """

    def __init__(self, store: Store, *, on_count: OnCount = ignore_count) -> None:
        self._store, self._on_count = store, on_count
        self.plan = Plan.read(store)
        self.left_out: Counter[str] = Counter()
        self._shards = committed(store)
        self._reader = ImageReader()

    def fingerprint(self) -> list[Any]:
        """Return what tells one state of the shards from another."""
        return [asdict(self.plan), digests(self._shards)]

    def __iter__(self) -> Iterator[Row]:
        """Yield each row of the plan once."""
        done = 0
        for shard in range(self.plan.n_shards):
            # Shards of an object store are copied here, one at a time.
            with TemporaryDirectory() as copies, self._reader:
                markers = self._shards.get(shard, ())
                frame = read_slots(self._store, shard, markers, waiting=WAITING, copies=Path(copies))
                yield from frame.iter_rows(named=True)
            done += frame.height
            self._on_count(done, self.plan.n_rows)

    def kept(self, row: Row) -> bytes:
        """Return what was kept of the image of *row*, the last that was yielded; raw pixels as a PNG.

        Raises
        ------
        ImageError
            Its reason is the status of a row that has none.
        """
        if row["status"] != OK:
            raise ImageError(row["status"])
        return self._reader.read(row[REF])
