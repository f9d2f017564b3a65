"""The distance of a score from guessing: its lower end in a k-fold, where the folds of a model that guesses depend."""

import numpy as np
import polars as pl
import pytest

from counterpoint.diagnose import Inputs
from counterpoint.diagnose.verdict_inputs import NEAR_GUESSING, VerdictInputs
from counterpoint.metrics.estimate import Estimate
from counterpoint.schema import FINDINGS, empty

N, FOLDS, DRAWS = 400, 4, 1500


def share_right(rng: np.random.Generator, width: int) -> float:
    """Return the share of right classes of a linear model of noise, in a k-fold with equal classes."""
    codes = np.tile([0, 1], N // 2)
    fold_of = np.repeat(np.arange(N // 2) % FOLDS, 2)
    features = rng.normal(size=(N, width))
    features[:, 0] += 3 * (2 * rng.integers(0, 2, N) - 1)  # a property of two values, which the class does not change
    right = np.empty(N)
    for fold in range(FOLDS):
        is_train = fold_of != fold
        train = features[is_train]
        weights = np.linalg.solve(train.T @ train + np.eye(width), train.T @ (2 * codes[is_train] - 1))
        right[~is_train] = (features[~is_train] @ weights > 0) == codes[~is_train]
    return float(right.mean())


@pytest.mark.parametrize("width", [1, 20, 100])
def test_scores_of_noise_vary_more_in_a_k_fold_than_their_intervals_say(width):
    rng, error = np.random.default_rng(width), 0.5 / N**0.5
    above = np.array([share_right(rng, width) for _ in range(DRAWS)]) - 0.5
    assert 1.15 < above.std() / error < 1.4
    alone, widened = ((above > factor * 1.96 * error).mean() for factor in (1.0, NEAR_GUESSING))
    assert widened < 0.025
    assert alone > 0.035


@pytest.mark.parametrize(("parts", "low"), [(["train", "oof"], 0.1 - NEAR_GUESSING * 0.08), (["train", "test"], 0.02)])
def test_only_the_lower_end_of_a_k_fold_is_lower(parts, low):
    inputs = VerdictInputs(Inputs({"balanced_scores": pl.DataFrame({"part": parts})}), empty(FINDINGS))
    assert inputs.near_guessing(Estimate(0.1, 0.02, 0.2)) == (0.1, pytest.approx(low), 0.2)
