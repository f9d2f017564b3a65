"""Output and end of a command: text from outside is escaped, and an interrupt reports the finished work."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from counterpoint.safe_text import terminal_text

if TYPE_CHECKING:
    from rich.console import RenderableType


def say(line: str, *, err: bool = False) -> None:
    r"""Print one line, whatever is in it.

    >>> say("Wrote a\nb.yaml")
    Wrote a\nb.yaml
    """
    typer.echo(terminal_text(line), err=err)


def print_parts(parts: "Iterable[RenderableType]") -> None:
    """Print tables and lines: as wide as the terminal, or 100 characters wide in a file or a pipe.

    >>> print_parts(["7 pairs", "2 classes"])
    7 pairs
    2 classes
    """
    from counterpoint.safe_terminal import console

    out = console(width=None if sys.stdout.isatty() else 100)
    for part in parts:
        out.print(part)


@contextmanager
def interruptible(kept: Callable[[], str]) -> Iterator[None]:
    """End the command at an interrupt with exit code 130 and a line on the *kept* work."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"counterpoint: interrupted; {kept()}: the same command goes on from there.", err=True)
        raise typer.Exit(130) from None
