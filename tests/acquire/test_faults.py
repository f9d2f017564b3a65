"""Killed, out of space, or with a worker of its cluster lost: no slot is lost, none comes twice, bytes are the same."""

import random
import resource
import subprocess
import sys
import time
from functools import partial

import pytest

from acquire_kills import BOUND_S, KINDS, Study, interrupted, kill_worker_of_a_cluster
from acquire_material import Host, events, host, shard_hashes
from counterpoint.acquire.acquisition import open_acquisition

pytestmark = pytest.mark.slow

N_ROWS = 120
SETTINGS = {
    "shard_rows": 12,
    "fetch": {"connections": 4, "per_host": 4},
    "run": {"engine": "local", "workers": 2, "shards_at_once": 3},
}
COMMAND = [sys.executable, "-m", "counterpoint", "acquire", "run"]


@pytest.fixture(scope="module")
def server():
    with host(delay_s=0.03) as server:
        yield server


def study(folder, server: Host, **settings) -> Study:
    kinds = ("ok", "ok", "ok", "404")
    urls = [server.url(f"{kinds[number % 4]}/{number}.jpg") for number in range(N_ROWS)]
    return Study(folder, urls, **(SETTINGS | settings))


@pytest.fixture(scope="module")
def expected(server, tmp_path_factory):
    """The hashes of the shards of an uninterrupted run."""
    whole = study(tmp_path_factory.mktemp("whole"), server)
    open_acquisition(whole.file, overrides=("run.engine=inline",)).run()
    return shard_hashes(whole.out)


def a_moment_after_the_first_shard(process, *, of, seed):
    until = time.monotonic() + BOUND_S
    while not of.n_committed() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(random.Random(seed).uniform(0, 0.3))


@pytest.mark.parametrize("kind", KINDS)
def test_killed_and_resumed_it_is_as_if_nothing_had_happened(kind, server, expected, tmp_path):
    killed = study(tmp_path, server)
    n_committed = interrupted(killed, kind, partial(a_moment_after_the_first_shard, of=killed, seed=kind))
    assert 0 < n_committed < N_ROWS // 12
    assert killed.problems(expected) == []


def test_on_ray_a_worker_that_was_killed_costs_nothing_either(server, expected, tmp_path):
    pytest.importorskip("ray")
    killed = study(tmp_path, server, run={"engine": "ray", "address": "local", "workers": 2, "shards_at_once": 3})
    with killed.running() as process:
        a_moment_after_the_first_shard(process, of=killed, seed="ray")
        n_committed = killed.n_committed()
        kill_worker_of_a_cluster(killed)
        assert process.wait(BOUND_S) == 0, (tmp_path / "errors.txt").read_text()
    assert 0 < n_committed < N_ROWS // 12
    begun = [
        event["pid"]
        for path in killed.out.glob("events/*")
        for event in events(killed.out, path.stem)
        if "pid" in event
    ]
    assert len(begun) > N_ROWS // 12
    assert killed.problems(expected) == []


def refused(study: Study, command=COMMAND, **limits) -> str:
    """Run the command, which must end with exit code 1, and return what it says."""
    run = subprocess.run(
        [*command, str(study.file)], capture_output=True, text=True, timeout=BOUND_S, check=False, **limits
    )
    assert run.returncode == 1, run.stderr
    return run.stderr


def limit_files(n_bytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def test_where_a_shard_has_no_space_one_line_says_so_and_the_same_command_finishes_later(server, tmp_path, expected):
    short = study(tmp_path, server)
    output = refused(short, preexec_fn=partial(limit_files, 30_000))
    assert "No space left" in output
    assert len(output.strip().splitlines()[-1]) < 400
    assert "Traceback" not in output
    short.finish()
    assert short.problems(expected) == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 300 KB, and how to enlarge it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = partial(subprocess.run, capture_output=True, check=False)
    if mount(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(disk)]).returncode:
        pytest.skip("a file system can be mounted by root only, and not in every container")
    yield disk, lambda: mount(["mount", "-o", "remount,size=30m", str(disk)])
    mount(["umount", "-l", str(disk)])


def test_a_full_disk_is_one_line_and_the_same_command_finishes_when_there_is_space(
    server, small_disk, tmp_path, expected
):
    disk, enlarge = small_disk
    short = study(tmp_path, server, output=str(disk / "out"))
    output = refused(short)
    assert "No space left" in output
    assert "Traceback" not in output
    enlarge()
    short.finish()
    assert short.problems(expected) == []
