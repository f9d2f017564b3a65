"""A host on loopback that answers in every way that a hostile or broken host may.  `KINDS` lists the ways.

Its threads are daemons of the process that starts it: it ends with that process, on leaving the context, and after
a bound.  Besides 127.0.0.1 it listens, on the same ports, on addresses that must never see a connection.
"""

import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import trustme

from hostile_answers import Answer, Conversation, jpeg_of_anyone, replying
from hostile_kinds import DENIED, DOMAIN, KINDS

BOUND_S = 300.0
PATIENCE_S = 20.0  # longest that a connection waits for its peer
TLS_PORTS = ("https", "untrusted", "expired", "wrong")
PLAIN_PORTS = ("http", "other")
MUTE_PORTS = ("mute", "reset", "closing")


class Contact(NamedTuple):
    """A connection that was accepted (no path), or a request that was read."""

    address: str
    port: int
    path: str | None = None
    headers: Mapping[str, str] = {}


@dataclass
class HostileServer:
    """The addresses and the log of the running host."""

    ports: dict[str, int]
    ca_file: Path
    contacts: list[Contact] = field(default_factory=list)
    """Every connection and every request, in their order."""

    def url(self, name: str, *, literal: bool = False) -> str:
        """Return the URL of a kind.  With *literal* it is at 127.0.0.1 instead of a host name of its own."""
        host = "127.0.0.1" if literal else host_of(name)
        url = KINDS[name].url
        for key, value in {"host": host, "name": name, **self.ports}.items():
            url = url.replace(f"{{{key}}}", str(value))
        return url

    @property
    def resolve(self) -> list[str]:
        """The address of the host name of each kind, in the form of libcurl's option RESOLVE."""
        return [
            f"{host_of(name)}:{port}:{kind.then_resolves if kind.then_resolves and at == 'other' else kind.resolves}"
            for name, kind in KINDS.items()
            for at, port in self.ports.items()
        ]

    def connections(self, name: str) -> list[Contact]:
        """Return the connections to the port of this kind."""
        return [seen for seen in self.contacts if seen.path is None and f":{seen.port}/" in self.url(name)]

    def requests(self, name: str) -> list[Contact]:
        """Return the requests for this kind's path, by whatever host name."""
        return [seen for seen in self.contacts if seen.path and seen.path.split("?")[0].split("/")[1] == name]

    def denied(self) -> list[Contact]:
        """Return the contacts at addresses that are not allowed: there must be none."""
        return [seen for seen in self.contacts if seen.address != "127.0.0.1"]


def host_of(name: str) -> str:
    """Return the host name of a kind: each has its own, so that manners towards one do not delay another."""
    return f"{name}.{DOMAIN}"


@contextmanager
def hostile_server(*, files: Mapping[str, bytes] | None = None, bound_s: float = BOUND_S) -> Iterator[HostileServer]:
    """Run the host until the context is left.

    Parameters
    ----------
    files
        *files* are bodies by path, answered with 200 in addition to the kinds: ``{"/0.jpg": b"..."}``.
    bound_s
        *bound_s* is after how many seconds it ends although the context was not left.
    """
    with TemporaryDirectory() as folder, _Host(Path(folder), files or {}, bound_s) as host:
        yield host.server


class _Host:
    def __init__(self, folder: Path, files: Mapping[str, bytes], bound_s: float) -> None:
        self._files, self._over = files, threading.Event()
        self._bound = threading.Timer(bound_s, self.stop)
        self._bound.daemon = True
        self._listeners: dict[socket.socket, str] = {}
        self._open: set[socket.socket] = set()
        self._kept: list[socket.socket] = []  # bound or connected, and never read
        self._served: dict[str, int] = {}
        self._contexts = _contexts(folder / "ca.pem")
        self.server = HostileServer(self._listen(), folder / "ca.pem")
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> "_Host":
        self._bound.start()
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bound.cancel()
        self.stop()
        self._accepting.join(timeout=5)

    def stop(self) -> None:
        self._over.set()
        for end in [*self._listeners, *self._kept, *self._open]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _listen(self) -> dict[str, int]:
        ports = {name: self._listen_at(name) for name in (*PLAIN_PORTS, *TLS_PORTS, *MUTE_PORTS)}
        closed, full = _bound("127.0.0.1"), _bound("127.0.0.1")
        full.listen(0)
        self._kept += [closed, full]
        ports |= {"closed": closed.getsockname()[1], "full": full.getsockname()[1]}
        for _ in range(4):  # Linux answers no further SYN once the backlog is full
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", ports["full"]))
            self._kept.append(filler)
        return ports

    def _listen_at(self, name: str) -> int:
        """Listen at 127.0.0.1, and at the same port of the addresses that must see nothing."""
        for _ in range(20):
            ends = [_bound("127.0.0.1")]
            port = ends[0].getsockname()[1]
            try:
                ends += [_bound(address, port) for address in DENIED if name in PLAIN_PORTS and _exists(address)]
            except OSError:  # somebody else has this port there
                for end in ends:
                    end.close()
                continue
            for end in ends:
                end.listen(256)
                self._listeners[end] = name
            return port
        raise AssertionError("found no port that is free on every address")

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listener in self._listeners:
                selector.register(listener, selectors.EVENT_READ)
            while not self._over.is_set():
                for key, _ in selector.select(timeout=0.2):
                    with suppress(OSError):
                        self._begin(*key.fileobj.accept(), self._listeners[key.fileobj])

    def _begin(self, end: socket.socket, _: object, port_name: str) -> None:
        address, port = end.getsockname()[:2]
        self.server.contacts.append(Contact(address, port))
        if port_name == "closing":
            end.close()
        elif port_name == "reset":
            reset(end)
        elif port_name == "mute":
            self._kept.append(end)
        else:
            threading.Thread(target=self._converse, args=(end, port_name), daemon=True).start()

    def _converse(self, end: socket.socket, port_name: str) -> None:
        self._open.add(end)
        try:
            end.settimeout(PATIENCE_S)
            if port_name in TLS_PORTS:
                self._open.discard(end)
                end = self._contexts[port_name].wrap_socket(end, server_side=True)
                self._open.add(end)
            with suppress(ValueError):  # bytes that are no request: another port's protocol
                while not self._over.is_set() and self._answer(end):
                    pass
        except OSError:  # the peer went away, or did not like what it saw
            pass
        finally:
            self._open.discard(end)
            end.close()

    def _answer(self, end: socket.socket) -> bool:
        """Answer one request, and return whether the connection stays open."""
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := end.recv(65536)):
                return False
            head += more
            if head.startswith(b"\x16\x03"):  # TLS on a plain port
                end.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return False
        (method, path, _), headers = _parse(head)
        address, port = end.getsockname()[:2]
        self.server.contacts.append(Contact(address, port, path, headers))
        self._served[path] = self._served.get(path, 0) + 1
        talk = Conversation(end, self._over, method, path, self._served[path], headers, self.server.ports, reset)
        if path in self._files:
            talk.reply(self._files[path])
        else:
            self._find(address, path)(talk)
        return talk.stays_open

    def _find(self, address: str, path: str) -> Answer:
        if address in DENIED or path.startswith("/denied"):
            return jpeg_of_anyone  # a mistake that shows
        kind = KINDS.get(path.split("?", maxsplit=1)[0].split("/")[1])
        return kind.answer if kind and kind.answer else replying(b"", "404 Not Found")


def _parse(head: bytes) -> tuple[list[str], dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
    method, path, version = first.split(" ")
    pairs = (line.partition(":")[::2] for line in lines)
    return [method, path, version], {name.strip().lower(): value.strip() for name, value in pairs}


def _exists(address: str) -> bool:
    try:
        _bound(address).close()
    except OSError:
        return False
    return True


def _bound(address: str, port: int = 0) -> socket.socket:
    end = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        end.bind((address, port))
    except OSError:
        end.close()
        raise
    return end


def reset(end: socket.socket) -> None:
    """End a connection so that its peer sees a reset."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def _contexts(ca_file: Path) -> dict[str, ssl.SSLContext]:
    ca, stranger = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(ca_file)
    names, long_ago = (f"*.{DOMAIN}", "127.0.0.1", "localhost"), datetime.now(UTC) - timedelta(days=9)
    certificates = {
        "https": ca.issue_cert(*names),
        "untrusted": stranger.issue_cert(*names),
        "expired": ca.issue_cert(*names, not_before=long_ago - timedelta(days=9), not_after=long_ago),
        "wrong": ca.issue_cert("elsewhere.test"),
    }
    contexts = {name: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for name in certificates}
    for name, certificate in certificates.items():
        certificate.configure_cert(contexts[name])
    return contexts
