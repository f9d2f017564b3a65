"""The table of one setting: rates, CPU per image, and the ratio to the least possible CPU."""

from statistics import median
from typing import Any

from contest.contestants import CONTESTANTS, WORKERS

BARS = {
    ("http", "counterpoint gray-64", "img2dataset 64"): 3.0,
    ("https", "counterpoint gray-64", "img2dataset 64"): 12.0,
    ("latency", "counterpoint gray-64", "img2dataset 64"): 2.2,
    ("latency", "counterpoint gray-64", "study's loop"): 30.0,
    ("http", "counterpoint jpeg-256", "img2dataset 256 keep_ratio"): 1.5,
    ("https", "counterpoint jpeg-256", "img2dataset 256 keep_ratio"): 8.0,
}
ENOUGH = 3000
"""With fewer URLs, the start of the processes dominates the measurement."""
HEADER = f"{'':<37}{'images/s':>9}{'best':>8}{'running':>10}{'CPU s/1000':>12}{'floor':>8}{'share':>7}{'nginx':>7}"


def print_setting(setting: str, results: dict[str, Any], *, rounds: int, n: int) -> None:
    """Print medians over the rounds, then each ratio with a bar."""
    print(f"\n{setting}: {n:,} URLs, {rounds} rounds, {WORKERS} processes each\n{HEADER}")
    rates: dict[str, tuple[float, float]] = {}
    for name, contestant in CONTESTANTS.items():
        keys = [f"{setting} | {name} | {n} | {number}" for number in range(rounds)]
        runs = [results[key] for key in keys if key in results]
        if runs:
            floor = results[f"{setting} | floor {contestant.keep[:8].strip()}"]
            rates[name] = _print_contestant(name, runs, sum(floor.values()))
    for (where, a, b), bar in BARS.items():
        if where == setting and a in rates and b in rates:
            whole, running = (ours / theirs for ours, theirs in zip(rates[a], rates[b], strict=True))
            missed = "" if min(whole, running) >= bar else ": NOT REACHED"
            missed = missed if n >= ENOUGH else f", for {ENOUGH:,} URLs or more"
            print(f"  {a} / {b}: {whole:.1f} times, once running {running:.1f}, bar {bar:g}{missed}")
    for keep in ("gray-64", "jpeg-256"):
        parts = results[f"{setting} | floor {keep}"]
        total = sum(parts.values())
        shown = " + ".join(f"{name} {cost:.2f}" for name, cost in parts.items())
        print(f"  floor of {keep}: {shown} = {total:.2f} ms of CPU per image, {1000 / total:.0f} images/s on one core")


def _print_contestant(name: str, runs: list[dict[str, Any]], floor_ms: float) -> tuple[float, float]:
    """Print the line of one contestant and return the median rates with and without start-up."""
    rates = [run["n"] / run["took_s"] for run in runs]
    running = median(run["n"] / run["after_start_s"] for run in runs)
    cost = median(run["cpu_s"] / run["n"] * 1000 for run in runs)
    nginx = median(run["nginx_cpu_s"] / run["n"] * 1000 for run in runs)
    shown = f"{name} ({runs[0]['n']:,})" if CONTESTANTS[name].is_slow else name
    print(
        f"{shown:<37}{median(rates):9.1f}{max(rates):8.1f}{running:10.1f}{cost:12.2f}{floor_ms:8.2f}"
        f"{floor_ms / cost:7.0%}{nginx:7.2f}"
    )
    return median(rates), running
