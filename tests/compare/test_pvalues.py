import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from counterpoint.compare.pvalues import (
    bootstrap_p,
    delong,
    holm,
    mcnemar_exact,
    place,
    twice_median,
)
from counterpoint.metrics import PredictedRows, find_metric
from counterpoint.metrics.draws import row_draws
from made_predictions import some_proba


def two_contenders(rng, n, *, decimals=None):
    codes = np.resize([0, 1], n)
    shared = rng.normal(size=(n, 2))
    pair = []
    for skill in (1.5, 1.0):
        logits = shared + rng.normal(size=(n, 2))
        logits[np.arange(n), codes] += skill
        proba = 1 / (1 + np.exp(logits[:, :1] - logits[:, 1:]))
        proba = proba if decimals is None else proba.round(decimals)
        pair.append(PredictedRows(codes, np.column_stack([1 - proba, proba])))
    return pair


def brute_force_auc(rows):
    positives, negatives = rows.proba[rows.codes == 1, 1], rows.proba[rows.codes == 0, 1]
    wins = (positives[:, None] > negatives) + (positives[:, None] == negatives) / 2
    return wins.mean()


def test_mcnemar_has_the_published_value():
    assert mcnemar_exact(10, 2) == pytest.approx(0.03857, abs=5e-6)


@given(only_a=st.integers(0, 40), only_b=st.integers(0, 40))
def test_mcnemar_is_a_sign_test_of_the_discordant_rows(only_a, only_b):
    n = only_a + only_b
    expected = binomtest(only_a, n).pvalue if n else 1.0
    assert mcnemar_exact(only_a, only_b) == pytest.approx(expected)


@settings(deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(4, 60), decimals=st.sampled_from([None, 1]))
def test_the_auc_of_delong_is_the_brute_force_count(seed, n, decimals):
    a, b = two_contenders(np.random.default_rng(seed), n, decimals=decimals)
    difference, _, _ = delong([place(a)], [place(b)])
    assert difference == pytest.approx(brute_force_auc(a) - brute_force_auc(b))
    assert place(a).positives.mean() == pytest.approx(place(a).negatives.mean())


def test_the_standard_error_of_delong_is_that_of_a_paired_bootstrap():
    a, b = two_contenders(np.random.default_rng(0), 300)
    _, error, _ = delong([place(a)], [place(b)])
    auc = find_metric("roc_auc")
    draws = [auc(a.weigh(w)) - auc(b.weigh(w)) for w in row_draws(np.arange(300), 2000, seed=0)]
    assert error == pytest.approx(np.concatenate(draws).std(), rel=0.1)


def test_the_p_of_delong_is_uniform_when_contenders_are_equally_good():
    rng = np.random.default_rng(0)
    p_values = []
    for _ in range(300):
        codes = np.resize([0, 1], 80)
        a, b = (place(PredictedRows(codes, some_proba(rng, codes, 2))) for _ in range(2))
        p_values.append(delong([a], [b])[2])
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)


def test_delong_over_folds_is_the_mean_of_independent_folds():
    a, b = two_contenders(np.random.default_rng(0), 100)
    one = delong([place(a)], [place(b)])
    two = delong([place(a)] * 2, [place(b)] * 2)
    assert two[0] == pytest.approx(one[0])
    assert two[1] == pytest.approx(one[1] / np.sqrt(2))
    assert two[2] < one[2]


def test_delong_is_nan_without_variance_or_with_one_row_of_a_class():
    codes = np.array([0, 0, 1, 1])
    perfect, flat = (PredictedRows(codes, np.column_stack([1 - s, s])) for s in (codes.astype(float), np.full(4, 0.5)))
    assert np.isnan(delong([place(perfect)], [place(flat)])[2])
    assert delong([place(flat)], [place(flat)]) == (0, 0, 1)
    alone = place(PredictedRows(codes[:3], perfect.proba[:3]))
    assert np.isnan(delong([alone], [alone])).all()


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=50))
def test_the_bootstrap_p_is_symmetric_and_never_0(draws):
    draws = np.array(draws)
    assert bootstrap_p(draws) == bootstrap_p(-draws)
    assert 0 < bootstrap_p(draws) <= 1


def test_the_bootstrap_p_leaves_undefined_draws_out():
    assert bootstrap_p(np.array([0.1] * 19 + [np.nan])) == pytest.approx(2 / 20)
    assert np.isnan(bootstrap_p(np.array([np.nan])))


def test_several_p_values_make_one_that_is_no_smaller_than_their_median():
    assert twice_median([0.03]) == 0.03
    assert twice_median([0.2, 0.001, 0.01]) == pytest.approx(0.02)
    assert twice_median([0.9, 0.8]) == 1.0
    assert np.isnan(twice_median([0.1, np.nan, 0.3]))


def test_twice_the_median_keeps_its_level_when_seeds_agree_and_when_they_do_not():
    rng = np.random.default_rng(0)
    for p_values in (np.repeat(rng.random((4000, 1)), 3, axis=1), rng.random((4000, 3))):
        assert np.mean([twice_median(row) <= 0.05 for row in p_values]) <= 0.055


@settings(max_examples=25)  # statsmodels collects garbage in each call
@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holms_correction_is_that_of_statsmodels(p_values):
    assert holm(p_values) == multipletests(p_values, method="holm")[1].tolist()


def test_no_p_value_needs_no_correction():
    assert holm([]) == []
