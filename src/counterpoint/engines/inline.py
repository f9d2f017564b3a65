"""The engine in this process, one task after another, for debuggers and small tests."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from counterpoint.engines import AnyTask, ready, refuse_address

Result = TypeVar("Result")


def run(
    tasks: Sequence[AnyTask],
    work: Callable[[AnyTask], Result],
    *,
    workers: int | None = None,  # noqa: ARG001 - engines share one signature
    threads: int = 1,  # noqa: ARG001
    address: str | None = None,
) -> Iterator[tuple[AnyTask, Result]]:
    """Yield each task with its result, one after the other in this process.

    Parameters
    ----------
    tasks
        *tasks* start in this order, but each only when the tasks that it names in ``after`` are done.
    work
        *work* takes a task and returns its result.
    workers, threads
        These have no effect: the work is done in this process, as it is.
    address
        *address* is refused: this engine has no cluster.

    Raises
    ------
    ConfigError
        When there is an *address*.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> [result for _, result in run([SimpleNamespace(name="a", after=())], lambda task: task.name * 2)]
    ['aa']
    """
    refuse_address("inline", address)
    waiting = list(tasks)
    while waiting:
        task = ready(waiting)[0]
        yield task, work(task)
        waiting.remove(task)
