"""The benchmark of curves of size cuts a study to a third of its pairs and tests on rows that no fit has seen."""

from pathlib import Path

import polars as pl
import pytest

import sizes as benchmark
from growth.vectors import Vectors, shape_of


def source(**settings):
    return next(Vectors(**{"seed": 3, "n": 300, "n_whole": 900} | settings).rows(Path()))


def test_the_cut_rows_are_rows_of_the_whole_and_fresh_rows_are_not():
    cut, whole = source(), source(n=900, n_fresh=500)
    shared = [name for name in cut.columns if name != "fold"]
    assert cut[shared].equals(whole[:300][shared])
    fresh = whole.filter(fold="test")
    assert len(fresh) == 500
    assert set(fresh["group"]).isdisjoint(whole[:900]["group"])
    assert not fresh["t0"].is_in(whole[:900]["t0"].implode()).any()


def test_the_whole_is_split_by_groups_in_the_shares_of_the_cut_study():
    seed = next(seed for seed in range(50) if shape_of(seed).group_rows == 3)
    rows = source(seed=seed, n=900, n_fresh=50, test_share=0.3, validation_share=0.2)[:900]
    assert rows.group_by("group").agg(pl.col("fold").n_unique())["fold"].max() == 1
    shares = {fold: n / 900 for fold, n in rows["fold"].value_counts().iter_rows()}
    assert shares["train"] == pytest.approx(0.5, abs=0.08)
    assert shares["validation"] == pytest.approx(0.2, abs=0.08)


def test_items_alternate_models_and_splits():
    listed = benchmark.items(0, 12)
    assert {(item.kind, item.strength) for item in listed} == {
        (model, split) for model in benchmark.MODELS for split in (benchmark.HOLDOUT, benchmark.KFOLD)
    }
    assert len({item.seed for item in listed}) == 12


def result(low, high, truth=0.9):
    expected = [["both", None, truth, low, high], ["text", None, 0.8, 0.7, 0.9], ["both", "text", 0.1, 0.0, 0.2]]
    now = [["both", 0.85, 0.8, 0.89], ["text", 0.8, 0.7, 0.9]]
    own = {"truth": {"both": truth, "text": 0.8}, "expected": expected, "now": now, "reasons": []}
    return {"kind": "linear", "seed": 0} | own


def test_the_rates_count_intervals_that_hold_the_true_score():
    found = benchmark.summary([result(0.85, 0.95), result(0.91, 0.95)])
    assert found["both"]["held"]["k"] == 1
    assert found["all scores"]["held"]["k"] == 3
    assert found["both"]["mean_width"] == pytest.approx(0.07)
    assert found["both"]["held_by_interval_now"] == 0
    assert found["gain"]["held"]["share"] == 1
    assert not found["meets"]
    assert "MISSED" in list(benchmark.lines(found))[-1]


def test_a_study_without_a_curve_counts_as_such_and_a_failed_one_is_shown():
    without = result(0.85, 0.95) | {"expected": [], "now": []}
    found = benchmark.summary([result(0.85, 0.95), without, {"kind": "linear", "seed": 1, "error": "SplitError: no"}])
    assert found["both"]["without_curve"] == 1
    assert found["failed"] == ["SplitError: no"]


@pytest.mark.slow
def test_a_draw_has_the_expected_and_the_true_values(tmp_path):
    drawn = benchmark.draw(benchmark.items(5, 1)[0], tmp_path)
    assert "error" not in drawn
    assert set(drawn["truth"]) == {"text", "both"}
    assert [row[:2] for row in drawn["expected"]] == [["both", None], ["text", None], ["both", "text"]]
