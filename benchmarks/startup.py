"""Measure the warm start of commands that fit nothing, relative to an empty Python program.

`scores` and `report` read a small finished study with a network and an encoder, which is made first.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

RUNS = 10
PYTHON = (sys.executable, "-c")
STUDY = """
study: startup
source: {kind: generated, n: 60, side_px: 16}
split: {kind: holdout}
checks: {encoders: false}
contenders:
  - text-svm
  - {kind: image-cnn, side_px: 8, width: 2, epochs: 1}
  - {kind: text-probe, encoder: minilm}
"""


def commands(folder: Path) -> Mapping[str, Sequence[str]]:
    """Return the commands by their names.  The study of some of them is in *folder*."""
    program, of_study = str(Path(sys.executable).with_name("counterpoint")), (str(folder / "study.yaml"), "--runs")
    return {
        "python -c pass": [*PYTHON, "pass"],
        "import counterpoint": [*PYTHON, "import counterpoint"],
        "counterpoint --help": [program, "--help"],
        **{f"counterpoint {name}": [program, name, *of_study, str(folder / "runs")] for name in ("scores", "report")},
    }


def took_s(command: Sequence[str]) -> float:
    """Return the seconds that *command* takes, from start to end.  The first `report` makes the study."""
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return perf_counter() - start


def main() -> None:
    """Print the median of ten runs of each command and its ratio to the baseline. A first run is not counted."""
    medians: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        Path(folder, "study.yaml").write_text(STUDY)
        listed = commands(Path(folder))
        took_s(listed["counterpoint report"])
        for name, command in listed.items():
            took_s(command)
            medians[name] = median(took_s(command) for _ in range(RUNS))
    baseline = medians["python -c pass"]
    for name, value in medians.items():
        print(f"{name:<22}{value:6.3f} s   {value / baseline:5.1f} times")


if __name__ == "__main__":
    main()
