"""Measure the disagreement browser of a page in Chromium: `disagreements.py [PAGE | --pairs N]`.

Without a page, a study of N made-up test pairs in five folds is written first (default: 2,000), with the seconds of
its section.  Each filter is set and emptied, each with two words in the search and without.  A time ends when the
browser has painted the cards.  Other work on the machine distorts it, so each filter is timed in several rounds.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "material"))

from browser import BINARY, Browser, browser
from counterpoint.formats.images import ImageReader
from counterpoint.measures.disagreements import read_rows
from counterpoint.report import write_page
from counterpoint.report.pairs.disagreements import disagreements_section, row_facts
from counterpoint.schema import CLUSTERS, SEGMENTS, class_names, empty
from report_studies import study

ROUNDS = 5
OPEN = """
new Promise(done => {
  const start = performance.now(), place = document.getElementById("disagreement-browser");
  const end = () => done(performance.now() - start);
  place.addEventListener("toggle", () => requestAnimationFrame(() => setTimeout(end)));
  place.open = true;
})
"""
FILTER = """
(async () => {
  const find = (selector) => document.querySelector("#disagreement-browser " + selector);
  const took = new Map(), search = find("[data-search]");
  const timed = async (field, value, kind) => {
    const start = performance.now(), key = [words, field.dataset.filter, value].join();
    field.value = value;
    field.dispatchEvent(new Event(kind));
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    took.set(key, [...(took.get(key) ?? []), performance.now() - start]);
  };
  let words = "";
  for (let round = 0; round < ROUNDS; round++) for (words of ["", "the red"]) {
    await timed(search, words, "input");
    for (const field of document.querySelectorAll("#disagreement-browser :is([data-filter], [data-order])")) {
      for (const option of [...field.options].slice(1, 12)) await timed(field, option.value, "change");
      await timed(field, field.options[0].value, "change");
    }
  }
  return [...took.values()];
})()
"""


def main() -> None:
    """Print the number of rows, the size of the page, the time to open the browser and the times of its filters."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, nargs="?")
    parser.add_argument("--pairs", type=int, default=2000)
    given = parser.parse_args()
    if BINARY is None:
        print("There is no Chromium on this machine.")
        return
    with tempfile.TemporaryDirectory() as folder:
        page = given.page.resolve() if given.page else _written(Path(folder), given.pairs)
        print(f"page: {page.stat().st_size / 1e6:.2f} MB")
        _measure(page)


def _written(folder: Path, n: int) -> Path:
    """Return the page of a study of *n* made-up pairs."""
    contenders = ("text-svm", "image-cnn", "late-fusion")
    results, tables, _ = study(folder / "images", n=n, folds=5, seeds=(0,), contenders=contenders, pictures=1200)
    every = tables | {"segments": empty(SEGMENTS), "clusters": empty(CLUSTERS)}
    start = time.perf_counter()
    with ImageReader() as reader:
        predictions = tables["predictions"]
        read = read_rows(predictions, results["modalities"], "balanced_accuracy", results.get("primary"))
        disagreements_section(
            read, row_facts(every), classes=class_names(predictions), titles={}, confidence=0.95, reader=reader
        )
    print(f"section of {n:,} test pairs: {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    page = write_page(folder, results, tables)
    print(f"whole page: {time.perf_counter() - start:.1f} s")
    return page


def _measure(page: Path) -> None:
    with browser() as tab:
        tab.open(page, width=1280)
        opened_ms = _awaited(tab, OPEN)
        rows = tab.ask("document.querySelector('[data-count]').textContent")
        tab.send("Performance.enable", timeDomain="threadTicks")
        before_s = _busy_s(tab)
        rounds = _awaited(tab, FILTER.replace("ROUNDS", str(ROUNDS)))
        busy_ms = 1000 * (_busy_s(tab) - before_s) / sum(map(len, rounds))
        print(f"{rows}\nopening the list: {opened_ms:.0f} ms")
        for name, choose in (("median", median), ("least", min)):
            took = [choose(of_one) for of_one in rounds]
            print(f"{len(took)} filters, {name} of {ROUNDS} rounds: {median(took):.0f} ms, at most {max(took):.0f} ms")
        print(f"processor time of the page's thread: {busy_ms:.0f} ms a filter on average")
        print(f"messages to the console: {len(tab.complaints)}")


def _busy_s(tab: Browser) -> float:
    """Return the processor time of all tasks of the page so far, which other work on the machine distorts little."""
    metrics = tab.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def _awaited(tab: Browser, expression: str) -> Any:
    answer = tab.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
    return answer["result"]["value"]


if __name__ == "__main__":
    main()
