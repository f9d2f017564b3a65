"""Progress on standard error: a bar for each stage of a study or a sweep, or lines where there is no terminal."""

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

from counterpoint.number_formats import rough_duration
from counterpoint.on_progress import OnProgress
from counterpoint.safe_terminal import console

FITTING = "fitting"
"""The only stage that is counted in seconds of work. All others are counted in rows, or in points of a sweep."""
EVERY_S = 30.0
"""The longest time without a line while a stage runs, in seconds."""


@contextmanager
def progress(*, every_s: float = EVERY_S) -> Iterator[OnProgress]:
    """Yield a callback ``(stage, done, in all)`` that draws bars on a terminal and prints lines elsewhere."""
    out = console(stderr=True)
    if out.is_terminal:
        with _bars(out) as on_progress:
            yield on_progress
    else:
        lines = Lines(out, every_s=every_s)
        with beating(lines.beat, every_s=every_s):
            yield lines


@contextmanager
def _bars(out: Console) -> Iterator[OnProgress]:
    stage, note = TextColumn("{task.description:<30}", markup=False), TextColumn("{task.fields[note]}", markup=False)
    columns = (stage, BarColumn(24), note, TimeElapsedColumn(), TimeRemainingColumn())
    # Not redirected: rich would obey escape sequences in other output.
    with Progress(*columns, console=out, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        tasks: dict[str, TaskID] = {}

        def on_progress(stage: str, done: float, total: float) -> None:
            if stage not in tasks:
                for task in bar.tasks:
                    bar.update(task.id, total=task.total or 1, completed=task.total or 1)
                tasks[stage] = bar.add_task(stage, total=total or None, note="")
                out.print(_announcement(stage, total))
            seen_s = bar.tasks[tasks[stage]].elapsed or 0.0
            bar.update(tasks[stage], completed=done, total=total or None, note=_note(stage, done, seen_s))

        yield on_progress


class Lines:
    """A callback that prints a line when a stage begins, and one with its progress at a `beat`, if it is time.

    Parameters
    ----------
    out
        *out* is the console to print on.
    every_s
        *every_s* is the shortest time between two lines of progress, in seconds.
    clock
        *clock* returns the time in seconds.
    """

    def __init__(self, out: Console, *, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._every_s, self._clock = out, every_s, clock
        self._begun: set[str] = set()
        self._now: tuple[str, float, float] | None = None
        self._began_s = self._printed_s = clock()

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Record the progress of *stage*."""
        self._now = (stage, done, total)
        if stage not in self._begun:
            self._begun.add(stage)
            self._began_s = self._clock()
            self._print(_announcement(stage, total))

    def beat(self) -> None:
        """Print the progress of the stage, when the last line is *every_s* old."""
        if self._now is not None and self._clock() - self._printed_s >= self._every_s:
            self._print(_life_sign(*self._now, self._clock() - self._began_s))

    def _print(self, line: str) -> None:
        self._printed_s = self._clock()
        self._out.print(line, soft_wrap=True)


@contextmanager
def beating(beat: Callable[[], None], *, every_s: float) -> Iterator[None]:
    """Call *beat* regularly from a thread until the context ends, even while no progress is reported."""
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


def _announcement(stage: str, total: float) -> str:
    return f"{stage}: about {rough_duration(total)}" if stage == FITTING and total else stage


def _life_sign(stage: str, done: float, total: float, seen_s: float) -> str:
    """Return the progress of a stage after *seen_s* seconds.

    >>> _life_sign("fitting", 30, 120, 60.0), _life_sign("reading records", 5000, 0, 90.0)
    ('fitting: 25 % after 60 s', 'reading records: 5,000 rows, 56/s after 2 min')
    """
    share = [f"{min(1.0, done / total):.0%}".replace("%", " %")] if total else []
    note = _note(stage, done, seen_s)
    return f"{stage}: {', '.join([*share, *([note] if note else [])]) or 'under way'} after {rough_duration(seen_s)}"


def _note(stage: str, done: float, seen_s: float) -> str:
    """Return the number of rows done and their rate.

    >>> _note("reading records", 5000, 2.0), _note("fitting", 30, 9.0)
    ('5,000 rows, 2,500/s', '')
    """
    if stage == FITTING or stage.endswith("points") or not done:
        return ""
    return f"{done:,.0f} rows, {done / max(seen_s, 0.1):,.0f}/s"
