"""Calibration slope and overconfidence: regular estimates whose intervals hold on few rows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from counterpoint.metrics.calibration import calibration
from counterpoint.metrics.spread import spread_of


def binary(n, *, too_strong=1.0, seed=0):
    """Return classes, and probabilities whose logits are *too_strong* times the true ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, n)
    codes = (rng.random(n) < 1 / (1 + np.exp(-logits))).astype(int)
    p = 1 / (1 + np.exp(-too_strong * logits))
    return codes, np.column_stack([1 - p, p])


@pytest.mark.parametrize("too_strong", [0.5, 1.0, 3.0])
def test_the_slope_of_two_classes_is_that_of_a_logistic_regression(too_strong):
    codes, proba = binary(400, too_strong=too_strong)
    logits = np.log(proba[:, 1] / proba[:, 0])[:, None]
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(logits, codes).coef_[0, 0]
    assert calibration(codes, proba).slope.value == pytest.approx(reference, rel=1e-4)


@pytest.mark.parametrize("n", [100, 300])
def test_intervals_hold_the_truth_on_few_rows(n):
    found = [calibration(*binary(n, seed=seed)) for seed in range(200)]
    for truth, name in ((1.0, "slope"), (0.0, "overconfidence")):
        held = np.mean([getattr(each, name).low <= truth <= getattr(each, name).high for each in found])
        assert held > 0.9


def test_copies_of_a_row_in_its_group_do_not_narrow_an_interval():
    codes, proba = binary(200)
    once, thrice = (
        calibration(codes, proba),
        calibration(np.repeat(codes, 3), np.repeat(proba, 3, axis=0), np.repeat(np.arange(200), 3).tolist()),
    )
    for one, other in zip(once, thrice, strict=True):
        assert tuple(other) == pytest.approx(tuple(one), rel=1e-6)


def test_three_classes_that_are_twice_too_strong_have_half_the_slope():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4000, 3)) + np.log([0.6, 0.3, 0.1])
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    codes = (rng.random((4000, 1)) > proba.cumsum(1)[:, :2]).sum(1)
    sharp = proba**2 / (proba**2).sum(1, keepdims=True)
    assert calibration(codes, sharp).slope.value == pytest.approx(0.5, abs=0.06)
    assert calibration(codes, sharp).overconfidence.low > 0.05


@pytest.mark.parametrize(
    ("codes", "proba"),
    [([0, 1, 0, 1], [[0.9, 0.1], [0.1, 0.9]] * 2), ([0, 0, 0], [[0.9, 0.1]] * 3), ([0, 1], [[0.5, 0.5]] * 2)],
    ids=["separated", "one class", "one probability"],
)
def test_a_slope_that_the_rows_do_not_fix_is_not_a_number(codes, proba):
    found = calibration(np.array(codes), np.array(proba))
    assert np.isnan(found.slope.value)
    assert np.isfinite(found.overconfidence.value)


def test_the_interval_is_that_of_the_changes_when_each_row_is_left_out():
    codes, proba = binary(150)
    found = calibration(codes, proba)
    rows = np.arange(len(codes))
    without = [calibration(codes[rows != row], proba[rows != row]) for row in rows]
    nothing = np.empty(0), np.empty(0, dtype=np.intp)
    for name in ("slope", "overconfidence"):
        own = getattr(found, name)
        changes = np.array([getattr(each, name).value for each in without]) - own.value
        spread = spread_of(changes, nothing[0], (codes.astype(np.intp), nothing[1]), np.ones(1))
        assert own.high - own.value == pytest.approx(spread.half_width(0.95), rel=0.05)


def test_few_rows_of_a_class_that_make_most_of_the_error_widen_an_interval():
    codes, first = np.repeat([0, 1], [200, 6]), np.repeat([0.9, 0.1], [203, 3])
    found = calibration(codes, np.column_stack([first, 1 - first])).overconfidence
    gaps = np.repeat([-0.1, 0.9, -0.1], [200, 3, 3])
    normal = 1.96 * gaps.std() / len(gaps) ** 0.5
    assert found.high - found.value > 1.2 * normal
