"""Every check takes predicted classes by one rule, at class shares of 60, 30 and 10 %."""

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from check_material import evidence, inputs_of, made_pairs, predictions_of, run_check
from counterpoint.config import Evaluate
from counterpoint.contenders.encoded import MISSING
from counterpoint.diagnose import Inputs
from counterpoint.measures.recombined_logits import predicted_codes
from counterpoint.metrics import scores
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.metrics.decision import BALANCED, decide
from fusion_material import Signals, inputs_of_models, made_rows, usual

SHARES = (0.6, 0.3, 0.1)


@cache
def comparison(metric: str = BALANCED, **joint: Any) -> Inputs:
    """Return a study of weak text and image: hardly any row has the smallest class as the likeliest."""
    models = usual(3, **joint)
    for model in models.values():
        model.shares = SHARES
    rules = Evaluate(metrics=("accuracy", BALANCED), primary=metric)
    rows = made_rows(Signals(text=0.3, image=0.3), 1600, classes=3, shares=SHARES, seed=3)
    return inputs_of_models(rows, models, rules=rules, metric=metric)


def rows_of(given: Inputs, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities and classes of the test rows of a contender."""
    rows = given["predictions"].filter(contender=name, part="test").sort("id")
    codes = rows["label"].str.tail(1).cast(pl.Int64).to_numpy()
    return rows.select("^p_.*$").to_numpy(), codes


def balanced(proba: np.ndarray, codes: np.ndarray, metric: str = BALANCED) -> float:
    shares = np.bincount(train_codes(), minlength=3) / len(train_codes())
    return balanced_mean(decide(proba, metric=metric, shares=shares) == codes, codes)


def train_codes() -> np.ndarray:
    return comparison()["pairs"].filter(fold="train")["label"].str.tail(1).cast(pl.Int64).to_numpy()


def test_the_rules_differ_on_these_rows():
    proba, codes = rows_of(comparison(), "text-lstm")
    assert balanced(proba, codes) > balanced(proba, codes, "accuracy") + 0.02


def test_cp008_reports_a_modality_alone_by_the_rule_of_balanced_accuracy():
    row = next(row for row in evidence(run_check("CP008", comparison()))["table"] if row["modality"] == "text")
    assert row["alone"] == pytest.approx(balanced(*rows_of(comparison(), "text-lstm")))


def test_the_sum_of_both_is_judged_by_the_rule_of_balanced_accuracy():
    known = comparison()["information_gain"]
    assert known is not None
    correct = known.correct["text"]
    rare = known.rows.codes == 2
    assert correct[rare].mean() > 0.2
    largest = known.rows.proba[known.single["text"]].argmax(1) == known.rows.codes
    assert balanced_mean(correct, known.rows.codes) > balanced_mean(largest, known.rows.codes) + 0.02


def test_cp010_measures_points_between_classes_of_one_rule():
    found = evidence(run_check("CP010", comparison()))
    known = comparison()["information_gain"]
    assert known is not None
    names = {"text-lstm": "text", "image-cnn": "image"}
    a, b = (names.get(found[key], found[key]) for key in ("fusion", "single"))
    assert found["gain_points"] == pytest.approx(list(known.points(a, b)))


def test_cp014_scores_each_fill_by_the_rule_of_balanced_accuracy():
    given = comparison()
    fit = next(fit for fit in given["encoded_fits"] if fit.name == "lstm-cnn")
    rows = np.arange(len(fit.pairs))
    logits = fit.encoded_rows.logits(rows, np.full(len(rows), MISSING))
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    hits = decide(proba, metric=BALANCED, shares=SHARES) == fit.codes
    table = evidence(run_check("CP014", given))["table"]
    keys = {"contender": "lstm-cnn", "without": "image", "filled with": "nothing"}
    row = next(row for row in table if keys.items() <= row.items())
    assert row["score"] == pytest.approx(balanced_mean(hits, fit.codes))


def test_logits_without_information_have_the_most_frequent_class():
    logits = np.log(SHARES) + np.random.default_rng(0).normal(0, 1e-12, (50, 3))
    assert set(predicted_codes(logits, np.array(SHARES))) == {0}
    assert predicted_codes(np.tile(logits, (2, 1, 1)), np.array(SHARES)).shape == (2, 50)


@pytest.mark.parametrize("metric", ["accuracy", BALANCED])
def test_cp001_reports_each_score_by_its_own_rule_whichever_metric_is_primary(metric):
    pairs = made_pairs(900, classes=3, shares=SHARES)
    rule = pl.concat(soft(pairs, part) for part in ("train", "validation", "test"))
    found = evidence(run_check("CP001", inputs_of(pairs, predictions=rule, metric=metric)))
    proba, codes = rule.filter(part="test").select("^p_.*$").to_numpy(), codes_of(pairs.filter(fold="test"))
    shares = np.bincount(codes_of(pairs.filter(fold="train"))) / len(pairs.filter(fold="train"))
    assert found["accuracy"] == pytest.approx((proba.argmax(1) == codes).mean())
    hits = decide(proba, metric=BALANCED, shares=shares) == codes
    assert found["balanced_accuracy"] == pytest.approx(balanced_mean(hits, codes))
    assert found["balanced_accuracy"] > balanced_mean(proba.argmax(1) == codes, codes)


def codes_of(pairs: pl.DataFrame) -> np.ndarray:
    return pairs["label"].str.tail(1).cast(pl.Int64).to_numpy()


def soft(pairs: pl.DataFrame, part: str, name: str = "keyword-rule") -> pl.DataFrame:
    """Return calibrated predictions of weak evidence."""
    rows = predictions_of(pairs, name, part=part)
    codes, rng = codes_of(pairs.filter(fold=part)), np.random.default_rng(len(rows))
    seen = rng.normal(size=(len(codes), 3)) + 0.9 * np.eye(3)[codes]
    odds = np.exp(0.9 * seen) * SHARES
    proba = odds / odds.sum(1, keepdims=True)
    return rows.with_columns(pl.Series(f"p_class_{k}", proba[:, k]) for k in range(3))


def test_cp013_compares_with_the_metadata_contender_by_the_rule_of_balanced_accuracy():
    pairs = made_pairs(900, classes=3, shares=SHARES)
    table = pl.concat(soft(pairs, part, "metadata") for part in ("train", "validation", "test"))
    rules = Evaluate(metrics=("accuracy", BALANCED), primary="accuracy")
    given = inputs_of(pairs, predictions=table, scores=scores(table, rules), metric="accuracy")
    largest = given["scores"].filter(part="test", metric=BALANCED)["value"].item()
    assert evidence(run_check("CP013", given))["metadata_contender"] > largest + 0.05


@pytest.mark.parametrize("metric", ["accuracy", BALANCED])
def test_cp018_reports_the_numbers_of_the_table_of_scores(metric):
    given = comparison(metric)
    rows = {row["contender"]: row for row in evidence(run_check("CP018", given))["table"]}
    name = next(iter(rows))
    values = dict(given["scores"].filter(part="test", contender=name).select("metric", "value").iter_rows())
    assert rows[name]["accuracy"] == pytest.approx(values["accuracy"], abs=1e-4)
    assert rows[name]["balanced accuracy"] == pytest.approx(values[BALANCED], abs=1e-4)
