"""The page of `counterpoint try` in a process of its own, a client that may break every rule, and its memory."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

PATIENCE_S = 60
SLOWEST_BODY_S = 2.0
# The time limit of a body is shortened, so that a test of it need not wait for long.
START = """
import sys
from counterpoint.cli import main
from counterpoint.try_page import guard
guard.MOST_BODY_S = {seconds}
main()
"""
BOUNDARY = "a-line-between-parts"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def part(name: str, data: bytes, filename: str | None = "file") -> bytes:
    """Return one part of a form."""
    file = "" if filename is None else f'; filename="{filename}"'
    return f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


class Page:
    """A running page, with the cookie that its link gave."""

    def __init__(self, process: subprocess.Popen, link: str) -> None:
        self.process, self.link = process, link
        self.host, self.port, self.token = re.fullmatch(r"http://(.+):(\d+)/\?token=(\S+)", link).groups()
        self.authority = f"{self.host}:{self.port}"
        self.cookie = ""
        self.peak_kb = 0
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._measure, daemon=True)
        self._watch.start()

    @property
    def ours(self) -> dict[str, str]:
        """The headers of a request of the page itself."""
        return {"host": self.authority, "cookie": self.cookie, "origin": f"http://{self.authority}"}

    def send(
        self,
        method: str = "GET",
        path: str = "/",
        body: bytes | Iterable[bytes] = b"",
        headers: Any = None,
        **more: str,
    ) -> Answer:
        """Send a request with our headers, those in *more* (_ for -), or exactly *headers*; return the answer."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        given = list((self.ours | named).items()) if headers is None else headers
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given:
                connection.putheader(name, value)
            is_chunked = not isinstance(body, bytes) and "content-length" not in dict(given)
            if is_chunked:
                connection.putheader("transfer-encoding", "chunked")
            elif isinstance(body, bytes) and (body or method == "POST"):
                connection.putheader("content-length", str(len(body)))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders(body or None, encode_chunked=is_chunked)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def enter(self) -> Answer:
        """Open the link, and keep its cookie."""
        answer = self.send(path=f"/?token={self.token}", headers=[("host", self.authority)])
        self.cookie = (answer.headers["set-cookie"] or "").partition(";")[0]
        return answer

    def predict(self, text: str | None = None, picture: bytes | None = None, filename: str = "x.jpg") -> Answer:
        parts = [] if text is None else [part("text", text.encode())]
        parts += [] if picture is None else [part("picture", picture, filename)]
        return self.send("POST", "/predict", form(*parts), **FORM)

    def tree(self) -> list[int]:
        """Return the process and its children."""
        found = [self.process.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{pid}/task").glob("*/children")
                found += [int(child) for file in children for child in file.read_text().split()]
        return found

    def _measure(self) -> None:
        while not self._stop.wait(0.05):
            self.peak_kb = max(self.peak_kb, sum(map(_anonymous_kb, self.tree())))

    def close(self) -> int:
        """Interrupt the page, and return its exit code."""
        self._stop.set()
        self._watch.join()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


def _anonymous_kb(pid: int) -> int:
    """Return the anonymous memory of a process, or 0 for a copy of its parent that has not become a program yet."""
    with contextlib.suppress(OSError):
        parent = re.search(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]
        if Path(f"/proc/{pid}/cmdline").read_bytes() == Path(f"/proc/{parent}/cmdline").read_bytes():
            return 0
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) if found else 0
    return 0


@contextmanager
def running_page(folder: Path, errors: Path) -> Iterator[Page]:
    """Yield the page of the saved model in *folder*; its standard error goes to *errors*."""
    with errors.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", START.format(seconds=SLOWEST_BODY_S), "try", str(folder)],
            stdout=subprocess.PIPE, stderr=file, text=True,
        )  # fmt: skip
        try:
            line = process.stdout.readline()
            assert line.startswith("Open http"), (line, errors.read_text())
            yield Page(process, line.split()[1])
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
