"""The time limit of one input: the system ends a worker process that hangs, even in C code that never returns.

A Python thread could not do it, because it waits for the interpreter's lock, which such code may hold for ever.
"""

import faulthandler
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_expendable = False
_seen_alive_s = 0.0


def expend_process() -> None:
    """Note that this process is a worker: `time_limit` may end it, and its task is repeated elsewhere."""
    global _expendable  # noqa: PLW0603 - a property of the process, which no caller can pass
    if not _expendable:  # once: later it would replace the handler that writes notes
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _expendable = True


@contextmanager
def time_limit(seconds: float, *, notes: IO[bytes] | None = None) -> Iterator[None]:
    """End this worker process when the ``with`` block takes longer.  Outside of workers, nothing is limited.

    A process has one limit at a time, shared by all of its threads.

    Parameters
    ----------
    seconds
        *seconds* are wall-clock time, because code that hangs may wait instead of compute.
    notes
        *notes* is a file.  The stack of each thread is appended to it before the process ends.

    Examples
    --------
    >>> with time_limit(1e-6):
    ...     sum(range(10_000))
    49995000
    """
    if not _expendable:
        yield
        return
    if notes is not None:  # in C, so that the interpreter's lock is not needed
        faulthandler.register(signal.SIGALRM, file=notes, chain=True)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def sign_of_life(seconds: float) -> None:
    """End this worker process, with a trace of its threads, unless the next sign of life comes within *seconds*.

    It is meant for loops with many rounds, and is cheap: most calls only read the clock.  The trace is written without
    the interpreter's lock.  Where a thread still moves, it may break off, and a signal then ends the process.
    """
    global _seen_alive_s  # noqa: PLW0603 - a process has one such watch
    now_s = time.monotonic()
    if _expendable and now_s - _seen_alive_s > seconds / 10:
        faulthandler.dump_traceback_later(seconds, exit=True)
        _seen_alive_s = now_s


def end_watch() -> None:
    """Stop waiting for signs of life."""
    global _seen_alive_s  # noqa: PLW0603
    faulthandler.cancel_dump_traceback_later()
    _seen_alive_s = 0.0
