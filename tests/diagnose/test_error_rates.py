"""The packaged error rates are those of the benchmark, and each check has an advice."""

import json
from pathlib import Path

import pytest

from counterpoint.diagnose import CHECKS, advice_of
from counterpoint.diagnose.check import ADVICE
from counterpoint.diagnose.error_rates import RATES, error_rates
from packaged_rates import packaged_rates

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "pitfalls.json"
MEASURED = json.loads(RESULTS.read_text(encoding="utf-8"))["checks"]


def test_the_packaged_rates_are_those_of_the_benchmark():
    assert RATES.read_text(encoding="utf-8") == packaged_rates()


@pytest.mark.parametrize("code", CHECKS)
def test_a_rate_is_the_one_that_was_measured_at_its_size(code):
    for n in (10, 300, 700, 3652, 10**6):
        found = error_rates(code, n, ratio=3.0)
        sizes = [size for size in MEASURED[code]["sizes"] if size["planted"] or size["clean"]]
        if found is None:
            assert sizes == []
            continue
        size = next(each for each in sizes if (each["n"], each["ratio"]) == (found.n_pairs, found.ratio))
        assert found.detected is None or found.detected.k == size["planted"]["k"]
        assert (found.alarms is None) == (size["clean"] is None)


def test_the_nearest_size_is_nearest_as_a_factor():
    found = [error_rates("CP001", n).n_pairs for n in (1, 547, 548, 1732, 1733, 10**6)]
    assert found == [300, 300, 1000, 1000, 3000, 3000]


@pytest.mark.parametrize("code", CHECKS)
def test_each_check_has_an_advice_of_its_own_in_short_sentences(code):
    advice = advice_of(code)
    assert advice != ADVICE
    assert advice.endswith(".")
    assert len(advice.split()) <= 45
