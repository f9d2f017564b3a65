"""The metrics of this package against scikit-learn, and at the edges of their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from counterpoint.metrics import PredictedRows, find_metric
from made_predictions import some_proba


def plain_ece(codes, proba, weights):
    confidence, is_correct = proba.max(axis=1), proba.argmax(axis=1) == codes
    total = 0.0
    for k in range(15):
        inside = (confidence > k / 15) & (confidence <= (k + 1) / 15)
        if weights[inside].sum() > 0:
            gap = np.average(is_correct[inside], weights=weights[inside]) - np.average(
                confidence[inside], weights=weights[inside]
            )
            total += weights[inside].sum() * abs(gap)
    return total / weights.sum()


def sk_scores(proba):
    return proba[:, 1] if proba.shape[1] == 2 else proba


def sk_classes(proba):
    return np.arange(proba.shape[1])


REFERENCES = {
    "accuracy": lambda codes, proba, w: sk.accuracy_score(codes, proba.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda codes, proba, w: sk.balanced_accuracy_score(codes, proba.argmax(1), sample_weight=w),
    "macro_f1": lambda codes, proba, w: sk.f1_score(codes, proba.argmax(1), average="macro", sample_weight=w),
    "roc_auc": lambda codes, proba, w: sk.roc_auc_score(codes, sk_scores(proba), multi_class="ovr", sample_weight=w),
    "pr_auc": lambda codes, proba, w: sk.average_precision_score(np.eye(proba.shape[1])[codes], proba, sample_weight=w),
    "log_loss": lambda codes, proba, w: sk.log_loss(codes, proba, labels=sk_classes(proba), sample_weight=w),
    "ece": plain_ece,
}
"""The same metrics by scikit-learn (by a loop for ece)."""


def value(name, codes, proba, weights=None):
    weights = np.ones(len(codes)) if weights is None else np.asarray(weights, dtype=float)
    return find_metric(name)(PredictedRows(np.asarray(codes), np.asarray(proba)).weigh(weights[None]))[0]


@st.composite
def weighed_rows(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n_classes, n_more = draw(st.integers(2, 4)), draw(st.integers(0, 40))
    codes = np.r_[np.arange(n_classes), rng.integers(n_classes, size=n_more)]
    proba = some_proba(rng, codes, n_classes, decimals=draw(st.sampled_from([None, 0, 1])))
    weights = rng.integers(0, 4, size=len(codes)) + np.r_[np.ones(n_classes), np.zeros(n_more)]
    return codes, proba, weights if draw(st.booleans()) else np.ones(len(codes))


@pytest.mark.parametrize("name", REFERENCES)
@settings(deadline=None, max_examples=50)  # scikit-learn's first call is slow
@given(rows=weighed_rows())
def test_every_metric_is_that_of_scikit_learn_under_weights_and_ties(name, rows):
    assert value(name, *rows) == pytest.approx(REFERENCES[name](*rows), abs=1e-9)


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
    rows = PredictedRows(codes, np.column_stack([1 - scores, scores]), (slice(0, 2), slice(2, 4)))
    once = np.ones((1, 4))
    assert find_metric("roc_auc")(rows.weigh(once))[0] == 1  # pooled, it would be 3/4
    assert find_metric("accuracy")(rows.weigh(once))[0] == 0.5


def test_a_fold_without_one_of_the_classes_is_left_out_of_a_ranking():
    scores, codes = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 1, 1, 1])
    rows = PredictedRows(codes, np.column_stack([1 - scores, scores]), (slice(0, 2), slice(2, 4)))
    assert find_metric("roc_auc")(rows.weigh(np.ones((1, 4))))[0] == 1


def test_a_certain_and_wrong_row_costs_a_finite_log_loss():
    assert value("log_loss", [0], [[0.0, 1.0]]) == pytest.approx(-np.log(np.finfo(float).eps))


def test_pr_auc_of_folds_pools_rows_by_their_ranks_within_each_fold():
    scores, codes = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 1, 0, 1])
    rows = PredictedRows(codes, np.column_stack([1 - scores, scores]), (slice(0, 2), slice(2, 4)))
    assert find_metric("pr_auc")(rows.weigh(np.ones((1, 4))))[0] == 1  # by probabilities, it would be less
    unlike = PredictedRows(codes, np.column_stack([1 - scores**3, scores**3]), rows.folds)
    assert find_metric("pr_auc")(unlike.weigh(np.ones((1, 4))))[0] == 1


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_guessing_has_a_pr_auc_of_1_divided_by_the_number_of_classes(n_classes):
    rng = np.random.default_rng(0)
    codes = rng.choice(n_classes, 20_000, p=np.arange(1, n_classes + 1) / sum(range(n_classes + 1)))
    assert value("pr_auc", codes, rng.dirichlet(np.ones(n_classes), len(codes))) == pytest.approx(
        1 / n_classes, abs=0.01
    )


def test_pr_auc_of_five_folds_with_two_rows_of_a_class_each_is_nearly_unbiased():
    rng, found = np.random.default_rng(0), []
    for _ in range(150):
        codes = np.tile([1, 1, *[0] * 18], 5)
        scores = rng.normal(size=100) + 0.95 * codes + np.repeat(rng.normal(0, 0.3, 5), 20)
        proba = 1 / (1 + np.exp(-np.column_stack([-scores, scores])))
        folds = tuple(slice(start, start + 20) for start in range(0, 100, 20))
        rows = PredictedRows(codes, proba / proba.sum(1, keepdims=True), folds)
        found.append(find_metric("pr_auc")(rows.weigh(np.ones((1, 100))))[0])
    assert np.mean(found) == pytest.approx(0.62, abs=0.02)  # the mean over folds is .08 too high
