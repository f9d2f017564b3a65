import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from counterpoint.config import METRICS as NAMES
from counterpoint.errors import ConfigError
from counterpoint.metrics import METRICS, Metric, Rows, find_metric
from made_predictions import some_proba


def plain_ece(codes, proba, weights):
    confidence, is_hit = proba.max(axis=1), proba.argmax(axis=1) == codes
    total = 0.0
    for k in range(15):
        inside = (confidence > k / 15) & (confidence <= (k + 1) / 15)
        if weights[inside].sum() > 0:
            gap = np.average(is_hit[inside], weights=weights[inside]) - np.average(
                confidence[inside], weights=weights[inside]
            )
            total += weights[inside].sum() * abs(gap)
    return total / weights.sum()


def reference(name, codes, proba, weights):
    """The same metric by scikit-learn (by a loop for ece)."""
    predicted, classes = proba.argmax(axis=1), np.arange(proba.shape[1])
    scores = proba[:, 1] if len(classes) == 2 else proba
    references = {
        "accuracy": lambda w: sk.accuracy_score(codes, predicted, sample_weight=w),
        "balanced_accuracy": lambda w: sk.balanced_accuracy_score(codes, predicted, sample_weight=w),
        "macro_f1": lambda w: sk.f1_score(codes, predicted, average="macro", sample_weight=w),
        "roc_auc": lambda w: sk.roc_auc_score(codes, scores, multi_class="ovr", sample_weight=w),
        "pr_auc": lambda w: sk.average_precision_score(np.eye(len(classes))[codes], proba, sample_weight=w),
        "log_loss": lambda w: sk.log_loss(codes, proba, labels=classes, sample_weight=w),
        "ece": lambda w: plain_ece(codes, proba, w),
    }
    return references[name](weights)


def value(name, codes, proba, weights=None):
    weights = np.ones(len(codes)) if weights is None else np.asarray(weights, dtype=float)
    return find_metric(name)(Rows(np.asarray(codes), np.asarray(proba)).weigh(weights[None]))[0]


@st.composite
def weighed_rows(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n_classes, n_more = draw(st.integers(2, 4)), draw(st.integers(0, 40))
    codes = np.r_[np.arange(n_classes), rng.integers(n_classes, size=n_more)]
    proba = some_proba(rng, codes, n_classes, decimals=draw(st.sampled_from([None, 0, 1])))
    weights = rng.integers(0, 4, size=len(codes)) + np.r_[np.ones(n_classes), np.zeros(n_more)]
    return codes, proba, weights if draw(st.booleans()) else np.ones(len(codes))


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None, max_examples=50)  # scikit-learn's first call is slow
@given(rows=weighed_rows())
def test_every_metric_is_that_of_scikit_learn_under_weights_and_ties(name, rows):
    assert value(name, *rows) == pytest.approx(reference(name, *rows), abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None, max_examples=50)
@given(rows=weighed_rows())
def test_a_weight_counts_as_so_many_copies_of_a_row(name, rows):
    codes, proba, weights = rows
    copies = np.repeat(np.arange(len(codes)), weights.astype(int))
    assert value(name, codes, proba, weights) == pytest.approx(value(name, codes[copies], proba[copies]), nan_ok=True)


@pytest.mark.parametrize("name", METRICS)
def test_many_draws_at_once_are_each_draw_alone(name):
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=30)
    rows = Rows(codes, some_proba(rng, codes, 3, decimals=1))
    weights = rng.integers(0, 3, size=(7, 30)).astype(float)
    together = find_metric(name)(rows.weigh(weights))
    alone = [find_metric(name)(rows.weigh(one[None]))[0] for one in weights]
    np.testing.assert_allclose(together, alone)


@pytest.mark.parametrize("name", METRICS)
def test_a_class_that_no_row_holds_changes_no_metric_but_the_averages_over_it(name):
    rng = np.random.default_rng(1)
    codes = rng.integers(2, size=40)
    two = some_proba(rng, codes, 2)
    three = np.column_stack([two, np.zeros(40)])
    assert value(name, codes, three) == pytest.approx(value(name, codes, two))


def test_a_ranking_of_one_class_alone_is_not_a_number():
    proba = np.array([[0.4, 0.6], [0.3, 0.7]])
    assert np.isnan(value("roc_auc", [1, 1], proba))
    assert value("accuracy", [1, 1], proba) == 1


def test_a_single_score_ranks_nothing():
    proba = np.full((4, 2), 0.5)
    assert value("roc_auc", [0, 1, 1, 1], proba) == 0.5
    assert value("pr_auc", [0, 1, 1, 1], proba) == pytest.approx((1 / 4 + 3 / 4) / 2)


def test_a_ranking_is_taken_within_each_fold_and_averaged():
    scores, codes = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 1, 0, 1])
    rows = Rows(codes, np.column_stack([1 - scores, scores]), (slice(0, 2), slice(2, 4)))
    once = np.ones((1, 4))
    assert find_metric("roc_auc")(rows.weigh(once))[0] == 1  # pooled, it would be 3/4
    assert find_metric("accuracy")(rows.weigh(once))[0] == 0.5


def test_a_fold_without_one_of_the_classes_is_left_out_of_a_ranking():
    scores, codes = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 1, 1, 1])
    rows = Rows(codes, np.column_stack([1 - scores, scores]), (slice(0, 2), slice(2, 4)))
    assert find_metric("roc_auc")(rows.weigh(np.ones((1, 4))))[0] == 1


def test_a_certain_and_wrong_row_costs_a_finite_log_loss():
    assert value("log_loss", [0], [[0.0, 1.0]]) == pytest.approx(-np.log(np.finfo(float).eps))


def test_the_table_holds_the_metrics_of_a_study_file():
    assert tuple(METRICS) == NAMES
    assert [name for name in METRICS if not find_metric(name).higher_is_better] == ["log_loss", "ece"]


def test_every_metric_says_what_it_is():
    said = {find_metric(name).__doc__ for name in METRICS}
    assert len(said) == len(METRICS)
    assert Metric.__doc__ not in said


def test_a_metric_of_ones_own_is_found_by_its_path():
    assert isinstance(find_metric("counterpoint.metrics.classification:ECE"), Metric)


@pytest.mark.parametrize(
    ("name", "said"),
    [("accurac", "Did you mean 'accuracy'"), ("math:tau", "a metric is a"), ("no.lab:X", "Cannot load")],
)
def test_a_metric_that_is_none_is_said_to_be_so(name, said):
    with pytest.raises(ConfigError, match=said):
        find_metric(name)


def test_a_sample_is_gone_when_it_is_let_go():
    rows = Rows(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    sample = rows.weigh(np.ones((5, 2)))
    for name in METRICS:
        find_metric(name)(sample)
    seen = weakref.ref(sample)
    gc.disable()  # thousands of draws would pile up between two collections
    del sample
    gc.enable()
    assert seen() is None
