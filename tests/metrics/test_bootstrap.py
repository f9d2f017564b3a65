import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.config import Evaluate
from counterpoint.metrics import METRICS, draws, read_part, resample, score
from counterpoint.metrics.draws import row_draws, seed_draws
from made_predictions import frame_of, predictions, some_proba

FEW = Evaluate(bootstrap=100)


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


@pytest.mark.parametrize("name", METRICS)
def test_copies_of_a_row_in_its_group_do_not_narrow_the_interval(name):
    rng = np.random.default_rng(0)
    codes = rng.integers(2, size=40)
    proba = some_proba(rng, codes, 2)
    once = score(codes, proba, classes=[0, 1], metrics=[name], bootstrap=200)
    places = np.repeat(np.arange(40), 4)
    copied = score(codes[places], proba[places], classes=[0, 1], groups=places, metrics=[name], bootstrap=200)
    for column in ("value", "low", "high"):
        assert copied[column].item() == pytest.approx(once[column].item())


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    n_covered, n_studies = 0, 200
    for _ in range(n_studies):
        codes = rng.integers(2, size=100)
        right = rng.random(100) < 0.8
        proba = np.eye(2)[np.where(right, codes, 1 - codes)]
        low, high = score(codes, proba, classes=[0, 1], metrics=["accuracy"], bootstrap=200)["low", "high"].row(0)
        n_covered += low <= 0.8 <= high
    assert 0.90 <= n_covered / n_studies <= 0.98


def test_intervals_over_groups_cover_where_those_over_rows_do_not():
    rng = np.random.default_rng(0)
    covered = {"groups": 0, "rows": 0}
    for _ in range(100):
        groups = np.repeat(np.arange(40), 5)
        codes = rng.integers(2, size=200)
        right = (rng.random(40) < 0.8)[groups]
        proba = np.eye(2)[np.where(right, codes, 1 - codes)]
        for name, drawn_by in (("groups", groups), ("rows", None)):
            table = score(codes, proba, classes=[0, 1], groups=drawn_by, metrics=["accuracy"], bootstrap=200)
            covered[name] += table["low"].item() <= 0.8 <= table["high"].item()
    assert covered["groups"] >= 87
    assert covered["rows"] <= 75


def test_seeds_widen_an_interval_by_their_own_spread():
    codes = np.resize([0, 1], 400)
    sure, unsure = np.eye(2)[codes], np.eye(2)[np.where(np.arange(400) % 5 == 0, 1 - codes, codes)]
    seeds = pl.concat([frame_of(codes, sure, seed=0), frame_of(codes, unsure, seed=1)])
    both = resample(read_part(seeds, "test"), ["accuracy"], FEW)["text-svm"]
    alone = resample(read_part(seeds.filter(seed=1), "test"), ["accuracy"], FEW)["text-svm"]
    assert both.value[0] == pytest.approx(0.9)
    assert both.draws.std() > 2 * alone.draws.std()
    assert both.draws.max() == 1  # the better seed twice


@given(n_seeds=st.integers(1, 5))
def test_the_shares_of_seeds_sum_to_one(n_seeds):
    np.testing.assert_allclose(seed_draws(n_seeds, 30, seed=0).sum(axis=0), 1)


def test_contenders_share_their_draws():
    table = predictions({"text-svm": 1, "lstm-cnn": 1}).filter(part="test")
    same = table.filter(contender="text-svm")
    twins = pl.concat([same, same.with_columns(contender=pl.lit("twin"))])
    drawn = resample(read_part(twins, "test"), list(METRICS), FEW)
    np.testing.assert_array_equal(drawn["twin"].draws, drawn["text-svm"].draws)


def test_a_contender_with_one_seed_stands_for_all():
    many = predictions({"lstm-cnn": 1}, seeds=(0, 1, 2), parts=("test",))
    one = predictions({"majority": 0}, parts=("test",))
    part = read_part(pl.concat([many, one]), "test")
    assert part.n_seeds == 3
    drawn = resample(part, ["accuracy"], FEW)
    alone = resample(read_part(one, "test"), ["accuracy"], FEW)
    np.testing.assert_array_equal(drawn["majority"].draws, alone["majority"].draws)


def test_one_group_has_no_interval():
    table = score([0, 1], [[0.9, 0.1], [0.2, 0.8]], classes=[0, 1], groups=["g", "g"], metrics=["accuracy"])
    assert table.row(0) == ("accuracy", 1.0, None, None, 2)


def test_draws_in_which_a_class_vanishes_are_left_out():
    table = score([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], classes=[0, 1], metrics=["roc_auc"])
    assert table.select("value", "low", "high").row(0) == (1.0, 1.0, 1.0)
