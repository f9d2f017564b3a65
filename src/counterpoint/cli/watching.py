"""A listener to an acquisition: a line that changes on a terminal, a line every ten seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status
from rich.text import Text

from counterpoint.cli.account import line

if TYPE_CHECKING:
    from counterpoint.acquire.account import Account

EVERY_S = 10.0


@contextmanager
def watching(what: str, *, every_s: float = EVERY_S) -> Iterator[Callable[["Account"], None]]:
    """Yield a listener that shows how far an acquisition is, on standard error; *what* is shown before it is told."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with console.status(Text(what)) as status:
            yield Live(status)
    else:
        yield Lines(console, every_s=every_s)


class Live:
    """Shows the newest account in one line of a terminal, in place of the one before."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def __call__(self, account: "Account") -> None:
        """Show *account*."""
        self._status.update(Text(line(account)))


class Lines:
    """Prints a line for the account, not more often than every *every_s* seconds, the first after as long."""

    def __init__(self, console: Console, *, every_s: float) -> None:
        self._console, self._every_s = console, every_s
        self._next_s = time.monotonic() + every_s

    def __call__(self, account: "Account") -> None:
        """Print *account*, if it is time."""
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + self._every_s
            self._console.print(Text(line(account)), soft_wrap=True)
