"""The area under each curve of the page is the metric of the same name."""

import numpy as np
import polars as pl
import pytest

from counterpoint.metrics import find_metric, read_part
from counterpoint.report.curves.step_curves import mean_curve, precision_recall, precision_recall_curve, roc, roc_curve
from made_predictions import frame_of, predictions, some_proba

CURVES = {"roc_auc": roc_curve, "pr_auc": precision_recall_curve}


def metric_of(trials, name):
    weights = np.ones((1, len(trials[0].codes)))
    return float(np.mean([find_metric(name)(trial.weigh(weights))[0] for trial in trials]))


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("folds", [0, 3])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_area_is_the_metric(name, folds, n_classes):
    table = predictions({"svm": 0.8}, n=90, n_classes=n_classes, seeds=(0, 1), folds=folds)
    trials = read_part(table, "test", ["svm"]).trials["svm"]
    assert CURVES[name](trials).area == pytest.approx(metric_of(trials, name), abs=1e-12)


@pytest.mark.parametrize("name", CURVES)
def test_equal_scores_are_one_step(name):
    codes = np.resize([0, 1, 1], 200)
    proba = some_proba(np.random.default_rng(1), codes, 2, decimals=0)
    trials = read_part(frame_of(codes, proba), "test").trials["text-svm"]
    assert len(np.unique(proba[:, 1])) < 20
    assert CURVES[name](trials).area == pytest.approx(metric_of(trials, name), abs=1e-12)


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_of_many_rows_is_thinned_and_has_almost_the_same_area(name):
    table = predictions({"svm": 1.0}, n=6000, seeds=(0, 1), parts=("test",))
    trials = read_part(table, "test").trials["svm"]
    curve = CURVES[name](trials)
    assert len(curve.x) == 500
    assert curve.area == pytest.approx(metric_of(trials, name), abs=0.001)


def test_a_curve_begins_at_0_ends_at_1_and_rises_on_the_way():
    rng = np.random.default_rng(0)
    x, y = roc(rng.random(50), rng.random(50) < 0.4).points
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= 0).all()


def test_rows_of_one_class_have_no_roc_curve_and_none_without_positives():
    scores = np.array([0.2, 0.7])
    assert roc(scores, np.array([True, True])) is None
    assert roc(scores, np.array([False, False])) is None
    assert precision_recall(scores, np.array([False, False])) is None
    assert precision_recall(scores, np.array([True, True])).area == 1


def test_a_class_that_a_fold_lacks_is_left_out_as_the_metric_does():
    table = predictions({"svm": 0.5}, n=60, n_classes=3, folds=2)
    table = table.filter((pl.col("fold") != "0") | (pl.col("label") != "c2"))
    trials = read_part(table, "test").trials["svm"]
    assert roc_curve(trials).area == pytest.approx(metric_of(trials, "roc_auc"), abs=1e-12)


def test_the_mean_of_a_perfect_and_a_reversed_curve_is_half_of_both():
    good, bad = (roc(np.array([0.9, 0.1]), np.array(truth)) for truth in ([True, False], [False, True]))
    assert mean_curve([good, bad], [0.5, 0.5]).area == 0.5
