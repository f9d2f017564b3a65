"""Measure the selection of rows before any download, and the 2023 study's loop: `selection.py 12900000 [FOLDER]`.

The list is one part with the columns of LAION.  It is made by drawing real captions and URLs with replacement.  Each
row has its own suffix, so dictionary encoding saves nothing.  Each method runs in its own process and prints its peak
memory.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from counterpoint.acquire.lists.select import Selection
from counterpoint.acquire.lists.url_list import UrlList
from counterpoint.acquire.plan import open_plan
from counterpoint.config.acquire import AcquireConfig, Input, Select
from counterpoint.store import Store

N, GROUP_ROWS = 500_000, 1_000_000
LOOP_ROWS = 2_000_000
"""The loop holds its texts in memory as Python strings. More texts would not change its rate."""
DATA = Path(os.environ.get("COUNTERPOINT_DATA", Path(__file__).parents[2] / "shared" / "data")) / "web-urls"
ALL = Select(nsfw=None, max_punsafe=None)


def main() -> None:
    """Write the list, run each method on it, and print time and memory of each."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    if not DATA.exists():
        print(f"Not run: the benchmark needs real URLs and captions in {DATA}.")
        return
    with tempfile.TemporaryDirectory() as scratch:
        part = Path(sys.argv[2] if len(sys.argv) > 2 else scratch) / f"part-{n}.parquet"
        if not part.exists():
            write_list(part, n)
        size_gb = part.stat().st_size / 1e9
        print(f"{n:,} rows, {size_gb:.1f} GB, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print(f"{'':<46}{'rows/s':>12}{'seconds':>10}{'CPU s':>10}{'peak MB':>10}{'selected':>12}")
        took = {name: _measured(name, part) for name in (LOOP, *WAYS)}
    times = took[STUDY]["rows_per_s"] / took[LOOP]["rows_per_s"]
    print(f"{STUDY}: {times:.1f} times the rate of the study's loop")


def write_list(path: Path, n: int) -> None:
    """Write a list of *n* rows with the columns of LAION-400M."""
    real = pl.concat([pl.read_parquet(DATA / "laion_like.parquet"), pl.read_csv(DATA / "cc3m_validation.csv")])
    rng, writer = np.random.default_rng(0), None
    for start in range(0, n, GROUP_ROWS):
        rows = _rows(real.drop_nulls(), np.arange(start, min(start + GROUP_ROWS, n)), rng).to_arrow()
        writer = writer or pq.ParquetWriter(path, rows.schema, use_dictionary=["LICENSE", "NSFW"])
        writer.write_table(rows, row_group_size=GROUP_ROWS)
    if writer is not None:
        writer.close()


def _rows(real: pl.DataFrame, numbers: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    n, suffix = len(numbers), _letters(numbers)
    drawn = real[rng.integers(0, len(real), n)]
    judged = pl.Series(["UNLIKELY", "UNSURE", "NSFW"]).gather(rng.choice(3, n, p=[0.95, 0.04, 0.01]))
    return pl.DataFrame({
        "SAMPLE_ID": 1e12 + numbers,
        "URL": drawn["URL"] + "?n=" + suffix,
        "TEXT": drawn["TEXT"] + " " + suffix,
        "HEIGHT": rng.integers(60, 2000, n),
        "WIDTH": rng.integers(60, 2000, n),
        "LICENSE": pl.repeat("?", n, eager=True),
        "NSFW": judged,
        "similarity": rng.uniform(0.3, 0.4, n),
    })  # fmt: skip


def _letters(numbers: np.ndarray) -> pl.Series:
    """Return a distinct word for each number, which passes the study's filter of characters."""
    digits = numbers[:, None] // 26 ** np.arange(5, -1, -1) % 26 + ord("a")
    return pl.Series(digits.astype(np.uint8).view("S6").ravel().astype(str))


def read_only(part: Path) -> Iterator[int]:
    """Read URL and TEXT and do nothing else: a bound for every selection that reads both columns."""
    for each in UrlList(Input(path=str(part))).parts():
        yield each.read(["url", "text"]).height


def select_only(part: Path, rules: Select) -> Iterator[int]:
    """Select rows, and write nothing."""
    yield from (frame.height for frame in Selection(UrlList(Input(path=str(part))), rules).frames())


def select_and_plan(part: Path, rules: Select) -> Iterator[int]:
    """Select rows, and write the lists of all shards."""
    with tempfile.TemporaryDirectory() as folder:
        config = AcquireConfig(acquisition="a", input=Input(path=str(part)), output=folder, select=rules)
        yield open_plan(config, Store(folder)).n_rows


def study_loop(texts: Sequence[str]) -> int:
    """Select as the study did, text by text, and return the number of selected rows."""
    persons, animals, characters = [], [], re.compile("^[a-zA-Z .,]+$")
    for number, t in enumerate(texts):
        if " man " in t or " men " in t or " women " in t or " woman " in t or " boy " in t or " girl " in t:
            both = " cat " in t and " dog " in t
            if not both and len(persons) < 8000 and characters.match(t):
                persons.append(number)
        elif (" cat " in t or " dog " in t) and len(animals) < 6000 and characters.match(t):
            animals.append(number)
    return len(persons) + len(animals)


LOOP, STUDY = "the study's loop, text in memory", "select, study-2023"
WAYS: dict[str, Callable[[Path], Iterator[int]]] = {
    "read URL and TEXT, nothing else": read_only,
    STUDY: lambda part: select_only(part, Select(preset="study-2023")),
    "select, study-2023 without its caps": lambda part: select_only(part, Select(preset="study-2023", caps=None)),
    "select, the default rules, URLs once": lambda part: select_only(part, Select()),
    "select and plan, study-2023": lambda part: select_and_plan(part, Select(preset="study-2023")),
    "select and plan, every row passes, URLs once": lambda part: select_and_plan(part, ALL),
}


def _measured(name: str, part: Path) -> dict[str, Any]:
    """Run one method in its own process, and print its time and memory."""
    command = [sys.executable, __file__, "--measure", name, str(part)]
    took: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    print(
        f"{name:<46}{took['rows_per_s']:>12,.0f}{took['seconds']:>10.2f}{took['cpu_s']:>10.2f}"
        f"{took['peak_mb']:>10,.0f}{took['selected']:>12,}",
        flush=True,
    )
    return took


def measure(name: str, part: Path) -> None:
    """Print as JSON the time and the memory of the method *name*."""
    n_rows = pq.read_metadata(part).num_rows
    texts = pl.scan_parquet(part).select("TEXT").head(LOOP_ROWS).collect()["TEXT"].to_list() if name == LOOP else []
    start, cpu_before_s = perf_counter(), process_time()
    selected = study_loop(texts) if name == LOOP else sum(WAYS[name](part))
    seconds = perf_counter() - start
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    took = {
        "rows_per_s": (len(texts) or n_rows) / seconds,
        "seconds": seconds,
        "cpu_s": process_time() - cpu_before_s,
        "peak_mb": int(status["VmHWM"].split()[0]) / 1000,
        "selected": selected,
    }
    print(json.dumps(took))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
