"""Chromium without a window, spoken to over a pipe, so that a test sees a page as a reader does."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

BINARY = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE_S = 60
SMALLEST_TEXT = """
Math.min(...[...document.querySelectorAll("svg[role=img]")].filter(svg => svg.clientWidth).flatMap(svg =>
  [...svg.querySelectorAll("text")].map(text =>
    parseFloat(getComputedStyle(text).fontSize) * svg.clientWidth / svg.viewBox.baseVal.width)))
"""
# The browser reads commands on 3 and answers on 4, whatever numbers the pipes have here.
LAUNCH = """
import fcntl, os, sys
there, back = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(there, 3), os.dup2(back, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One tab; keeps the messages of the page to the console, and its requests to the network."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._rest, self._number = b"", 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.requests: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        return self._until(lambda message: message.get("id") == self._number)["result"]

    def open(self, page: Path | str, *, width: int, is_dark: bool = False, media: str = "screen") -> None:
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]
        self.send("Emulation.setEmulatedMedia", media=media, features=scheme)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        self._until(lambda message: message.get("method") == "Page.loadEventFired")

    def ask(self, expression: str) -> Any:
        return self.send("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Return the value of *expression* once it is true."""
        ends_s = time.monotonic() + PATIENCE_S
        while not (found := self.ask(expression)):
            assert time.monotonic() < ends_s, f"never true: {expression}"
            time.sleep(0.1)
        return found

    def picture(self, path: Path) -> None:
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        self._session = None
        self.send("Browser.close")
        os.close(self._commands)
        os.close(self._answers)

    def _until(self, is_it: Any) -> dict[str, Any]:
        while True:
            while b"\0" not in self._rest:
                assert select.select([self._answers], [], [], PATIENCE_S)[0], "the browser says nothing"
                more = os.read(self._answers, 1 << 20)
                assert more, "the browser has gone"
                self._rest += more
            line, self._rest = self._rest.split(b"\0", 1)
            message = json.loads(line)
            self._note(message)
            if is_it(message):
                assert "error" not in message, message["error"]
                return message

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(params["exceptionDetails"]["text"])
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Runtime.consoleAPICalled":
                self.complaints.append(str(params["args"]))


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield a browser of a fresh profile; it is gone afterwards."""
    read_there, commands = os.pipe()
    answers, write_there = os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(read_there), str(write_there), str(BINARY), *FLAGS,
             f"--user-data-dir={profile}"],
            pass_fds=(read_there, write_there), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read_there)
        os.close(write_there)
        try:
            tab = Browser(commands, answers)
            yield tab
            tab.close()
        finally:
            process.kill()
            process.wait()
