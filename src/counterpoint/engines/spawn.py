"""Processes that never run the user's script again, so that it needs no ``if __name__ == "__main__"``.

A spawned process of the standard library first imports the script that started it, because it may need a definition of
the script.  The work of an engine is defined in modules.  Tasks that need the script are recognised before.
"""

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any

MAIN = "__main__"
_NAMES = (b"\x8c\x08__main__", b"__main__:")
"""The module ``__main__`` in a pickled class or function, and in a setting with the path of one."""


def needs_script(*sent: object) -> bool:
    """Return whether one of the *sent* objects names a definition of the script or the notebook.

    >>> needs_script(len, "my_lab:CharBayes", "__main__.png"), needs_script(len, "__main__:CharBayes")
    (False, True)
    """
    try:
        return any(name in pickle.dumps(each) for each in sent for name in _NAMES)
    except (pickle.PicklingError, AttributeError, TypeError):  # a function within a function: the engine raises then
        return False


class _Process(SpawnProcess):
    """A process that does not receive the name of the script that starts it."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the standard library's name
        with _another_main():
            return SpawnProcess._Popen(process_obj)


class _Context(SpawnContext):
    Process = _Process


SPAWN = _Context()
"""The argument ``mp_context`` of `concurrent.futures.ProcessPoolExecutor`."""


@contextmanager
def _another_main() -> Iterator[None]:
    """Replace the script by a module without a file, while a process is started."""
    script = sys.modules[MAIN]
    sys.modules[MAIN] = ModuleType(MAIN)
    try:
        yield
    finally:
        sys.modules[MAIN] = script
