"""The engine on a Ray cluster: a Ray task for each task, bounded in flight; Ray does those again whose worker died.

Tasks must find their files on whichever node they run: on one machine they do, on many the folders are shared or in an
object store.
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

from counterpoint.engines import MAX_CRASHES, AnyTask, died, is_late, ready
from counterpoint.engines.caps import caps, environment
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
"""Of a cluster of our own: results are small, and the store must fit into the /dev/shm of a container."""
CLIENT_PORT = 10001
_AGAIN = object()
"""In place of the result of a task whose worker a time limit ended, as often as Ray does it again by itself."""


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
        *work* is a module-level function; a task may be given to it twice, when a worker died.
    workers
        *workers* is how many tasks are in flight; by default as many as the cluster's CPUs allow.  Name a number where
        a cluster grows with its demand.
    threads
        *threads* is how many CPUs a task takes, and caps its numeric libraries.
    address
        *address* is that of a cluster, such as ``10.0.0.1:6379`` or ``auto``; by default that of RAY_ADDRESS, else a
        cluster is started on this machine, and ended.  A process that is connected to a cluster already stays so.

    Raises
    ------
    ConfigError
        When no cluster answers at the address.
    CounterpointError
        When a worker died three times on the same task, the cluster failed, or a task names what a script defines.
    """
    if not tasks:
        return
    if needs_script(work, *tasks):
        raise CounterpointError("A Ray worker cannot import what the script itself defines; put it into a module.")
    with _connected(address, n_cpus=max(os.cpu_count() or 1, (workers or 0) * threads)):
        start, n_at_once = _starter(work, threads), workers or _n_at_once(threads)
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
            for left in running:  # interrupted: what runs now would be thrown away
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
        with environment({"RAY_USAGE_STATS_ENABLED": "0"}):
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **settings)
    except (Exception, SystemExit) as error:  # Ray leaves the process when a cluster does not answer
        raise ConfigError(f"Cannot connect to the Ray cluster at {address!r}: {_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_that_it_answers(address: str) -> None:
    """Raise `ConfigError` when nobody is at *address*: Ray itself would try for five minutes."""
    if address in ("local", "auto"):
        return
    where = urlsplit(address if "://" in address else f"//{address}")
    try:
        port = where.port or (CLIENT_PORT if where.scheme == "ray" else None)
    except ValueError:
        port = None
    if not where.hostname or not port:
        raise ConfigError(f"The address of a Ray cluster is like 10.0.0.1:6379, auto or local; got {address!r}.")
    try:
        socket.create_connection((where.hostname, port), timeout=ANSWERS_S).close()
    except OSError as error:
        raise ConfigError(f"No Ray cluster answers at {address!r}: {error.strerror or error}.") from error


def _cpus() -> list[int]:
    """Return how many CPUs each node has, of those that have any."""
    nodes: list[Any] = ray.nodes()  # type: ignore[no-untyped-call]
    found = [int(node["Resources"].get("CPU", 0)) for node in nodes if node["Alive"]]
    return [n for n in found if n]


def _n_at_once(threads: int) -> int:
    return max(1, sum(n // threads for n in _cpus()))


def _starter(work: Callable[[AnyTask], Result], threads: int) -> Callable[[AnyTask], Any]:
    """Return what sends a task to the cluster, and returns the reference of its result."""
    remote: Any = ray.remote(_do).options(
        num_cpus=min(threads, max(_cpus(), default=threads)),  # more than any node has would never start
        max_retries=MAX_CRASHES - 1,
        runtime_env={"env_vars": caps(threads)},
    )
    place = (str(Path.cwd()), tuple(sys.path))
    return lambda task: remote.remote(pickle.dumps((work, task)), *place)


def _do(sent: bytes, folder: str, path: Sequence[str]) -> Any:
    """Do a task in a worker; a relative path or a module of one's own is there what it is here, if the node has it."""
    expend_process()
    with suppress(OSError):
        os.chdir(folder)
    sys.path.extend(entry for entry in path if entry not in sys.path)
    work, task = pickle.loads(sent)
    return work(task)


def _result(reference: Any, task: AnyTask) -> Any:
    """Return what a task returned, or raise what it raised, as if it had been done here; or `_AGAIN`."""
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
