"""Acquisitions in a process group of their own, killed at some moment, and what they must have made in the end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from acquire_material import config, events, shard_hashes, slots
from counterpoint.acquire.account import read_account
from counterpoint.store import Store

RUN = "import sys; from counterpoint.acquire.acquisition import open_acquisition; open_acquisition(sys.argv[1]).run()"
"""What `counterpoint acquire run` does; a mistake is a traceback here."""
BOUND_S = 120.0


class Study:
    """An acquisition of *urls* in a folder, run by processes of its own."""

    def __init__(self, folder: Path, urls: list[str], **settings) -> None:
        self.folder, self.n_rows = folder, len(urls)
        rules = config(folder, urls, **settings)
        self.out = Path(rules.output)
        self.file = folder / "acquire.yaml"
        self.file.write_text(yaml.safe_dump(rules.model_dump(mode="json")))

    @contextmanager
    def running(self, *, command: list[str] | None = None) -> Iterator[subprocess.Popen]:
        """Run it in a process group of its own; at the end of the block nothing of it is left."""
        command = command or [sys.executable, "-c", RUN]
        errors = (self.folder / "errors.txt").open("ab")
        with errors, subprocess.Popen([*command, str(self.file)], start_new_session=True, stderr=errors) as process:
            try:
                yield process
            finally:
                kill_group(process)

    def finish(self) -> None:
        """Run it until it is done."""
        with self.running() as process:
            assert process.wait(BOUND_S) == 0, (self.folder / "errors.txt").read_text()

    def n_committed(self) -> int:
        return len(list((self.out / "shards").glob("*.json")))

    def problems(self, expected: dict[str, str]) -> list[str]:
        """Return in what this differs from an uninterrupted run, whose shards have these hashes."""
        account, found = read_account(Store(self.out)), slots(self.out)
        checks = {
            f"slots lost: {set(range(self.n_rows)) - set(found)}": set(found) != set(range(self.n_rows)),
            "slots twice": len(found) != len(set(found)),
            "shards differ": shard_hashes(self.out) != expected,
            f"the account is {account.statuses}": account.done != self.n_rows,
            "suspects left": bool(list(self.out.rglob("*.suspects"))),
            "drafts left": bool(list(self.out.rglob("shards/.*.tmp"))),
        }
        return [problem for problem, is_there in checks.items() if is_there]


def kill_worker(process: subprocess.Popen) -> None:
    """Kill one process that decodes, as soon as there is one."""
    until = time.monotonic() + 10
    while not (workers := workers_of(process.pid)) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    if workers:
        _kill(os.kill, workers[-1])


def kill_worker_of_a_cluster(study: "Study") -> None:
    """Kill the process that began the newest shard which is not committed."""
    logs = sorted((study.out / "events").glob("*.jsonl"), key=lambda log: log.stat().st_mtime)
    names = [log.stem for log in logs if not (study.out / "shards" / f"{log.stem}.json").exists()]
    _kill(os.kill, events(study.out, names[-1])[0]["pid"])


def kill_parent(process: subprocess.Popen) -> None:
    """Kill the process that the user started; its workers find out by themselves."""
    _kill(os.kill, process.pid)


def kill_group(process: subprocess.Popen) -> None:
    """Kill all of it."""
    _kill(os.killpg, process.pid)


KINDS: dict[str, Callable[[subprocess.Popen], None]] = {
    "worker": kill_worker,
    "parent": kill_parent,
    "group": kill_group,
}


def _kill(kill: Callable[[int, int], None], pid: int) -> None:
    with suppress(ProcessLookupError):
        kill(pid, signal.SIGKILL)


def workers_of(pid: int) -> list[int]:
    """Return the spawned processes of *pid* that are not the tracker of its resources."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def interrupted(study: Study, kind: str, moment: Callable[[subprocess.Popen], None]) -> int:
    """Run *study*, kill at the *moment* that returns, resume until done; return how many shards were committed then."""
    with study.running() as process:
        moment(process)
        n_committed = study.n_committed()
        KINDS[kind](process)
        if kind == "worker":
            assert process.wait(BOUND_S) == 0, (study.folder / "errors.txt").read_text()
        else:
            process.wait(BOUND_S)
    study.finish()
    return n_committed
