"""Measure a page in Chromium: `page_speed.py [RUN]`, with a finished run folder, and `--pairs 100000` for growth.

Prints the time to open the page, its size, its pages on paper, its requests and messages, and the violations that axe
finds with all folds open, light and dark.  With --pairs it writes the page of a generated study of so many test pairs
first, and prints the seconds that this takes.  Without arguments it does so for 2,000 pairs.
"""

import argparse
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import polars as pl
from PIL import Image

from counterpoint import schema
from counterpoint.report import write_page

sys.path.append(str(Path(__file__).parents[1] / "tests" / "material"))
from playwright_tab import UNFOLD, WHY_SKIPPED, Chromium, chromium

N_PAIRS, N_PICTURES, TIMES = 2_000, 200, 5
READS = {"text-svm": ["text"], "image-cnn": ["image"], "late-fusion": ["text", "image"]}
SKILL = {"text-svm": 1.6, "image-cnn": 1.2, "late-fusion": 2.0}
WORDS = np.array(["a", "the", "in", "on", "with", "red", "small", "old", "two", "near", "water", "dog", "man", "boy"])


def main() -> None:
    """Print the figures of one page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", type=Path, help="a finished run folder")
    parser.add_argument("--pairs", type=int, default=N_PAIRS)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        page = given.run / "report.html" if given.run else generated(Path(folder), given.pairs)
        print(f"size {page.stat().st_size / 1e6:.2f} MB")
        if WHY_SKIPPED:
            print(f"Not opened: {WHY_SKIPPED}.")
            return
        with chromium() as browser:
            measure(browser, page.absolute())


def measure(browser: Chromium, page: Path) -> None:
    """Print what a browser finds on the page."""
    print(f"opens in {median(opening_s(browser, page) for _ in range(TIMES)):.2f} s (median of {TIMES})")
    with browser.open(page) as opened:
        others = [url for url in opened.requests if not url.startswith("data:") and url != page.as_uri()]
        print(f"{len(others)} requests, {len(opened.messages)} messages, {opened.n_printed()} pages on paper (A4)")
    for is_dark in (False, True):
        with browser.open(page, is_dark=is_dark) as opened:
            opened.page.evaluate(UNFOLD)
            found = opened.violations()
            print(f"{len(found)} violations by axe, {'dark' if is_dark else 'light'} {found or ''}")


def opening_s(browser: Chromium, page: Path) -> float:
    """Return the seconds from the start of the navigation to the load event of the page."""
    with browser.open(page) as opened:
        timing = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"
        return float(opened.page.evaluate(timing))


def generated(folder: Path, n: int) -> Path:
    """Write the page of a generated study of *n* test pairs, and print how long that takes."""
    tables, results = study(folder, n)
    started = perf_counter()
    page = write_page(folder, results, tables)
    print(f"{n:,} pairs, written in {perf_counter() - started:.1f} s")
    return page


def study(folder: Path, n: int) -> tuple[dict[str, pl.DataFrame], dict[str, object]]:
    """Return the tables and the results of a generated study of *n* test pairs."""
    rng = np.random.default_rng(0)
    pairs = pairs_of(rng, n, pictures(rng, folder))
    predictions = pl.concat([predicted(rng, pairs, name) for name in READS])
    shares = {name: share_right(predictions.filter(contender=name)) for name in READS}
    rows = [(name, "test", "accuracy", share, share - 0.01, share + 0.01, n, 1) for name, share in shares.items()]
    gain = shares["late-fusion"] - shares["text-svm"]
    row = ("late-fusion", "text-svm", "accuracy", gain, gain - 0.01, gain + 0.01, 0.005, n, 0.01, 0.01, 0.01, True)
    costs = [(name, 0, "test", 1, 5, 1000, 2.0, 0.001 * n) for name in READS]
    tables = {
        "pairs": pairs,
        "predictions": predictions,
        "scores": pl.DataFrame(rows, schema=dict(schema.SCORES), orient="row"),
        "differences": pl.DataFrame([row], schema=dict(schema.DIFFERENCES), orient="row", strict=False),
        "costs": pl.DataFrame(costs, schema=dict(schema.COSTS), orient="row", strict=False),
    }
    primary = {"a": "late-fusion", "b": "text-svm", "metric": "accuracy"}
    answer = {"claim": "better", "verdict": "additive_gain", "headline": "Yes, reading both helps.", "reasons": []}
    config = "evaluate: {metrics: [accuracy], primary: accuracy}"
    results = {"study": "generated", "modalities": READS, "primary": primary, "answer": answer, "config": config}
    return tables, results


def pairs_of(rng: np.random.Generator, n: int, images: list[str]) -> pl.DataFrame:
    """Return *n* test pairs."""
    words = rng.choice(WORDS, (n, 9))
    columns = {
        "id": [f"pair-{place:07d}" for place in range(n)],
        "row": range(n),
        "text": [" ".join(row) for row in words],
        "image": [images[place % len(images)] for place in range(n)],
        "label": rng.choice(["animal", "person", "thing"], n),
        "label_source": ["column"] * n,
        "group": [str(place) for place in range(n)],
        "fold": ["test"] * n,
    }
    return pl.DataFrame(columns, schema_overrides=dict(schema.PAIRS))


def pictures(rng: np.random.Generator, folder: Path) -> list[str]:
    """Write noisy pictures and return their paths."""
    paths = [folder / f"{place}.png" for place in range(N_PICTURES)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)).save(path)
    return list(map(str, paths))


def predicted(rng: np.random.Generator, pairs: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the predictions of one contender."""
    classes = sorted(pairs["label"].unique())
    codes = pairs["label"].replace_strict(classes, range(len(classes)), return_dtype=pl.Int64).to_numpy()
    logits = rng.normal(size=(len(pairs), len(classes)))
    logits[np.arange(len(pairs)), codes] += SKILL[name]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    keys = {"contender": pl.lit(name), "seed": pl.lit(0, pl.Int64), "fold": pl.lit("test"), "part": pl.lit("test")}
    chances = [pl.Series(f"p_{label}", proba[:, place]) for place, label in enumerate(classes)]
    return pairs.select("id", group="group", label="label", **keys).with_columns(chances)


def share_right(rows: pl.DataFrame) -> float:
    """Return the share of rows whose class has the largest probability."""
    classes = schema.class_names(rows)
    best = rows.select(f"p_{name}" for name in classes).to_numpy().argmax(axis=1)
    return float((np.array(classes)[best] == rows["label"].to_numpy()).mean())


if __name__ == "__main__":
    main()
