"""Every engine meets the contract of `engine_contract`, and single engines meet further promises."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import engine_contract
from counterpoint.engines import ENGINES, engine
from counterpoint.engines.caps import WORKER
from counterpoint.errors import ConfigError
from engine_contract import (
    ALWAYS,
    BUSY_S,
    OF_PROCESSES,
    Errand,
    contract_of,
    double_name,
    gpus_in_a_busy_time,
    worker_of_a_busy_time,
)  # fmt: skip

pytestmark = pytest.mark.slow

UNCONNECTED = (engine_contract.an_address_without_a_cluster_is_refused_by_name,)
"""The parts in which Ray may not be connected to a cluster yet: they run in a process of their own."""


@pytest.mark.parametrize("part", [*ALWAYS, *OF_PROCESSES], ids=lambda part: part.__name__)
@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_meets_the_contract(name, part, request, monkeypatch):
    if name == "ray" and part in UNCONNECTED:
        pytest.skip("tested in a process that is not connected to a cluster")
    if name == "ray":
        cluster = request.getfixturevalue("cluster")
        # A process that a part starts joins this cluster: another one takes many seconds to start.
        monkeypatch.setenv("RAY_ADDRESS", cluster.get_runtime_context().gcs_address)
    run = engine(name)
    if part not in contract_of(run):
        pytest.skip("this engine has no processes of its own")
    part(run)


def test_engines_with_processes_are_recognised(cluster):
    assert [engine_contract.has_processes(engine(name)) for name in ("inline", "local", "ray")] == [False, True, True]


def test_a_pool_that_breaks_while_a_process_is_started_is_replaced(monkeypatch):
    def breaking(pool, *task):
        submitted.append(task)
        if len(submitted) == 2:
            raise OSError("handle is closed")
        return submit(pool, *task)

    submit, submitted = ProcessPoolExecutor.submit, []
    monkeypatch.setattr(ProcessPoolExecutor, "submit", breaking)
    results = [result for _, result in engine("local")([Errand("a"), Errand("b")], double_name, workers=2)]
    assert sorted(results) == ["aa", "bb"]
    assert len(submitted) == 3


def test_workers_of_this_machine_have_numbers_from_0_and_one_that_replaces_another_has_its_number(tmp_path):
    tasks = [Errand("fragile", folder=str(tmp_path)), Errand("sound")]
    numbers = [number for _, number in engine("local")(tasks, worker_of_a_busy_time, workers=2)]
    assert sorted(numbers) == ["0", "1"]
    assert (tmp_path / "fragile").exists()
    assert WORKER not in os.environ


@pytest.mark.parametrize("name", ["local", "inline"])
def test_an_engine_of_this_machine_refuses_an_address(name):
    with pytest.raises(ConfigError, match=rf"{name} engine .* 'head:6379' needs engine: ray"):
        list(engine(name)([Errand("a")], double_name, address="head:6379"))


def run_without_threads(tasks, work, *, workers=None):
    return iter(())


@pytest.mark.parametrize("path", ["run_without_threads", "Path", "ALWAYS"])
def test_an_engine_that_is_no_function_of_its_parameters_is_refused(path):
    with pytest.raises(ConfigError, match=rf"{path}' is no engine\. It must be a function run\(tasks, work"):
        engine(f"{__name__}:{path}")


def test_an_unknown_engine_names_its_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'local'"):
        engine("locale")


# Ray: in processes of their own, because this one stays connected for the contract.

DO_TWO = """
from engine_contract import Errand, double_name
from counterpoint.engines import engine
from counterpoint.errors import CounterpointError
try:
    for task, result in engine("ray")([Errand("a"), Errand("b", n_gpus=1)], double_name, workers=2):
        print(task.name, result)
except CounterpointError as error:
    print(type(error).__name__, error)
"""


UNCONNECTED_PART = """
import engine_contract
from counterpoint.engines import engine
engine_contract.{part}(engine("ray"))
"""


def run_ray(code=DO_TWO, **variables):
    """Return the lines that *code* prints in a process that is not connected to a cluster."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=120,
        cwd=Path(engine_contract.__file__).parent, env=os.environ | variables,
    )  # fmt: skip
    assert run.stderr == ""
    return run.stdout.splitlines()


@pytest.mark.parametrize("part", [part.__name__ for part in UNCONNECTED])
def test_ray_meets_the_rest_of_the_contract_without_a_cluster(part):
    assert run_ray(UNCONNECTED_PART.format(part=part)) == []


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_ray_joins_the_cluster_that_the_environment_names_and_leaves_it_running(cluster):
    address = cluster.get_runtime_context().gcs_address
    assert sorted(run_ray(RAY_ADDRESS=address)) == ["a aa", "b bb"]
    assert cluster.cluster_resources()["CPU"] == 2


def test_on_ray_a_task_has_a_gpu_for_itself_or_sees_none(cluster):
    tasks = [Errand("a", n_gpus=1), Errand("b", n_gpus=1), Errand("c"), Errand("d")]
    results = {task.name: result for task, result in engine("ray")(tasks, gpus_in_a_busy_time, workers=4)}
    assert {name: gpus for name, (gpus, _) in results.items()} == {"a": "0", "b": "0", "c": "", "d": ""}
    assert abs(results["a"][1] - results["b"][1]) >= BUSY_S  # the cluster has one GPU


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
    ("address", "message"),
    [
        (None, "No Ray cluster answers at '127.0.0.1:{port}': Connection refused."),
        ("nonsense", "The address of a Ray cluster is like 10.0.0.1:6379, auto or local, but got 'nonsense'."),
        ("head:99999", "The address of a Ray cluster is like 10.0.0.1:6379, auto or local, but got 'head:99999'."),
    ],
)
def test_an_address_where_no_cluster_is_is_one_line(address, message):
    port = free_port()
    assert run_ray(RAY_ADDRESS=address or f"127.0.0.1:{port}") == [f"ConfigError {message.format(port=port)}"]


def test_ray_without_its_extra_is_one_line(monkeypatch):
    monkeypatch.delitem(sys.modules, "counterpoint.engines.ray", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"Cannot load engine 'ray'.*it needs the extra counterpoint\[ray\]"):
        engine("ray")
