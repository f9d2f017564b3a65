"""Images from the web, many at once, each within its limits and behind the guard. Every request gets one result."""

import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from counterpoint.acquire.web.fetch_result import FetchResult
from counterpoint.acquire.web.hosts import Job
from counterpoint.acquire.web.transfers import Transfers
from counterpoint.config.acquire import Fetch, Guard

WINDOW = 16
"""The number of requests for each connection that are taken from the list, to find hosts that are not busy."""
MAX_RESULTS = 256
"""With this many results ready, they are passed on before another transfer starts."""

_TICK_S = 0.1
_NO_ROOM_S = 0.02


class Request(NamedTuple):
    """A row of the list: its slot, and a URL of any kind."""

    slot: int
    url: str


def _ignore(event: str, **fields: Any) -> None:
    pass


def _always() -> bool:
    return True


class Fetcher:
    """A loop that fetches images. It belongs to one thread.

    Parameters
    ----------
    rules
        *rules* are the limits of one image, and the limits for each host.
    guard
        *guard* is the section with the requests and addresses to refuse.
    record
        *record* is called as ``record(event, slot=..., host=..., ...)`` for the events ``address_refused``,
        ``host_dead`` and ``retry_after``. Untrusted text in them is escaped.
    resolve
        *resolve* is for tests: preset addresses, ``"name:port:address,address"`` as in libcurl. They are checked as
        any other.

    Raises
    ------
    ConfigError
        When ``guard.allow_address`` or ``fetch.ca_file`` cannot be used.

    Examples
    --------
    >>> fetcher = Fetcher(Fetch(connections=2), Guard())
    >>> list(fetcher.fetch([Request(7, "http://127.1/secret"), Request(8, "file:///etc/passwd")]))
    [FetchResult(slot=7, status='blocked_address', http_code=None, body=b''),
     FetchResult(slot=8, status='url_scheme', http_code=None, body=b'')]
    >>> fetcher.close()
    """

    def __init__(
        self, rules: Fetch, guard: Guard, *, record: Callable[..., None] = _ignore, resolve: Sequence[str] = ()
    ) -> None:
        self._n_handles = _n_handles(rules.connections)
        self._transfers = Transfers(rules, guard, n_handles=self._n_handles, record=record, resolve=resolve)
        self._is_exhausted = False
        self._ticked_at = 0.0

    def fetch(self, requests: Iterable[Request], *, room: Callable[[], bool] = _always) -> Iterator[FetchResult]:
        """Yield one result for each request, in the order in which the requests end.

        A request starts when its host has a turn for it. Its result comes at most ``total_s`` later.

        Parameters
        ----------
        requests
            *requests* are pulled lazily, in this thread.
        room
            *room* returns whether the reader can take more. Nothing starts while it returns False.
        """
        stream, transfers = iter(requests), self._transfers
        self._is_exhausted = False
        try:
            while True:
                goes_on = self._feed(stream, room)
                while transfers.results:
                    yield transfers.results.popleft()
                if self._is_exhausted and transfers.are_idle:
                    return
                transfers.proceed(0.0 if goes_on else self._longest_s(room), time.monotonic)
        finally:
            if not transfers.are_idle:
                transfers.abandon()

    def forget(self) -> None:
        """Reopen each host that was given up, as a new shard does. May be called while fetching."""
        self._transfers.hosts.forget()
        self._transfers.names.forget()

    def close(self) -> None:
        """Close every connection."""
        self._transfers.close()

    def _feed(self, requests: Iterator[Request], room: Callable[[], bool]) -> bool:
        """Start all possible jobs, and return whether more could start once the results are taken."""
        transfers, now = self._transfers, time.monotonic()
        is_tick = now - self._ticked_at >= _TICK_S
        if is_tick:
            self._ticked_at = now
        transfers.wake(now, is_tick=is_tick)
        while transfers.free and room():
            if len(transfers.results) >= MAX_RESULTS:
                return True
            job = transfers.hosts.next(time.monotonic())
            if job is not None:
                transfers.start(job, time.monotonic())
            elif not self._pull(requests):
                return False
        return False

    def _pull(self, requests: Iterator[Request]) -> bool:
        """Take one request from the list, and return whether that was possible."""
        transfers = self._transfers
        if self._is_exhausted or transfers.hosts.n_waiting >= WINDOW * self._n_handles:
            return False
        request = next(requests, None)
        if request is None:
            self._is_exhausted = True
            return False
        target = transfers.address_guard.check(request.url, request.slot)
        if isinstance(target, str):
            transfers.results.append(FetchResult(request.slot, target, None, b""))
            return True
        host = transfers.hosts.of(target.host)
        transfers.hosts.add(Job(request.slot, target, host, current=target, image=target))
        transfers.drop_closed(host)
        return True

    def _longest_s(self, room: Callable[[], bool]) -> float:
        """Return the longest wait of the loop, in seconds."""
        if self._transfers.free and not room():
            return _NO_ROOM_S
        return _TICK_S if self._transfers.are_waiting else 1.0


def _n_handles(connections: int) -> int:
    """Return the number of connections that the open files allow. Each needs a lookup and an idle connection."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(connections, (most - 64) // 3)) if most > 0 else connections
