"""The benchmark of segments draws predictions with a known gain, and counts segments that agree with it."""

import numpy as np
import polars as pl
import pytest

import segments as benchmark
from counterpoint.measures.row_gains import row_gains
from counterpoint.schema import PREDICTIONS, check
from injection.segments import HARDER, HOLD_OUT, K_FOLD, LAYOUTS, NOTHING, PLANTED, SHARE, Kind, drawn

SEGMENT = {"is_confirmed": True, "difference": 0.1, "jaccard": 0.8, "low": 0.0, "high": 0.3, "true": 0.15}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_gain_is_the_planted_one_and_zero_elsewhere(layout):
    study = drawn(Kind(layout, PLANTED[1], 1, 0.15), 8000, 1)
    found = row_gains(study.predictions, study.primary, "accuracy", "test")
    planted = study.pairs.select("id").with_columns(planted=pl.Series(study.planted))
    means = dict(found.join(planted, on="id").group_by("planted").agg(pl.mean("gain")).iter_rows())
    assert means[True] == pytest.approx(0.15, abs=0.04)
    assert means[False] == pytest.approx(0, abs=0.02)


def test_a_k_fold_tests_and_validates_each_row_once_by_two_fits():
    study = drawn(Kind(K_FOLD, NOTHING, 1, 0.0), 600, 1)
    found = check(study.predictions, PREDICTIONS, table="Predictions").filter(contender="both")
    assert found.group_by("part", "id").len()["len"].unique().to_list() == [1]
    assert found.group_by("fold", "id").len()["len"].unique().to_list() == [1]


def test_a_hold_out_has_no_group_in_two_parts():
    pairs = drawn(Kind(HOLD_OUT, NOTHING, 1, 0.0), 600, 1).pairs
    assert pairs.group_by("group").agg(pl.col("fold").n_unique())["fold"].max() == 1


@pytest.mark.parametrize("name", [*PLANTED, *HARDER])
def test_a_planted_segment_has_a_fifth_of_the_rows(name):
    assert np.mean(drawn(Kind(K_FOLD, name, 1, 0.1), 3000, 2).planted) == pytest.approx(SHARE, abs=0.04)


def test_a_segment_is_found_if_it_is_confirmed_with_more_gain_and_most_rows_in_common():
    assert benchmark.is_found({"segments": [SEGMENT]})
    for other in ({"is_confirmed": False}, {"difference": -0.1}, {"jaccard": 0.49}):
        assert not benchmark.is_found({"segments": [SEGMENT | other]})


def test_the_rates_count_found_segments_and_studies_without_a_false_one():
    planted = {"kind": "k-fold dark", "ratio": 1, "strength": 0.15, "took_s": 1.0, "segments": [SEGMENT]}
    clean = planted | {"kind": "k-fold nothing", "strength": 0.0}
    found = benchmark.summary([planted, clean, clean | {"segments": []}, clean | {"error": "x", "segments": []}])
    assert (found["n_draws"], found["n_errors"]) == (4, 1)
    assert found["planted"]["k-fold"] == {"rate": benchmark.share_of(1, 1), "meets": None}
    assert {own["segment"]: own["rate"]["k"] for own in found["kinds"]} == {"dark": 1, "nothing": 1}
    assert any("none confirmed 1 of 2" in line for line in benchmark.lines(found))


def test_reported_seeds_are_not_those_of_development():
    whole, quick = ({item.seed for item in benchmark.items(is_whole=is_whole)} for is_whole in (True, False))
    assert not whole & quick
    assert min(whole) >= benchmark.REPORTED
