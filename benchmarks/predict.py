"""Measure `counterpoint predict` from JPEG files, rate, first rows and memory: `predict.py [RUN] [N] [CONTENDER…]`.

RUN is the folder of a finished study, such as ``runs/openmoji``.  Without it a small study is made.  A fit of each
contender is saved, and predicts N photos of 400 to 800 px (`photos.py`), each with a text.  The photos repeat from the
3,000th on.  For contenders with encoders, their rate alone on the different photos is measured as well.  Memory is
RssAnon of all processes of the command together, sampled.  The first rows are there when their part is on disk.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from counterpoint import Study, save
from counterpoint.config import StudyConfig
from counterpoint.encoders import open_encoder
from counterpoint.encoders.building import build_encodings
from counterpoint.schema import Frame
from photos import write_photos

N, N_PHOTOS = 200, 3000
CONTENDERS = ("lstm-cnn", "pair-probe")
PHOTOS = Path(__file__).parents[1] / "runs" / ".photos"
POLL_S = 0.05
QUICK = {
    "study": "predict-quick",
    "source": {"kind": "generated", "n": 120, "side_px": 32},
    "contenders": [{"kind": "text-svm"}, {"kind": "lstm-cnn", "epochs": 1}],
}


def rows_of(n: int, photos: Path) -> Frame:
    """Return *n* rows with a photo and a text."""
    paths = sorted(photos.glob("*.jpg"))
    texts = [f"a photo of number {row}, near the old harbour" for row in range(n)]
    return pl.DataFrame({"text": texts, "image": [str(paths[row % len(paths)]) for row in range(n)]})


def measured(command: list[str], parts: Path) -> dict[str, float]:
    """Run *command*, and return its seconds, those until its first part, and its most memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    first_s, peak_mb = float("nan"), 0.0
    while process.poll() is None:
        if isnan(first_s) and list(parts.glob("000000.*.parquet")):
            first_s = time.perf_counter() - started
        peak_mb = max(peak_mb, sum(map(_anonymous_mb, _with_children(process.pid))))
        time.sleep(POLL_S)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    return {"s": time.perf_counter() - started, "first_s": first_s, "peak_mb": peak_mb}


def _with_children(pid: int) -> Iterator[int]:
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = tasks.read_text().split()
        except OSError:  # it has ended
            continue
        for child in children:
            yield from _with_children(int(child))


def _anonymous_mb(pid: int) -> float:
    try:
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:  # it has ended
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def encoders_s(encoders: dict[str, str], rows: Frame, folder: Path) -> float:
    """Return the seconds of the encoders alone, in as many processes as the command uses."""
    started = time.perf_counter()
    for modality, name in encoders.items():
        build_encodings(rows, open_encoder(name), modality, cache=folder)
    return time.perf_counter() - started


def after(n: int, found: dict[str, float]) -> float:
    """Return the rows per second after the first rows were there."""
    return n / (found["s"] - found["first_s"])


def line(name: str, n: int, found: dict[str, float]) -> str:
    """Return the line of a contender."""
    return (
        f"{name}: {n:,} rows in {found['s']:.1f} s, {n / found['s']:,.0f} rows/s with the start and "
        f"{after(n, found):,.0f} after the first rows, which were there after {found['first_s']:.1f} s; "
        f"{found['peak_mb']:.0f} MB"
    )


def main() -> None:
    """Save each contender, let it predict, and print a line for each."""
    given = sys.argv[1:]
    n = int(given[1]) if len(given) > 1 else N
    with TemporaryDirectory(prefix="counterpoint-predict-") as work:
        folder = Path(work)
        if given:
            run, contenders = Path(given[0]), given[2:] or list(CONTENDERS)
        else:
            study = Study(StudyConfig.read(QUICK), runs=folder / "runs")
            study.report()
            run, contenders = study.root, ["lstm-cnn"]
        write_photos(PHOTOS, min(N_PHOTOS, n))
        rows = rows_of(n, PHOTOS)
        rows.write_csv(folder / "new.csv")
        fits = sorted(path.name for path in (run / "fits").glob(f"{contenders[0]}.*"))
        for name in contenders:
            record = save(run, folder / name, contender=name, fit=fits[0].removeprefix(f"{contenders[0]}."))
            out = folder / f"{name}.parquet"
            command = [sys.executable, "-m", "counterpoint", "predict", str(folder / name)]
            command += ["--table", str(folder / "new.csv"), "--out", str(out)]
            found = measured(command, folder / f".{name}.parquet.parts")
            print(line(name, n, found), flush=True)
            encoders = {each["modality"]: each["name"] for each in record["encoders"]}
            if encoders:
                different = rows.head(N_PHOTOS)  # the encoders read a photo that repeats only once
                rate = len(different) / encoders_s(encoders, different, folder / "encodings")
                shares = f"{n / found['s'] / rate:.2f} of their rate, and {after(n, found) / rate:.2f} after the start"
                print(f"  encoders alone: {rate:,.0f} rows/s, so {shares}", flush=True)


if __name__ == "__main__":
    main()
