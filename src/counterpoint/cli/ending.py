"""Output and end of a command: text from outside is escaped, and an interrupt reports the finished work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from counterpoint.safe_text import terminal_text


def say(line: str, *, err: bool = False) -> None:
    r"""Print one line, whatever is in it.

    >>> say("Wrote a\nb.yaml")
    Wrote a\nb.yaml
    """
    typer.echo(terminal_text(line), err=err)


@contextmanager
def interruptible(kept: Callable[[], str]) -> Iterator[None]:
    """End the command at an interrupt with exit code 130 and a line on the *kept* work."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"counterpoint: interrupted; {kept()}: the same command goes on from there.", err=True)
        raise typer.Exit(130) from None
