"""A child process for work on bytes from strangers: a hang or a crash costs the child and nothing else.

The child is started as a separate command, so a script needs no main guard.  It is kept for the next caller, because a
start takes half a second.
"""

import atexit
import importlib
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any

from counterpoint.engines.caps import caps
from counterpoint.engines.time_limit import expend_process

_N_BYTES = 8
_ENDS_S = 5.0
_SERVE = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
sys.path[:] = {path!r}
from counterpoint.features.child import serve
serve({fds!r})
"""


class ChildLostError(Exception):
    """The child ended before its result came.  *place* is the last place that it noted."""

    def __init__(self, place: int, *, is_late: bool) -> None:
        super().__init__(f"at {place}" + ", over its time limit" * is_late)
        self.place, self.is_late = place, is_late


class Child:
    """A process that calls functions for this process, one after the other.

    Examples
    --------
    >>> child = Child()
    >>> child.call(divmod, 7, 2)
    (3, 1)
    >>> child.call(os._exit, 9)
    Traceback (most recent call last):
    counterpoint.features.child.ChildLostError: at 0
    """

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        self.owner, self._folder = os.getpid(), _working_folder()
        with tempfile.TemporaryFile() as file, theirs:
            file.truncate(_N_BYTES)
            self._place = mmap.mmap(file.fileno(), _N_BYTES)
            fds = (theirs.fileno(), file.fileno())
            code = _SERVE.format(path=sys.path, fds=fds)
            self._process = subprocess.Popen(
                [sys.executable, "-c", code], stdin=subprocess.DEVNULL, pass_fds=fds, env=os.environ | caps(1)
            )

    def is_alive(self) -> bool:
        """Return whether the child runs, and belongs to this process: a forked process has to start its own child.

        A child that was started in another working folder would read another file of the same relative path.
        """
        is_here = self.owner == os.getpid() and self._folder == _working_folder()
        return is_here and self._process.poll() is None

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return the result of a module-level *function* in the child, or raise its error, or `ChildLostError`."""
        self.start(function, *args)
        return self.result()

    def start(self, function: Callable[..., Any], *args: Any) -> None:
        """Begin a call.  `connection` can be read when the result is there, or the child is gone."""
        self._place[:] = bytes(_N_BYTES)
        with suppress(BrokenPipeError, ConnectionResetError):  # the child is gone, as `result` finds
            self.connection.send((function, args))

    def result(self) -> Any:
        """Return the result of the call that was begun."""
        try:
            has_result, value = self.connection.recv()
        except (EOFError, ConnectionResetError):
            place = int.from_bytes(self._place[:])
            is_late = self.end() == -signal.SIGALRM
            raise ChildLostError(place, is_late=is_late) from None
        if has_result:
            return value
        raise value

    def end(self) -> int:
        """Let the child end, and return its exit code.  A child that does not end is killed."""
        self.connection.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDS_S)
        self._process.kill()
        self._place.close()
        return self._process.wait()

    def kill(self) -> None:
        """End the child now, also in the middle of its work."""
        if self.owner == os.getpid():
            self._process.kill()
            self.end()


def _working_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - only compared
    except FileNotFoundError:  # it was removed
        return None


_idle: list[Child] = []
_most_idle = 1


def take_child() -> Child:
    """Return the child that waits for work, or a new child."""
    while True:
        try:
            child = _idle.pop()
        except IndexError:  # also where another thread was faster
            return Child()
        if child.is_alive():
            return child
        child.kill()


def give_back(child: Child) -> None:
    """Keep *child* for the next caller, unless enough others are kept already."""
    if len(_idle) >= _most_idle:
        child.kill()
    else:
        _idle.append(child)


@contextmanager
def children_ready(n: int, *modules: str) -> Iterator[None]:
    """Keep up to *n* children inside this context, and start the first one now.

    Parameters
    ----------
    n
        *n* is the number of threads that use children.
    modules
        *modules* are loaded by the first child while this process does other work.
    """
    global _most_idle  # noqa: PLW0603 - the number belongs to the process, as the children do
    before, _most_idle = _most_idle, n
    thread = threading.Thread(target=_make_ready, args=modules, daemon=True)
    thread.start()
    try:
        yield
    finally:
        _most_idle = before
        while len(_idle) > before:
            _idle.pop().kill()


def _make_ready(*modules: str) -> None:
    child = take_child()
    try:
        child.call(_load, modules)
    except ChildLostError:  # a later caller starts another one
        return
    give_back(child)


def _load(modules: tuple[str, ...]) -> None:
    for name in modules:
        importlib.import_module(name)


@atexit.register
def end_idle() -> None:
    """End the child that waits for work, which may hold the memory of a large image."""
    while _idle:
        _idle.pop().kill()


_noted: mmap.mmap | None = None


def note_place(place: int) -> None:
    """Note the current *place* of a child's work.  Outside of a child nothing is noted."""
    if _noted is not None:
        _noted[:] = place.to_bytes(_N_BYTES)


def serve(fds: tuple[int, int]) -> None:
    """Call the functions that the parent sends, until the parent is gone."""
    global _noted  # noqa: PLW0603 - a child notes for one parent
    expend_process()
    _noted = mmap.mmap(fds[1], _N_BYTES)
    with Connection(fds[0]) as parent, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            function, args = parent.recv()
            try:
                outcome = True, function(*args)
            except Exception as error:  # the parent raises it
                outcome = False, error
            parent.send(outcome)
