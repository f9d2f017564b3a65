"""The benchmark of few pairs in the joint space: its draws, its rows, its rates, and its page."""

import json

import polars as pl
import pytest

import agreement as benchmark
from agreement import ALIGNED, COSINES, KEEP, PERMUTED, QUEUE, REPORTED, SETS
from injection.sources import FLICKR8K, OPENMOJI
from injection.work import Item
from measured import agreement as page_of


def result(kind, pairs, **found):
    return {"kind": kind, "n": 50, "ratio": 1, "strength": 0.0, "seed": 1, "pairs": pairs, "took_s": 0.5} | found


def recognition(kind, severity, association, pairs=FLICKR8K):
    return result(kind, pairs, severity=severity, association=association)


RESULTS = [
    recognition(ALIGNED, "info", "beyond the class"),
    recognition(ALIGNED, "info", "unknown"),
    recognition(ALIGNED, "warn", "none"),
    recognition(PERMUTED, "warn", "none"),
    recognition(PERMUTED, "info", "at all"),
    recognition(PERMUTED, "fail", None),
    result(QUEUE, FLICKR8K, n_moved=100, n_found=80, severity="info"),
    result(KEEP, FLICKR8K, own=[50, 40, 30, 20, 10], other=[25, 20, 15, 10, 5]),
    recognition(ALIGNED, "info", "within each class", OPENMOJI),
    recognition(PERMUTED, "warn", "none", OPENMOJI),
    result(QUEUE, OPENMOJI, n_moved=10, n_found=4, severity="info"),
    result(KEEP, OPENMOJI, own=[10] * 5, other=[5] * 5),
    result(QUEUE, FLICKR8K, error="OSError: gone"),
]


def test_the_rates_count_what_the_check_found():
    found = benchmark.summary(RESULTS)
    own = found["sets"][FLICKR8K]
    assert [own[rate]["k"] for rate in ("recognised", "false_recognition", "detected", "false_alarm")] == [1, 1, 2, 1]
    assert own["queue"]["share"] == 0.8
    assert own["kept"] == {"own": [1.0, 0.8, 0.6, 0.4, 0.2], "other": [0.5, 0.4, 0.3, 0.2, 0.1]}
    assert (found["false_recognition"]["k"], found["false_recognition"]["n"]) == (1, 4)
    assert (found["n_errors"], found["errors"]) == (1, ["queue flickr8k: OSError: gone"])


def test_the_lines_and_the_page_have_the_rates():
    found = json.loads(json.dumps(benchmark.summary(RESULTS)))
    lines = "\n".join(benchmark.lines(found))
    assert "recognised 1 of 3" in lines
    assert "select.agreement 0.05 keeps 80.0% of own pairs and 40.0% of others" in lines
    page = page_of(found)
    assert "80.0 % (71.1 to 86.7), 80 of 100" in page
    assert f"| {COSINES[1]:g} | 80% | 40% |" in page
    assert page_of({}) == ""


def test_reported_draws_have_no_row_and_no_seed_of_development(monkeypatch):
    rows = pl.DataFrame({"id": [str(row) for row in range(6000)], "row": range(6000)})
    monkeypatch.setattr(benchmark, "pairs_of", lambda _: rows)
    first = SETS[FLICKR8K].first_reported
    development, reported = (benchmark._drawn(Item(ALIGNED, 500, 1, 0.0, seed, FLICKR8K))[0] for seed in (7, REPORTED))
    assert development["row"].max() < first <= reported["row"].min()
    assert len(development) == len(reported) == 500


@pytest.mark.parametrize("is_whole", [False, True])
def test_each_draw_is_made_once(monkeypatch, is_whole):
    monkeypatch.setattr(benchmark, "is_there", lambda _: True)
    listed = benchmark.items(is_whole=is_whole)
    assert len(listed) == len(set(listed)) == (2 * (300 + 300 + 20 + 1) if is_whole else 2 * (3 + 3 + 3 + 1))
    assert all((item.seed >= REPORTED) == is_whole for item in listed)
