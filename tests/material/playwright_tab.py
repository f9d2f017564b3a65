"""A page in Debian's Chromium, driven by Playwright and checked by axe.  Downloads no browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from browser import BINARY

ABSENT = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
WHY_SKIPPED = "no Chromium on this machine" if BINARY is None else f"needs {', '.join(ABSENT)}" if ABSENT else ""
"""Why a test with this browser is skipped, or nothing."""
FLAGS = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
UNFOLD = "document.querySelectorAll('details').forEach(fold => fold.open = true)"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Opened(NamedTuple):
    """An open page, with the messages of its console and the addresses of its requests."""

    page: Any
    messages: list[str]
    requests: list[str]

    def violations(self) -> list[str]:
        """Return each violation that axe finds on the page, with the first elements that have it."""
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - may be absent

        found = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {[node['target'] for node in each['nodes']][:3]}" for each in found]

    def n_printed(self) -> int:
        """Return the number of pages on paper."""
        return n_pages(self.page.pdf(prefer_css_page_size=True, format="A4"))


def n_pages(pdf: bytes) -> int:
    """Return the number of pages of a PDF by Chromium."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


class Chromium:
    """One browser; each page is opened in a profile of its own."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    @contextmanager
    def open(self, page: Path, *, width: int = 1280, height: int = 800, is_dark: bool = False) -> Iterator[Opened]:
        scheme = "dark" if is_dark else "light"
        context = self._browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        tab, messages, requests = context.new_page(), [], []
        tab.on("console", lambda message: messages.append(message.text))
        tab.on("pageerror", lambda error: messages.append(str(error)))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(page.as_uri())
        yield Opened(tab, messages, requests)
        context.close()


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Yield a browser without a window."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - may be absent

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BINARY, args=[*FLAGS, "--no-sandbox"])
        yield Chromium(browser)
        browser.close()
