"""Measure the warm start of `import counterpoint` and `counterpoint --help`, relative to an empty Python program."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

RUNS = 10
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import counterpoint": [sys.executable, "-c", "import counterpoint"],
    "counterpoint --help": [str(Path(sys.executable).with_name("counterpoint")), "--help"],
}


def took_s(command: Sequence[str]) -> float:
    """Return the seconds that *command* takes, from start to end."""
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def main() -> None:
    """Print the median of ten runs of each command and its ratio to the baseline. A first run is not counted."""
    medians: dict[str, float] = {}
    for name, command in COMMANDS.items():
        took_s(command)
        medians[name] = median(took_s(command) for _ in range(RUNS))
    baseline = medians["python -c pass"]
    for name, value in medians.items():
        print(f"{name:<22}{value:6.3f} s   {value / baseline:5.1f} times")


if __name__ == "__main__":
    main()
