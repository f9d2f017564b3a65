"""libcurl's easy handle for one purpose: to fetch an untrusted image within limits, and return a status."""

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from counterpoint import __version__
from counterpoint.acquire.statuses import OK
from counterpoint.acquire.web.content_codings import CutOffError, TooLargeError, inflated
from counterpoint.acquire.web.curl_statuses import status_of_code, status_of_error
from counterpoint.acquire.web.hosts import Job
from counterpoint.acquire.web.optout import ROBOT, opts_out
from counterpoint.acquire.web.urls import Target
from counterpoint.config.acquire import Fetch
from counterpoint.errors import CounterpointError
from counterpoint.safe_text import log_line

try:
    import pycurl
except ImportError as error:
    raise CounterpointError("Fetching images needs the extra counterpoint[acquire].") from error

BUFFER_BYTES = 512 << 10
"""Fewer, larger reads, because each read calls back into Python."""
MAX_OTHER_BYTES = 64 << 10
"""The part of an error response that is read to keep its connection. A longer body costs the connection."""
ACCEPT = "image/jpeg,image/png,image/webp;q=0.9,image/gif;q=0.9,image/*;q=0.5,*/*;q=0.1"
"""JPEG first: a host with a choice should not send formats that decode slowly."""

_CA_CACHE_TIMEOUT = 321  # CURLOPT_CA_CACHE_TIMEOUT, which pycurl does not name
_STATUS_LINE = re.compile(rb"HTTP/[0-9.]+ +([0-9]{3})")
_LINES = {
    **{letter.encode(): "kept" for letter in "CLRXclrx"},  # Content-Encoding, Location, Retry-After, X-Robots-Tag
    b"H": "status", b"\r": "end", b"\n": "end",
}  # fmt: skip


def user_agent(rules: Fetch) -> str:
    """Return the value of the User-Agent header.

    >>> user_agent(Fetch(contact="mailto:me@example.org"))
    'counterpoint/... (+mailto:me@example.org)'
    """
    name = f"{ROBOT}/{__version__} (+{rules.contact or 'image-text research'})"
    return log_line(rules.user_agent or name, most=500)


def options(rules: Fetch, ca_file: Path) -> Mapping[int, Any]:
    """Return the options of every handle. libcurl reads *ca_file* once for all: per connection it would cost 40 ms."""
    return {
        pycurl.NOSIGNAL: 1,
        pycurl.PROXY: "",  # a proxy from the environment would connect without the guard
        pycurl.NETRC: pycurl.NETRC_IGNORED,
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
        pycurl.HTTP09_ALLOWED: 0,
        pycurl.USERAGENT: user_agent(rules),
        # Images are compressed already; without this header a host may choose any coding (RFC 9110, 12.5.3).
        pycurl.HTTPHEADER: [f"Accept: {ACCEPT}", "Accept-Encoding: identity"],
        pycurl.BUFFERSIZE: BUFFER_BYTES,
        pycurl.MAXFILESIZE_LARGE: rules.max_body_bytes,
        pycurl.LOW_SPEED_LIMIT: rules.min_bytes_per_s,
        pycurl.LOW_SPEED_TIME: rules.slow_s,
        pycurl.SSL_VERIFYPEER: int(rules.verify_tls),
        pycurl.SSL_VERIFYHOST: 2 * int(rules.verify_tls),
        pycurl.CAINFO: str(ca_file),
        _CA_CACHE_TIMEOUT: 24 * 3600,
    }


class Transfer:
    """An easy handle that is used repeatedly, and the result of its last request.

    Parameters
    ----------
    settings
        *settings* are the options that `options` returned.
    refuse
        *refuse* is called with each address and the job before a socket opens. It returns the reason of a refusal, or
        None.
    """

    def __init__(self, settings: Mapping[int, Any], *, refuse: Callable[[str, Job], str | None]) -> None:
        self.job: Any = None
        self.handle = pycurl.Curl()
        self.handle.transfer = self
        self._refuse, self._respects_optout = refuse, True
        self._max_body_bytes: int = settings[pycurl.MAXFILESIZE_LARGE]
        for option, value in settings.items():
            self.handle.setopt(option, value)
        self.handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open)
        self.handle.setopt(pycurl.HEADERFUNCTION, self._header)
        self.handle.setopt(pycurl.WRITEFUNCTION, self._write)
        self.clear()

    def clear(self) -> None:
        """Forget the last request and its body."""
        self.http_code: int | None = None
        """The status code of the response whose headers are complete."""
        self._code = 0
        self._lines: list[bytes] = []
        self._chunks: list[bytes] = []
        self._n_other_bytes = 0
        self._is_optout = self._is_refused = False

    def prepare(
        self,
        target: Target,
        addresses: Sequence[str],
        *,
        connect_s: float,
        total_s: float,
        respects_optout: bool = True,
    ) -> None:
        """Set the handle up for a request.

        Parameters
        ----------
        target
            *target* is the URL to request.
        addresses
            *addresses* are the addresses of its host. They are empty when the host is an address.
        connect_s
            *connect_s* is the limit of the time to connect, in seconds.
        total_s
            *total_s* is the limit of the whole transfer, in seconds.
        respects_optout
            *respects_optout* ends the transfer at a header X-Robots-Tag that opts out (default: True).
        """
        self.clear()
        self._respects_optout = respects_optout
        handle = self.handle
        handle.setopt(pycurl.URL, target.url)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(connect_s * 1000)))
        handle.setopt(pycurl.TIMEOUT_MS, max(1, int(total_s * 1000)))
        if addresses:
            places = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
            handle.setopt(pycurl.RESOLVE, [f"+{target.host}:{target.port}:{places}"])

    def body(self) -> bytes:
        """Return the body of the last response, once."""
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)

    def header(self, name: bytes) -> list[str]:
        """Return a header's values in the last response: Content-Encoding, Location, Retry-After or X-Robots-Tag."""
        found = [line.partition(b":")[2].strip() for line in self._lines if line.lower().startswith(name + b":")]
        return [_text(value) for value in found]

    def retry_after_s(self) -> float:
        """Return the seconds of the header Retry-After, 0 without a readable one."""
        return max(0.0, float(self.handle.getinfo(pycurl.RETRY_AFTER)))

    def status(self, error: int, message: str, *, is_late: bool) -> str:
        """Return the status of the ended transfer. Call this once, because a compressed body is inflated here.

        Parameters
        ----------
        error
            *error* is libcurl's error code, 0 without an error.
        message
            *message* is libcurl's error message.
        is_late
            *is_late* means that the deadline of the transfer has passed.
        """
        if self._is_optout:
            return "blocked_optout"
        if self.http_code is not None and (known := status_of_code(self.http_code)) != OK:
            return known  # the fate of its body does not matter
        if error == pycurl.E_OK and self.http_code is not None:
            return self._inflate() if self._chunks else "empty_body"
        if error == pycurl.E_OPERATION_TIMEDOUT and is_late:
            return "timeout_total"
        return self._error_status(error, message)

    def _inflate(self) -> str:
        """Remove the coding of a coded body, and return the status of the rest."""
        codings = self.header(b"content-encoding")
        if not codings:
            return OK
        try:
            self._chunks = [inflated(self.body(), codings, max_bytes=self._max_body_bytes)]
        except TooLargeError:
            return "body_too_large"
        except CutOffError:
            return "body_truncated"
        return OK if self._chunks[0] else "empty_body"

    def _error_status(self, error: int, message: str) -> str:
        if error == pycurl.E_OPERATION_TIMEDOUT:
            return "too_slow" if "too slow" in message else "connect_timeout"
        if self._is_refused and self.http_code is None:
            return "blocked_address"  # libcurl knows only that there was no socket
        os_errno = self.handle.getinfo(pycurl.OS_ERRNO)
        return status_of_error(error, os_errno=os_errno, has_headers=self.http_code is not None)

    def _open(self, _purpose: int, address: Any) -> Any:
        """Return a socket for *address*, or refuse the address."""
        where = str(address.addr[0]) if isinstance(address.addr, tuple) else "no address"
        if self._refuse(where, self.job):
            self._is_refused = True
            return pycurl.SOCKET_BAD
        try:
            return _Opened(address.family, address.socktype, address.protocol)
        except OSError:  # no more files may be open, or no such family
            return pycurl.SOCKET_BAD

    def _header(self, line: bytes) -> int | None:
        kind = _LINES.get(line[:1])  # seven of ten lines stop here
        if kind is None or self.http_code is not None:  # or a trailer
            return None
        if kind == "kept":
            self._lines.append(line)
        elif kind == "status":
            found = _STATUS_LINE.match(line)
            self._code, self._lines = (int(found[1]), []) if found else (self._code, self._lines)
        elif self._code >= 200 and line in (b"\r\n", b"\n"):
            return self._end_of_headers()
        return None

    def _end_of_headers(self) -> int | None:
        self.http_code = self._code
        if self._respects_optout and self._code < 300 and opts_out(self.header(b"x-robots-tag")):
            self._is_optout = True
            return 0  # libcurl ends the transfer: the body is not read
        return None

    def _write(self, chunk: bytes) -> int | None:
        if self._code < 300:
            self._chunks.append(chunk)
            return None
        self._n_other_bytes += len(chunk)
        return 0 if self._n_other_bytes > MAX_OTHER_BYTES else None


class _Opened(socket.socket):
    """A new socket for libcurl. pycurl duplicates it and drops this one, which would warn that it is open."""

    def __del__(self) -> None:
        self.close()


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
