"""The work of one process: fetch the slots of some shards, decode the results, commit each complete shard.

The calling thread runs the fetch loop, and decoders take its results from a queue bounded in bytes. One more thread
commits. The next shard is therefore fetched while another waits for its last slots, or is written.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from counterpoint.acquire.decoder_crashes import crashes_path, exceeded_limit
from counterpoint.acquire.lease import check_lease
from counterpoint.acquire.open_shard import OpenShard, open_shard
from counterpoint.acquire.result_queue import ResultQueue
from counterpoint.acquire.web.fetch import Fetcher, Request
from counterpoint.config.acquire import AcquireConfig
from counterpoint.engines.time_limit import end_watch, sign_of_life
from counterpoint.formats.shard_markers import shard_name
from counterpoint.store import Store

N_DECODERS = 1
"""One, because the time limit of an image applies to its process."""
REPORT_S = 2.0
"""The time between two reports of progress in the logs."""
STUCK_S = 900.0
"""A fetch loop without a turn for this long is stuck. Its process ends, and the task is done again."""
MAX_COMMITS = 2
"""Shards that wait to be written. With more, no new transfer starts."""


@dataclass(frozen=True)
class ShardsTask:
    """Some shards of a plan, to be acquired by one process. Generation 0 is the first run, a retry is the next.

    *token* is the token of the run's lease. Without one, the lease is not checked before a commit.
    """

    name: str
    config: AcquireConfig
    shards: tuple[int, ...]
    generation: int = 0
    token: str | None = None
    after: tuple[str, ...] = ()

    def is_late(self) -> bool:
        """Return whether the time limit of an image ended its process. That image is not decoded again."""
        store = Store(self.config.output, self.config.storage)
        return any(exceeded_limit(crashes_path(store, shard_name(shard, self.generation))) for shard in self.shards)


def acquire_shards(task: ShardsTask) -> dict[str, Any]:
    """Acquire the shards of *task* that are not committed yet, and return counts. A second call does nothing.

    Returns
    -------
    dict
        The numbers of committed ``shards`` and of their ``rows``, and the ``bytes`` of their bodies.

    Raises
    ------
    RunFolderError
        When the disk is full, a shard cannot be written, or another run took over. Committed shards stay.
    """
    with Pipeline(task) as pipeline:
        for result in pipeline.fetcher.fetch(pipeline.requests(), room=pipeline.has_room):
            pipeline.results.put(result)
    return pipeline.statistics()


class Pipeline:
    """The stages behind the fetch loop of a task: open shards, decoders, commits. All have ended on exit."""

    def __init__(self, task: ShardsTask) -> None:
        self._task = task
        self._store = Store(task.config.output, task.config.storage)
        self._open: dict[int, OpenShard] = {}
        self._full: set[int] = set()
        self._committed: list[tuple[int, int]] = []
        self._failure: BaseException | None = None
        self._commits = ThreadPoolExecutor(1, "commit")
        self._over = threading.Event()
        self._decoders = [threading.Thread(target=self._guarded(self._decode)) for _ in range(N_DECODERS)]
        self._reporter = threading.Thread(target=self._guarded(self._report))
        self.results = ResultQueue()
        self.fetcher = Fetcher(task.config.fetch, task.config.guard, record=self.record)

    def __enter__(self) -> Self:
        for thread in (*self._decoders, self._reporter):
            thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        end_watch()
        self._failure = self._failure or error
        self.fetcher.close()
        self.results.close()
        for decoder in self._decoders:
            decoder.join()
        self._commits.shutdown()
        self._over.set()
        self._reporter.join()
        for shard in self._open.values():
            shard.abandon()
        if self._failure is not None and self._failure is not error:
            raise self._failure

    def requests(self) -> Iterator[Request]:
        """Yield the requests of each shard in turn. A committed shard is skipped."""
        for number in self._task.shards:
            shard = open_shard(self._store, self._task.config, number, self._task.generation)
            if shard is not None:
                self._open[number] = shard
                self.fetcher.forget()  # a host is dead for one shard, not for the next
                yield from shard.requests()

    def has_room(self) -> bool:
        """Return whether another transfer may start. The error of a failed thread is raised here."""
        sign_of_life(STUCK_S)
        if self._failure is not None:
            raise self._failure
        return self.results.has_room() and len(self._full) < MAX_COMMITS

    def statistics(self) -> dict[str, int]:
        """Return the numbers of committed shards and of their rows, and the bytes of their bodies."""
        rows, n_bytes = zip(*self._committed, strict=True) if self._committed else ((), ())
        return {"shards": len(rows), "rows": sum(rows), "bytes": sum(n_bytes)}

    def record(self, event: str, *, slot: int | None = None, **fields: Any) -> None:
        """Record an event of the fetch loop in the log of its shard."""
        shard = self._open.get(-1 if slot is None else slot // self._task.config.shard_rows)
        if shard is not None:
            shard.record(event, slot=slot, **fields)

    def _guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        """Return *work* for a thread. An error ends the fetch loop instead of being lost with the thread."""

        def guarded() -> None:
            try:
                work()
            except BaseException as error:
                self._failure = self._failure or error

        return guarded

    def _decode(self) -> None:
        for result in self.results:
            if self._failure is not None:
                return
            number = result.slot // self._task.config.shard_rows
            if self._open[number].add_result(result):
                self._full.add(number)
                self._commits.submit(self._guarded(partial(self._commit, number)))

    def _commit(self, number: int) -> None:
        if self._task.token is not None:
            check_lease(self._store, self._task.token)
        shard = self._open[number]
        shard.commit()
        self._committed.append((shard.n_rows, shard.n_bytes))
        del self._open[number]
        self._full.discard(number)

    def _report(self) -> None:
        while not self._over.wait(REPORT_S):
            for shard in list(self._open.values()):
                shard.report()
