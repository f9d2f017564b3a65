"""A listener that draws a bar for each stage, with its rate and the time left, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def progress() -> Iterator[Callable[[str, float, float], None]]:
    """Yield a listener ``(what, done, in all)``; on a terminal it draws bars, elsewhere it prints a line a stage.

    The unit is rows, but of "fitting" seconds of work.
    """
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
            bar.update(tasks[what], completed=done, total=total or None, note=_note(what, done, total))

        yield listen


def _announcement(what: str, total: float) -> str:
    if what == "fitting" and total:
        return f"fitting: about {_duration(total)} of work for one core"
    return what


def _note(what: str, done: float, total: float) -> str:
    if what == "fitting":
        return f"{_duration(done)} of {_duration(total)}"
    return f"{done:,.0f} rows" if done else ""


def _duration(seconds: float) -> str:
    """Return seconds as people say them.

    >>> _duration(42), _duration(250)
    ('42 s', '4 min')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
