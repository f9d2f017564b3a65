import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.metrics import draws
from counterpoint.metrics.draws import row_draws


def drawn(groups, n_draws=50, seed=0):
    return np.concatenate(list(row_draws(np.asarray(groups), n_draws, seed=seed)))


@given(groups=st.lists(st.integers(0, 5), min_size=1, max_size=30), seed=st.integers(0, 99))
def test_rows_of_a_group_are_drawn_together_and_as_many_groups_as_there_are(groups, seed):
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    weights = drawn(codes, seed=seed)
    assert weights.shape == (50, len(groups))
    for code in codes:
        assert (weights[:, codes == code] == weights[:, codes == code][:, :1]).all()
    np.testing.assert_allclose((weights / sizes[codes]).sum(axis=1), len(sizes))


def test_the_same_seed_gives_the_same_draws_and_another_does_not():
    assert (drawn(range(20)) == drawn(range(20))).all()
    assert (drawn(range(20)) != drawn(range(20), seed=1)).any()


def test_draws_do_not_hang_on_how_many_are_made_at_once(monkeypatch):
    together = drawn(range(20))
    monkeypatch.setattr(draws, "MAX_ELEMENTS", 60)
    chunks = list(row_draws(np.arange(20), 50, seed=0))
    assert {len(chunk) for chunk in chunks} == {3, 2}
    assert (np.concatenate(chunks) == together).all()


def test_a_million_rows_are_drawn_one_at_a_time():
    weights = next(row_draws(np.arange(2**20), 2000, seed=0))
    assert weights.shape == (1, 2**20)
