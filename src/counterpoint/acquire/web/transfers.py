"""Requests under way: looked up, sent, redirected, tried again, until each has its result."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urljoin

from counterpoint.acquire.statuses import OK, RETRYABLE
from counterpoint.acquire.web.address_guard import AddressGuard
from counterpoint.acquire.web.certificates import CertificateBundle
from counterpoint.acquire.web.curl import Transfer, options
from counterpoint.acquire.web.event_loop import EventLoop
from counterpoint.acquire.web.fetch_result import FetchResult
from counterpoint.acquire.web.hosts import Host, Hosts, Job
from counterpoint.acquire.web.optout import Robots
from counterpoint.acquire.web.resolver import Resolver
from counterpoint.acquire.web.urls import Target
from counterpoint.config.acquire import Fetch, Guard
from counterpoint.safe_text import log_line

BACKOFF_S = 0.5
"""The delay before the second attempt. It doubles with each further attempt."""
DEFAULT_RETRY_AFTER_S = 1.0
"""The delay of a host after a 429 without a Retry-After."""

_LATE_S = 0.05  # libcurl's clock and ours differ by less
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNREACHED = frozenset({
    "connect_refused", "connect_timeout", "connect_reset", "tls_error", "too_slow", "timeout_total",
})  # fmt: skip
log = logging.getLogger(__name__)


class Transfers:
    """Started jobs, each with a handle of its own until its end. `results` holds the results of ended jobs.

    Parameters
    ----------
    rules
        *rules* are the limits of one image, and the limits for each host.
    guard
        *guard* is the section with the requests and addresses to refuse.
    n_handles
        *n_handles* is the number of transfers at once.
    record
        *record* is called with each event (see `counterpoint.acquire.web.fetch.Fetcher`).
    resolve
        *resolve* are preset addresses for tests.
    """

    def __init__(
        self, rules: Fetch, guard: Guard, *, n_handles: int, record: Callable[..., None], resolve: Sequence[str] = ()
    ) -> None:
        self.results: deque[FetchResult] = deque()
        self.hosts = Hosts(per_host=rules.per_host, max_failures=rules.host_failures, record=record)
        self.address_guard = AddressGuard(guard, record=record)
        self._rules, self._guard = rules, guard
        self._robots = Robots() if guard.robots else None
        self._bundle = CertificateBundle(rules.ca_file)
        # Opened last: a wrong setting raises above, before anything must be closed.
        self.names = Resolver(longest_s=min(rules.connect_s, rules.total_s), n_threads=n_handles, resolve=resolve)
        self._loop = EventLoop(max_connections=n_handles + n_handles // 4, wakeup=self.names.wakeup)
        settings = options(rules, self._bundle.path)
        self._handles = [Transfer(settings, refuse=self._refuse_socket) for _ in range(n_handles)]
        self.free = list(self._handles)
        self._parked: dict[Job, None] = {}
        self._unresolved: dict[str, list[Job]] = {}
        self._has_changed = False

    @property
    def are_waiting(self) -> bool:
        """Whether a job waits for a moment in time, not for a socket."""
        return bool(self._parked or self._unresolved) or self.hosts.has_delayed

    def start(self, job: Job, now: float) -> None:
        """Give *job* a handle. Its deadline counts from *now*."""
        job.transfer = self.free.pop()
        job.transfer.job = job
        job.deadline = now + self._rules.total_s
        self._advance(job, now)

    def proceed(self, longest_s: float, clock: Callable[[], float]) -> None:
        """Run all transfers under way for at most *longest_s* seconds."""
        is_woken = self._loop.wait(longest_s)
        now = clock()
        for handle, error, message in self._loop.finished():
            self._finish(handle.transfer, error, message, now)
        if is_woken:
            self._collect_names(now)

    def wake(self, now: float, *, is_tick: bool) -> None:
        """Advance the parked jobs, if something has changed for them, or at a tick."""
        if is_tick:
            self.hosts.tick(now)
            self._collect_names(now)
            self._end_late(now)
        if is_tick or self._has_changed:
            self._has_changed = False
            parked, self._parked = self._parked, {}
            for job in parked:
                self._advance(job, now)

    @property
    def are_idle(self) -> bool:
        """Whether no job is under way, and none waits for its turn."""
        return len(self.free) == len(self._handles) and not self.hosts.n_waiting

    def abandon(self) -> None:
        """Give up all jobs under way, without results."""
        self._loop.clear()
        self.results.clear()
        self._parked.clear()
        self._unresolved.clear()
        self.hosts = self.hosts.emptied()
        self._robots = Robots() if self._guard.robots else None
        self.free = list(self._handles)
        for transfer in self._handles:
            transfer.clear()

    def close(self) -> None:
        """Close every connection. Lookups under way are not waited for."""
        self._loop.close()
        self.names.close()
        self._bundle.close()
        for transfer in self._handles:
            transfer.handle.close()

    def drop_closed(self, host: Host) -> None:
        """End all jobs that wait for a host that was given up."""
        if host.closed is not None and host.waiting:
            self.results.extend(FetchResult(job.slot, host.closed, None, b"") for job in self.hosts.drop_waiting(host))

    # --- one step of a job -----------------------------------------------------------------------------------------

    def _advance(self, job: Job, now: float) -> None:
        """Take the next step of *job*: request, wait, or end."""
        if now >= job.deadline:
            self._fail(job, "timeout_total", now)
        elif job.host.closed is not None:
            self._fail(job, job.host.closed, now)
        elif now < job.wake_at or not self.hosts.take_turn(job, now):
            self._parked[job] = None
        elif self._robots is None or job.reads_robots:
            self._resolve(job, now)
        else:
            self._check_robots(self._robots, job, now)

    def _check_robots(self, robots: Robots, job: Job, now: float) -> None:
        allowed = robots.allows(job.image)
        if allowed is not None:
            self._resolve(job, now) if allowed else self._end(job, "blocked_optout")
        elif first := robots.claim(job.image):
            job.reads_robots, job.current = True, first
            job.n_redirects_before, job.n_redirects = job.n_redirects, 0
            self._resolve(job, now)
        else:
            self._parked[job] = None

    def _resolve(self, job: Job, now: float) -> None:
        """Find the addresses of the current host of *job*, and connect."""
        if job.current.is_address:
            self._connect(job, (), now)
            return
        found = self.names.look_up(job.current.host, job.current.port, now)
        if found is None:
            job.lookup_began = job.lookup_began or now
            self._unresolved.setdefault(job.current.host, []).append(job)
        elif isinstance(found, str):
            self._not_found(job, found, now)
        else:
            open_ones = [
                address for address in found if not self.address_guard.refuse(address, job.current.host, job.slot)
            ]
            self._connect(job, open_ones, now) if open_ones else self._fail(job, "blocked_address", now)

    def _not_found(self, job: Job, status: str, now: float) -> None:
        if status == "dns_nxdomain":
            job.host.closed = status  # all its rows end with this status, in any order
        else:
            self.hosts.failed(job.host, status, slot=job.slot)
        self.drop_closed(job.host)
        self._settle(job, status, now)

    def _connect(self, job: Job, addresses: Sequence[str], now: float) -> None:
        sought_s = now - (job.lookup_began or now)
        job.lookup_began = None
        job.transfer.prepare(
            job.current, addresses,
            connect_s=self._rules.connect_s - sought_s, total_s=job.deadline - now,
            respects_optout=self._guard.respect_optout and not job.reads_robots,
        )  # fmt: skip
        self._loop.add(job.transfer.handle)

    def _finish(self, transfer: Transfer, error: int, message: str, now: float) -> None:
        job: Job = transfer.job
        status = transfer.status(error, message, is_late=now >= job.deadline - _LATE_S)
        job.http_code = transfer.http_code
        self._note_host(job, status, now)
        if job.http_code in _REDIRECTS and (where := transfer.header(b"location")):
            self._redirect(job, where[0], now)
        elif job.reads_robots:
            self._learn(job, status, transfer.body(), now)
        else:
            self._settle(job, status, now)

    def _note_host(self, job: Job, status: str, now: float) -> None:
        if job.http_code is None:
            if status in _UNREACHED:
                self.hosts.failed(job.host, status, slot=job.slot)
        elif wait_s := _wait_s(job.transfer):
            self.hosts.delay(job.host, wait_s, status, longest_s=self._rules.total_s, now=now, slot=job.slot)
        else:
            self.hosts.reached(job.host)
        self.drop_closed(job.host)

    def _redirect(self, job: Job, where: str, now: float) -> None:
        job.n_redirects += 1
        if job.n_redirects > self._rules.max_redirects:
            self._fail(job, "redirect_limit", now)
            return
        log.debug("slot %d is redirected to %s", job.slot, log_line(where))
        try:
            target = self.address_guard.check(urljoin(job.current.url, where), job.slot)
        except ValueError:
            target = "url_invalid"
        if isinstance(target, str):
            self._fail(job, target, now)
        else:
            self._retarget(job, target)
            self._advance(job, now)

    def _retarget(self, job: Job, target: Target) -> None:
        job.current = target
        if not job.reads_robots:
            job.image = target
        if target.host != job.host.name:
            self._release_turn(job)
            job.host = self.hosts.of(target.host)

    def _fail(self, job: Job, status: str, now: float) -> None:
        """End *job*, or only its reading of a robots.txt."""
        if job.reads_robots:
            self._learn(job, status, b"", now)
        else:
            self._end(job, status)

    def _learn(self, job: Job, status: str, body: bytes, now: float) -> None:
        assert self._robots is not None
        self._robots.learn(job.image, status, body)
        job.reads_robots, job.n_redirects, job.http_code = False, job.n_redirects_before, None
        self._has_changed = True
        self._retarget(job, job.image)
        self._advance(job, now)

    def _settle(self, job: Job, status: str, now: float) -> None:
        """Try *job* again, if that may help and there is time. Otherwise end it."""
        wake_at = max(now + BACKOFF_S * 2 ** (job.n_attempts - 1), job.host.free_at)
        may_retry = status in RETRYABLE and job.n_attempts < self._rules.attempts and job.host.closed is None
        if job.reads_robots or not may_retry or wake_at >= job.deadline:
            self._fail(job, status, now)
            return
        job.n_attempts, job.n_redirects, job.wake_at = job.n_attempts + 1, 0, wake_at
        self._release_turn(job)
        self._retarget(job, job.listed)
        self._parked[job] = None

    def _end(self, job: Job, status: str) -> None:
        self._release_turn(job)
        transfer: Transfer = job.transfer
        self.results.append(FetchResult(job.slot, status, job.http_code, transfer.body() if status == OK else b""))
        transfer.clear()
        transfer.job = job.transfer = None
        self.free.append(transfer)

    def _release_turn(self, job: Job) -> None:
        self.hosts.leave_turn(job)
        self._has_changed = True

    def _collect_names(self, now: float) -> None:
        for name in self.names.collect(now):
            for job in self._unresolved.pop(name, ()):
                self._advance(job, now)

    def _end_late(self, now: float) -> None:
        late = [job for jobs in self._unresolved.values() for job in jobs if now >= job.deadline]
        for job in late:
            self._unresolved[job.current.host].remove(job)
            self._fail(job, "timeout_total", now)

    def _refuse_socket(self, address: str, job: Job) -> str | None:
        return self.address_guard.refuse(address, job.current.host, job.slot)


def _wait_s(transfer: Any) -> float:
    """Return the delay in seconds that this response imposes on the host."""
    if transfer.http_code == 429:
        return float(transfer.retry_after_s() or DEFAULT_RETRY_AFTER_S)
    return float(transfer.retry_after_s()) if transfer.http_code == 503 else 0.0
