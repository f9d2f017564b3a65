"""Intervals, means over classes and permutations: the one place where each is computed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from statsmodels.stats.proportion import proportion_confint

from counterpoint.metrics.class_means import balanced_mean, mean_by_class
from counterpoint.metrics.intervals import (
    TAILS_95,
    independent_difference,
    normal_interval,
    percentiles,
    standard_errors,
    t_interval,
    tails,
    widened,
    wilson,
)
from counterpoint.metrics.permutations import permute_groups, permute_within

CODES = st.lists(st.integers(0, 4), min_size=1, max_size=40).map(np.array)


def test_an_interval_leaves_undefined_draws_out_and_contains_its_value():
    assert percentiles(np.array([np.nan, 1.0, 1.0]), tails(0.9)) == (1.0, 1.0)
    assert widened((2.0, 3.0), 1.0) == (1.0, 3.0)
    assert np.isnan(widened(percentiles(np.array([np.nan]), tails(0.9)), 1.0)).all()


@given(st.integers(0, 99))
def test_percentiles_are_those_of_numpy(seed):
    draws = np.random.default_rng(seed).normal(size=50)
    assert percentiles(draws, TAILS_95) == tuple(np.quantile(draws, TAILS_95))
    assert tails(0.95) == pytest.approx(TAILS_95)


@given(n=st.integers(1, 500), share=st.floats(0, 1), confidence=st.floats(0.5, 0.99))
def test_wilsons_interval_is_that_of_statsmodels(n, share, confidence):
    found = wilson(share * n, n, z=standard_errors(confidence))
    assert found == pytest.approx(proportion_confint(share * n, n, alpha=1 - confidence, method="wilson"), abs=1e-9)


@given(CODES, st.integers(0, 99))
def test_each_class_counts_the_same_in_a_mean_over_classes(codes, seed):
    values = np.random.default_rng(seed).random(len(codes))
    expected = np.mean([values[codes == code].mean() for code in set(codes.tolist())])
    assert balanced_mean(values, codes) == pytest.approx(expected)
    assert mean_by_class(values, codes)(np.ones((1, len(codes))))[0] == pytest.approx(expected)


@given(CODES, st.integers(0, 99))
def test_a_permutation_within_strata_keeps_each_row_in_its_stratum(codes, seed):
    order = permute_within(codes, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(codes)))
    assert (codes[order] == codes).all()


@given(CODES, st.integers(0, 99))
def test_a_permutation_of_groups_keeps_all_values_and_the_runs_of_each_group(groups, seed):
    groups = np.unique(groups, return_inverse=True)[1]
    permuted = permute_groups(groups, groups, np.random.default_rng(seed))
    assert sorted(permuted) == sorted(groups)
    runs = permuted[np.argsort(groups, kind="stable")]
    assert 1 + (np.diff(runs) != 0).sum() == len(set(groups.tolist()))


@given(st.integers(2, 200), st.floats(0.5, 0.99))
def test_the_interval_of_a_mean_is_that_of_scipy(n, confidence):
    values = np.random.default_rng(n).normal(size=n)
    mean, low, high = t_interval(values, confidence=confidence)
    expected = t.interval(confidence, n - 1, loc=values.mean(), scale=values.std(ddof=1) / n**0.5)
    assert (mean, low, high) == pytest.approx((values.mean(), *expected))
    assert normal_interval(values, z=2) == pytest.approx([mean + k * values.std() / n**0.5 for k in (0, -2, 2)])


def test_a_difference_of_independent_estimates_is_wider_than_either():
    assert independent_difference((0.8, 0.5, 0.9), (0.4, 0.3, 0.8)) == pytest.approx((0.4, -0.1, 0.4 + 0.02**0.5))
