"""Measure time and memory of each stage from generated records to folds and a text-svm: `stages.py [N]`.

Memory is RssAnon, sampled while a stage runs: the own pages of this process, without the file cache of the system.
`stages.py 100000` takes minutes.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter

import polars as pl
from sklearn.model_selection import StratifiedGroupKFold

from counterpoint import config, make
from counterpoint.data.align import align
from counterpoint.data.clean import clean
from counterpoint.data.group import group
from counterpoint.data.label import label
from counterpoint.data.sources import open_source
from counterpoint.data.split import split
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.schema import Frame

SAMPLE_S = 0.02


def anonymous_mb() -> float:
    """Return the anonymous memory of this process in MB."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found.group(1)) / 1024


@contextmanager
def measured(stage: str) -> Iterator[None]:
    """Print the seconds that the block takes, and the peak memory of the process in it."""
    over, peaks = Event(), [anonymous_mb()]

    def watch() -> None:
        while not over.wait(SAMPLE_S):
            peaks.append(anonymous_mb())

    watcher = Thread(target=watch)
    watcher.start()
    start = perf_counter()
    try:
        yield
    finally:
        took_s = perf_counter() - start
        over.set()
        watcher.join()
        print(f"{stage:<40}{took_s:8.1f} s{max(peaks):9.0f} MB", flush=True)


def grouped_pairs(n: int, work: Path) -> Frame:
    """Return *n* generated pairs after every stage before the split, a tenth of them near-duplicates."""
    source = open_source({"kind": "generated", "n": n, "near_duplicates": 0.1, "bad_images": 0.01, "side_px": 32})
    with measured("source: draw and write"):
        records = pl.concat([batch for batch, _ in source.read(work)])
    rules = config.Clean()
    with measured("inspect: decode, sha256, phash"):
        inspected = inspect_images(
            records, Limits(rules.min_side_px, rules.max_side_px, rules.max_pixels, rules.max_aspect)
        )
    with measured("clean"):
        cleaned, _ = clean(inspected, rules)
    with measured("label"):
        labelled, _ = label(cleaned, config.Label())
    with measured("align"):
        aligned, _ = align(labelled, config.Align(), config.Text())
    with measured("group"):
        pairs, found = group(aligned, config.Group())
    print(
        f"  {pairs['group'].n_unique():,} groups of {pairs.height:,} pairs; {[each['explanation'] for each in found]}"
    )
    return pairs


def main() -> None:
    """Print a line for each stage."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with TemporaryDirectory() as folder:
        pairs = grouped_pairs(n, Path(folder))
        with measured("split: hold-out"):
            folded, _ = split(pairs, config.Split())
        with measured("split: five folds"):
            split(pairs, config.Split(kind="kfold"))
        with measured("  scikit-learn's StratifiedGroupKFold"):
            list(StratifiedGroupKFold(5, shuffle=True, random_state=0).split(pairs, pairs["label"], pairs["group"]))
        train = folded.filter(pl.col("fold") == "train")
        with measured("fit text-svm on the training rows"):
            make("text-svm").fit(train, train["label"])


if __name__ == "__main__":
    main()
