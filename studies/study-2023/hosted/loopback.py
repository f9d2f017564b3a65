"""A host on 127.0.0.1 that answers with images from memory.  Nothing outside this machine can reach it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from counterpoint.errors import SourceError

ADDRESS = "127.0.0.1"


class Host(ThreadingHTTPServer):
    """Answers each path with its body in *bodies*, and any other path with 404.

    Parameters
    ----------
    port
        *port* is the port to listen on, or 0 for one that is free.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__((ADDRESS, port), Conversation)
        self.bodies: Mapping[str, bytes | None] = {}


class Conversation(BaseHTTPRequestHandler):
    """One connection to a `Host`."""

    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        """Answer a request for an image."""
        assert isinstance(self.server, Host)
        body = self.server.bodies.get(self.path)
        content = b"no such image" if body is None else body
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def finish(self) -> None:
        """End the connection, also one that the other end has left."""
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(port: int = 0) -> Iterator[Host]:
    """Yield a host that answers until the context is left.

    Raises
    ------
    SourceError
        When another program listens on *port*.

    Examples
    --------
    >>> from urllib.request import urlopen
    >>> with serving() as host:
    ...     host.bodies = {"/1.jpg": b"an image"}
    ...     urlopen(f"http://{ADDRESS}:{host.server_port}/1.jpg").read()
    b'an image'
    """
    try:
        host = Host(port)
    except OSError as error:
        raise SourceError(f"Port {port} of {ADDRESS}, which the list names, is in use.") from error
    with host:
        threading.Thread(target=host.serve_forever, name="host", daemon=True).start()
        try:
            yield host
        finally:
            host.shutdown()
