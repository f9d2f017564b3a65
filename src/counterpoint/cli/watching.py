"""The display of a running acquisition: a line that changes on a terminal, a line every ten seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live as Display
from rich.spinner import Spinner
from rich.text import Text

from counterpoint.cli.account import line
from counterpoint.progress import beating
from counterpoint.safe_terminal import console

if TYPE_CHECKING:
    from counterpoint.acquire.account import Account

EVERY_S = 10.0


@contextmanager
def watching(activity: str, *, every_s: float = EVERY_S) -> Iterator[Callable[["Account"], None]]:
    """Yield a callback that shows each account on standard error.

    Parameters
    ----------
    activity
        *activity* is shown before the first account.
    every_s
        *every_s* is the time between two lines outside a terminal, in seconds (default: 10).
    """
    out = console(stderr=True)
    if out.is_terminal:
        spinner = Spinner("dots", text=Text(activity))
        # Not redirected: rich would execute escape sequences in other output.
        with Display(spinner, console=out, transient=True, redirect_stdout=False, redirect_stderr=False):
            yield LiveAccount(spinner)
    else:
        lines = AccountLines(out, activity, every_s=every_s)
        with beating(lines.beat, every_s=every_s):
            yield lines


class LiveAccount:
    """Shows the newest account in one line of a terminal, in place of the account before."""

    def __init__(self, spinner: Spinner) -> None:
        self._spinner = spinner

    def __call__(self, account: "Account") -> None:
        """Show *account*."""
        self._spinner.update(text=Text(line(account)))


class AccountLines:
    """Prints *activity* at once, then the first account, and further accounts at most once in *every_s* seconds."""

    def __init__(self, out: Console, activity: str, *, every_s: float) -> None:
        self._out, self._activity, self._every_s = out, activity, every_s
        self._began_s = self._printed_s = time.monotonic()
        self._has_account = False
        self._print(activity)

    def __call__(self, account: "Account") -> None:
        """Print *account*, if it is time."""
        if not self._has_account or self._is_time:
            self._has_account = True
            self._print(line(account))

    def beat(self) -> None:
        """Print a sign of life while there is no account yet, if it is time."""
        if not self._has_account and self._is_time:
            self._print(f"{self._activity}, since {time.monotonic() - self._began_s:.0f} s")

    @property
    def _is_time(self) -> bool:
        return time.monotonic() - self._printed_s >= self._every_s

    def _print(self, text: str) -> None:
        self._printed_s = time.monotonic()
        self._out.print(text, soft_wrap=True)
