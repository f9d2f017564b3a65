"""How a command speaks and ends: nothing that others wrote reaches the terminal raw; an interrupt says what is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


def escaped(text: str) -> str:
    r"""Return *text* with whatever could move the cursor, colour the terminal or turn the line around spelled out.

    >>> print(escaped("evil\x1b[2J.example\u202e"))
    evil\x1b[2J.example\u202e
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


@contextmanager
def interruptible(kept: Callable[[], str]) -> Iterator[None]:
    """Let an interrupt end the command with exit code 130 and a line that says what is *kept*."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"counterpoint: interrupted; {kept()}: the same command goes on from there.", err=True)
        raise typer.Exit(130) from None
