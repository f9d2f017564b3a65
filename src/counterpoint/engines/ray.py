"""The engine on a Ray cluster: a Ray task for each task, a bounded number at once, repeated when its worker dies.

Tasks must find their files on every node.  On several machines, folders must be shared or in an object store.
"""

import logging
import os
import pickle
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from counterpoint.engines import MAX_CRASHES, AnyTask, died, is_late, n_gpus_of, ready
from counterpoint.engines.caps import caps, temporary_environment
from counterpoint.engines.spawn import needs_script
from counterpoint.engines.time_limit import expend_process
from counterpoint.errors import ConfigError, CounterpointError

try:
    import ray
    from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, RayTaskError, WorkerCrashedError
except ModuleNotFoundError as error:
    if error.name != "ray":
        raise
    raise ImportError("it needs the extra counterpoint[ray]") from None

Result = TypeVar("Result")
ANSWERS_S = 10.0
OBJECT_STORE_BYTES = 80 << 20
"""Size for a cluster that this process starts: results are small, and it must fit into /dev/shm of a container."""
CLIENT_PORT = 10001
_AGAIN = object()
"""Replaces the result of a task when time limits ended its worker in all of Ray's own retries."""


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
        *work* is a module-level function.  It may receive a task twice, when a worker died.
    workers
        *workers* is the number of tasks in flight (default: as many as the CPUs of the cluster allow).  Name a number
        where a cluster grows with its demand.
    threads
        *threads* is the number of CPUs of a task, and caps its numeric libraries.  Its number of GPUs is `n_gpus_of`.
    address
        *address* is the address of a cluster, such as ``10.0.0.1:6379`` or ``auto`` (default: RAY_ADDRESS).  Without
        any address, a cluster is started on this machine, and ended.  A process that is already connected to a cluster
        keeps its connection.

    Raises
    ------
    ConfigError
        When no cluster answers at the address.
    CounterpointError
        When a worker died three times on one task, the cluster failed, or a task names something of the script.
    """
    if not tasks:
        return
    if needs_script(work, *tasks):
        raise CounterpointError("A Ray worker cannot import from the script itself. Put the definition into a module.")
    with _connected(address, n_cpus=max(os.cpu_count() or 1, (workers or 0) * threads)):
        yield from _results(tasks, _starter(work, threads), workers or _n_at_once(threads))


def _results(
    tasks: Sequence[AnyTask], start: Callable[[AnyTask], Any], n_at_once: int
) -> Iterator[tuple[AnyTask, Any]]:
    waiting, running = list(tasks), dict[Any, AnyTask]()
    try:
        while waiting or running:
            for task in ready(waiting, running.values())[: n_at_once - len(running)]:
                waiting.remove(task)
                running[start(task)] = task
            (done,), _ = ray.wait(list(running), num_returns=1)
            task = running.pop(done)
            result = _result(done, task)
            if result is _AGAIN:
                running[start(task)] = task
            else:
                yield task, result
    finally:
        for left in running:  # interrupted: the results would be thrown away
            ray.cancel(left, force=True)


@contextmanager
def _connected(address: str | None, *, n_cpus: int) -> Iterator[None]:
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    own = {"num_cpus": n_cpus, "include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    settings: dict[str, Any] = own if address == "local" else {}
    _check_that_it_answers(address)
    try:
        with temporary_environment({"RAY_USAGE_STATS_ENABLED": "0"}):
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **settings)
    except (Exception, SystemExit) as error:  # Ray leaves the process when a cluster does not answer
        raise ConfigError(f"Cannot connect to the Ray cluster at {address!r}: {_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_that_it_answers(address: str) -> None:
    """Raise `ConfigError` when no cluster answers at *address*: Ray itself would try for five minutes."""
    if address in ("local", "auto"):
        return
    where = urlsplit(address if "://" in address else f"//{address}")
    try:
        port = where.port or (CLIENT_PORT if where.scheme == "ray" else None)
    except ValueError:
        port = None
    if not where.hostname or not port:
        raise ConfigError(f"The address of a Ray cluster is like 10.0.0.1:6379, auto or local, but got {address!r}.")
    try:
        socket.create_connection((where.hostname, port), timeout=ANSWERS_S).close()
    except OSError as error:
        raise ConfigError(f"No Ray cluster answers at {address!r}: {error.strerror or error}.") from error


def _most(resource: str, wanted: int) -> int:
    """Return the *wanted* number of CPUs or GPUs, or as many as a node has: a task of more would never start."""
    return min(wanted, max(_on_nodes(resource), default=0))


def _on_nodes(resource: str) -> list[int]:
    """Return the number of CPUs or GPUs of each node that has any."""
    nodes: list[Any] = ray.nodes()  # type: ignore[no-untyped-call]
    found = [int(node["Resources"].get(resource, 0)) for node in nodes if node["Alive"]]
    return [n for n in found if n]


def _n_at_once(threads: int) -> int:
    return max(1, sum(n // threads for n in _on_nodes("CPU")))


def _starter(work: Callable[[AnyTask], Result], threads: int) -> Callable[[AnyTask], Any]:
    """Return a function that sends a task to the cluster and returns the reference of its result."""
    place = (str(Path.cwd()), tuple(sys.path))
    n_cpus, remote = _most("CPU", threads) or threads, ray.remote(_do)

    def start(task: AnyTask) -> Any:
        wanted = n_gpus_of(task)
        n_gpus = _most("GPU", wanted) if wanted else 0  # asks the cluster
        hidden = {} if n_gpus else {"CUDA_VISIBLE_DEVICES": ""}  # another task may have the GPUs of the node
        own: Any = remote.options(
            num_cpus=n_cpus, num_gpus=n_gpus, max_retries=MAX_CRASHES - 1,
            runtime_env={"env_vars": caps(threads) | hidden},
        )  # fmt: skip
        return own.remote(pickle.dumps((work, task)), *place)

    return start


def _do(sent: bytes, folder: str, path: Sequence[str]) -> Any:
    """Do a task in a worker, with the working folder and the import path of the caller, if the node has them."""
    expend_process()
    with suppress(OSError):
        os.chdir(folder)
    sys.path.extend(entry for entry in path if entry not in sys.path)
    work, task = pickle.loads(sent)
    return work(task)


def _result(reference: Any, task: AnyTask) -> Any:
    """Return the result of a task, or `_AGAIN`.  An error of the task is raised as itself."""
    try:
        return ray.get(reference)
    except RayTaskError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, ModuleNotFoundError | RayError):
            raise CounterpointError(f"A Ray worker cannot do {task.name}: {_line(cause)}") from error
        raise cause or error from error
    except (WorkerCrashedError, OutOfMemoryError, NodeDiedError) as error:
        if is_late(task):
            return _AGAIN
        raise died(task.name) from error
    except RayError as error:
        raise CounterpointError(f"Ray failed at {task.name}: {_line(error)}") from error


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
