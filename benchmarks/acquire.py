"""Measure rate and CPU of `counterpoint acquire`, img2dataset and the 2023 study's loop, from nginx on loopback.

    acquire.py                                            200 photos, one round: a test that it works
    acquire.py --n 3000 --rounds 3 --img2dataset PYTHON   the measurement (https costs img2dataset minutes a round)

PYTHON is an interpreter that can import img2dataset.  Each contestant gets the same URLs on 64 loopback addresses.  So
all keep their default limits per host.  Rounds alternate between the contestants.  The time includes the start of the
processes.  A second rate counts from the first request to the last response in the log of nginx.  Each run is written
to WORK/results.json and is not repeated.
"""

import json
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from contest.contestants import CONTESTANTS, Job, run, write_list
from contest.server import ECHO, NGINX, SETTINGS, Server, serving
from contest.table import print_setting
from counterpoint.artifacts import write_json
from photos import write_photos

HERE = Path(__file__).parent
FLOOR_IMAGES = 500


def main() -> None:
    """Do the runs without a stored result, and print a table for each setting."""
    args = _arguments()
    if NGINX is None or not ECHO.exists():
        print("Not run: the benchmark needs the Debian packages nginx-light and libnginx-mod-http-echo.")
        return
    photos = args.photos or args.work / f"photos-{args.n}"
    about = write_photos(photos, args.n)
    args.work.mkdir(parents=True, exist_ok=True)
    print(f"{args.n:,} URLs of {about['made_from']}, {about['mean_kb']:.0f} KB each, load {os.getloadavg()[0]:.1f}")
    if args.img2dataset is None:
        print("Without img2dataset: pass a Python that can import it with --img2dataset.")
    with serving(photos, args.work) as server:
        for setting in args.only.split(","):
            results = _results(setting, server, args)
            print_setting(setting, results, rounds=args.rounds, n=args.n)


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=200, help="number of URLs and of photos")
    parser.add_argument("--rounds", type=int, default=1, help="number of rounds")
    parser.add_argument("--img2dataset", metavar="PYTHON", help="a Python that can import img2dataset")
    parser.add_argument("--only", default=",".join(SETTINGS), help="settings, separated by commas: http,latency")
    parser.add_argument("--contestants", default="", help="run only contestants whose names contain this text")
    parser.add_argument("--again", metavar="NAME", help="repeat the runs whose names contain this text")
    parser.add_argument("--photos", type=Path, help="folder of the photos, where missing photos are written")
    parser.add_argument(
        "--work", type=Path, default=Path(gettempdir()) / "counterpoint-acquire", help="folder of the results"
    )
    return parser.parse_args()


def _results(setting: str, server: Server, args: Namespace) -> dict[str, Any]:
    """Do the missing runs and return all results. Each result is written at once."""
    notes = args.work / "results.json"
    results: dict[str, Any] = json.loads(notes.read_text()) if notes.exists() else {}
    if args.again:
        results = {key: value for key, value in results.items() if args.again not in key}
    args.again = None  # once
    for keep in ("gray-64", "jpeg-256"):
        if (key := f"{setting} | floor {keep}") not in results:
            results[key] = _floor(setting, keep, server, args)
            write_json(notes, results)
    for key, name, is_whole in _runs(setting, args):
        if key not in results:
            n = args.n if is_whole else max(args.n // 10, 50)
            results[key] = run(CONTESTANTS[name], _job(setting, n, server, args))
            shutil.rmtree(args.work / "out")
            write_json(notes, results)
    return results


def _runs(setting: str, args: Namespace) -> Iterator[tuple[str, str, bool]]:
    for number in range(args.rounds):
        for name, contestant in CONTESTANTS.items():
            is_there = args.img2dataset or "img2dataset" not in name
            if is_there and setting in contestant.settings and args.contestants in name:
                yield f"{setting} | {name} | {args.n} | {number}", name, not contestant.is_slow


def _job(setting: str, n: int, server: Server, args: Namespace) -> Job:
    shutil.rmtree(args.work / "out", ignore_errors=True)
    list_file = args.work / f"list-{setting}-{n}"
    write_list(list_file, server.urls(setting, n, args.n))
    # All read the certificates of the system and ours.  The last variable keeps albumentations off the internet.
    trust = {name: str(server.bundle) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}
    env = {**os.environ, **trust, "NO_ALBUMENTATIONS_UPDATE": "1"}
    return Job(list_file, n, args.work / "out", server, args.img2dataset, env)


def _floor(setting: str, keep: str, server: Server, args: Namespace) -> dict[str, float]:
    urls = args.work / "floor.txt"
    urls.write_text("\n".join(server.urls(setting, FLOOR_IMAGES, args.n)))
    command = [sys.executable, str(HERE / "contest" / "floor.py"), str(urls), keep, str(server.ca_file)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return dict(json.loads(printed))


if __name__ == "__main__":
    main()
