"""The predicted class: the best one for a metric, by calibrated probabilities and the class shares of training."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import counterpoint as cp
from counterpoint.config import Evaluate
from counterpoint.errors import ConfigError, SchemaError
from counterpoint.metrics import METRICS, PredictedRows, find_metric, scores
from counterpoint.metrics.decision import class_shares, decide, divisors, rule_of, shares_by_row, with_predicted
from counterpoint.schema import PREDICTIONS

SHARES = (0.6, 0.3, 0.1)
DECIDED = ("accuracy", "balanced_accuracy", "macro_f1")


def calibrated(n: int, *, seed: int, strength: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return classes drawn with `SHARES`, and the true probability of each class by a normal observation of each."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(len(SHARES), n, p=SHARES)
    seen = rng.normal(size=(n, len(SHARES)))
    seen[np.arange(n), codes] += strength
    odds = np.exp(strength * seen) * SHARES
    return codes, odds / odds.sum(axis=1, keepdims=True)


def value_of(metric: str, codes: np.ndarray, proba: np.ndarray, rule: str) -> float:
    rows = PredictedRows(codes, proba, predicted=decide(proba, metric=rule, shares=SHARES))
    return float(find_metric(metric)(rows.weigh(np.ones((1, len(codes)))))[0])


def table(parts: dict[str, str], **columns: object) -> pl.DataFrame:
    """Return rows of one contender, whose labels are the letters of each part."""
    rows = [
        {"id": f"{part}{i}", "contender": "svm", "seed": 0, "fold": "test", "part": part, "group": None, "label": label}
        for part, labels in parts.items()
        for i, label in enumerate(labels)
    ]
    frame = pl.DataFrame(rows, schema=dict(PREDICTIONS))
    return frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


@pytest.mark.parametrize("metric", DECIDED)
@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_no_rule_is_better_for_a_metric_than_its_own(metric, strength):
    codes, proba = calibrated(100_000, seed=1, strength=strength)
    own = value_of(metric, codes, proba, metric)
    others = {rule: value_of(metric, codes, proba, rule) for rule in DECIDED if rule != metric}
    # The rule of macro-F1 is close to the best one, which depends on F1 itself.
    slack = 0.005 if metric == "macro_f1" else 0.002
    assert own >= max(others.values()) - slack
    assert own > min(others.values())


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {"balanced_accuracy", "macro_f1"}))
def test_any_other_metric_takes_the_largest_probability(metric):
    _, proba = calibrated(200, seed=2)
    assert (decide(proba, metric=metric, shares=SHARES) == proba.argmax(1)).all()


def test_a_metric_from_outside_may_name_its_own_rule(monkeypatch):
    shared = cp.metrics.Metric(find_metric("accuracy").function, "Mine", "As accuracy.", share_power=1.0)
    monkeypatch.setattr("counterpoint.metrics.classification.ECE", shared)
    assert decide([[0.6, 0.3, 0.1]], metric="counterpoint.metrics.classification:ECE", shares=[0.7, 0.29, 0.01]) == [2]


@given(arrays(float, (5, 3), elements=st.floats(0.001, 1)), st.sampled_from(DECIDED), st.permutations([0, 1, 2]))
def test_the_order_of_classes_and_the_other_rows_change_no_prediction(odds, metric, order):
    proba = odds / odds.sum(axis=1, keepdims=True)
    whole = decide(proba, metric=metric, shares=SHARES)
    alone = np.concatenate([decide(row[None], metric=metric, shares=SHARES) for row in proba])
    assert (whole == alone).all()
    turned = np.array(order)[decide(proba[:, order], metric=metric, shares=np.array(SHARES)[order])]
    worth = proba / divisors(np.array(SHARES), find_metric(metric).share_power)
    rows = np.arange(len(proba))
    np.testing.assert_allclose(worth[rows, turned], worth[rows, whole], rtol=1e-8)


@pytest.mark.parametrize("metric", DECIDED)
def test_with_equal_shares_every_rule_takes_the_largest_probability(metric):
    _, proba = calibrated(200, seed=3)
    assert (decide(proba, metric=metric, shares=[1 / 3] * 3) == proba.argmax(1)).all()


@pytest.mark.parametrize("metric", DECIDED)
def test_class_shares_for_every_row_predict_the_most_frequent_class(metric):
    assert set(decide(np.tile(SHARES, (7, 1)), metric=metric, shares=SHARES)) == {0}


def test_a_class_without_training_rows_counts_as_the_smallest_one():
    shares = [0.75, 0.25, 0.0]
    assert decide([[0.5, 0.2, 0.3], [0.9, 0.1, 0.0]], metric="balanced_accuracy", shares=shares).tolist() == [2, 0]


def test_counts_give_the_same_classes_as_shares():
    _, proba = calibrated(100, seed=4)
    by_shares, by_counts = (decide(proba, metric="macro_f1", shares=each) for each in (SHARES, [60, 30, 10]))
    assert (by_shares == by_counts).all()


@pytest.mark.parametrize(
    ("proba", "shares"),
    [([[0.5, 0.5]], [1.0]), ([0.5, 0.5], [0.5, 0.5]), ([[0.5, 0.5]], [[0.5, 0.5]] * 2), ([[0.5, 0.5]], [-0.5, 1.5]),
     ([[0.5, 0.5]], [np.nan, 1.0]), ([[np.nan, 0.5]], [0.5, 0.5]), ([[-0.5, 0.5]], [0.5, 0.5])],
)  # fmt: skip
def test_wrong_shapes_and_numbers_raise_in_one_line(proba, shares):
    with pytest.raises(SchemaError, match=r"hares|numbers from 0 on") as caught:
        decide(proba, metric="accuracy", shares=shares)
    assert "\n" not in str(caught.value)


def test_an_unknown_metric_raises_with_the_nearest_name():
    with pytest.raises(ConfigError, match="Did you mean 'accuracy'"):
        cp.decide([[0.5, 0.5]], metric="acuracy", shares=[0.5, 0.5])


def test_shares_are_those_of_training_rows_or_else_of_validation_or_test_rows():
    classes = {"p_a": 0.5, "p_b": 0.5}
    parts = {"train": "aaab", "validation": "ab", "test": "abbb"}
    for part, expected in (("train", [0.75, 0.25]), ("validation", [0.5, 0.5]), ("test", [0.25, 0.75])):
        assert class_shares(table(parts, **classes))["test"].tolist() == expected
        parts.pop(part)


def test_each_fold_has_its_own_shares():
    rows = pl.concat([
        table({"train": "aaab", "test": "a"}, p_a=0.6, p_b=0.4).with_columns(fold=pl.lit("0")),
        table({"train": "abbb", "test": "b"}, p_a=0.6, p_b=0.4).with_columns(fold=pl.lit("1")),
    ])  # fmt: skip
    shares = class_shares(rows)
    assert shares_by_row(shares, ["1", "0", "1"], 2).tolist() == [[0.25, 0.75], [0.75, 0.25], [0.25, 0.75]]
    predicted = with_predicted(rows, "balanced_accuracy", shares).filter(part="test")["predicted"]
    assert predicted.to_list() == ["b", "a"]


def test_a_class_may_have_the_name_of_a_column():
    rows = table({"train": ["fold", "n", "n"]}, p_fold=0.5, p_n=0.5)
    assert class_shares(rows)["test"].tolist() == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize(("primary", "accuracy"), [("accuracy", 0.75), ("balanced_accuracy", 0.25)])
def test_scores_are_of_the_class_that_is_the_best_for_the_primary_metric(primary, accuracy):
    rows = table({"train": "aaab", "test": "aaab"}, p_a=0.7, p_b=0.3)
    found = scores(rows, Evaluate(primary=primary)).filter(part="test", metric="accuracy")
    assert found["value"].to_list() == [accuracy]


def test_a_set_of_probabilities_is_scored_with_the_given_classes():
    proba = np.array([[0.7, 0.3]] * 4)
    predicted = cp.decide(proba, metric="balanced_accuracy", shares=[0.75, 0.25])
    plain, decided = (
        dict(cp.score(list("aaab"), proba, classes=["a", "b"], predicted=each).select("metric", "value").iter_rows())
        for each in (None, predicted)
    )
    assert (plain["accuracy"], decided["accuracy"]) == (0.75, 0.25)
    assert plain["log_loss"] == decided["log_loss"]
    assert plain["ece"] == decided["ece"]
    for wrong in ([0, 1], [0, 1, 2, 0], [0.0, 1.0, 0.0, 1.0], list("aaab")):
        with pytest.raises(SchemaError, match="predicted must have a column"):
            cp.score(list("aaab"), proba, classes=["a", "b"], predicted=wrong)


@pytest.mark.parametrize("metric", METRICS)
def test_the_rule_is_one_sentence(metric):
    sentence = rule_of(metric)
    assert sentence.count(". ") == 0
    assert sentence.endswith(".")
    assert ("share" in sentence) == (metric in {"balanced_accuracy", "macro_f1"})
