"""Measure rate and memory of an acquisition over many rows: `scale.py [N]`, with 100,000 rows for a figure.

The acquisition fetches N different URLs of 2,000 photos from nginx on loopback, with two workers and `keep: gray-64`.
The benchmark prints the rate in each tenth of the time in which all workers were busy, and the peak memory of each
process.  The exit code is 1 if the last tenth is slower than 90 % of the second tenth (the first one warms up).  It is
also 1 if all processes together use more than 1 GB.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import time

import numpy as np
import polars as pl

from contest.server import ECHO, NETWORK, NGINX, serving
from counterpoint.acquire.account import Account
from counterpoint.acquire.acquisition import Acquisition
from counterpoint.config.acquire import AcquireConfig
from photos import write_photos

N = 2_000
N_PHOTOS, SMALL = 2_000, 200
WORKERS = 2
MAX_MB, MIN_RATIO = 1000, 0.9
SAMPLE_S = 0.2

Progress = tuple[float, int]
"""A time in seconds since the epoch, and the number of rows that had ended."""


def main() -> None:
    """Acquire N rows and print both tables."""
    if NGINX is None or not ECHO.exists():
        print("Not run: the benchmark needs the Debian packages nginx-light and libnginx-mod-http-echo.")
        return
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else N
    with TemporaryDirectory() as name:
        folder = Path(name)
        n_photos = write_photos(folder / "photos", N_PHOTOS if n_rows > N else SMALL)["n"]
        with serving(folder / "photos", folder) as server:
            progress: list[Progress] = []
            on_account = partial(note, progress)
            acquisition = Acquisition(settings(folder, server.urls("http", n_rows, n_photos)), on_account=on_account)
            with peaks() as peak_mb:
                account = acquisition.run()
            rates = rates_of_tenths(progress, end=first_end_of_work(folder / "out"))
    print(f"{n_rows:,} rows: {dict(account.statuses)}, {account.pace.rows_per_s_overall:,.0f} rows/s overall")
    sys.exit(print_rates(rates) + print_memory(peak_mb) > 0)


def settings(folder: Path, urls: list[str]) -> AcquireConfig:
    """Return the acquisition of *urls*, in twenty shards."""
    pl.DataFrame({"URL": urls, "TEXT": [f"photo {number}" for number in range(len(urls))]}).write_parquet(
        folder / "list.parquet"
    )
    n_shard = max(1, len(urls) // 20)
    return AcquireConfig.read({
        "acquisition": "scale", "input": str(folder / "list.parquet"), "output": str(folder / "out"),
        "guard": {"allow_address": [NETWORK]}, "keep": "gray-64", "shard_rows": n_shard,
        "run": {"workers": WORKERS, "shards_at_once": 20},
    })  # fmt: skip


def first_end_of_work(out: Path) -> float:
    """Return the time at which the first worker had no more shards. Later rates exclude that worker."""
    logs = [json.loads(line) for log in sorted((out / "events").glob("*.jsonl")) for line in log.open()]
    ends = [datetime.fromisoformat(event["time"]).timestamp() for event in logs if event["event"] == "committed"]
    n_each = len(ends) // WORKERS  # each worker's shards are in a row
    return min(max(ends[start : start + n_each]) for start in range(0, n_each * WORKERS, n_each))


def note(progress: list[Progress], account: Account) -> None:
    """Append the time and the number of rows that have ended."""
    progress.append((time(), account.done + account.in_flight))


def rates_of_tenths(progress: list[Progress], *, end: float) -> list[float]:
    """Return the rows per second in each tenth of the time from the first row to *end*."""
    times, rows = np.array(progress).T
    start = times[np.flatnonzero(rows)[0] - 1]
    at = np.interp(np.linspace(start, end, 11), times, np.maximum.accumulate(rows))
    return list(np.diff(at) / ((end - start) / 10))


@contextmanager
def peaks() -> Iterator[dict[str, float]]:
    """Yield a table that gets the peak memory of each process in MB, and the peak of their sum."""
    over, table = Event(), dict[str, float]()

    def sample() -> None:
        while not over.wait(SAMPLE_S):
            now = {f"worker {pid}": mb for pid in children(os.getpid()) if (mb := resident_mb(pid)) > 30}
            now["parent"] = resident_mb(os.getpid())
            for process, mb in {**now, "in sum": sum(now.values())}.items():
                table[process] = max(mb, table.get(process, 0.0))

    sampler = Thread(target=sample, daemon=True)
    sampler.start()
    yield table
    over.set()
    sampler.join()


def children(pid: int) -> list[int]:
    """Return the Python processes that *pid* started, without nginx."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return [child for child in found if b"python" in command_of(child)]


def command_of(pid: int) -> bytes:
    """Return the command line of a process, empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def resident_mb(pid: int) -> float:
    """Return the current resident memory of a process in MB, with shared pages, 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def print_rates(rates: list[float]) -> bool:
    """Print the rate in each tenth, and return whether the last tenth is too slow."""
    ratio = rates[-1] / rates[1]
    print(f"{'tenth of the time':<20}{'images/s':>10}")
    for number, rate in enumerate(rates, 1):
        print(f"{number:<20}{rate:>10.0f}")
    print(f"last over second    {ratio:>10.2f}   at least {MIN_RATIO}")
    return ratio < MIN_RATIO


def print_memory(peak_mb: dict[str, float]) -> bool:
    """Print the peak of each process, and return whether their sum is too large."""
    print(f"{'process':<20}{'peak MB':>10}")
    for process, mb in peak_mb.items():
        print(f"{process:<20}{mb:>10.0f}")
    print(f"{'allowed in sum':<20}{MAX_MB:>10}")
    return peak_mb["in sum"] > MAX_MB


if __name__ == "__main__":
    main()
