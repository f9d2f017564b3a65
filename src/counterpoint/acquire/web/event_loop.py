"""A libcurl multi handle that is driven by the sockets that are ready. A waiting transfer costs nothing."""

import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import pycurl

_EVENTS = {
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}
_AT_ONCE = 16
_TO_WRITE = select.POLLOUT
_TO_READ = ~select.POLLOUT  # an error makes a socket readable, too


class EventLoop:
    """Transfers under way.

    Parameters
    ----------
    max_connections
        *max_connections* is the number of connections that stay open, idle ones included.
    wakeup
        *wakeup* is a socket that ends a wait when it becomes readable.
    """

    def __init__(self, *, max_connections: int, wakeup: socket.socket) -> None:
        # Not the module selectors: its bookkeeping in Python takes a tenth of the time of an image.
        self._poll: Any = select.epoll() if hasattr(select, "epoll") else select.poll()
        self._wakeup = wakeup.fileno()
        self._poll.register(self._wakeup, select.POLLIN)
        self._watched: set[int] = set()
        self._timer: float | None = None
        self._handles: set[Any] = set()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, max_connections)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)

    def add(self, handle: Any) -> None:
        """Start the transfer of an easy handle."""
        self._multi.add_handle(handle)
        self._handles.add(handle)

    def remove(self, handle: Any) -> None:
        """Take back a handle whose transfer has ended, or must end now."""
        self._multi.remove_handle(handle)
        self._handles.discard(handle)

    def wait(self, longest_s: float) -> bool:
        """Run transfers for at most *longest_s* seconds, and return whether *wakeup* ended the wait."""
        if self._timer is not None:
            longest_s = min(longest_s, max(0.0, self._timer - time.monotonic()))
        is_woken = False
        for fd, events in self._ready(longest_s):
            if fd == self._wakeup:
                is_woken = True
                continue
            reads = pycurl.CSELECT_IN if events & _TO_READ else 0
            self._multi.socket_action(fd, reads | (pycurl.CSELECT_OUT if events & _TO_WRITE else 0))
        if self._timer is not None and self._timer <= time.monotonic():
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return is_woken

    def finished(self) -> Iterator[tuple[Any, int, str]]:
        """Yield (handle, libcurl's error code or 0, its message) of ended transfers, and take them back."""
        n_left = 1
        while n_left:
            n_left, done, failed = self._multi.info_read()
            for handle, error, message in [*((handle, 0, "") for handle in done), *failed]:
                self.remove(handle)
                yield handle, error, message

    def clear(self) -> None:
        """End every transfer under way."""
        for handle in list(self._handles):
            self.remove(handle)

    def close(self) -> None:
        """Close every connection."""
        self.clear()
        self._multi.close()
        if hasattr(select, "epoll"):
            self._poll.close()

    def _ready(self, longest_s: float) -> list[tuple[int, int]]:
        # A few at a time: a body is passed on while it is still in the processor's cache.
        if hasattr(select, "epoll"):
            return list(self._poll.poll(longest_s, _AT_ONCE))
        return list(self._poll.poll(longest_s * 1000))

    def _watch(self, action: int, fd: int, _multi: Any, _data: Any) -> None:
        if action == pycurl.POLL_REMOVE:
            if fd in self._watched:
                self._watched.remove(fd)
                self._poll.unregister(fd)
        elif fd in self._watched:
            self._poll.modify(fd, _EVENTS[action])
        else:
            self._watched.add(fd)
            self._poll.register(fd, _EVENTS[action])

    def _set_timer(self, timeout_ms: int) -> None:
        self._timer = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
