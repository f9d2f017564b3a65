"""Output to a terminal in which text of strangers can neither move the cursor nor mislead.

Labels, names, URLs and column names come from strangers.  An escape sequence in one could clear the screen, a mark of
direction could turn a line around.  Rich would read ``[red]`` as a colour.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOBase
from typing import Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from counterpoint.safe_text import terminal_text

_LINES = "\n\t"
"""The control characters that our own output contains."""


class SafeStream(TextIOBase):
    r"""A text stream that spells out control characters, which a terminal would obey.

    Parameters
    ----------
    stream
        *stream* is written to, such as the standard output.

    Examples
    --------
    >>> _ = SafeStream(sys.stdout).write("a\x1b[1A\n")
    a\x1b[1A
    """

    def __init__(self, stream: TextIO) -> None:
        self.unguarded = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self.unguarded.encoding or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """The error handler of the stream. No character that it cannot encode reaches it."""
        return self.unguarded.errors or "strict"

    def write(self, text: str) -> int:
        """Write *text*. A character that the stream cannot encode is spelled out as well."""
        shown = terminal_text(text, keep=_LINES)
        self.unguarded.write(shown.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        if not self.unguarded.closed:
            self.unguarded.flush()

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self.unguarded.isatty()

    def fileno(self) -> int:
        """Return the file descriptor of the stream."""
        return self.unguarded.fileno()


class SafeConsole(Console):
    """A console of rich that reads no markup in strings and spells out control characters. Its own codes stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of *renderable*."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(terminal_text(text, keep="\n"), style)


def console(*, stderr: bool = False, width: int | None = None) -> SafeConsole:
    """Return a console on standard output or standard error.

    >>> shown = console(width=40)
    >>> with shown.capture() as captured:
    ...     shown.print("[red] is no colour here :cat:")
    >>> captured.get().strip()
    '[red] is no colour here :cat:'
    """
    stream = sys.stderr if stderr else sys.stdout
    plain = cast(TextIO, getattr(stream, "unguarded", stream))
    return SafeConsole(file=plain, width=width, highlight=False, markup=False, emoji=False)


class SafeLogFormatter(logging.Formatter):
    """A format of log records of one line each."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the message of *record*."""
        return terminal_text(super().formatMessage(record))


@contextmanager
def safe_streams() -> Iterator[None]:
    """Make standard output and standard error safe until the context ends, also for logging and warnings."""
    before, now = (sys.stdout, sys.stderr), (SafeStream(sys.stdout), SafeStream(sys.stderr))
    sys.stdout, sys.stderr = cast(Any, now)
    handler = logging.StreamHandler()
    handler.setFormatter(SafeLogFormatter())
    root = logging.getLogger()
    if not root.handlers:  # or another program has its own
        root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        # A stream that other code has put there since stays, such as the one of click for a broken pipe.
        sys.stdout = before[0] if sys.stdout is cast(Any, now[0]) else sys.stdout
        sys.stderr = before[1] if sys.stderr is cast(Any, now[1]) else sys.stderr
