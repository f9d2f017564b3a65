from functools import cache

import numpy as np
import polars as pl
import pytest

from counterpoint.compare import choose_primary, compare, compare_studies, differences
from counterpoint.config import Evaluate
from counterpoint.errors import ConfigError
from counterpoint.metrics import METRICS, scores
from counterpoint.schema import DIFFERENCES
from made_predictions import READS, frame_of, predictions

pytestmark = pytest.mark.slow

FEW = Evaluate()
SKILLS = {"majority": 0, "text-svm": 1, "image-cnn": 0.5, "lstm-cnn": 2}


@cache
def of_skills(**settings):
    rows = predictions(SKILLS, **settings)
    primary = choose_primary(rows, READS, FEW.primary)
    return rows, differences(rows, FEW, primary, READS)


def with_hits(a, b, groups=None):
    """Predictions of two contenders that are correct on the rows where *a* and *b* are true."""
    codes = np.resize([0, 1], len(a))
    correct = {"text-svm": np.array(b), "lstm-cnn": np.array(a)}
    tables = [
        frame_of(codes, np.eye(2)[np.where(hit, codes, 1 - codes)] * 0.8 + 0.1, contender=name, groups=groups)
        for name, hit in correct.items()
    ]
    return pl.concat(tables)


def test_every_pair_has_every_metric_and_the_primary_comes_first():
    _, table = of_skills()
    assert dict(table.schema) == dict(DIFFERENCES)
    assert table.height == 6 * len(FEW.metrics)
    assert table.row(0, named=True)["is_primary"]
    assert table.select("a", "b", "metric").row(0) == ("lstm-cnn", "text-svm", "balanced_accuracy")
    assert table["is_primary"].sum() == 1
    assert set(table["metric"].head(6)) == {"balanced_accuracy"}


def test_a_reads_more_or_stands_later():
    _, table = of_skills()
    pairs = set(table.select("a", "b").unique().iter_rows())
    assert {("lstm-cnn", "text-svm"), ("text-svm", "majority"), ("image-cnn", "text-svm")} <= pairs


@pytest.mark.parametrize("settings", [{}, {"seeds": (0, 1, 2)}, {"folds": 3, "n": 90}, {"n_classes": 3}])
def test_a_difference_is_that_of_the_scores(settings):
    rows, table = of_skills(**settings)
    value = {row[:2]: row[2] for row in scores(rows.filter(part="test"), FEW)["contender", "metric", "value"].rows()}
    for a, b, metric, difference in table.select("a", "b", "metric", "difference").iter_rows():
        assert difference == pytest.approx(value[a, metric] - value[b, metric])


@pytest.mark.parametrize("metric", METRICS)
def test_the_other_way_round_a_difference_changes_its_sign_alone(metric):
    rows = predictions({"text-svm": 1, "lstm-cnn": 2}, seeds=(0, 1))
    one = compare(rows, "text-svm", "lstm-cnn", metric=metric)
    other = compare(rows, "lstm-cnn", "text-svm", metric=metric)
    assert one["difference"].item() == pytest.approx(-other["difference"].item())
    assert one["low"].item() == pytest.approx(-other["high"].item())
    assert one["p"].item() == pytest.approx(other["p"].item())
    assert one["minimum_detectable"].item() == pytest.approx(other["minimum_detectable"].item())


def test_compare_agrees_with_the_table():
    rows, table = of_skills()
    alone = compare(rows, "lstm-cnn", "text-svm", metric="macro_f1")
    assert alone.equals(table.filter(a="lstm-cnn", b="text-svm", metric="macro_f1").select(alone.columns))


@pytest.mark.parametrize("settings", [{"seeds": (0, 1)}, {"folds": 3}])
def test_a_study_is_compared_with_another_as_two_contenders_are(settings):
    rows = predictions(SKILLS, **settings)
    a, b = (rows.filter(contender=name) for name in ("lstm-cnn", "text-svm"))
    own = compare(rows, "lstm-cnn", "text-svm", metric="accuracy").drop("a", "b", "metric").row(0, named=True)
    found = compare_studies(a, b, metric="accuracy", primaries=("accuracy", "accuracy"))
    assert found == pytest.approx(own)


def test_each_of_two_studies_has_the_predicted_classes_of_its_own_primary_metric():
    rows = predictions({"text-svm": 1}, n=300, parts=("train", "test"))
    rare = rows.filter(label="c1")["id"].unique().sort().gather_every(5)
    rows = rows.filter((pl.col("label") != "c1") | pl.col("id").is_in(rare.implode()))
    found = compare_studies(rows, rows, metric="balanced_accuracy", primaries=("balanced_accuracy", "accuracy"))
    of_study = {}
    for primary in ("balanced_accuracy", "accuracy"):
        rules = Evaluate(primary=primary, metrics=("accuracy", "balanced_accuracy"))
        of_study[primary] = scores(rows, rules).filter(part="test", metric="balanced_accuracy")["value"].item()
    assert found["difference"] == pytest.approx(of_study["balanced_accuracy"] - of_study["accuracy"])
    assert abs(found["difference"]) > 0.01


def test_contenders_that_answer_alike_do_not_differ():
    rows = predictions({"text-svm": 1})
    twins = pl.concat([rows, rows.with_columns(contender=pl.lit("lstm-cnn"))])
    table = differences(twins, FEW, None, READS)
    assert set(table.select("difference", "p", "p_holm").rows()) == {(0, 1, 1)}
    assert (table["low"] == -table["high"]).all()
    assert not table["is_primary"].any()


def test_an_interval_is_paired():
    rng = np.random.default_rng(0)
    b = rng.random(400) < 0.7
    a = b | (rng.random(400) < 0.1)
    rows = with_hits(a, b)
    paired = compare(rows, "lstm-cnn", "text-svm", metric="accuracy")
    widths = scores(rows, FEW).filter(metric="accuracy").select(pl.col("high") - pl.col("low")).to_series()
    assert (paired["high"] - paired["low"]).item() < widths.min()
    assert paired["low"].item() > 0


def test_p_of_accuracy_is_close_to_that_of_mcnemar():
    a = [True] * 10 + [False] * 2 + [True] * 28
    b = [False] * 10 + [True] * 2 + [True] * 28
    row = compare(with_hits(a, b), "lstm-cnn", "text-svm", metric="accuracy").row(0, named=True)
    assert row["p"] == pytest.approx(0.03857, abs=0.02)  # the exact test
    assert row["difference"] == pytest.approx(8 / 40)
    assert row["minimum_detectable"] == pytest.approx(2.8 * np.sqrt(12 / 40 / 40), rel=0.15)


def test_rows_that_share_a_group_count_as_one():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 6)
    b, a = (rng.random(10) < 0.6)[groups], (rng.random(10) < 0.8)[groups]
    table = differences(with_hits(a, b, groups), FEW, None, READS)
    independent = differences(with_hits(a, b), FEW, None, READS)
    wide, narrow = (t.filter(metric="accuracy")["minimum_detectable"].item() for t in (table, independent))
    assert wide > 1.5 * narrow


@pytest.mark.parametrize("settings", [{}, {"seeds": (0, 1, 2)}, {"folds": 3, "n": 90}, {"n_classes": 3}])
def test_an_interval_excludes_0_where_p_is_small(settings):
    _, table = of_skills(**settings)
    is_excluded = (pl.col("low") > 0) | (pl.col("high") < 0)
    assert table.select((is_excluded == (pl.col("p") < 0.05)).all()).item()


def test_a_p_may_be_smaller_than_any_number_of_draws_allows():
    codes = np.resize([0, 1], 400)
    rows = pl.concat([
        frame_of(codes, np.eye(2)[codes] * 0.8 + 0.1, contender="lstm-cnn"),
        frame_of(codes, np.full((400, 2), 0.5), contender="majority"),
    ])  # fmt: skip
    row = compare(rows, "lstm-cnn", "majority", metric="accuracy").row(0, named=True)
    assert row["difference"] == 0.5
    assert row["p"] < 1e-6


def test_seeds_are_a_sample_too():
    """Three fits that differ say less than their rows alone."""
    rows = predictions({"text-svm": 1, "lstm-cnn": 1.2}, n=200, seeds=(0, 1, 2), parts=("test",))
    together = compare(rows, "lstm-cnn", "text-svm", metric="accuracy").row(0, named=True)
    alone = [
        compare(rows.filter(seed=seed), "lstm-cnn", "text-svm", metric="accuracy").row(0, named=True)
        for seed in range(3)
    ]
    assert together["difference"] == pytest.approx(np.mean([row["difference"] for row in alone]))
    assert together["df"] < min(row["df"] for row in alone)


def test_holm_corrects_over_the_pairs_of_each_metric():
    _, table = of_skills()
    for _, pairs in table.group_by("metric"):
        p, p_holm = pairs.sort("p").select("p", "p_holm")
        expected = np.maximum.accumulate(p.to_numpy() * np.arange(len(p), 0, -1)).clip(max=1)
        np.testing.assert_allclose(p_holm.to_numpy(), expected)


def test_what_is_undefined_is_null():
    rows = predictions({"text-svm": 1, "lstm-cnn": 2}).filter(label="c1")
    row = differences(rows, FEW, None, READS).filter(metric="roc_auc").row(0, named=True)
    assert [row[name] for name in ("difference", "low", "high", "p", "p_holm", "minimum_detectable")] == [None] * 6


def test_one_contender_has_no_differences():
    table = differences(predictions({"text-svm": 1}), FEW, None, READS)
    assert table.is_empty()
    assert dict(table.schema) == dict(DIFFERENCES)


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (("lstm-cnn", "text-svn"), {}, "Unknown contender 'text-svn'. Did you mean 'text-svm'"),
        (("lstm-cnn", "text-svm"), {"metric": "acc"}, "Unknown metric 'acc'"),
        (("lstm-cnn", "lstm-cnn"), {}, "got 'lstm-cnn' twice"),
        (("lstm-cnn", "text-svm"), {"confidence": 95}, "confidence"),
    ],
)
def test_a_wrong_name_is_one_line(names, settings, message):
    with pytest.raises(ConfigError, match=message):
        compare(predictions(SKILLS), *names, **settings)
