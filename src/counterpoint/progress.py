"""Listeners on standard error: a bar for each stage of a study, and one line for all the points of a sweep."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

FITTING = "fitting"
"""The one stage that is counted in seconds of work; all others in rows."""


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


@contextmanager
def progress_of_points() -> Iterator[Callable[[str, float, float], None]]:
    """Yield a listener ``(what, points done, in all)``: one live line on a terminal, elsewhere a line a point."""
    console = Console(stderr=True, highlight=False)
    what = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    columns = (BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), what)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        told = -1.0

        def listen(what: str, done: float, total: float) -> None:
            nonlocal told
            if done != told and not console.is_terminal:
                step = f"{done + 1:.0f} of {total:.0f}: " if done < total else ""
                console.print(f"{step}{what}", markup=False, soft_wrap=True)
            told = done
            bar.update(task, description=what, completed=done, total=total)

        yield listen


def _announcement(what: str, total: float) -> str:
    return f"{what}: about {_duration(total)}" if what == FITTING and total else what


def _note(what: str, done: float, seen_s: float) -> str:
    """Return how much is done, and how fast.

    >>> _note("reading records", 5000, 2.0), _note("fitting", 30, 9.0)
    ('5,000 rows, 2,500/s', '')
    """
    if what == FITTING or not done:
        return ""
    return f"{done:,.0f} rows, {done / max(seen_s, 0.1):,.0f}/s"


def _duration(seconds: float) -> str:
    """Return seconds as people say them.

    >>> _duration(42), _duration(250)
    ('42 s', '4 min')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
