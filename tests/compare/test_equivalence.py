import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from counterpoint.compare.equivalence import chances, interval_within_margin, rows_needed, smallest_margin
from counterpoint.metrics.spread import Spread

DIFFERENCES = st.floats(-0.2, 0.2)
ERRORS = st.floats(0.001, 0.1)
DFS = st.floats(2, 500)


@given(difference=DIFFERENCES, error=ERRORS, df=DFS, margin=st.floats(0, 0.1))
def test_the_probabilities_are_those_of_students_t_and_sum_to_one(difference, error, df, margin):
    found = chances(difference, error, df, margin=margin)
    true = t(df, difference, error)
    assert sum(found) == pytest.approx(1)
    assert found.better == pytest.approx(true.sf(margin), abs=1e-9)
    assert found.worse == pytest.approx(true.cdf(-margin), abs=1e-9)


@given(difference=DIFFERENCES, error=ERRORS, df=DFS)
def test_at_the_smallest_margin_both_one_sided_tests_just_reject(difference, error, df):
    margin = smallest_margin(difference, error, df, confidence=0.95)
    p_values = t.sf((margin + difference) / error, df), t.sf((margin - difference) / error, df)
    assert max(p_values) == pytest.approx(0.05, abs=1e-6)


def test_no_difference_that_matters_is_found_as_often_as_two_one_sided_tests_allow():
    """A true difference of 0 and of the margin, discordant pairs of a tenth of 2,000 rows."""
    rng = np.random.default_rng(0)
    margin, error = 0.02, (0.1 / 2000) ** 0.5
    found = {}
    for true in (0.0, margin):
        margins = [smallest_margin(rng.normal(true, error), error, 1999) for _ in range(2000)]
        found[true] = np.mean([least <= margin for least in margins])
    assert found[0.0] >= 0.7
    assert found[margin] <= 0.06


@given(difference=st.floats(0.005, 0.05), error=st.floats(0.01, 0.1), df=st.floats(50, 500))
def test_so_many_rows_show_the_difference_with_the_power_of_the_minimum_detectable_one(difference, error, df):
    needed = rows_needed(difference, error, df, 1000).n
    if needed is None:
        assert Spread(error / 10, 100 * df).detectable(0.95) > difference * 0.97
    else:
        then = Spread(error * (1000 / needed) ** 0.5, df * needed / 1000)
        assert then.detectable(0.95) == pytest.approx(difference, rel=0.03)


def test_a_margin_may_be_shown_with_fewer_rows_than_a_small_difference():
    assert rows_needed(0.0001, 0.01, 500, 1000) == (None, False)
    assert rows_needed(0.0001, 0.01, 500, 1000, margin=0.02).n < 2000
    assert rows_needed(float("nan"), float("nan"), float("nan"), 1000) == (None, False)


def test_no_number_of_rows_settles_a_difference_within_the_error_of_fits():
    assert rows_needed(0.05, 0.04, 2, 600, error_of_fits=0.039) == (None, True)
    with_fits, without = (rows_needed(0.05, 0.04, 60, 600, error_of_fits=error).n for error in (0.01, 0.0))
    assert with_fits > without


def test_few_degrees_of_freedom_grow_with_the_rows():
    few, many = (rows_needed(0.05, 0.04, df, 600).n for df in (2, 500))
    assert many < few < 1.3 * many


def test_the_interval_within_the_margin_has_the_smallest_margin_as_its_farther_end():
    low, high = interval_within_margin(0.01, 0.005, 400)
    assert smallest_margin(0.01, 0.005, 400) == high
    assert (low + high) / 2 == pytest.approx(0.01)
    assert high - low < 2 * Spread(0.005, 400).half_width(0.95)


def test_a_difference_without_any_error_is_certain():
    assert chances(0.0, 0.0, 10, margin=0.01) == (0, 1, 0)
    assert chances(0.5, 0.0, 10) == (1, 0, 0)
    assert all(np.isnan(chances(0.5, float("nan"), 10)))
