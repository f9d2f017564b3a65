"""A host on loopback with photos, of which a few are broken in the ways that photos on the web are."""

import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = {
    "missing": "http_404",
    "reset": "connect_reset",
    "page": "not_image",
    "cut": "truncated_image",
    "private": "blocked_address",
}
"""Each fault, and the status that its slot must have; "private" is a URL of an address that must not be asked."""

PRIVATE = "http://10.0.0.1/router.jpg"


class PhotoServer(ThreadingHTTPServer):
    """Serves *bodies* by path, those in *faults* broken."""

    def __init__(self, bodies, faults):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.bodies, self.faults = bodies, faults


class Conversation(BaseHTTPRequestHandler):
    server: PhotoServer
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self):
        name = self.path.removeprefix("/")
        body = self.server.bodies.get(name)
        match "missing" if body is None else self.server.faults.get(name):
            case "reset":
                self.reset()
            case "missing":
                self.send(404, b"gone", "text/plain")
            case "page":
                self.send(200, b"<!doctype html><title>This photo has moved</title>", "text/html")
            case "cut":
                self.send(200, body[: len(body) // 2], "image/jpeg")
            case _:
                self.send(200, body, "image/jpeg")

    def send(self, code, body, kind):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # now, so that no farewell is sent before the reset

    def finish(self):
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *args):
        pass


@contextmanager
def serving(bodies: Mapping[str, bytes], faults: Mapping[str, str]) -> Iterator[str]:
    """Serve *bodies* until the block ends; yield the address: ``127.0.0.1:8080``."""
    with PhotoServer(bodies, faults) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
