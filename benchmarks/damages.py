"""Damage files of a run folder at random: `damages.py [N] [FIRST]` damages one file of a finished study N times.

After each damage the benchmark makes a prediction and runs the study again.  The result must have the numbers of the
undamaged study, or the command must end with one line that names the damaged file.  The benchmark prints the outcomes
by kind.  The exit code is 1 if a number was wrong or another exception was raised.  The default takes some minutes,
`damages.py 500` about an hour on one core.
"""

import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "material"))
from damaged_runs import Damage, Damaged, Outcome, draw

N = 50
HANGS_S = 120
RIGHT = ("same", "named", "lost")


def main() -> None:
    """Damage and restore the folder N times, and count the outcomes."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    start, counts = time.perf_counter(), Counter[tuple[str, str]]()
    signal.signal(signal.SIGALRM, _hangs)
    with tempfile.TemporaryDirectory() as folder:
        damaged = Damaged(Path(folder))
        for seed in range(first, first + n):
            damage, outcome = _outcome(damaged, random.Random(seed))
            counts[damage.kind, outcome.name] += 1
            if outcome.name not in RIGHT:
                print(f"{seed}: {damage.kind} of {damage.file}: {outcome.name}: {outcome.detail}", flush=True)
    _show(counts)
    n_wrong = sum(count for (_, name), count in counts.items() if name not in RIGHT)
    print(f"{n:,} damages in {time.perf_counter() - start:.0f} s; {n_wrong} wrong")
    sys.exit(n_wrong > 0)


def _outcome(damaged: Damaged, rng: random.Random) -> tuple[Damage, Outcome]:
    damaged.restore()
    damage = draw(damaged.root, rng)
    signal.alarm(HANGS_S)
    try:
        return damage, damaged.outcome(damage, rng)
    except Exception:
        return damage, Outcome("traceback", traceback.format_exc())
    finally:
        signal.alarm(0)


def _hangs(*_: object) -> None:
    raise TimeoutError(f"still busy after {HANGS_S} s")


def _show(counts: Counter[tuple[str, str]]) -> None:
    """Print the number of outcomes by kind of damage."""
    names = sorted({name for _, name in counts}, key=lambda name: (name not in RIGHT, name))
    print("kind".ljust(20), *(name.rjust(9) for name in names))
    for kind in sorted({kind for kind, _ in counts}):
        print(kind.ljust(20), *(str(counts[kind, name]).rjust(9) for name in names))


if __name__ == "__main__":
    main()
