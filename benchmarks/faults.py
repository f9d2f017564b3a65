"""Kill acquisitions at random moments, resume them, and compare them with an uninterrupted one: `faults.py [MOMENTS]`.

A worker, the parent or the whole process group gets SIGKILL, each in its own acquisition of 600 photos of 10 KB from
loopback.  The exit code is 1 if a slot is missing or appears twice, or if the sha256 of a shard differs.
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "material"))
from acquire_kills import KINDS, Study, interrupted
from acquire_material import Host, host, shard_hashes

MOMENTS = 1
N_ROWS = 600
SETTINGS = {
    "shard_rows": 60,
    "fetch": {"connections": 8, "per_host": 8},
    "run": {"engine": "local", "workers": 2, "shards_at_once": 3},
}


def main() -> None:
    """Print the progress at the kill and the problems after the resume, for each kind and moment."""
    n_moments = int(sys.argv[1]) if len(sys.argv) > 1 else MOMENTS
    with host(delay_s=0.05, side_px=80) as server, TemporaryDirectory() as folder:
        took_s, expected = uninterrupted(study(Path(folder, "whole"), server))
        print(f"uninterrupted: {took_s:.1f} s, {len(expected)} shards. {n_moments} moments per kind")
        print(f"{'killed':<8}{'after s':>9}{'shards then':>13}  problems after the resume")
        problems = [
            killed(Path(folder, f"{kind}-{moment}"), server, kind, after_s=after_s, expected=expected)
            for kind in KINDS
            for moment, after_s in enumerate(moments(kind, n_moments, took_s))
        ]
    n_wrong = sum(map(bool, problems))
    print(f"{len(problems)} killed and resumed, {n_wrong} differ from the uninterrupted acquisition")
    sys.exit(n_wrong > 0)


def study(folder: Path, server: Host) -> Study:
    """Return an acquisition with one missing photo in twelve."""
    urls = [server.url(f"{'ok' if number % 12 else '404'}/{number}.jpg") for number in range(N_ROWS)]
    return Study(folder, urls, **SETTINGS)


def uninterrupted(study: Study) -> tuple[float, dict[str, str]]:
    """Return the seconds that *study* takes, and the hashes of its shards."""
    began_s = time.perf_counter()
    study.finish()
    return time.perf_counter() - began_s, shard_hashes(study.out)


def moments(kind: str, n: int, took_s: float) -> list[float]:
    """Return *n* random moments of an acquisition of *took_s* seconds, one in each of *n* equal intervals."""
    rng = random.Random(kind)
    return [(moment + rng.random()) / n * took_s for moment in range(n)]


def killed(folder: Path, server: Host, kind: str, *, after_s: float, expected: dict[str, str]) -> list[str]:
    """Kill and resume an acquisition, and print and return its problems."""
    broken = study(folder, server)
    n_committed = interrupted(broken, kind, after(after_s))
    problems = broken.problems(expected)
    print(f"{kind:<8}{after_s:>9.2f}{n_committed:>13}  {'. '.join(problems) or 'none'}", flush=True)
    return problems


def after(seconds: float) -> Callable[[Popen[bytes]], None]:
    """Return a function that waits for *seconds*."""
    return lambda _: time.sleep(seconds)


if __name__ == "__main__":
    main()
