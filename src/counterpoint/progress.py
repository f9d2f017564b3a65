"""A listener on standard error: a bar for each stage of a study or a sweep."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

FITTING = "fitting"
"""The one stage that is counted in seconds of work; all others in rows, or in points of a sweep."""


@contextmanager
def progress() -> Iterator[Callable[[str, float, float], None]]:
    """Yield a listener ``(what, done, in all)``; on a terminal it draws bars, elsewhere it prints a line a stage."""
    console = Console(stderr=True)
    what, note = TextColumn("{task.description:<30}"), TextColumn("{task.fields[note]}")
    columns = (what, BarColumn(24), note, TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def listen(what: str, done: float, total: float) -> None:
            if what not in tasks:
                for task in bar.tasks:
                    bar.update(task.id, total=task.total or 1, completed=task.total or 1)
                tasks[what] = bar.add_task(what, total=total or None, note="")
                console.print(_announcement(what, total), highlight=False)
            seen_s = bar.tasks[tasks[what]].elapsed or 0.0
            bar.update(tasks[what], completed=done, total=total or None, note=_note(what, done, seen_s))

        yield listen


def _announcement(what: str, total: float) -> str:
    return f"{what}: about {_duration(total)}" if what == FITTING and total else what


def _note(what: str, done: float, seen_s: float) -> str:
    """Return how much is done, and how fast.

    >>> _note("reading records", 5000, 2.0), _note("fitting", 30, 9.0)
    ('5,000 rows, 2,500/s', '')
    """
    if what == FITTING or what.endswith("points") or not done:
        return ""
    return f"{done:,.0f} rows, {done / max(seen_s, 0.1):,.0f}/s"


def _duration(seconds: float) -> str:
    """Return seconds as people say them.

    >>> _duration(42), _duration(250)
    ('42 s', '4 min')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
