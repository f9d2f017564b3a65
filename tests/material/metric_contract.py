"""The contract of metrics: functions that take a `counterpoint.metrics.Metric`, ours or from outside.

``for part in CONTRACT: part(metric)`` holds a metric to all of it.  The rows have two to four classes.
"""

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import rankdata

from counterpoint.metrics import Metric, PredictedRows
from made_predictions import some_proba

SEEDS = range(12)


def made_rows(*, has_ties: bool = True) -> Iterator[tuple[np.ndarray, np.ndarray, np.random.Generator]]:
    """Yield labels and probabilities: every class has two rows or more, and every third set has equal probabilities."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        n_classes = 2 + seed // 3 % 3
        codes = np.r_[np.tile(np.arange(n_classes), 2), rng.integers(n_classes, size=3 * seed)]
        yield codes, some_proba(rng, codes, n_classes, decimals=0 if has_ties and seed % 3 == 0 else None), rng


def value(metric: Metric, codes: np.ndarray, proba: np.ndarray, weights: np.ndarray | None = None) -> float:
    weights = np.ones(len(codes)) if weights is None else np.asarray(weights, dtype=float)
    return float(metric(PredictedRows(np.asarray(codes), np.asarray(proba)).weigh(weights[None]))[0])


def gain(metric: Metric, better: float, worse: float) -> float:
    return better - worse if metric.higher_is_better else worse - better


def explains_itself(metric: Metric) -> None:
    assert isinstance(metric, Metric)
    assert metric.label.strip() == metric.label != ""
    assert not metric.label.endswith("."), "the label is a name"
    assert metric.name_within
    assert metric.explanation.endswith("."), "the explanation on the page is whole sentences"
    assert not metric.source.endswith("."), "the source is a reference"
    assert (metric.__doc__ or "").splitlines()[:1] not in ([], [""]), "`counterpoint metrics` shows the docstring"


def is_a_number_where_every_class_has_rows(metric: Metric) -> None:
    for codes, proba, _ in made_rows():
        assert np.isfinite(value(metric, codes, proba))


def is_best_for_perfect_predictions(metric: Metric) -> None:
    for codes, proba, _ in made_rows():
        perfect = value(metric, codes, np.eye(proba.shape[1])[codes])
        assert gain(metric, perfect, value(metric, codes, proba)) >= -1e-9


def is_better_for_perfect_predictions_than_for_wrong_ones(metric: Metric) -> None:
    for codes, proba, _ in made_rows():
        n_classes = proba.shape[1]
        perfect, wrong = (np.eye(n_classes)[places % n_classes] for places in (codes, codes + 1))
        assert gain(metric, value(metric, codes, perfect), value(metric, codes, wrong)) > 0


def does_not_depend_on_the_order_of_classes(metric: Metric) -> None:
    for codes, proba, rng in made_rows(has_ties=False):  # of equal classes, the first is the prediction
        order = rng.permutation(proba.shape[1])
        assert value(metric, np.argsort(order)[codes], proba[:, order]) == pytest.approx(value(metric, codes, proba))


def does_not_depend_on_the_order_of_rows(metric: Metric) -> None:
    for codes, proba, rng in made_rows():
        order = rng.permutation(len(codes))
        assert value(metric, codes[order], proba[order]) == pytest.approx(value(metric, codes, proba))


def does_not_change_with_a_class_that_no_row_has(metric: Metric) -> None:
    for codes, proba, _ in made_rows(has_ties=False):
        wider = np.column_stack([proba, np.zeros(len(codes))])
        assert value(metric, codes, wider) == pytest.approx(value(metric, codes, proba))


def counts_a_weight_as_copies_of_a_row(metric: Metric) -> None:
    for codes, proba, rng in made_rows():
        weights = rng.integers(0, 4, size=len(codes))
        weights[: 2 * proba.shape[1]] += 1
        copies = np.repeat(np.arange(len(codes)), weights)
        assert value(metric, codes, proba, weights) == pytest.approx(value(metric, codes[copies], proba[copies]))


def gives_each_draw_its_own_value(metric: Metric) -> None:
    for codes, proba, rng in made_rows():
        rows = PredictedRows(codes, proba)
        weights = np.vstack([np.ones(len(codes)), rng.integers(0, 3, size=(6, len(codes)))])
        drawn = metric(rows.weigh(weights))
        assert drawn.shape == (7,)
        np.testing.assert_allclose(drawn, [metric(rows.weigh(one[None]))[0] for one in weights])
        np.testing.assert_allclose(drawn[0], value(metric, codes, proba))


def is_taken_in_each_fold_if_it_ranks(metric: Metric) -> None:
    for codes, proba, _ in made_rows():
        twice, ends = np.r_[codes, codes], len(codes)
        folds = (slice(0, ends), slice(ends, 2 * ends))
        shifted = np.r_[proba, np.eye(proba.shape[1])[codes]]
        whole = float(metric(PredictedRows(twice, shifted, folds).weigh(np.ones((1, 2 * ends))))[0])
        alone = [value(metric, codes, shifted[fold]) for fold in folds]
        ranks = np.vstack([rankdata(shifted[fold], axis=0) / ends for fold in folds])
        pooled = value(metric, twice, ranks if metric.is_pooled else shifted)
        is_averaged = metric.is_ranking and not metric.is_pooled
        assert whole == pytest.approx(np.mean(alone) if is_averaged else pooled)


def leaves_rows_and_weights_as_they_are(metric: Metric) -> None:
    codes, proba, _ = next(made_rows())
    weights = np.ones((3, len(codes)))
    before = [each.copy() for each in (codes, proba, weights)]
    metric(PredictedRows(codes, proba).weigh(weights))
    for each, copy in zip((codes, proba, weights), before, strict=True):
        np.testing.assert_array_equal(each, copy)


def keeps_no_sample(metric: Metric) -> None:
    codes, proba, _ = next(made_rows())
    sample = PredictedRows(codes, proba).weigh(np.ones((5, len(codes))))
    metric(sample)
    kept = weakref.ref(sample)
    gc.disable()  # thousands of draws would accumulate between two collections
    try:
        del sample
        assert kept() is None
    finally:
        gc.enable()


CONTRACT = (
    explains_itself,
    is_a_number_where_every_class_has_rows,
    is_best_for_perfect_predictions,
    is_better_for_perfect_predictions_than_for_wrong_ones,
    does_not_depend_on_the_order_of_classes,
    does_not_depend_on_the_order_of_rows,
    does_not_change_with_a_class_that_no_row_has,
    counts_a_weight_as_copies_of_a_row,
    gives_each_draw_its_own_value,
    is_taken_in_each_fold_if_it_ranks,
    leaves_rows_and_weights_as_they_are,
    keeps_no_sample,
)
