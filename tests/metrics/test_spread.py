"""Variances of rows and of a few seeds add up to a test that keeps its level."""

import numpy as np
import pytest

from counterpoint.metrics.spread import Spread, added, spread_of, spread_of_mean

N_DRAWS = 4000


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("n_seeds", [3, 5, 10])
def test_true_nulls_are_rejected_at_the_level(n_seeds: int, share: float) -> None:
    rng = np.random.default_rng(n_seeds)
    values = rng.standard_normal(N_DRAWS)
    of_seeds = share * rng.chisquare(n_seeds - 1, N_DRAWS) / (n_seeds - 1)
    over_rows = Spread((1 - share) ** 0.5, 1000.0)
    ps = [
        added([over_rows, Spread(seeds**0.5, n_seeds - 1)]).p(value)
        for value, seeds in zip(values, of_seeds, strict=True)
    ]
    assert 0.02 < np.mean(np.array(ps) <= 0.05) < 0.065


def test_seeds_of_one_value_add_nothing() -> None:
    changes = np.random.default_rng(0).standard_normal(200) / 200
    strata = np.zeros(200, dtype=np.intp), np.empty(0, dtype=np.intp)
    alone, with_seeds = (spread_of(changes, np.empty(0), strata, np.full(n, 0.5)) for n in (1, 3))
    assert with_seeds == pytest.approx(alone)


def test_no_variance_at_all_is_known_exactly() -> None:
    assert added([Spread(0.0, 99.0), spread_of_mean(np.full(3, 0.25))]) == Spread(0.0, 2.0)
