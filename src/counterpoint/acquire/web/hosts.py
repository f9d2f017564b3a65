"""Manners towards each host: how many requests at once, when it asked to be left alone, and when it is given up.

Hosts take turns, so that a list sorted by host neither floods one nor waits for it.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from counterpoint.acquire.web.urls import Target

MAX_KNOWN = 50_000
"""With more hosts in memory, those that nothing is known against are forgotten."""


@dataclass(eq=False, slots=True)
class Host:
    """What is under way at one host name, and what is known of it."""

    name: str
    waiting: "deque[Job]" = field(default_factory=deque)
    """Jobs that have not been started."""
    n_active: int = 0
    n_failures: int = 0
    """How often running it could not be reached."""
    n_delays: int = 0
    """How often running it asked to be left alone, after the time that it had asked for."""
    free_at: float = -math.inf
    """When it may be asked again."""
    closed: str | None = None
    """The status of whatever else is to be fetched from it."""
    is_queued: bool = False


@dataclass(eq=False, slots=True)
class Job:
    """One request, from the list to its result."""

    slot: int
    listed: Target
    """The image's URL as it was in the list."""
    host: Host
    """The host whose turn it is: that of ``asks``."""
    current: Target
    """What is asked for now: the image, where it has moved, or the robots.txt before it."""
    image: Target
    """The image, or where it has moved."""
    transfer: Any = None
    """What it is fetched with, from when it is started."""
    deadline: float = math.inf
    wake_at: float = -math.inf
    """When it may be tried again."""
    lookup_began: float | None = None
    """Since when it has waited for the addresses of its host."""
    has_turn: bool = False
    reads_robots: bool = False
    n_attempts: int = 1
    n_redirects: int = 0
    n_redirects_before: int = 0
    """Those of the image, while the robots.txt is read."""
    http_code: int | None = None
    """Of the last result."""


class Hosts:
    """Every host of a list, taking turns.

    Parameters
    ----------
    per_host
        *per_host* is how many requests to one host may be under way at once.
    max_failures
        *max_failures* is after how many failures running a host is given up.
    record
        *record* is told when a host is given up, or asks to be left alone.
    """

    def __init__(self, *, per_host: int, max_failures: int, record: Callable[..., None]) -> None:
        self.n_waiting = 0
        self._per_host, self._max_failures, self._record = per_host, max_failures, record
        self._hosts: dict[str, Host] = {}
        self._queue: deque[Host] = deque()
        self._delayed: list[Host] = []

    def of(self, name: str) -> Host:
        """Return the host called *name*."""
        host = self._hosts.get(name)
        if host is None:
            if len(self._hosts) >= MAX_KNOWN:
                self._prune(lambda host: not host.n_failures and host.closed is None)
            host = self._hosts[name] = Host(name)
        return host

    def add(self, job: Job) -> None:
        """Let *job* wait for its host's turn."""
        job.host.waiting.append(job)
        self.n_waiting += 1
        self._enqueue(job.host)

    def next(self, now: float) -> Job | None:
        """Return a job that may start, its turn taken; None when each host with jobs is busy or wants to be left."""
        while self._queue:
            host = self._queue.popleft()
            if now < host.free_at:
                self._delayed.append(host)  # and still queued: until then nobody need look at it
                continue
            host.is_queued = False
            if not host.waiting or host.n_active >= self._per_host:
                continue
            job = host.waiting.popleft()
            self.n_waiting -= 1
            self.take_turn(job, now)
            self._enqueue(host)
            return job
        return None

    def take_turn(self, job: Job, now: float) -> bool:
        """Let *job* be one of those under way at its host, if there is room."""
        if now < job.host.free_at:
            return False
        if not job.has_turn:
            if job.host.n_active >= self._per_host:
                return False
            job.host.n_active += 1
            job.has_turn = True
        return True

    def leave_turn(self, job: Job) -> None:
        """Let *job* be under way at its host no more."""
        if job.has_turn:
            job.has_turn = False
            job.host.n_active -= 1
            self._enqueue(job.host)

    def tick(self, now: float) -> None:
        """Give those their turn again who have been left alone for long enough."""
        due = [host for host in self._delayed if now >= host.free_at]
        if due:
            self._delayed = [host for host in self._delayed if now < host.free_at]
            for host in due:
                host.is_queued = False
                self._enqueue(host)

    @property
    def has_delayed(self) -> bool:
        """Whether a host waits for a moment in time."""
        return bool(self._delayed)

    def reached(self, host: Host) -> None:
        """Note that *host* answered, and did not ask to be left alone."""
        host.n_failures = host.n_delays = 0

    def failed(self, host: Host, status: str, *, slot: int) -> None:
        """Note that *host* could not be reached; after too many times running it is given up."""
        host.n_failures += 1
        if host.n_failures >= self._max_failures and host.closed is None:
            host.closed = "host_dead"
            self._record("host_dead", slot=slot, host=host.name, status=status, failures=host.n_failures)

    def delay(self, host: Host, seconds: float, status: str, *, longest_s: float, now: float, slot: int) -> None:
        """Leave *host* alone for *seconds*; if that is longer than *longest_s*, or asked too often, for good.

        What else was to come from it ends as *status* then: to wait longer than for any image would hold up the shard.
        """
        if now < host.free_at:  # another result to a question asked before the delay
            return
        host.n_failures = 0
        host.n_delays += 1
        host.free_at = now + seconds
        gives_up = seconds > longest_s or host.n_delays >= self._max_failures
        if gives_up:
            host.closed = host.closed or status
        self._record("retry_after", slot=slot, host=host.name, status=status, seconds=seconds, given_up=gives_up)

    def drop_waiting(self, host: Host) -> list[Job]:
        """Return the jobs that wait for *host*, and let none wait."""
        dropped = list(host.waiting)
        host.waiting.clear()
        self.n_waiting -= len(dropped)
        return dropped

    def emptied(self) -> "Hosts":
        """Return the same with nothing under way and nothing held against anybody."""
        return Hosts(per_host=self._per_host, max_failures=self._max_failures, record=self._record)

    def forget(self) -> None:
        """Hold nothing more against any host, but for the time in which it wants to be left alone."""
        now = time.monotonic()
        self._prune(lambda host: now >= host.free_at)
        for host in self._hosts.values():
            if now >= host.free_at:
                host.n_failures = host.n_delays = 0
                host.closed = None

    def _prune(self, may_go: Callable[[Host], bool]) -> None:
        self._hosts = {
            name: host
            for name, host in self._hosts.items()
            if host.waiting or host.n_active or host.is_queued or not may_go(host)
        }

    def _enqueue(self, host: Host) -> None:
        if host.waiting and not host.is_queued:
            host.is_queued = True
            self._queue.append(host)
