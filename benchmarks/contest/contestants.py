"""The contestants: the command of each, and the count of its images."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

import polars as pl
import yaml

from contest.server import NETWORK, Server

HERE = Path(__file__).parent
WORKERS, THREADS = 2, 32


@dataclass(frozen=True)
class Job:
    """One list for one contestant: *list_file* lacks its ending, and exists as ``.parquet`` and as ``.txt``."""

    list_file: Path
    n: int
    out: Path
    server: Server
    i2d_python: str | None
    env: Mapping[str, str]

    @property
    def shard_rows(self) -> int:
        """Two shards per process, so that both processes are busy to the end."""
        return -(-self.n // (2 * WORKERS))


@dataclass(frozen=True)
class Contestant:
    """*command* returns the command line, and *count* the number of images after the run."""

    keep: str
    command: Callable[[Job, str], list[str]]
    count: Callable[[Job, str], int]
    is_slow: bool = False
    """Whether the contestant gets only a tenth of the list."""
    settings: tuple[str, ...] = ("http", "https", "latency")
    """The settings in which the contestant takes part."""


def ours(job: Job, keep: str) -> list[str]:
    """Return our command: two processes, with the default limits per host."""
    settings = {
        "acquisition": "bench",
        "input": str(job.list_file.with_suffix(".parquet")),
        "output": str(job.out / "acquired"),
        "keep": keep,
        "shard_rows": job.shard_rows,
        "guard": {"allow_address": [NETWORK]},
        "fetch": {"ca_file": str(job.server.ca_file)},
        "run": {"workers": WORKERS, "shards_at_once": 2},
    }
    file = job.out / "acquire.yaml"
    file.write_text(yaml.safe_dump(settings))
    return [str(Path(sys.executable).with_name("counterpoint")), "acquire", "run", str(file)]


def ours_count(job: Job, _: str) -> int:
    """Return the number of slots of the shards with status ok."""
    markers = (job.out / "acquired" / "shards").glob("*.json")
    return sum(json.loads(marker.read_text())["statuses"].get("ok", 0) for marker in markers)


def img2dataset(job: Job, keep: str) -> list[str]:
    """Return the command of img2dataset, with defaults for all other options."""
    assert job.i2d_python
    size = {"gray-64": "64 border", "jpeg-256": "256 keep_ratio", "jpeg-256 long side": "256 keep_ratio_largest"}[keep]
    options = {
        "url_list": job.list_file.with_suffix(".parquet"), "input_format": "parquet", "url_col": "URL",
        "caption_col": "TEXT", "image_size": size.split()[0], "resize_mode": size.split()[1],
        "output_folder": job.out / "acquired", "output_format": "webdataset", "processes_count": WORKERS,
        "thread_count": THREADS, "number_sample_per_shard": job.shard_rows, "enable_wandb": False,
    }  # fmt: skip
    run = "from img2dataset.main import main; main()"
    return [job.i2d_python, "-c", run, *(f"--{name}={value}" for name, value in options.items())]


def img2dataset_count(job: Job, _: str) -> int:
    """Return the number of successes in the statistics of img2dataset."""
    return sum(
        json.loads(file.read_text())["successes"] for file in sorted((job.out / "acquired").glob("*_stats.json"))
    )


def study(job: Job, _: str) -> list[str]:
    """Return the command of the study's loop, with cv2 if the Python of img2dataset has it."""
    python = job.i2d_python or sys.executable
    return [python, str(HERE / "study_loop.py"), str(job.list_file.with_suffix(".txt")), str(job.out / "pixels")]


def study_count(job: Job, _: str) -> int:
    """Return the number of images of 4,096 bytes."""
    return (job.out / "pixels").stat().st_size // 4096


CONTESTANTS = {
    "counterpoint gray-64": Contestant("gray-64", ours, ours_count),
    "img2dataset 64": Contestant("gray-64", img2dataset, img2dataset_count),
    "study's loop": Contestant("gray-64", study, study_count, is_slow=True),
    "counterpoint jpeg-256": Contestant("jpeg-256", ours, ours_count, settings=("http", "https")),
    # keep_ratio scales the short side to 256 px, so it encodes more pixels; keep_ratio_largest scales the long side.
    "img2dataset 256 keep_ratio": Contestant("jpeg-256", img2dataset, img2dataset_count, settings=("http", "https")),
    "img2dataset 256 keep_ratio_largest": Contestant(
        "jpeg-256 long side", img2dataset, img2dataset_count, settings=("http",)
    ),
}


def write_list(file: Path, urls: list[str]) -> None:
    """Write a list in the formats that the contestants read."""
    texts = [f"photo number {number}" for number in range(len(urls))]
    pl.DataFrame({"URL": urls, "TEXT": texts}).write_parquet(file.with_suffix(".parquet"))
    file.with_suffix(".txt").write_text("\n".join(urls))


def run(contestant: Contestant, job: Job) -> dict[str, Any]:
    """Run one contestant and return its seconds, the CPU seconds with its children, and the transfers."""
    job.out.mkdir(parents=True)
    command, log = contestant.command(job, contestant.keep), job.out / "log.txt"
    mark, start = job.server.mark(), time()
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file, env=dict(job.env)) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    end = time()
    seen = job.server.transfers_since(mark)
    n_ok = contestant.count(job, contestant.keep) if process.returncode == 0 else 0
    if n_ok != job.n or seen.n_ok < job.n:
        raise SystemExit(f"{command[:3]} has {n_ok} of {job.n} images, and nginx sent {seen.n_ok}. See {log}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return {"n": n_ok, "took_s": end - start, "after_start_s": end - seen.start, "cpu_s": cpu_s, **seen._asdict()}
