"""A libcurl multi handle, driven by the sockets that are ready: what waits costs nothing."""

import selectors
import socket
import time
from collections.abc import Iterator
from typing import Any

import pycurl

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
_SELECT = ((selectors.EVENT_READ, pycurl.CSELECT_IN), (selectors.EVENT_WRITE, pycurl.CSELECT_OUT))
_MASKS = {mask: sum(bit for event, bit in _SELECT if mask & event) for mask in _EVENTS.values()}


class Loop:
    """Transfers under way.

    Parameters
    ----------
    max_connections
        *max_connections* is how many connections stay open, idle ones included.
    bell
        *bell* is a socket whose being readable ends a wait too.
    """

    def __init__(self, *, max_connections: int, bell: socket.socket) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(bell, selectors.EVENT_READ)
        self._timer: float | None = None
        self._handles: set[Any] = set()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, max_connections)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)

    def add(self, handle: Any) -> None:
        """Begin the transfer of an easy handle."""
        self._multi.add_handle(handle)
        self._handles.add(handle)

    def remove(self, handle: Any) -> None:
        """Take back a handle whose transfer has ended, or is to end now."""
        self._multi.remove_handle(handle)
        self._handles.discard(handle)

    def wait(self, longest_s: float) -> bool:
        """Let transfers go on, for *longest_s* at most; say whether the bell rang."""
        if self._timer is not None:
            longest_s = min(longest_s, max(0.0, self._timer - time.monotonic()))
        rang = False
        for key, mask in self._selector.select(longest_s):
            if key.data is None:
                rang = True
            else:
                self._multi.socket_action(key.fd, _MASKS[mask])
        if self._timer is not None and self._timer <= time.monotonic():
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return rang

    def finished(self) -> Iterator[tuple[Any, int, str]]:
        """Yield (handle, libcurl's error or 0, its words) of the transfers that have ended, and take them back."""
        n_left = 1
        while n_left:
            n_left, done, failed = self._multi.info_read()
            for handle, error, words in [*((handle, 0, "") for handle in done), *failed]:
                self.remove(handle)
                yield handle, error, words

    def clear(self) -> None:
        """End every transfer that is under way."""
        for handle in list(self._handles):
            self.remove(handle)

    def close(self) -> None:
        """Close every connection."""
        self.clear()
        self._multi.close()
        self._selector.close()

    def _watch(self, what: int, fd: int, _multi: Any, _data: Any) -> None:
        known = self._selector.get_map()
        if what == pycurl.POLL_REMOVE:
            if fd in known:
                self._selector.unregister(fd)
        elif fd in known:
            self._selector.modify(fd, _EVENTS[what], fd)
        else:
            self._selector.register(fd, _EVENTS[what], fd)

    def _set_timer(self, timeout_ms: int) -> None:
        self._timer = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
