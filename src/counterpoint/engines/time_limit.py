"""The time limit of one input: a worker process that hangs is ended by the system, even in C code that never returns.

A thread of Python could not do it: it waits for the interpreter's lock, which such code may hold for ever.
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
    """Note that this process is a worker: `time_limit` may end it, and its task is done again elsewhere."""
    global _expendable  # noqa: PLW0603 - it is a fact of the process, which no caller can hand over
    if not _expendable:  # once: later it would take the place of the handler that writes notes
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _expendable = True


def is_expendable() -> bool:
    """Say whether `time_limit` may end this process.

    >>> is_expendable()
    False
    """
    return _expendable


@contextmanager
def time_limit(seconds: float, *, notes: IO[bytes] | None = None) -> Iterator[None]:
    """End this worker process when what is done here takes longer; elsewhere than in a worker nothing is limited.

    There is one limit in a process at a time, whichever of its threads sets it.

    Parameters
    ----------
    seconds
        *seconds* are those of a clock on the wall: what hangs may wait as well as compute.
    notes
        *notes* is a file; where each thread was is written to its end before the process ends.

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

    It is for loops that turn often, and costs little: most signs only look at the clock.
    """
    global _seen_alive_s  # noqa: PLW0603 - there is one such watch in a process
    now_s = time.monotonic()
    if _expendable and now_s - _seen_alive_s > seconds / 10:
        faulthandler.dump_traceback_later(seconds, exit=True)
        _seen_alive_s = now_s


def end_watch() -> None:
    """Expect no more signs of life."""
    global _seen_alive_s  # noqa: PLW0603
    faulthandler.cancel_dump_traceback_later()
    _seen_alive_s = 0.0
