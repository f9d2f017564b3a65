"""Engines: each runs tasks through a picklable function and yields results as they are done.

An engine is a function ``run(tasks, work, *, workers, threads, address) -> Iterator[(task, result)]``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from counterpoint.errors import ConfigError, CounterpointError
from counterpoint.lookup import find

ENGINES = {
    "local": "counterpoint.engines.local:run",
    "inline": "counterpoint.engines.inline:run",
    "ray": "counterpoint.engines.ray:run",
}
MAX_CRASHES = 3
"""How often one task may see its process die before it is given up."""


class Task(Protocol):
    """A unit of work that can be sent to another process, and done again without harm."""

    @property
    def name(self) -> str:
        """The name by which other tasks refer to this one."""

    @property
    def after(self) -> tuple[str, ...]:
        """The names of the tasks that must be done before this one; those that an engine is not given are done."""


AnyTask = TypeVar("AnyTask", bound=Task)


def engine(name: str) -> Callable[..., Iterator[tuple[Any, Any]]]:
    """Return the engine called *name*, or at the path "package.module:function".

    >>> engine("local").__module__
    'counterpoint.engines.local'
    """
    found: Callable[..., Iterator[tuple[Any, Any]]] = find(name, ENGINES, what="engine")
    return found


def ready(waiting: Sequence[AnyTask], running: Iterable[AnyTask] = ()) -> list[AnyTask]:
    """Return the waiting tasks that need nothing more, in their order.

    What a task names in ``after`` and is neither waiting nor running was done before: by this run or an earlier one.
    """
    unfinished = {task.name for task in (*waiting, *running)}
    return [task for task in waiting if unfinished.isdisjoint(task.after)]


def is_late(task: Task) -> bool:
    """Say whether the process of *task* was ended by a time limit, of something that it will pass over next time.

    Such a death is no crash: a task has as many as it has inputs that hang.  A task knows by a method ``is_late()``;
    one without it has no time limits.
    """
    ask: Callable[[], bool] | None = getattr(task, "is_late", None)
    return ask is not None and ask()


def died(name: str) -> CounterpointError:
    """Return the error for the task called *name*, whose process died too often."""
    return CounterpointError(
        f"The process of {name} died {MAX_CRASHES} times; most often memory ran out: try fewer workers."
    )


def refuse_address(name: str, address: str | None) -> None:
    """Raise `ConfigError` when the engine called *name*, which works on this machine, is given an *address*."""
    if address is not None:
        raise ConfigError(f"The {name} engine runs on this machine; the address {address!r} needs engine: ray.")
