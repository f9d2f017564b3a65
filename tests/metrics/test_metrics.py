"""Every metric of METRICS meets the contract of `metric_contract`, as a metric from outside can."""

import numpy as np
import pytest

from counterpoint.config import DEFAULT_METRICS
from counterpoint.errors import ConfigError, CounterpointError
from counterpoint.metrics import METRICS, Metric, PredictedRows, find_metric, score
from counterpoint.metrics.rows import ratio
from metric_contract import CONTRACT, value


def brier(sample):
    """Return the mean squared distance of the probabilities to the true class."""
    rows = sample.rows
    distance = ((rows.proba - np.eye(rows.n_classes)[rows.codes]) ** 2).sum(axis=1)
    return ratio(sample.sums(distance), sample.total)


BRIER = Metric(
    brier,
    label="Brier score",
    explanation="The mean squared distance of the probabilities to the true class. Lower is better.",
    source="Brier, Monthly Weather Review 1950",
    higher_is_better=False,
)


@pytest.mark.parametrize("part", CONTRACT, ids=lambda part: part.__name__)
@pytest.mark.parametrize("name", [*METRICS, f"{__name__}:BRIER"])
def test_every_metric_meets_the_contract(name, part):
    part(find_metric(name))


def test_the_default_metrics_of_a_study_file_are_in_the_table():
    assert set(DEFAULT_METRICS) <= set(METRICS)


def test_metrics_differ_in_their_names_and_explanations():
    metrics = [find_metric(name) for name in METRICS]
    for texts in ([m.label for m in metrics], [m.explanation for m in metrics], [m.__doc__ for m in metrics]):
        assert len(set(texts)) == len(METRICS)


def test_a_label_starts_small_within_a_sentence_unless_it_is_an_abbreviation():
    names = {name: find_metric(name).name_within for name in ("log_loss", "roc_auc", "macro_f1")}
    assert names == {"log_loss": "log loss", "roc_auc": "ROC AUC", "macro_f1": "macro-F1"}


@pytest.mark.parametrize(
    ("name", "message"),
    [("accurac", "Did you mean 'accuracy'"), ("math:tau", "A metric is a"), ("no.lab:X", "Cannot load")],
)
def test_an_unknown_metric_is_an_error_that_names_it(name, message):
    with pytest.raises(ConfigError, match=message):
        find_metric(name)


def fail(sample):
    return sample.nothing


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (fail, r"Metric 'Odd' \(.*:fail\) failed: AttributeError: 'Sample' object has no attribute 'nothing'"),
        (lambda _: 0.5, r"returned shape \(\). It must return one value for each draw: \(3,\)"),
    ],
)
def test_a_metric_that_fails_or_returns_another_shape_is_named(function, message):
    sample = PredictedRows(np.array([0, 1]), np.eye(2)).weigh(np.ones((3, 2)))
    with pytest.raises(CounterpointError, match=message):
        Metric(function, "Odd", "Odd.")(sample)


KEPT = []


def overwrite(sample):
    sample.weights[:] = 2
    return np.ones(len(sample.weights))


def remember(sample):
    KEPT.append(sample)
    return np.ones(len(sample.weights))


def repeat(value_of):
    return lambda sample: np.full(len(sample.weights), float(value_of(sample.rows)))


accuracy = find_metric("accuracy")
BROKEN = {
    "explains_itself": Metric(brier, "Brier score", "no full stop"),
    "is_a_number_where_every_class_has_rows": repeat(lambda _: np.nan),
    "is_best_for_perfect_predictions": lambda sample: 1 - accuracy(sample),
    "is_better_for_perfect_predictions_than_for_wrong_ones": repeat(lambda _: 1),
    "does_not_depend_on_the_order_of_classes": lambda sample: ratio(sample.correct[0], sample.truths[0]),
    "does_not_depend_on_the_order_of_rows": repeat(lambda rows: rows.proba[0].max()),
    "does_not_change_with_a_class_that_no_row_has": lambda sample: accuracy(sample) / sample.rows.n_classes,
    "counts_a_weight_as_copies_of_a_row": repeat(lambda rows: rows.is_correct.mean()),
    "gives_each_draw_its_own_value": lambda sample: np.full(len(sample.weights), accuracy(sample)[0]),
    "is_taken_in_each_fold_if_it_ranks": lambda sample: accuracy(sample.by_fold[0]),
    "leaves_rows_and_weights_as_they_are": overwrite,
    "keeps_no_sample": remember,
}


@pytest.mark.parametrize("part", CONTRACT, ids=lambda part: part.__name__)
def test_the_contract_finds_a_metric_that_breaks_it(part):
    broken = BROKEN[part.__name__]
    with pytest.raises(AssertionError):
        part(broken if isinstance(broken, Metric) else Metric(broken, "Broken", "A metric that breaks the contract."))


def test_the_value_of_a_metric_from_outside_is_its_formula():
    assert value(BRIER, np.array([0, 1]), np.array([[0.9, 0.1], [0.4, 0.6]])) == pytest.approx((0.02 + 0.32) / 2)
    assert np.isnan(BRIER(PredictedRows(np.array([0]), np.array([[1.0, 0.0]])).weigh(np.zeros((1, 1)))))


def test_a_metric_from_outside_scores_a_table_by_its_path():
    path = f"{__name__}:BRIER"
    row = score([0, 1], [[0.9, 0.1], [0.4, 0.6]], classes=[0, 1], metrics=[path]).row(0, named=True)
    assert (row["metric"], row["value"]) == (path, pytest.approx(0.17))
