"""The contract of engines: functions that take the function ``run`` of an engine, ours or from outside.

``for part in contract_of(run): part(run)`` tests an engine.  The parts `OF_PROCESSES` are for engines with worker
processes of their own, and are left out for other engines.
"""

import inspect
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from counterpoint.engines.caps import WORKER, temporary_environment
from counterpoint.errors import ConfigError, CounterpointError

Run = Callable[..., Iterator[tuple["Errand", object]]]
PATIENCE_S = 60.0
BUSY_S = 0.3
NOBODY = "127.0.0.1:1"
"""An address at which no cluster answers."""


@dataclass(frozen=True)
class Errand:
    """A task: the parts of the contract give it to the functions below."""

    name: str
    after: tuple[str, ...] = ()
    folder: str = ""
    n_gpus: int = 0


def double_name(errand: Errand) -> str:
    return errand.name * 2


def process_id(errand: Errand) -> int:
    return os.getpid()


def working_folder(errand: Errand) -> str:
    return str(Path.cwd())


def thread_cap(errand: Errand) -> str:
    return os.environ["OMP_NUM_THREADS"]


def refuse(errand: Errand) -> None:
    raise CounterpointError(f"no {errand.name}")


def start_of_a_busy_time(errand: Errand) -> float:
    start_s = time.monotonic()
    time.sleep(BUSY_S)
    return start_s


def gpus_in_a_busy_time(errand: Errand) -> tuple[str | None, float]:
    """Return the GPUs that the errand may use, and its start."""
    return os.environ.get("CUDA_VISIBLE_DEVICES"), start_of_a_busy_time(errand)


def worker_of_a_busy_time(errand: Errand) -> str | None:
    """Return the number of the worker, after it was killed once where the errand is fragile."""
    start_of_a_busy_time(errand)
    if errand.folder:
        die_once(errand)
    return os.environ.get(WORKER)


def die_once(errand: Errand) -> str:
    mark = Path(errand.folder) / errand.name
    if errand.name == "fragile" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return errand.name


def die_always(errand: Errand) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def short_or_long(errand: Errand) -> None:
    if errand.name == "long":
        (Path(errand.folder) / "pid").write_text(str(os.getpid()))
        time.sleep(10 * PATIENCE_S)


def the_signature_is_the_shared_one(run: Run) -> None:
    shared = {"workers": None, "threads": 1, "address": None}
    parameters = inspect.signature(run).parameters
    assert list(parameters) == ["tasks", "work", *shared]
    assert {name: parameters[name].default for name in shared} == shared


def no_task_is_no_work(run: Run) -> None:
    assert list(run([], double_name, workers=2)) == []


def each_task_runs_once_and_comes_with_its_result(run: Run) -> None:
    tasks = [Errand(name) for name in "abcdefg"]
    results = list(run(tasks, double_name, workers=2))
    assert Counter(results) == Counter((task, task.name * 2) for task in tasks)


def a_task_runs_after_the_tasks_that_it_names(run: Run) -> None:
    tasks = [Errand("c", after=("a", "b")), Errand("a"), Errand("b", after=("a",))]
    results = list(run(tasks, double_name, workers=2))
    assert [task.name for task, _ in results] == ["a", "b", "c"]
    assert [result for _, result in results] == ["aa", "bb", "cc"]


def a_task_does_not_wait_for_one_of_an_earlier_run(run: Run) -> None:
    results = list(run([Errand("b", after=("a",)), Errand("c", after=("a", "b"))], double_name, workers=2))
    assert [task.name for task, _ in results] == ["b", "c"]


def an_error_of_the_work_reaches_the_caller_as_itself(run: Run) -> None:
    with pytest.raises(CounterpointError, match=r"^no such$") as raised:
        list(run([Errand("such")], refuse, workers=1))
    assert type(raised.value) is CounterpointError


def a_relative_path_means_the_same_in_a_worker(run: Run) -> None:
    assert [result for _, result in run([Errand("a")], working_folder, workers=1)] == [str(Path.cwd())]


def no_more_tasks_run_at_once_than_there_are_workers(run: Run) -> None:
    starts_s = sorted(result for _, result in run([Errand(name) for name in "abc"], start_of_a_busy_time, workers=1))
    assert all(later_s - earlier_s >= BUSY_S for earlier_s, later_s in pairwise(starts_s))


def an_address_without_a_cluster_is_refused_by_name(run: Run) -> None:
    with pytest.raises(ConfigError, match=NOBODY):
        list(run([Errand("a")], double_name, workers=1, address=NOBODY))


def a_task_whose_process_was_killed_is_done_again_and_none_is_lost(run: Run) -> None:
    with TemporaryDirectory() as folder:
        tasks = [Errand(name, folder=folder) for name in ("one", "fragile", "two", "three")]
        results = list(run(tasks, die_once, workers=2))
        assert (Path(folder) / "fragile").exists()
    assert Counter(results) == Counter((task, task.name) for task in tasks)


def a_task_that_kills_its_process_three_times_is_given_up_by_name(run: Run) -> None:
    with pytest.raises(CounterpointError, match="process of doomed died 3 times"):
        list(run([Errand("doomed")], die_always, workers=1))


def workers_are_capped_and_the_environment_stays_as_it_was(run: Run) -> None:
    with temporary_environment({"OMP_NUM_THREADS": "7"}):
        [(_, cap)] = run([Errand("a")], thread_cap, workers=1, threads=3)
        assert cap == "3"
        assert os.environ["OMP_NUM_THREADS"] == "7"


def closing_the_results_ends_the_tasks_that_run(run: Run) -> None:
    with TemporaryDirectory() as folder:
        results = run([Errand("short"), Errand("long", folder=folder)], short_or_long, workers=2)
        assert next(results)[0].name == "short"
        pid = _pid_of_long(folder)
        results.close()
        _wait_until(lambda: not _is_alive(pid))


def an_interrupt_is_seen_while_no_task_ends(run: Run) -> None:
    with TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, *map(repr, sys.path), run.__module__, run.__name__, folder],
            stderr=subprocess.PIPE,
        )
        _pid_of_long(folder, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert errors.endswith(b"KeyboardInterrupt\n")


INTERRUPTED = """\
import sys
from ast import literal_eval
*path, module, name, folder = sys.argv[1:]
sys.path[:] = map(literal_eval, path)
import polars  # it sets a handler of its own, after which a wait without end sees no interrupt
from importlib import import_module
from engine_contract import Errand, short_or_long
list(getattr(import_module(module), name)([Errand("long", folder=folder)], short_or_long, workers=1))
"""

ALWAYS: tuple[Callable[[Run], None], ...] = (
    the_signature_is_the_shared_one,
    no_task_is_no_work,
    each_task_runs_once_and_comes_with_its_result,
    a_task_runs_after_the_tasks_that_it_names,
    a_task_does_not_wait_for_one_of_an_earlier_run,
    an_error_of_the_work_reaches_the_caller_as_itself,
    a_relative_path_means_the_same_in_a_worker,
    no_more_tasks_run_at_once_than_there_are_workers,
    an_address_without_a_cluster_is_refused_by_name,
)
"""The parts that every engine meets."""

OF_PROCESSES: tuple[Callable[[Run], None], ...] = (
    a_task_whose_process_was_killed_is_done_again_and_none_is_lost,
    a_task_that_kills_its_process_three_times_is_given_up_by_name,
    workers_are_capped_and_the_environment_stays_as_it_was,
    closing_the_results_ends_the_tasks_that_run,
    an_interrupt_is_seen_while_no_task_ends,
)
"""The parts that only an engine with processes of its own can meet."""


def contract_of(run: Run) -> tuple[Callable[[Run], None], ...]:
    """Return the parts of the contract that this engine must meet."""
    return ALWAYS + OF_PROCESSES if has_processes(run) else ALWAYS


@cache
def has_processes(run: Run) -> bool:
    """Return whether the work of this engine is done outside this process."""
    [(_, pid)] = run([Errand("a")], process_id, workers=1)
    return pid != os.getpid()


def _pid_of_long(folder: str, process: subprocess.Popen[bytes] | None = None) -> int:
    """Return the process that does the long errand, when it has begun.  *process* must not end before."""
    path = Path(folder) / "pid"

    def has_begun() -> bool:
        assert process is None or process.poll() is None
        return path.exists() and path.read_text() != ""  # it is there before it is written

    _wait_until(has_begun)
    return int(path.read_text())


def _is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until(is_so: Callable[[], bool]) -> None:
    """Return when *is_so* returns True.  Fail after a minute."""
    end_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.02)
