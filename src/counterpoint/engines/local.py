"""The engine on this machine: spawned processes, one task a core.  A task is repeated when its process dies."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Generic, TypeVar

from counterpoint.engines import MAX_CRASHES, AnyTask, died, is_late, ready, refuse_address
from counterpoint.engines.caps import WORKER, caps, temporary_environment
from counterpoint.engines.inline import run as run_here
from counterpoint.engines.spawn import SPAWN, needs_script
from counterpoint.engines.time_limit import expend_process

Result = TypeVar("Result")
log = logging.getLogger(__name__)
ALONE = "One process does all the work: other processes can import modules, but not the names of this script."
POLL_S = 0.5
"""Longest wait without a look at interrupts: polars handles them with SA_RESTART, so an endless wait never sees one."""


def run(
    tasks: Sequence[AnyTask],
    work: Callable[[AnyTask], Result],
    *,
    workers: int | None = None,
    threads: int = 1,
    address: str | None = None,
) -> Iterator[tuple[AnyTask, Result]]:
    """Yield each task with its result, when it is done.

    Parameters
    ----------
    tasks
        *tasks* start in this order, but each only when the tasks that it names in ``after`` are done.
    work
        *work* is a module-level function.  It may receive a task twice, when a process died.  Where *work* or a task
        names something of the script, such as a contender ``__main__:Mine``, this process does all the work.
    workers
        *workers* is the number of processes (default: one for every *threads* cores).
    threads
        *threads* caps the numeric libraries of each process.
    address
        *address* is refused: this engine runs on this machine.

    Raises
    ------
    ConfigError
        When there is an *address*.
    CounterpointError
        When a process died three times on the same task.

    Examples
    --------
    >>> list(run([], len))
    []
    """
    refuse_address("local", address)
    if not tasks:
        return
    if needs_script(work, *tasks):
        log.warning(ALONE)
        yield from run_here(tasks, work)
        return
    pool = _Pool(work, workers=workers or max(1, (os.cpu_count() or 1) // threads), threads=threads)
    waiting = list(tasks)
    try:
        while waiting or pool.running:
            for task in ready(waiting, pool.running.values())[: pool.free]:
                waiting.remove(task)
                pool.submit(task)
            yield from pool.next_done()
    finally:
        pool.stop()


class _Pool(Generic[AnyTask, Result]):
    """Executors of one process each, so that a crash costs one task only.  A broken executor is replaced."""

    def __init__(self, work: Callable[[AnyTask], Result], *, workers: int, threads: int) -> None:
        self.work, self.threads = work, threads
        self.running: dict[Future[Result], AnyTask] = {}
        self.crashes: dict[str, int] = {}
        self._busy: dict[Future[Result], _Worker] = {}
        self._idle = [_Worker(number) for number in range(workers)]

    @property
    def free(self) -> int:
        return len(self._idle)

    def submit(self, task: AnyTask) -> None:
        worker = self._idle.pop()
        # Spawned processes read the caps when they import numpy: the environment is set only while they start.
        with temporary_environment(caps(self.threads)):
            try:
                future = worker.submit(self.work, task)
            except (BrokenProcessPool, OSError):  # the process died between two tasks, or while it was started
                worker = _Worker(worker.number)
                future = worker.submit(self.work, task)
        self.running[future], self._busy[future] = task, worker

    def next_done(self) -> list[tuple[AnyTask, Result]]:
        finished = set[Future[Result]]()
        while not finished:
            finished, _ = wait(self.running, timeout=POLL_S, return_when=FIRST_COMPLETED)
        results = []
        for future in finished:
            task, worker = self.running.pop(future), self._busy.pop(future)
            try:
                results.append((task, future.result()))
                self._idle.append(worker)
            except BrokenProcessPool:
                worker.shutdown(wait=False)
                self._idle.append(_Worker(worker.number))
                self._start_again(task)
        return results

    def _start_again(self, task: AnyTask) -> None:
        if not is_late(task):
            self.crashes[task.name] = self.crashes.get(task.name, 0) + 1
        if self.crashes.get(task.name, 0) >= MAX_CRASHES:
            raise died(task.name)
        self.submit(task)

    def stop(self) -> None:
        for worker in self._idle:
            worker.shutdown(wait=False)
        for worker in self._busy.values():  # interrupted: the results would be thrown away
            processes = list((getattr(worker, "_processes", None) or {}).values())
            worker.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
        self.running.clear()


class _Worker(ProcessPoolExecutor):
    """One process.  The one that replaces it after a crash has the same *number*."""

    def __init__(self, number: int) -> None:
        super().__init__(1, mp_context=SPAWN, initializer=begin_worker, initargs=(os.getpid(), number))
        self.number = number


def begin_worker(parent: int, number: int) -> None:
    """Ignore interrupts, which the parent handles.  End when the parent is gone, or an input takes too long.

    Parameters
    ----------
    parent, number
        *parent* is the id of the process that starts this one, and *number* the number of this worker.
    """
    os.environ[WORKER] = str(number)
    expend_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
