"""The rows of a plan with their results, in the order of the slots.

A row without a committed shard has the status waiting.
"""

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
from counterpoint.formats.shard_markers import committed, shard_digests
from counterpoint.formats.shards import REF, read_slots
from counterpoint.store import Store

WAITING = "waiting"
"""The status of a row whose shard is not committed yet."""

AcquiredRow = Mapping[str, Any]


class AcquiredRows:
    """The rows of the plan in *store*, each once.

    A row has the columns of a shard, with a reference in place of its image. `kept` reads the image. A caller that
    leaves rows out counts them in ``left_out``, by status. One shard without its images is in memory at a time.

    Parameters
    ----------
    store
        *store* is the folder of an acquisition, finished or not.
    on_count
        *on_count* receives the number of finished rows and the number of all, after each shard.

    Raises
    ------
    RunFolderError
        When *store* holds no plan.
    """

    def __init__(self, store: Store, *, on_count: OnCount = ignore_count) -> None:
        self._store, self._on_count = store, on_count
        self.plan = Plan.read(store)
        self.left_out: Counter[str] = Counter()
        self._shards = committed(store)
        self._reader = ImageReader()

    def fingerprint(self) -> list[Any]:
        """Return values that differ between two states of the shards."""
        return [asdict(self.plan), shard_digests(self._shards)]

    def __iter__(self) -> Iterator[AcquiredRow]:
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

    def kept(self, row: AcquiredRow) -> bytes:
        """Return the stored bytes of the image of *row*, with raw pixels as a PNG.

        *row* must be the last row that was yielded.

        Raises
        ------
        ImageError
            When the row has no image. The reason is the status of the row.
        """
        if row["status"] != OK:
            raise ImageError(row["status"])
        return self._reader.read(row[REF])
