"""Engines: each runs tasks through a picklable function and yields each result when its task is done.

An engine is a function ``run(tasks, work, *, workers, threads, address) -> Iterator[(task, result)]``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import isclass, signature
from typing import Any, Protocol, TypeVar

from counterpoint.errors import ConfigError, CounterpointError
from counterpoint.lookup import find

ENGINES = {
    "local": "counterpoint.engines.local:run",
    "inline": "counterpoint.engines.inline:run",
    "ray": "counterpoint.engines.ray:run",
}
MAX_CRASHES = 3
"""The number of crashes of its process after which a task is given up."""


class Task(Protocol):
    """A unit of work that can be sent to another process, and repeated without harm."""

    @property
    def name(self) -> str:
        """The name of this task in the ``after`` of other tasks."""

    @property
    def after(self) -> tuple[str, ...]:
        """The names of the tasks that must be done before this one.  Tasks unknown to the engine count as done."""


AnyTask = TypeVar("AnyTask", bound=Task)


def engine(name: str) -> Callable[..., Iterator[tuple[Any, Any]]]:
    """Return the engine of this *name*, or the engine at the path "package.module:function".

    Raises
    ------
    ConfigError
        When there is no such engine, it cannot be imported, or it is no function of an engine's parameters.

    Examples
    --------
    >>> engine("local").__module__
    'counterpoint.engines.local'
    """
    found: Callable[..., Iterator[tuple[Any, Any]]] = find(name, ENGINES, what="engine")
    try:
        is_engine = not isclass(found) and bool(signature(found).bind((), len, workers=None, threads=1, address=None))
    except TypeError:  # it cannot be called, or not with these arguments
        is_engine = False
    if not is_engine:
        raise ConfigError(
            f"{name!r} is no engine. It must be a function run(tasks, work, *, workers, threads, address)."
        )
    return found


def ready(waiting: Sequence[AnyTask], running: Iterable[AnyTask] = ()) -> list[AnyTask]:
    """Return the waiting tasks that can start now, in their order.

    A task that is named in ``after`` and neither waits nor runs is done, in this run or an earlier one.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> tasks = [SimpleNamespace(name="b", after=("a",)), SimpleNamespace(name="a", after=("0",))]
    >>> [task.name for task in ready(tasks)]
    ['a']
    """
    unfinished = {task.name for task in (*waiting, *running)}
    return [task for task in waiting if unfinished.isdisjoint(task.after)]


def is_late(task: Task) -> bool:
    """Return whether a time limit ended the process of *task*, at an input that the task leaves out next time.

    Such an end is no crash: a task has one for each input that hangs.  The task answers with its method ``is_late()``.
    A task without this method has no time limits.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> is_late(SimpleNamespace(name="a")), is_late(SimpleNamespace(name="a", is_late=lambda: True))
    (False, True)
    """
    own_answer: Callable[[], bool] | None = getattr(task, "is_late", None)
    return own_answer is not None and own_answer()


def n_gpus_of(task: Task) -> int:
    """Return the number of GPUs that a *task* needs for itself: its attribute ``n_gpus``, or 0 without one.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> n_gpus_of(SimpleNamespace(name="a")), n_gpus_of(SimpleNamespace(name="a", n_gpus=1))
    (0, 1)
    """
    return int(getattr(task, "n_gpus", 0))


def died(name: str) -> CounterpointError:
    """Return the error for the task of this *name*, with a process that died too often.

    >>> died("fit 1")
    CounterpointError('The process of fit 1 died 3 times. The usual cause is a lack of memory: try fewer workers.')
    """
    return CounterpointError(
        f"The process of {name} died {MAX_CRASHES} times. The usual cause is a lack of memory: try fewer workers."
    )


def refuse_address(name: str, address: str | None) -> None:
    """Raise `ConfigError` when the engine of this *name*, which has no cluster, is given an *address*.

    >>> refuse_address("threads", None)
    >>> refuse_address("threads", "head:6379")
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: The threads engine runs on this machine: the address 'head:6379' needs engine: ray.
    """
    if address is not None:
        raise ConfigError(f"The {name} engine runs on this machine: the address {address!r} needs engine: ray.")
