"""Feed hostile inputs to parsers and guards: `fuzz.py [N [TARGET ...]]` feeds N inputs to each target.

The targets are the entries of `TARGETS` in `tests/material/hostile_inputs.py`.  `decoder`, `URL guard` and `headers`
stand for groups of targets.  A child process feeds the inputs.  It first writes each input to a mapped file.  So an
input that kills or hangs the child is identified and kept in `OUT`.  `--again FILE` feeds it again.  The exit code is 1
if an input killed or hung the child, or raised an exception that is not a documented reason.  It is also 1 if an input
exceeded the limit of its target in CPU seconds.  `fuzz.py 200000 decoder` takes half an hour.
"""

import json
import mmap
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from ast import literal_eval
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "material"))
from hostile_inputs import TARGETS

N = 10_000
ROUND = 5_000
"""Inputs of one hypothesis run. The next run has the next seed."""
HANGS_S = 20.0
"""Wall-clock time: a child that writes no input for this long counts as hung, also on a busy machine."""
BEGINS_S = 300.0
"""The limit before the first input, which includes the imports."""
GROUPS = {"decoder": ("picture", "keep"), "URL guard": ("URL", "address"), "headers": ("header", "response", "robots")}
OUT = Path(tempfile.gettempdir()) / "counterpoint-fuzz"
RECORD_BYTES = 1 << 22

Totals = dict[str, Any]


class Record:
    """The current input, in a mapped file that remains after its process ends."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(RECORD_BYTES))
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), RECORD_BYTES)

    def note(self, data: bytes) -> None:
        """Write an input before it is fed, cut to the size of the file."""
        data = data[: RECORD_BYTES - 16]
        self._bytes[16 : 16 + len(data)] = data
        self._bytes[8:16] = len(data).to_bytes(8)
        self._bytes[:8] = (self.n + 1).to_bytes(8)

    @property
    def n(self) -> int:
        """Number of inputs that were written."""
        return int.from_bytes(self._bytes[:8])

    @property
    def data(self) -> bytes:
        """The last input that was written."""
        return self._bytes[16 : 16 + int.from_bytes(self._bytes[8:16])]


def main() -> None:
    """Feed each target, print the outcomes, and exit with 1 if one was wrong."""
    if sys.argv[1:2] == ["--again"]:
        again(Path(sys.argv[2]))
        return
    if sys.argv[1:2] == ["--round"]:
        feed(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Record(Path(sys.argv[5])))
        return
    n, start = int(sys.argv[1]) if len(sys.argv) > 1 else N, time.perf_counter()
    names = [name for group in sys.argv[2:] or TARGETS for name in GROUPS.get(group, (group,))]
    if unknown := [name for name in names if name not in TARGETS]:
        sys.exit(f"Unknown target: {', '.join(unknown)}. Targets: {', '.join((*GROUPS, *TARGETS))}.")
    OUT.mkdir(parents=True, exist_ok=True)
    found = [fuzz(name, n) for name in names]
    n_fed, n_wrong = (sum(totals[key] for totals in found) for key in ("n", "wrong"))
    print(
        f"{n_fed:,} inputs in {time.perf_counter() - start:.0f} s; {n_wrong} wrong" + f", kept in {OUT}" * bool(n_wrong)
    )
    sys.exit(n_wrong > 0)


def fuzz(name: str, n: int) -> Totals:
    """Feed at least *n* inputs, print the totals and return them."""
    totals: Totals = {"n": 0, "distinct": 0, "wrong": 0, "took_s": 0.0, "slowest_ms": 0.0, "peak_mb": 0.0}
    outcomes: Counter[str] = Counter()
    number = 0
    while totals["n"] < n:
        result = one_round(name, number, min(ROUND, n - totals["n"]))
        outcomes.update(result.pop("outcomes"))
        for key, value in result.items():
            totals[key] = max(totals[key], value) if key in ("slowest_ms", "peak_mb") else totals[key] + value
        number += 1
    print(
        f"\n{name}: {totals['n']:,} inputs, {totals['distinct']:,} distinct in their rounds, {totals['took_s']:.0f} s, "
        f"slowest {totals['slowest_ms']:.0f} ms of CPU (limit {TARGETS[name].limit_s * 1000:.0f}), "
        f"peak {totals['peak_mb']:.0f} MB, {totals['wrong']} wrong"
    )
    for outcome, count in outcomes.most_common():
        print(f"  {outcome:<24}{count:>10,}", flush=True)
    return totals


def one_round(name: str, number: int, n: int) -> Totals:
    """Run one child and return its totals. If it dies or hangs, keep its last input."""
    path, start = OUT / f"{os.getpid()}.record", time.perf_counter()
    path.unlink(missing_ok=True)
    record = Record(path)
    command = [sys.executable, __file__, "--round", name, str(number), str(n), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        n_before, beat = 0, time.monotonic()
        while child.poll() is None:
            time.sleep(0.05)
            if record.n != n_before:
                n_before, beat = record.n, time.monotonic()
            elif time.monotonic() - beat > (HANGS_S if n_before else BEGINS_S):
                child.kill()
        printed = child.stdout.read() if child.stdout else ""
    path.unlink()
    took_s = time.perf_counter() - start
    if child.returncode == 0:
        return {**json.loads(printed), "took_s": took_s}
    if not record.n:
        sys.exit(f"{name}: the child ended with {child.returncode} before its first input")
    kept = keep(name, record.data, f"ended the process: {child.returncode}")
    print(f"{name}: round {number} ended with {child.returncode} at {kept}")
    return {"n": record.n, "distinct": 0, "wrong": 1, "took_s": took_s, "outcomes": {"ended the process": 1}}


def feed(name: str, number: int, n: int, record: Record) -> None:
    """Feed one round of inputs, and print its totals as JSON."""
    target, outcomes, seen = TARGETS[name], Counter[str](), set[bytes]()
    slowest_s = 0.0

    @seed(number * len(TARGETS) + list(TARGETS).index(name))
    @settings(
        max_examples=n, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(target.inputs)
    def check(value: Any) -> None:
        nonlocal slowest_s
        data = repr(value).encode("utf-8", "surrogatepass")
        record.note(data)
        seen.add(sha256(data).digest()[:8])
        start_s = time.process_time()
        try:
            outcome = target.check(value)
        except Exception:  # any exception here is a finding of the benchmark
            outcome = "wrong"
            keep(name, data, traceback.format_exc())
        took_s = time.process_time() - start_s
        if took_s > target.limit_s:
            outcome = "wrong"
            keep(name, data, f"took {took_s:.1f} s")
        outcomes[outcome] += 1
        slowest_s = max(slowest_s, took_s)

    check()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    totals = {"n": record.n, "distinct": len(seen), "wrong": outcomes["wrong"], "slowest_ms": slowest_s * 1000}
    print(json.dumps(totals | {"peak_mb": peak_mb, "outcomes": outcomes}))


def keep(name: str, data: bytes, why: str) -> Path:
    """Write an input and the reason to keep it, and return the path of the input."""
    path = OUT / f"{name}-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    path.with_suffix(".txt").write_text(why)
    return path


def again(path: Path) -> None:
    """Feed a kept input to its target."""
    value = literal_eval(path.read_bytes().decode("utf-8", "surrogatepass"))
    print(TARGETS[path.name.rpartition("-")[0]].check(value))


if __name__ == "__main__":
    main()
