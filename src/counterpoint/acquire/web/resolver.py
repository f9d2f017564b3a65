"""Addresses of host names, looked up in threads and remembered for a shard.

libcurl reports a failed lookup without its cause. Its own resolver does not separate a name that does not exist from a
name without an answer. A few names without an answer occupy all its threads.
"""

import math
import socket
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from queue import SimpleQueue

KEPT_S = 60.0
"""The time in seconds for which addresses are used. It is libcurl's own default."""
RETRIED_S = 0.4
"""The time in seconds for which a temporary failure is remembered."""
MAX_THREADS = 256

Endpoint = tuple[str, int]
Resolution = tuple[str, ...] | str
"""Addresses, or the status ``dns_nxdomain`` or ``dns_temporary``."""

_GONE = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME), getattr(socket, "EAI_ADDRFAMILY", -9)}


def addresses_of(name: str) -> Resolution:
    """Return the resolution of *name* by the system's resolver, without a time limit.

    >>> addresses_of("hidden.onion")
    'dns_nxdomain'
    """
    if name.endswith(".onion"):  # RFC 7686: must not reach a resolver
        return "dns_nxdomain"
    try:
        found = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except socket.gaierror as error:
        return "dns_nxdomain" if error.errno in _GONE else "dns_temporary"
    except (OSError, UnicodeError):
        return "dns_temporary"
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found)) or "dns_nxdomain"


class Resolver:
    """Host names, their resolutions, and the threads that look them up.

    Parameters
    ----------
    longest_s
        *longest_s* is the time after which an unanswered lookup counts as ``dns_temporary``. Its thread is left
        behind.
    n_threads
        *n_threads* is the largest number of lookups under way.
    resolve
        *resolve* are preset answers for tests: ``"name:port:address,address"``, as in libcurl.
    """

    def __init__(self, *, longest_s: float, n_threads: int = 64, resolve: Sequence[str] = ()) -> None:
        self.wakeup, self._waker = socket.socketpair()
        """Readable when a lookup has ended."""
        self._longest_s, self._max_threads = longest_s, min(n_threads, MAX_THREADS)
        self._preset = dict(_preset(entry) for entry in resolve)
        self._known: dict[str, tuple[Resolution, float]] = {}
        self._pending: dict[str, float] = {}
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._answers: deque[tuple[str, Resolution]] = deque()
        self._n_threads = self._n_busy = 0
        for end in (self.wakeup, self._waker):
            end.setblocking(False)

    def look_up(self, name: str, port: int, now: float) -> Resolution | None:
        """Return the known resolution of *name*, or start a lookup and return None.

        `collect` returns the name when the lookup has ended.

        Parameters
        ----------
        name
            *name* is a host name in ASCII and lower case.
        port
            *port* matters for preset answers only.
        now
            *now* is the present time of the monotonic clock, in seconds.
        """
        if given := self._preset.get((name, port)):
            return given
        known = self._known.get(name)
        if known is not None and now < known[1]:
            return known[0]
        if name not in self._pending:
            self._pending[name] = now
            self._enqueue(name)
        return None

    def collect(self, now: float) -> list[str]:
        """Return the names whose lookup ended since the last call, with an answer or by its time limit."""
        with suppress(BlockingIOError):
            self.wakeup.recv(4096)
        ended = []
        while self._answers:
            name, found = self._answers.popleft()
            self._n_busy -= 1
            self._note(name, found, now)
            ended.append(name)
        overdue = list(
            takewhile(lambda name: now - self._pending[name] >= self._longest_s, self._pending)
        )  # oldest first
        for name in overdue:
            self._note(name, "dns_temporary", now)
        return ended + overdue

    def forget(self) -> None:
        """Forget all resolutions. Lookups under way go on."""
        self._known.clear()

    def close(self) -> None:
        """End the threads after their present lookup, without waiting for them."""
        for _ in range(self._n_threads):
            self._queue.put(None)
        self.wakeup.close()
        self._waker.close()

    def _note(self, name: str, found: Resolution, now: float) -> None:
        self._pending.pop(name, None)
        kept_s = {"dns_nxdomain": math.inf, "dns_temporary": RETRIED_S}.get(str(found), KEPT_S)
        self._known[name] = found, now + kept_s

    def _enqueue(self, name: str) -> None:
        self._n_busy += 1
        if self._n_busy > self._n_threads < self._max_threads:
            self._n_threads += 1
            threading.Thread(target=self._work, name="names", daemon=True).start()
        self._queue.put(name)

    def _work(self) -> None:
        while (name := self._queue.get()) is not None:
            self._answers.append((name, addresses_of(name)))
            with suppress(OSError):  # a full pipe is readable already, and a closed one has no reader
                self._waker.send(b"!")


def _preset(entry: str) -> tuple[Endpoint, Resolution]:
    """Read a preset answer.

    >>> _preset("mirror.test:80:[::1],127.0.0.1")
    (('mirror.test', 80), ('::1', '127.0.0.1'))
    """
    name, port, addresses = entry.split(":", 2)
    return (name.lower(), int(port)), tuple(address.strip("[]") for address in addresses.split(","))
