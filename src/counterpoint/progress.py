"""A listener on standard error: a bar for each stage of a study or a sweep, or lines where there is no terminal."""

import threading
import time
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

from counterpoint.safe_terminal import console

FITTING = "fitting"
"""The one stage that is counted in seconds of work; all others in rows, or in points of a sweep."""
EVERY_S = 30.0
"""How long a log may be silent while a stage is under way."""

Listener = Callable[[str, float, float], None]


@contextmanager
def progress(*, every_s: float = EVERY_S) -> Iterator[Listener]:
    """Yield a listener ``(what, done, in all)``; on a terminal it draws bars, elsewhere it prints lines."""
    out = console(stderr=True)
    if out.is_terminal:
        with _bars(out) as listener:
            yield listener
    else:
        lines = Lines(out, every_s=every_s)
        with beating(lines.beat, every_s=every_s):
            yield lines


@contextmanager
def _bars(out: Console) -> Iterator[Listener]:
    what, note = TextColumn("{task.description:<30}", markup=False), TextColumn("{task.fields[note]}", markup=False)
    columns = (what, BarColumn(24), note, TimeElapsedColumn(), TimeRemainingColumn())
    # Not redirected: rich would obey the escape sequences of what is written there meanwhile.
    with Progress(*columns, console=out, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        tasks: dict[str, TaskID] = {}

        def listen(what: str, done: float, total: float) -> None:
            if what not in tasks:
                for task in bar.tasks:
                    bar.update(task.id, total=task.total or 1, completed=task.total or 1)
                tasks[what] = bar.add_task(what, total=total or None, note="")
                out.print(_announcement(what, total))
            seen_s = bar.tasks[tasks[what]].elapsed or 0.0
            bar.update(tasks[what], completed=done, total=total or None, note=_note(what, done, seen_s))

        yield listen


class Lines:
    """Prints a line when a stage begins, and at each `beat` one that says how far it is, if it is time.

    Parameters
    ----------
    out
        *out* is the console to print on.
    every_s
        *every_s* is how long after a line the next may come.
    clock
        *clock* returns the time in seconds.
    """

    def __init__(self, out: Console, *, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._every_s, self._clock = out, every_s, clock
        self._begun: set[str] = set()
        self._now: tuple[str, float, float] | None = None
        self._began_s = self._printed_s = clock()

    def __call__(self, what: str, done: float, total: float) -> None:
        """Take how far the stage *what* is."""
        self._now = (what, done, total)
        if what not in self._begun:
            self._begun.add(what)
            self._began_s = self._clock()
            self._print(_announcement(what, total))

    def beat(self) -> None:
        """Print how far the stage is, when the last line is *every_s* old."""
        if self._now is not None and self._clock() - self._printed_s >= self._every_s:
            self._print(_life_sign(*self._now, self._clock() - self._began_s))

    def _print(self, line: str) -> None:
        self._printed_s = self._clock()
        self._out.print(line, soft_wrap=True)


@contextmanager
def beating(beat: Callable[[], None], *, every_s: float) -> Iterator[None]:
    """Call *beat* again and again from a thread, until this ends: also where nothing reports for long."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(every_s / 2):
            beat()

    thread = threading.Thread(target=run, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _announcement(what: str, total: float) -> str:
    return f"{what}: about {_duration(total)}" if what == FITTING and total else what


def _life_sign(what: str, done: float, total: float, seen_s: float) -> str:
    """Return how far a stage is after *seen_s* seconds.

    >>> _life_sign("fitting", 30, 120, 60.0), _life_sign("reading records", 5000, 0, 90.0)
    ('fitting: 25 % after 60 s', 'reading records: 5,000 rows, 56/s after 2 min')
    """
    far = [f"{min(1.0, done / total):.0%}".replace("%", " %")] if total else []
    note = _note(what, done, seen_s)
    return f"{what}: {', '.join([*far, *([note] if note else [])]) or 'under way'} after {_duration(seen_s)}"


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
