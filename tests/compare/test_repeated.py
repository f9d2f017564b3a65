import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.compare import by_fold, choose_primary, differences
from counterpoint.compare.repeated import resampled
from counterpoint.config import Evaluate
from counterpoint.schema import REPEATS, check, empty, predicted_class
from made_predictions import READS, predictions

RULES = Evaluate(primary="accuracy", metrics=("accuracy", "roc_auc"))
SKILLS = {"majority": 0, "text-svm": 1, "image-cnn": 1, "lstm-cnn": 2}


def of_repeat(repeat, *, seeds=(0,), n=90):
    rows = predictions(SKILLS, seeds=seeds, folds=3, n=n, parts=("train", "validation", "test"))
    primary = choose_primary(rows, READS, "accuracy")
    return rows, primary, by_fold(rows, RULES, primary, repeat=repeat)


def made(values, *, n_train=80, n_test=20, folds=1):
    n = len(values)
    columns = {"repeat": np.arange(n) // folds, "fold": [str(place % folds) for place in range(n)], "seed": [0] * n}
    sizes = {"n_train": [n_train] * n, "n_test": [n_test] * n}
    rows = pl.DataFrame(columns | {"a": ["both"] * n, "b": ["one"] * n, "difference": list(map(float, values))} | sizes)
    return check(rows, REPEATS, table="Repeats")


@pytest.mark.parametrize("seeds", [(0,), (2, 5, 6)])
def test_each_fold_and_seed_has_the_difference_of_its_two_contenders(seeds):
    rows, primary, found = of_repeat(4, seeds=seeds)
    check(found, REPEATS, table="Repeats")
    right = rows.filter(part="test").with_columns(is_right=predicted_class(["c0", "c1"]) == pl.col("label"))
    share = {
        (name, fold, seed): value
        for name, fold, seed, value in right.group_by("contender", "fold", "seed").agg(pl.mean("is_right")).iter_rows()
    }
    assert found["repeat"].unique().to_list() == [4]
    assert len(found) == 3 * len(seeds) == len(primary["choices"])
    for row in found.iter_rows(named=True):
        a, b = (share[row[side], row["fold"], row["seed"]] for side in ("a", "b"))
        assert row["difference"] == pytest.approx(a - b)
        assert (row["n_train"], row["n_test"]) == (60, 30)  # the made training and validation rows share ids


def test_without_a_primary_contrast_there_is_no_row():
    rows, _, _ = of_repeat(0)
    assert by_fold(rows, RULES, None).equals(empty(REPEATS))


@settings(deadline=None)  # the first table of polars takes longest
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20), st.integers(1, 500))
def test_the_error_is_that_of_the_corrected_resampled_t(values, n_train):
    value, spread = resampled(made(values, n_train=n_train))
    n = len(values)
    assert value == pytest.approx(np.mean(values), abs=1e-12)
    assert spread.error**2 == pytest.approx((1 / n + 20 / n_train) * np.var(values, ddof=1), abs=1e-12)
    assert spread.df == n - 1


def test_seeds_of_a_fold_are_one_difference():
    one, other = made([0.1, 0.2, 0.5]), made([0.3, 0.4, 0.5]).with_columns(seed=pl.lit(1, pl.Int64))
    assert resampled(pl.concat([one, other]))[0] == pytest.approx(np.mean([0.2, 0.3, 0.5]))
    assert resampled(pl.concat([one, other]))[1].df == 2


def test_a_fold_without_a_score_is_left_out():
    rows = made([0.1, 0.2, 0.3])
    unknown = rows.with_columns(difference=pl.when(pl.col("repeat") > 0).then("difference"))
    assert resampled(unknown) == resampled(rows.filter(pl.col("repeat") > 0))
    assert np.isnan(resampled(rows.head(1))[1].error)
    assert np.isnan(resampled(rows.clear())[0])


def test_the_primary_row_has_the_mean_over_repeats_and_all_others_stay():
    rows, primary, first = of_repeat(0)
    repeats = pl.concat([first, first.with_columns(pl.col("difference") / 2, repeat=pl.lit(1, pl.Int64))])
    once, often = (differences(rows, RULES, primary, READS, table) for table in (first, repeats))
    assert once.equals(differences(rows, RULES, primary, READS))
    row, (value, spread) = often.row(0, named=True), resampled(repeats)
    assert often["is_primary"].to_list() == [True] + [False] * len(once)
    assert (row["difference"], row["error"], row["df"]) == (value, spread.error, 5.0)
    assert row["low"] == pytest.approx(value - spread.half_width(0.95))
    assert (row["p"], row["minimum_detectable"]) == (spread.p(value), spread.detectable(0.95))
    kept = ["a", "b", "metric", "difference", "low", "high", "p"]
    assert often.filter(~pl.col("is_primary")).select(kept).sort(kept).equals(once.select(kept).sort(kept))


def test_equal_differences_in_all_repeats_are_not_known_without_error():
    rows, primary, first = of_repeat(0)
    equal = made([0.2] * 6, folds=3)
    row = differences(rows, RULES, primary, READS, equal).row(0, named=True)
    assert row["difference"] == pytest.approx(0.2)
    assert row["error"] == pytest.approx(differences(rows, RULES, primary, READS, first)["error"][0])
