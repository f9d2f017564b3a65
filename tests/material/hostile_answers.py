"""The ways in which the hostile host answers a request: well, wrongly, slowly, or not at all."""

import gzip
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import hostile_images as images
from hostile_images import Body

LONG_S = 3600.0


@dataclass
class Conversation:
    """One request and the means to answer it."""

    end: socket.socket
    over: threading.Event
    method: str
    path: str
    times: int
    """The number of requests for this path, including this one."""
    headers: Mapping[str, str]
    ports: Mapping[str, int]
    reset: Callable[[socket.socket], None]
    stays_open: bool = False

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        for part in parts:
            self.end.sendall(part)

    def pause(self, seconds: float) -> None:
        """Wait, unless the host has to end."""
        if self.over.wait(seconds):
            raise ConnectionAbortedError

    def reply(self, body: bytes = b"", status: str = "200 OK", *lines: str) -> None:
        """Send a well-formed answer and keep the connection."""
        head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines, ""))
        self.send(head.encode("latin-1"), body if self.method != "HEAD" else b"")
        self.stays_open = True


Answer = Callable[[Conversation], None]


def replying(body: bytes | Body = b"", status: str = "200 OK", *lines: str) -> Answer:
    """A well-formed answer."""
    return lambda talk: talk.reply(body if isinstance(body, bytes) else body(), status, *lines)


def sending(*parts: bytes) -> Answer:
    """Send bytes as they are, and close."""
    return lambda talk: talk.send(*parts)


def image(body: bytes | Body, *lines: str) -> Answer:
    """A well-formed answer with an image."""
    return replying(body, "200 OK", *(lines or ("Content-Type: image/jpeg",)))


def head(status: str = "200 OK", *lines: str) -> bytes:
    """Return the head of an answer."""
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *lines, "")).encode("latin-1")


def redirecting(location: str, status: str = "302 Found") -> Answer:
    """Redirect.  ``{http}`` and so on are ports."""

    def answer(talk: Conversation) -> None:
        where = location
        for key, port in talk.ports.items():
            where = where.replace(f"{{{key}}}", str(port))
        talk.reply(b"<html>moved</html>", status, f"Location: {where}")

    return answer


def hopping(n: int) -> Answer:
    """Redirect *n* times, then answer with an image."""

    def answer(talk: Conversation) -> None:
        path, _, hop = talk.path.partition("?")
        if int(hop or 0) < n:
            talk.reply(b"", "302 Found", f"Location: {path}?{int(hop or 0) + 1}")
        else:
            jpeg_of_anyone(talk)

    return answer


def repeating(start: bytes, part: bytes, *, pause_s: float = 0.0) -> Answer:
    """Send *start*, then *part* again and again until the peer goes away."""

    def answer(talk: Conversation) -> None:
        talk.send(start)
        while True:
            talk.pause(pause_s)
            talk.send(part)

    return answer


def falling_silent(start: bytes) -> Answer:
    """Send *start*, then nothing, and do not close."""

    def answer(talk: Conversation) -> None:
        talk.send(start)
        talk.pause(LONG_S)

    return answer


def resetting(start: bytes) -> Answer:
    """Send *start*, then reset the connection."""

    def answer(talk: Conversation) -> None:
        talk.send(start)
        talk.pause(0.05)  # a reset overtakes what was sent just before
        talk.reset(talk.end)

    return answer


def healing(talk: Conversation) -> None:
    """Fail at the first request of a path, and never again."""
    if talk.times == 1:
        talk.reply(b"", "503 Service Unavailable")
    else:
        jpeg_of_anyone(talk)


def jpeg_of_anyone(talk: Conversation) -> None:
    """Answer with an image: at an address that is denied, a mistake that shows."""
    talk.reply(images.jpeg(), "200 OK", "Content-Type: image/jpeg")


def jpeg_with(*lines: str) -> Answer:
    """A JPEG with these header lines."""
    return lambda talk: talk.reply(images.jpeg(), "200 OK", "Content-Type: image/jpeg", *lines)


def lying_about_length(by: int) -> Answer:
    """A JPEG with a Content-Length of so many bytes too many."""

    def answer(talk: Conversation) -> None:
        body = images.jpeg()
        talk.send(head("200 OK", f"Content-Length: {len(body) + by}"), body)

    return answer


def chunked(*, ending: bytes) -> Answer:
    """A JPEG in chunks of 100 bytes, ending so."""

    def answer(talk: Conversation) -> None:
        body = images.jpeg()
        talk.send(head("200 OK", "Transfer-Encoding: chunked"))
        talk.send(*(b"%x\r\n%b\r\n" % (len(part), part) for part in _parts(body)), ending)

    return answer


def _parts(body: bytes) -> list[bytes]:
    return [body[start : start + 100] for start in range(0, len(body), 100)]


def zip_of_jpeg() -> bytes:
    """A JPEG, gzipped."""
    return gzip.compress(images.jpeg())
