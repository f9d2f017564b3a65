"""The engine on this machine: a pool of spawned processes, one task a core; a task whose process died is done again."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Generic, TypeVar

from counterpoint.engines import MAX_CRASHES, AnyTask, died, ready, refuse_address
from counterpoint.engines.caps import caps, environment
from counterpoint.engines.inline import run as run_here
from counterpoint.engines.spawn import SPAWN, needs_script

Result = TypeVar("Result")
log = logging.getLogger(__name__)
ALONE = "One process does all the work: others cannot import what this script defines, only what a module does."
HEAR_S = 0.5
"""How often a wait looks up: polars handles interrupts with SA_RESTART, so that a wait without end never hears them."""


def run(
    tasks: Sequence[AnyTask],
    work: Callable[[AnyTask], Result],
    *,
    workers: int | None = None,
    threads: int = 1,
    address: str | None = None,
) -> Iterator[tuple[AnyTask, Result]]:
    """Yield each task with its result, as they are done.

    Parameters
    ----------
    tasks
        *tasks* start in this order, as far as those that they come ``after`` are done.
    work
        *work* is a module-level function; a task may be given to it twice, when a process died.  Where it or a task
        names something of the script, such as a contender ``__main__:Mine``, all is done in this process.
    workers
        *workers* is the number of processes; by default one for every *threads* cores.
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
    """A process pool that is made anew after a crash, with the tasks that were running."""

    def __init__(self, work: Callable[[AnyTask], Result], *, workers: int, threads: int) -> None:
        self.work, self.workers, self.threads = work, workers, threads
        self.running: dict[Future[Result], AnyTask] = {}
        self.crashes: dict[str, int] = {}
        self._executor = self._new_executor()

    @property
    def free(self) -> int:
        return max(0, self.workers - len(self.running))

    def submit(self, task: AnyTask) -> None:
        # Spawned processes read the caps when they import numpy: the environment is set only while they start.
        with environment(caps(self.threads)):
            try:
                self.running[self._executor.submit(self.work, task)] = task
            except (BrokenProcessPool, OSError):  # a process died between two tasks, or while another was started
                self._executor = self._new_executor()
                self.running[self._executor.submit(self.work, task)] = task

    def next_done(self) -> list[tuple[AnyTask, Result]]:
        finished = set[Future[Result]]()
        while not finished:
            finished, _ = wait(self.running, timeout=HEAR_S, return_when=FIRST_COMPLETED)
        results, lost = [], list[AnyTask]()
        for future in finished:
            task = self.running.pop(future)
            try:
                results.append((task, future.result()))
            except BrokenProcessPool:
                lost.append(task)
        if lost:
            self._start_again(lost)
        return results

    def _start_again(self, lost: list[AnyTask]) -> None:
        # A broken pool fails every task in flight, not only the one whose process died.
        lost += self.running.values()
        self.stop()  # before anything starts: of a pool made meanwhile, tasks would run twice
        for task in lost:
            self.crashes[task.name] = self.crashes.get(task.name, 0) + 1
            if self.crashes[task.name] >= MAX_CRASHES:
                raise died(task.name)
        self._executor = self._new_executor()
        for task in lost:
            self.submit(task)

    def stop(self) -> None:
        processes = list((getattr(self._executor, "_processes", None) or {}).values())
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self.running:  # interrupted: what runs now would be thrown away
            for process in processes:
                process.terminate()
        self.running.clear()

    def _new_executor(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.workers, mp_context=SPAWN, initializer=_begin, initargs=(os.getpid(),))


def _begin(parent: int) -> None:
    """Leave interrupts to the parent, and end when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
