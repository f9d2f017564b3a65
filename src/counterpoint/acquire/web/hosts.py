"""The limits for each host: its requests at once, its Retry-After, and the failures after which it is given up.

Hosts take turns. A list sorted by host therefore neither floods one host nor waits for it.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from counterpoint.acquire.web.urls import Target

MAX_KNOWN = 50_000
"""With more hosts in memory, hosts without failures are forgotten."""


@dataclass(eq=False, slots=True)
class Host:
    """The requests under way at one host name, and the record of its failures."""

    name: str
    waiting: "deque[Job]" = field(default_factory=deque)
    """Jobs that have not started."""
    n_active: int = 0
    n_failures: int = 0
    """Consecutive failures to reach it."""
    n_delays: int = 0
    """Consecutive responses with Retry-After, each after the end of the delay before."""
    free_at: float = -math.inf
    """The time from which it may be requested again."""
    closed: str | None = None
    """The status of all its other requests, once it is given up."""
    is_queued: bool = False


@dataclass(eq=False, slots=True)
class Job:
    """One request, from the list to its result."""

    slot: int
    listed: Target
    """The image's URL as in the list."""
    host: Host
    """The host whose turn the job needs: the host of ``current``."""
    current: Target
    """The URL to request now: the image, the target of its redirect, or the robots.txt before it."""
    image: Target
    """The image, or the target of its redirect."""
    transfer: Any = None
    """The transfer that fetches it, from its start on."""
    deadline: float = math.inf
    wake_at: float = -math.inf
    """The time of the next attempt."""
    lookup_began: float | None = None
    """The time since which it has waited for the addresses of its host."""
    has_turn: bool = False
    reads_robots: bool = False
    n_attempts: int = 1
    n_redirects: int = 0
    n_redirects_before: int = 0
    """The redirects of the image, while the robots.txt is read."""
    http_code: int | None = None
    """The status code of the last response."""


class Hosts:
    """All hosts of a list, which take turns.

    Parameters
    ----------
    per_host
        *per_host* is the largest number of requests under way at one host.
    max_failures
        *max_failures* is the number of consecutive failures after which a host is given up.
    record
        *record* is called when a host is given up, or sends Retry-After.
    """

    def __init__(self, *, per_host: int, max_failures: int, record: Callable[..., None]) -> None:
        self.n_waiting = 0
        self._per_host, self._max_failures, self._record = per_host, max_failures, record
        self._hosts: dict[str, Host] = {}
        self._queue: deque[Host] = deque()
        self._delayed: list[Host] = []

    def of(self, name: str) -> Host:
        """Return the host with this *name*."""
        host = self._hosts.get(name)
        if host is None:
            if len(self._hosts) >= MAX_KNOWN:
                self._prune(lambda host: not host.n_failures and host.closed is None)
            host = self._hosts[name] = Host(name)
        return host

    def add(self, job: Job) -> None:
        """Queue *job* for its host's turn."""
        job.host.waiting.append(job)
        self.n_waiting += 1
        self._enqueue(job.host)

    def next(self, now: float) -> Job | None:
        """Return a job that may start, with its turn taken. None when each host with jobs is busy or delayed."""
        while self._queue:
            host = self._queue.popleft()
            if now < host.free_at:
                self._delayed.append(host)  # it stays queued, and is not looked at before the end of its delay
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
        """Count *job* as under way at its host, and return whether there is room for it."""
        if now < job.host.free_at:
            return False
        if not job.has_turn:
            if job.host.n_active >= self._per_host:
                return False
            job.host.n_active += 1
            job.has_turn = True
        return True

    def leave_turn(self, job: Job) -> None:
        """Count *job* as no longer under way at its host."""
        if job.has_turn:
            job.has_turn = False
            job.host.n_active -= 1
            self._enqueue(job.host)

    def tick(self, now: float) -> None:
        """Queue the hosts again whose delay is over."""
        due = [host for host in self._delayed if now >= host.free_at]
        if due:
            self._delayed = [host for host in self._delayed if now < host.free_at]
            for host in due:
                host.is_queued = False
                self._enqueue(host)

    @property
    def has_delayed(self) -> bool:
        """Whether a host waits for the end of a delay."""
        return bool(self._delayed)

    def reached(self, host: Host) -> None:
        """Record that *host* responded without Retry-After."""
        host.n_failures = host.n_delays = 0

    def failed(self, host: Host, status: str, *, slot: int) -> None:
        """Record that *host* could not be reached, and give it up after too many consecutive failures.

        Parameters
        ----------
        host
            *host* is the host.
        status
            *status* is the status of the failed request.
        slot
            *slot* is the slot of the failed request.
        """
        host.n_failures += 1
        if host.n_failures >= self._max_failures and host.closed is None:
            host.closed = "host_dead"
            self._record("host_dead", slot=slot, host=host.name, status=status, failures=host.n_failures)

    def delay(self, host: Host, seconds: float, status: str, *, longest_s: float, now: float, slot: int) -> None:
        """Delay *host* for *seconds*, or give it up.

        A host is given up when it demands more than *longest_s*, or delays too often. Its other requests end with
        *status* then. A wait longer than the limit of an image would hold up the shard.

        Parameters
        ----------
        host
            *host* is the host.
        seconds
            *seconds* is the length of the delay.
        status
            *status* is the status of the response with the delay.
        longest_s
            *longest_s* is the longest acceptable delay, in seconds.
        now
            *now* is the present time of the monotonic clock, in seconds.
        slot
            *slot* is the slot of the request.
        """
        if now < host.free_at:  # a response to a request from before the delay
            return
        host.n_failures = 0
        host.n_delays += 1
        host.free_at = now + seconds
        gives_up = seconds > longest_s or host.n_delays >= self._max_failures
        if gives_up:
            host.closed = host.closed or status
        self._record("retry_after", slot=slot, host=host.name, status=status, seconds=seconds, given_up=gives_up)

    def drop_waiting(self, host: Host) -> list[Job]:
        """Return the jobs that wait for *host*, and empty its queue."""
        dropped = list(host.waiting)
        host.waiting.clear()
        self.n_waiting -= len(dropped)
        return dropped

    def emptied(self) -> "Hosts":
        """Return an empty instance with the same limits."""
        return Hosts(per_host=self._per_host, max_failures=self._max_failures, record=self._record)

    def forget(self) -> None:
        """Forget the failures of all hosts. Delays that are not over stay."""
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
