"""The engine in this very process, one task after another: for debuggers and small tests."""

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
    """Yield each task with its result; a task runs after those that it names in ``after``."""
    refuse_address("inline", address)
    waiting = list(tasks)
    while waiting:
        task = ready(waiting)[0]
        yield task, work(task)
        waiting.remove(task)
