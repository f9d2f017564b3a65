"""What the parent does while an engine works: tells a listener the account, measures the pace, renews the lease.

It reads markers and logs in the output folder, so it works the same when the workers are on other machines.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import nullcontext, suppress
from dataclasses import asdict, replace
from typing import Self

from counterpoint.acquire.account import Account, AccountReader, Pace, ShardTotals
from counterpoint.acquire.decoder_crashes import forget_committed
from counterpoint.acquire.lease import Lease, renew, take_lease
from counterpoint.acquire.statuses import RETRYABLE
from counterpoint.errors import RunFolderError
from counterpoint.store import Store

UPDATE_S = 1.0
RENEW_S = 5.0
RECENT_S = 30.0
"""Over how long the pace is measured: shorter is nervous, longer is late."""

OnAccount = Callable[[Account], None]
"""Is told the account about once a second while an acquisition runs, from a thread of its own."""

Sample = tuple[float, ShardTotals]
"""When, and how far it was then."""


class Monitor:
    """Holds the lease on the output folder and looks at it, in a thread of its own, as long as one is in it."""

    def __init__(
        self, store: Store, n_rows: int, on_account: OnAccount, *, retryable: Collection[str] = RETRYABLE
    ) -> None:
        self.reader = AccountReader(store, n_rows, retryable=retryable)
        self.lease: Lease
        self._store, self._on_account = store, on_account
        self._generation, self._to_do = 0, 0
        self._samples: deque[Sample] = deque()
        self._first: Sample | None = None
        self._pace = Pace()
        self._over, self._updating = threading.Event(), threading.Lock()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self.lease = take_lease(self._store)
        self._store.sweep("shards")
        forget_committed(self._store)
        self.reader.read_markers()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        # When there is an error, it is the one to tell: the lease may have gone to another run, or the disk be full.
        with suppress(RunFolderError) if error or self._failure else nullcontext():
            self._renew(is_over=True)
        if self._failure is not None and error is None:
            raise self._failure

    def begin(self, *, generation: int, to_do: int) -> None:
        """Look from now on; the pace is that of *to_do* rows of *generation*."""
        self._generation, self._to_do = generation, to_do
        self.update()
        self._thread.start()

    def update(self) -> Account:
        """Return the account as it is now, with the pace of this run, and tell it to the listener."""
        with self._updating:  # the thread may look when the run ends, and a shard must count once
            account = self.reader.read()
            self._samples.append((time.monotonic(), self.reader.totals(self._generation)))
            # The oldest sample is the one that the recent pace is measured from; the first stays for the overall one.
            while len(self._samples) > 2 and self._samples[1][0] < self._samples[-1][0] - RECENT_S:
                self._samples.popleft()
            self._first = self._first or self._samples[0]
            self._pace = pace(self._first, self._samples[0], self._samples[-1], to_do=self._to_do)
            account = replace(account, pace=self._pace)
            self._on_account(account)
            return account

    def _run(self) -> None:
        renewed_s, took_s = time.monotonic(), 0.0
        try:
            while not self._over.wait(max(UPDATE_S, 10 * took_s)):  # of many shards, looking takes its time
                began_s = time.monotonic()
                self.update()
                took_s = time.monotonic() - began_s
                if time.monotonic() - renewed_s > RENEW_S:
                    self._renew()
                    renewed_s = time.monotonic()
        except Exception as error:
            self._failure = error

    def _renew(self, *, is_over: bool = False) -> None:
        self.lease = renew(self._store, self.lease, pace=asdict(self._pace), is_over=is_over)


def pace(first: Sample, recent: Sample, last: Sample, *, to_do: int) -> Pace:
    """Return the pace at the time of *last*: since *recent*, and since *first*; *to_do* rows are to end after *first*.

    >>> pace((0, ShardTotals()), (30, ShardTotals(n_rows=150)), (60, ShardTotals(n_rows=600, n_bytes=9_000_000)), to_do=900)
    Pace(rows_per_s=15.0, mb_per_s=0.3, rows_per_s_overall=10.0, mb_per_s_overall=0.15, seconds_left=20.0)
    """
    rows_per_s, mb_per_s = _between(recent, last)
    left = to_do - (last[1].n_rows - first[1].n_rows)
    return Pace(rows_per_s, mb_per_s, *_between(first, last), seconds_left=left / rows_per_s if rows_per_s else None)


def _between(start: Sample, end: Sample) -> tuple[float, float]:
    took_s = max(end[0] - start[0], 1e-3)
    n_rows, n_bytes = end[1].n_rows - start[1].n_rows, end[1].n_bytes - start[1].n_bytes
    # A shard that was begun again counts from nothing: for a moment there is less than before.
    return round(max(0, n_rows) / took_s, 3), round(max(0, n_bytes) / took_s / 1e6, 3)
