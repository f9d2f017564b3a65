"""Engines give each task once, in an order that respects what comes after what, and survive a dead process."""

import inspect
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from counterpoint.engines import ENGINES, engine
from counterpoint.errors import ConfigError, CounterpointError


@dataclass(frozen=True)
class Errand:
    name: str
    after: tuple[str, ...] = ()
    folder: str = ""


def double_name(errand: Errand) -> str:
    return errand.name * 2


def die_once(errand: Errand) -> int:
    mark = Path(errand.folder) / errand.name
    if errand.name == "fragile" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die_always(errand: Errand) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def caps(errand: Errand) -> str:
    return os.environ["OMP_NUM_THREADS"]


def refuse(errand: Errand) -> None:
    raise CounterpointError(f"no {errand.name}")


def busy(errand: Errand) -> float:
    began = time.monotonic()
    time.sleep(0.3)
    return began


def short_or_long(errand: Errand) -> None:
    if errand.name == "long":
        (Path(errand.folder) / "pid").write_text(str(os.getpid()))
        time.sleep(600)


def here(errand: Errand) -> str:
    return str(Path.cwd())


@pytest.fixture
def run(request):
    """Return an engine by its name."""
    if request.param == "ray":
        request.getfixturevalue("cluster")
    return engine(request.param)


every_engine = pytest.mark.parametrize("run", list(ENGINES), indirect=True)
engines_of_processes = pytest.mark.parametrize("run", ["local", "ray"], indirect=True)


@every_engine
def test_a_task_is_done_after_those_it_names(run):
    tasks = [Errand("c", after=("a", "b")), Errand("a"), Errand("b", after=("a",))]
    results = list(run(tasks, double_name, workers=2))
    assert [task.name for task, _ in results] == ["a", "b", "c"]
    assert [result for _, result in results] == ["aa", "bb", "cc"]


@every_engine
def test_a_task_does_not_wait_for_one_that_an_earlier_run_has_done(run):
    results = list(run([Errand("b", after=("a",)), Errand("c", after=("a", "b"))], double_name, workers=2))
    assert [task.name for task, _ in results] == ["b", "c"]


@every_engine
def test_no_task_is_no_work(run):
    assert list(run([], double_name, workers=2)) == []


@every_engine
def test_a_mistake_in_a_worker_reaches_the_caller_as_itself(run):
    with pytest.raises(CounterpointError, match=r"^no such$") as raised:
        list(run([Errand("such")], refuse, workers=1))
    assert type(raised.value) is CounterpointError


@every_engine
def test_engines_share_one_signature(run):
    shared = {"workers": None, "threads": 1, "address": None}
    parameters = inspect.signature(run).parameters
    assert list(parameters) == ["tasks", "work", *shared]
    assert {name: parameters[name].default for name in shared} == shared


@every_engine
def test_a_relative_path_means_the_same_in_a_worker(run):
    assert [result for _, result in run([Errand("a")], here, workers=1)] == [str(Path.cwd())]


@engines_of_processes
def test_a_task_whose_process_was_killed_is_done_again_and_none_is_lost(run, tmp_path):
    tasks = [Errand(name, folder=str(tmp_path)) for name in ("one", "fragile", "two", "three")]
    results = list(run(tasks, die_once, workers=2))
    assert sorted(task.name for task, _ in results) == ["fragile", "one", "three", "two"]
    assert (tmp_path / "fragile").exists()


def test_a_pool_that_breaks_while_a_process_is_started_is_made_anew(monkeypatch):
    def breaking(pool, *task):
        if len(asked) == 1:
            asked.append(task)
            raise OSError("handle is closed")
        asked.append(task)
        return submit(pool, *task)

    submit, asked = ProcessPoolExecutor.submit, []
    monkeypatch.setattr(ProcessPoolExecutor, "submit", breaking)
    results = [result for _, result in engine("local")([Errand("a"), Errand("b")], double_name, workers=2)]
    assert sorted(results) == ["aa", "bb"]
    assert len(asked) == 3


@engines_of_processes
def test_a_task_that_kills_its_process_three_times_is_given_up_with_its_name(run):
    with pytest.raises(CounterpointError, match="process of doomed died 3 times"):
        list(run([Errand("doomed")], die_always, workers=1))


@engines_of_processes
def test_workers_are_capped_and_the_environment_is_left_as_it_was(run, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    (result,) = list(run([Errand("a")], caps, workers=1, threads=3))
    assert result[1] == "3"
    assert os.environ["OMP_NUM_THREADS"] == "7"


@engines_of_processes
def test_no_more_tasks_run_at_once_than_there_are_workers(run):
    began = sorted(result for _, result in run([Errand(name) for name in "abc"], busy, workers=1))
    assert all(later - earlier >= 0.3 for earlier, later in pairwise(began))


@engines_of_processes
def test_whoever_stops_reading_results_ends_what_runs(run, tmp_path):
    results = run([Errand("short"), Errand("long", folder=str(tmp_path))], short_or_long, workers=2)
    assert next(results)[0].name == "short"
    until = time.monotonic() + 60
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):  # it is there before it is written
        assert time.monotonic() < until
        time.sleep(0.02)
    results.close()
    pid = int((tmp_path / "pid").read_text())
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_an_interrupt_is_heard_while_no_task_ends(tmp_path):
    code = (
        "import polars\n"  # it sets a handler of its own, after which a wait without end hears nothing
        "from counterpoint.engines import engine\n"
        "from test_engines import Errand, short_or_long\n"
        f"list(engine('local')([Errand('long', folder={str(tmp_path)!r})], short_or_long, workers=1))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, cwd=Path(__file__).parent)
    until = time.monotonic() + 60
    while not (tmp_path / "pid").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert said.endswith(b"KeyboardInterrupt\n")


@pytest.mark.parametrize("name", ["local", "inline"])
def test_an_engine_of_this_machine_refuses_an_address(name):
    with pytest.raises(ConfigError, match=rf"{name} engine .* 'head:6379' needs engine: ray"):
        list(engine(name)([Errand("a")], double_name, address="head:6379"))


def test_an_unknown_engine_names_its_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'local'"):
        engine("locale")


# Ray: in processes of their own, because the connection of this one is the contract's.

RAY = """
import sys
from counterpoint.engines import engine
from counterpoint.errors import CounterpointError
try:
    for task, result in engine("ray")([Errand("a"), Errand("b")], double_name, workers=2):
        print(task.name, result)
except CounterpointError as error:
    print(type(error).__name__, error)
"""


def run_ray(**variables):
    """Return what the engine says in a process that is not connected to a cluster."""
    code = f"from test_engines import Errand, double_name\n{RAY}"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=120,
        cwd=Path(__file__).parent, env=os.environ | variables,
    )  # fmt: skip
    assert run.stderr == ""
    return run.stdout.splitlines()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_ray_joins_the_cluster_that_the_environment_names_and_leaves_it_running(cluster):
    address = cluster.get_runtime_context().gcs_address
    assert sorted(run_ray(RAY_ADDRESS=address)) == ["a aa", "b bb"]
    assert cluster.cluster_resources()["CPU"] == 2


def test_ray_starts_a_cluster_of_its_own_and_ends_it():
    before = ray_processes()
    assert sorted(run_ray(RAY_ADDRESS="")) == ["a aa", "b bb"]
    assert ray_processes() == before


def ray_processes():
    """Return the ids of the processes that hold Ray clusters together."""
    found = (path for path in Path("/proc").iterdir() if path.name.isdigit())
    return {path.name for path in found if is_ray(path)}


def is_ray(process):
    try:
        return Path((process / "cmdline").read_text().split("\0")[0]).name in {"raylet", "gcs_server"}
    except OSError:  # it has ended meanwhile
        return False


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (None, "No Ray cluster answers at '127.0.0.1:{port}': Connection refused."),
        ("nonsense", "The address of a Ray cluster is like 10.0.0.1:6379, auto or local; got 'nonsense'."),
        ("head:99999", "The address of a Ray cluster is like 10.0.0.1:6379, auto or local; got 'head:99999'."),
    ],
)
def test_an_address_where_no_cluster_is_is_one_line(address, says):
    port = free_port()
    assert run_ray(RAY_ADDRESS=address or f"127.0.0.1:{port}") == [f"ConfigError {says.format(port=port)}"]


def test_ray_without_its_extra_is_one_line(monkeypatch):
    monkeypatch.delitem(sys.modules, "counterpoint.engines.ray", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"Cannot load engine 'ray'.*it needs the extra counterpoint\[ray\]"):
        engine("ray")
