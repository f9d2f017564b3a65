import numpy as np
import polars as pl
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from counterpoint.config import Evaluate
from counterpoint.errors import ConfigError, SchemaError
from counterpoint.metrics import read_part, score, scores
from counterpoint.schema import SCORES
from made_predictions import frame_of, predictions, some_proba

FEW = Evaluate()
LABELS, PROBA = ["a", "b", "b"], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]


def value_of(table, **where):
    return table.filter(**where)["value"].item()


def test_scores_have_every_metric_of_every_contender_on_every_part():
    table = scores(predictions({"text-svm": 1, "lstm-cnn": 2}, parts=("train", "validation", "test")), FEW)
    assert dict(table.schema) == dict(SCORES)
    assert table.select("contender", "part", "metric").n_unique() == table.height == 2 * 3 * len(FEW.metrics)
    assert set(table["part"]) == {"train", "validation", "test"}
    assert table.filter((pl.col("low") > pl.col("value")) | (pl.col("high") < pl.col("value"))).is_empty()


def test_a_score_is_the_mean_over_seeds():
    rows = predictions({"lstm-cnn": 1}, seeds=(0, 1, 2), parts=("test",))
    together = scores(rows, FEW)
    alone = [value_of(scores(rows.filter(seed=seed), FEW), metric="macro_f1") for seed in range(3)]
    assert value_of(together, metric="macro_f1") == pytest.approx(np.mean(alone))
    assert set(together["seeds"]) == {3}
    assert set(together["n"]) == {60}


def test_a_k_fold_pools_its_rows_but_for_rankings():
    rows = predictions({"text-svm": 1}, n=90, folds=3, parts=("test",))
    table, codes = scores(rows, FEW), rows["label"].str.strip_prefix("c").cast(pl.Int64).to_numpy()
    proba, fold = rows["p_c1"].to_numpy(), rows["fold"].to_numpy()
    by_fold = [roc_auc_score(codes[fold == k], proba[fold == k]) for k in "012"]
    assert set(table["part"]) == {"oof"}
    assert value_of(table, metric="roc_auc") == pytest.approx(np.mean(by_fold))
    assert value_of(table, metric="balanced_accuracy") == pytest.approx(balanced_accuracy_score(codes, proba > 0.5))


def test_a_pair_that_trained_several_folds_counts_once():
    twice = pl.concat([predictions({"text-svm": 1}, n=30, parts=("train",)).with_columns(fold=pl.lit(k)) for k in "01"])
    assert set(scores(twice, FEW)["n"]) == {30}


def test_the_order_of_rows_changes_nothing():
    rows = predictions({"text-svm": 1, "lstm-cnn": 1}, n=90, folds=3, seeds=(0, 1))
    mixed = scores(rows.sample(fraction=1, shuffle=True, seed=1), FEW).sort("contender", "part", "metric")
    assert mixed.equals(scores(rows, FEW).sort("contender", "part", "metric"))


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_a_class_may_be_absent_from_a_part(n_classes):
    rows = predictions({"text-svm": 1}, n_classes=n_classes)
    table = scores(rows.filter((pl.col("label") != "c1") | (pl.col("part") == "validation")), FEW)
    undefined = table.filter(pl.col("value").is_null())
    assert undefined.select("part", "metric").rows() == ([("test", "roc_auc")] if n_classes == 2 else [])


def test_no_score_is_nan():
    rows = predictions({"text-svm": 1}).filter(label="c1")
    assert not scores(rows, FEW).select(pl.any_horizontal(pl.col("value", "low", "high").is_nan().any())).item()


def test_predictions_without_rows_have_no_scores():
    table = scores(predictions({"text-svm": 1}).clear(), FEW)
    assert table.is_empty()
    assert dict(table.schema) == dict(SCORES)


def test_a_null_group_is_a_group_of_its_own():
    rows = predictions({"text-svm": 1}, parts=("test",))
    assert scores(rows.with_columns(group=pl.lit(None, pl.String)), FEW).equals(scores(rows, FEW))


def test_score_agrees_with_scores():
    rows = predictions({"text-svm": 1}, parts=("test",), n_classes=3)
    proba = rows.select("p_c0", "p_c1", "p_c2").to_numpy()
    alone = score(rows["label"], proba, classes=["c0", "c1", "c2"])
    assert alone.equals(scores(rows, FEW).select("metric", "value", "low", "high", "n"))


@pytest.mark.parametrize("kind", [list, np.array, pl.Series, tuple])
def test_labels_may_come_in_any_container(kind):
    assert score(kind(LABELS), PROBA, classes=np.array(["a", "b"]), metrics=["accuracy"])["value"].item() == 2 / 3
    assert score(kind([0, 1, 1]), PROBA, classes=np.array([0, 1]), metrics=["accuracy"])["value"].item() == 2 / 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y": ["a", "b"]}, "do not fit: 2 labels"),
        ({"y": ["a", "b", "bb"]}, "Label 'bb' is not a class. Did you mean 'b'"),
        ({"y": ["a", "b", None]}, "Label None is not a class"),
        ({"classes": ["a", "b", "c"]}, "3 classes"),
        ({"groups": [1]}, "1 groups"),
        ({"proba": [[0.9, 0.1], [0.2, 0.8], [0.6, 0.6]]}, "Row 2 of proba"),
        ({"proba": [[0.9, 0.1], [0.2, 0.8], [np.nan, 0.4]]}, "Row 2 of proba"),
        ({"y": [], "proba": np.empty((0, 2))}, "0 labels"),
    ],
)
def test_what_does_not_fit_is_one_line(given, message):
    settings = {"y": LABELS, "proba": PROBA, "classes": ["a", "b"], **given}
    with pytest.raises(SchemaError, match=message):
        score(settings.pop("y"), settings.pop("proba"), **settings)


@pytest.mark.parametrize(
    ("settings", "message"), [({"metrics": ["accurac"]}, "Did you mean 'accuracy'"), ({"confidence": 3}, "confidence")]
)
def test_a_wrong_setting_is_one_line(settings, message):
    with pytest.raises(ConfigError, match=message):
        score(LABELS, PROBA, classes=["a", "b"], **settings)


def test_contenders_must_predict_the_same_rows():
    rows = predictions({"text-svm": 1, "lstm-cnn": 1}, parts=("test",))
    fewer = rows.filter((pl.col("contender") != "lstm-cnn") | (pl.col("id") != "r00003"))
    with pytest.raises(SchemaError, match=r"lstm-cnn .seed 0. predicts other test rows .* 59 and 60 rows"):
        scores(fewer, FEW)


def test_contenders_have_one_seed_or_all():
    rows = predictions({"text-svm": 1, "lstm-cnn": 1}, seeds=(0, 1, 2), parts=("test",))
    some = rows.filter((pl.col("contender") != "lstm-cnn") | (pl.col("seed") < 2))
    with pytest.raises(SchemaError, match=r"lstm-cnn has predictions of 2 seeds\. A comparison needs 1 or all 3"):
        scores(some, FEW)


def test_a_probability_that_is_none_names_its_contender():
    rows = predictions({"text-svm": 1}, parts=("test",)).with_columns(p_c0=pl.lit(None, pl.Float64))
    with pytest.raises(SchemaError, match="Row 0 of text-svm"):
        scores(rows, FEW)


def test_a_part_or_contender_that_is_not_there_is_one_line():
    rows = predictions({"text-svm": 1})
    with pytest.raises(ConfigError, match=r"No predictions of part 'tests'. Did you mean 'test'"):
        read_part(rows, "tests")
    with pytest.raises(ConfigError, match=r"Unknown contender 'txt-svm'. Did you mean 'text-svm'"):
        read_part(rows, "test", ["txt-svm"])


def test_scores_are_the_same_twice():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=40)
    rows = frame_of(codes, some_proba(rng, codes, 3))
    assert scores(rows, FEW).equals(scores(rows, FEW))
