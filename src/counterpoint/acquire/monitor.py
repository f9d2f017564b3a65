"""The work of the parent while an engine runs: report the account, measure the pace, renew the lease.

It reads markers and logs in the output folder. It therefore works the same with workers on other machines.
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
"""The window of the recent pace. A shorter window is noisy, a longer one reacts late."""

OnAccount = Callable[[Account], None]
"""A callback that receives the account about once a second, in a thread of its own."""

PaceSample = tuple[float, ShardTotals]
"""A time in seconds, and the totals of the shards at that time."""


class Monitor:
    """Holds the lease on the output folder and reads the folder in a thread, while the context is open.

    Parameters
    ----------
    store
        *store* is the output folder.
    n_rows
        *n_rows* is the number of rows of the plan.
    on_account
        *on_account* is called with the account about once a second.
    retryable
        *retryable* are the statuses that a retry tries again.

    Raises
    ------
    RunFolderError
        On entry, when another run is at work in the folder. On exit, when another run has taken over.
    """

    def __init__(
        self, store: Store, n_rows: int, on_account: OnAccount, *, retryable: Collection[str] = RETRYABLE
    ) -> None:
        self.reader = AccountReader(store, n_rows, retryable=retryable)
        self.lease: Lease
        self._store, self._on_account = store, on_account
        self._generation, self._to_do = 0, 0
        self._samples: deque[PaceSample] = deque()
        self._first: PaceSample | None = None
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
        if error is None:  # every shard is committed, also one whose worker died before it could forget its crashes
            forget_committed(self._store)
        # The first error is the one to report: the lease may belong to another run by now, or the disk may be full.
        with suppress(RunFolderError) if error or self._failure else nullcontext():
            self._renew(is_over=True)
        if self._failure is not None and error is None:
            raise self._failure

    def begin(self, *, generation: int, to_do: int) -> None:
        """Start the thread. The pace covers *to_do* rows of *generation*."""
        self._generation, self._to_do = generation, to_do
        self.update()
        self._thread.start()

    def update(self) -> Account:
        """Read the account, call the callback with it, and return it, with the pace of this run."""
        with self._updating:  # two threads may update at the end of a run, and a shard must count once
            account = self.reader.read()
            self._samples.append((time.monotonic(), self.reader.totals(self._generation)))
            # The recent pace is measured from the oldest sample here. The first sample stays for the overall pace.
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
            while not self._over.wait(max(UPDATE_S, 10 * took_s)):  # with many shards an update takes long
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


def pace(first: PaceSample, recent: PaceSample, last: PaceSample, *, to_do: int) -> Pace:
    """Return the recent and the overall pace at the time of *last*.

    Parameters
    ----------
    first
        *first* is the sample from which the overall pace is measured.
    recent
        *recent* is the sample from which the recent pace is measured.
    last
        *last* is the newest sample.
    to_do
        *to_do* is the number of rows that were to end after *first*.

    Returns
    -------
    Pace
        Rows and megabytes (10^6 bytes) per second, and the seconds left at the recent pace.

    Examples
    --------
    >>> early, late = ShardTotals(n_rows=150), ShardTotals(n_rows=600, n_bytes=9_000_000)
    >>> pace((0, ShardTotals()), (30, early), (60, late), to_do=900)
    Pace(rows_per_s=15.0, mb_per_s=0.3, rows_per_s_overall=10.0, mb_per_s_overall=0.15, seconds_left=20.0)
    """
    rows_per_s, mb_per_s = _between(recent, last)
    left = to_do - (last[1].n_rows - first[1].n_rows)
    return Pace(rows_per_s, mb_per_s, *_between(first, last), seconds_left=left / rows_per_s if rows_per_s else None)


def _between(start: PaceSample, end: PaceSample) -> tuple[float, float]:
    took_s = max(end[0] - start[0], 1e-3)
    n_rows, n_bytes = end[1].n_rows - start[1].n_rows, end[1].n_bytes - start[1].n_bytes
    # A shard that starts again counts from 0, so the total may shrink for a moment.
    return round(max(0, n_rows) / took_s, 3), round(max(0, n_bytes) / took_s / 1e6, 3)
