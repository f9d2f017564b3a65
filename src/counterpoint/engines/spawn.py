"""Processes that never run the user's script again, so that it needs no ``if __name__ == "__main__"``.

A spawned process of the standard library first imports the script that started it, for what the script defines may be
needed.  The work of an engine lives in modules; tasks that need something of a script are found beforehand.
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
"""How a pickle names the module of a class or function, and a setting the place of one."""


def needs_script(*sent: object) -> bool:
    """Say whether what is *sent* to a process names something that the script, or the notebook, defines.

    >>> needs_script(len, "my_lab:CharBayes", "__main__.png"), needs_script(len, "__main__:CharBayes")
    (False, True)
    """
    try:
        return any(name in pickle.dumps(each) for each in sent for name in _NAMES)
    except (pickle.PicklingError, AttributeError, TypeError):  # a function within a function: the engine itself says so
        return False


class _Process(SpawnProcess):
    """A process to which the script that starts it is not named."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 - the standard library's name
        with _another_main():
            return SpawnProcess._Popen(process_obj)


class _Context(SpawnContext):
    Process = _Process


SPAWN = _Context()
"""What `concurrent.futures.ProcessPoolExecutor` takes as ``mp_context``."""


@contextmanager
def _another_main() -> Iterator[None]:
    """Put a module without a file in the place of the script, while a process is told what to import."""
    script = sys.modules[MAIN]
    sys.modules[MAIN] = ModuleType(MAIN)
    try:
        yield
    finally:
        sys.modules[MAIN] = script
