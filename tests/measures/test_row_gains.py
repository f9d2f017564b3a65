"""Gains of rows: the primary contrast row by row, with errors over groups."""

import numpy as np
import polars as pl
import pytest

from counterpoint.measures.row_gains import Gains, contrast, gains_of, halves, row_gains
from made_predictions import predictions

CHOICES = {"choices": [{"fold": "test", "seed": seed, "a": "lstm-cnn", "b": "text-svm"} for seed in (0, 1)]}


@pytest.fixture(scope="module")
def table():
    return predictions({"text-svm": 0.5, "lstm-cnn": 2.0}, n=80, seeds=(0, 1))


def gains(gain, *, groups=None, weight=None):
    n = len(gain)
    own = np.arange(n) if groups is None else np.asarray(groups)
    weights = np.ones(n) if weight is None else weight
    return Gains(np.asarray(gain, dtype=float), weights, own, np.zeros(n, dtype=np.intp))


def accuracy(table, name):
    own = table.filter(contender=name, part="test")
    return ((own["p_c0"] > own["p_c1"]) == (own["label"] == "c0")).mean()


def test_the_mean_gain_is_the_difference_of_the_two_accuracies(table):
    found = row_gains(table, CHOICES, "accuracy", "test")
    assert found["gain"].mean() == pytest.approx(accuracy(table, "lstm-cnn") - accuracy(table, "text-svm"))
    assert len(found) == 80


def test_labels_and_probabilities_of_test_rows_do_not_change_gains_of_validation_rows(table):
    is_test = pl.col("part") == "test"
    other = table.with_columns(
        label=pl.when(is_test).then(pl.lit("c0")).otherwise("label"),
        p_c0=pl.when(is_test).then(0.5).otherwise("p_c0"), p_c1=pl.when(is_test).then(0.5).otherwise("p_c1"),
    )  # fmt: skip
    first, second = (row_gains(each, CHOICES, "balanced_accuracy", "validation") for each in (table, other))
    assert first.equals(second)


def test_rows_that_one_side_has_not_predicted_are_left_out(table):
    without = table.filter(~((pl.col("contender") == "text-svm") & (pl.col("part") == "validation")))
    assert row_gains(without, CHOICES, "accuracy", "validation").is_empty()


def test_in_balanced_accuracy_each_class_weighs_the_same():
    rows = pl.DataFrame({"id": list("abcd"), "group": list("abcd"), "label": list("xxxy"), "gain": [0.0, 0, 0, 1]})
    found = gains_of(rows, "balanced_accuracy")
    assert found.weight @ found.gain / found.weight.sum() == pytest.approx(0.5)
    assert gains_of(rows, "macro_f1").weight.tolist() == [1, 1, 1, 1]


def test_rows_of_one_group_count_as_one():
    gain = np.random.default_rng(0).choice([-1.0, 0, 1], 200)
    alone, twice = gains(gain), gains(np.repeat(gain, 2), groups=np.repeat(np.arange(200), 2))
    inside = np.arange(200) < 80
    assert contrast(twice, np.repeat(inside, 2)).spread.error == pytest.approx(contrast(alone, inside).spread.error)


def test_the_error_is_that_of_two_independent_means():
    gain = np.random.default_rng(1).choice([-1.0, 0, 1], 1000)
    inside = np.arange(1000) < 300
    found = contrast(gains(gain), inside)
    expected = np.sqrt(gain[inside].var() / 300 + gain[~inside].var() / 700)
    assert found.spread.error == pytest.approx(expected, rel=0.02)
    assert found.own.error == pytest.approx(np.sqrt(gain[inside].var() / 300), rel=0.02)
    assert 500 < found.spread.df < 1000


def test_a_segment_without_any_gain_or_loss_is_not_known_without_error():
    assert contrast(gains(np.zeros(200)), np.arange(200) < 100).spread.error > 0.01


def test_the_halves_have_each_group_once():
    first, second = halves([f"g{k}" for k in range(11)], np.random.default_rng(0))
    assert len(first | second) == 11
    assert not first & second
    assert {len(first), len(second)} == {5, 6}
