"""Curves of size are exact where there is no doubt, doubtful where there is, and absent where they would mislead."""

import numpy as np
import pytest

from counterpoint.measures.size_curve import SizeCurve, SizeGain, SizePoints, why_not

SHARES = np.array([0.125, 0.25, 0.5, 1.0])


def points(scores, *, error=0.01, guess=0.5, shared=0.8, n_train=500):
    own = np.asarray(scores)
    covariance = error**2 * (shared + (1 - shared) * np.eye(len(own)))
    return SizePoints(SHARES[-len(own) :], np.zeros(len(own), int), own, covariance, guess, n_train)


@pytest.mark.parametrize("rate", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_the_interval_holds_a_power_law(rate, floor):
    true = 1 - floor - 0.1 * np.append(SHARES, 3.0) ** -rate
    more = SizeCurve(points(true[:-1])).at(3)
    assert more.low < true[-1] < more.high
    assert more.value == pytest.approx(true[-1], abs=0.03)


def test_a_flat_curve_stays_flat():
    curve = SizeCurve(points([0.9, 0.9, 0.9, 0.9], error=0.005))
    assert curve.at(3).value == pytest.approx(0.9, abs=0.01)
    assert curve.at(3).low < 0.9


def test_the_interval_now_is_that_of_the_score():
    now = SizeCurve(points([0.75, 0.8, 0.84, 0.87], error=0.02, shared=0.99)).at(1)
    assert now.value == pytest.approx(0.87, abs=0.01)
    assert now.high - now.low == pytest.approx(2 * 1.96 * 0.02, rel=0.3)


def test_the_interval_widens_with_the_distance():
    curve = SizeCurve(points([0.75, 0.8, 0.84, 0.87]))
    widths = [more.high - more.low for more in map(curve.at, (1, 2, 3, 10))]
    assert widths == sorted(widths)


def test_more_confidence_is_a_wider_interval():
    curve = SizeCurve(points([0.75, 0.8, 0.84, 0.87]))
    wide, narrow = curve.at(3, confidence=0.99), curve.at(3, confidence=0.8)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_same_points_and_seed_give_the_same_numbers():
    given = points([0.75, 0.8, 0.84, 0.87])
    assert SizeCurve(given, seed=1).at(3) == SizeCurve(given, seed=1).at(3)


@pytest.mark.parametrize("scores", [[1.0] * 4, [0.999, 1.0, 1.0, 1.0], [0.51, 0.52, 0.55, 0.62]])
def test_scores_at_the_edges_give_finite_numbers_from_0_to_1(scores):
    more = SizeCurve(points(scores)).at(3)
    assert 0 <= more.low <= more.value <= more.high <= 1


def test_a_shared_error_of_test_rows_cancels_in_the_gain():
    one, other = SizeCurve(points([0.88, 0.89, 0.9, 0.9], error=0.02)), SizeCurve(points([0.83, 0.84, 0.85, 0.85]))
    apart, shared = (SizeGain(one, other, correlation=each).at(1) for each in (0.0, 0.95))
    assert shared.value == pytest.approx(0.05, abs=0.01)
    assert shared.high - shared.low < 0.8 * (apart.high - apart.low)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (points([0.8, 0.9]), "only 2 sizes"),
        (points([0.48, 0.5, 0.51, 0.5]), "no better than guessing"),
        (points([0.95, 0.9, 0.88, 0.85], error=0.004), "fell with more pairs"),
        (points([0.8, 0.85, 0.87, 0.9])._replace(covariance=np.full((4, 4), np.nan)), "too few groups"),
    ],
)
def test_where_a_curve_would_mislead_there_is_a_reason_instead(given, reason):
    assert reason in why_not(given)
