"""The benchmark of training variance draws studies with repeats, and takes their interval from a study's functions."""

import numpy as np
import pytest

import training_variance as benchmark
from counterpoint.schema import PREDICTIONS, check

TINY = benchmark.Cell("linear", is_exclusive=False, folds=5, repeats=2)


@pytest.fixture(scope="module")
def drawn():
    return benchmark.study(TINY, 3)


def test_a_repeat_tests_each_row_once_and_never_on_its_own_fit():
    rng = np.random.default_rng(0)
    rows = benchmark.drawn(TINY, benchmark.N, rng)
    found = check(benchmark.predictions_of(TINY, rows, rng), PREDICTIONS, table="Predictions")
    tested = found.filter(part="test", contender="both")
    assert len(tested) == tested["id"].n_unique() == benchmark.N
    parts = found.filter(contender="both").group_by("fold", "id").len()
    assert set(parts["len"]) == {1}


def test_the_interval_is_that_of_all_repeats(drawn):
    often, once = drawn["repeats"], drawn["once"]
    assert len(drawn["by_fold"]) == 5
    assert once["difference"] == pytest.approx(np.mean(drawn["by_fold"]), abs=1e-5)
    assert often["difference"] != once["difference"]
    assert often["error_from_rows"] < once["error"]
    assert often["error"] ** 2 == pytest.approx(often["error_from_rows"] ** 2 + often["error_from_fits"] ** 2, rel=0.01)
    assert often["low"] < often["difference"] < often["high"]


def test_the_rates_count_intervals_that_hold_the_true_contrast(drawn):
    true = drawn["repeats"]["difference"]
    found = benchmark.rates(TINY, {"truths": {"0": true}, "draws": {"0": drawn}})
    assert found["held"]["repeats"] == 1
    assert benchmark.rates(TINY, {"truths": {"0": 2.0}, "draws": {"0": drawn}})["held"]["repeats"] == 0


def test_the_product_of_both_modalities_carries_an_exclusive_or():
    cell = TINY._replace(is_exclusive=True)
    rows = benchmark.drawn(cell, 5000, np.random.default_rng(1))
    product = np.sign(rows.text[:, 0] * rows.image[:, 0]) > 0
    assert (product == rows.codes).mean() == pytest.approx(1 - benchmark.NOISE, abs=0.02)
    for values in (rows.text[:, 0], rows.image[:, 0]):
        assert ((values > 0) == rows.codes).mean() == pytest.approx(0.5, abs=0.03)


def test_kept_truths_and_draws_are_not_made_again(monkeypatch):
    kept = {"truths": {"0": 0.1}, "draws": {"0": {"repeats": {}}}}
    monkeypatch.setattr(benchmark, "study", lambda *_: 1 / 0)
    assert list(benchmark.measured(TINY, kept, 0, 1, 1)) == [None]
