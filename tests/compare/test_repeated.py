import polars as pl
import pytest

from counterpoint.compare import by_fold, choose_primary, contrast, differences, over_repeats, rows_of_repeat
from counterpoint.config import Evaluate
from counterpoint.metrics.spread import Spread
from counterpoint.schema import REPEATED, REPEATS, check, empty, predicted_class
from made_predictions import READS, predictions

RULES = Evaluate(primary="accuracy", metrics=("accuracy", "roc_auc"))
SKILLS = {"majority": 0, "text-svm": 1, "image-cnn": 1, "lstm-cnn": 2}


def of_repeat(repeat, *, seeds=(0,), n=90):
    rows = predictions(SKILLS, seeds=seeds, folds=3, n=n, parts=("train", "validation", "test"))
    primary = choose_primary(rows, READS, "accuracy")
    return rows, primary, by_fold(rows, RULES, primary, repeat=repeat)


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


def test_without_a_primary_contrast_there_is_no_row():
    rows, _, _ = of_repeat(0)
    assert by_fold(rows, RULES, None).equals(empty(REPEATS))


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "roc_auc"])
def test_repeats_of_the_same_fits_have_the_difference_and_the_error_of_the_first(metric):
    rules = Evaluate(primary=metric, metrics=(metric,))
    rows, primary, _ = of_repeat(0)
    found = over_repeats([rows_of_repeat(rows, primary, repeat=repeat) for repeat in range(3)], rules)
    once = contrast(rows, rules, primary | {"metric": metric})
    row = check(found, REPEATED, table="Repeated").row(0, named=True)
    assert row["difference"] == pytest.approx(once["difference"])
    assert row["error_from_rows"] == pytest.approx(once["error"], rel=0.02)
    assert row["error"] ** 2 == pytest.approx(row["error_from_rows"] ** 2 + row["error_from_fits"] ** 2)


def test_other_fits_change_the_difference_to_that_of_all():
    rows, primary, _ = of_repeat(0)
    flipped = rows.with_columns(p_c0=pl.when(contender="lstm-cnn").then("p_c1").otherwise("p_c0"))
    flipped = flipped.with_columns(p_c1=1 - pl.col("p_c0"))
    both = [rows_of_repeat(table, primary, repeat=repeat) for repeat, table in enumerate((rows, flipped))]
    once = [contrast(table, RULES, primary) for table in (rows, flipped)]
    found = over_repeats(both, RULES).row(0, named=True)
    assert found["difference"] == pytest.approx((once[0]["difference"] + once[1]["difference"]) / 2)
    assert found["error_from_fits"] > 2 * found["error_from_rows"]
    assert found["df"] < 10


def test_a_procedure_with_one_fit_in_a_repeat_has_it_for_all_seeds():
    many, primary, _ = of_repeat(0, seeds=(4, 5))
    first = many.filter(pl.col("contender") != "text-svm", seed=4)
    one = pl.concat([many.filter(contender="text-svm"), first]).filter(pl.col("seed").is_in([4, 5]))
    choices = [choice | {"a": "lstm-cnn", "b": "text-svm"} for choice in primary["choices"]]
    repeats = [rows_of_repeat(table, {"choices": choices}, repeat=place) for place, table in enumerate((many, one))]
    assert [set(each.rows["seed"]) for each in repeats] == [{0, 1}] * 2
    assert over_repeats(repeats, RULES)["difference"].is_not_null().all()


def test_classes_are_predicted_with_the_shares_of_the_training_rows_of_the_own_repeat():
    rules = Evaluate(primary="balanced_accuracy", metrics=("balanced_accuracy",))
    rows, primary, _ = of_repeat(0)
    is_left_out = (pl.col("part") == "train") & (pl.col("label") == "c1") & (pl.col("id") > "r00010")
    fewer = rows.filter(~is_left_out)
    values = [
        over_repeats([rows_of_repeat(table, primary, repeat=place) for place, table in enumerate(tables)], rules)[
            "difference"
        ]
        for tables in ((rows, rows), (fewer, fewer), (rows, fewer))
    ]
    alike, other, mixed = (value.item() for value in values)
    assert alike != other
    assert mixed == pytest.approx((alike + other) / 2)


def test_one_repeat_or_none_has_no_row():
    rows, primary, _ = of_repeat(0)
    assert over_repeats([rows_of_repeat(rows, primary, repeat=0)], RULES).equals(empty(REPEATED))
    assert over_repeats([], RULES).equals(empty(REPEATED))


def test_the_primary_row_is_that_of_all_repeats_and_all_others_stay():
    rows, primary, _ = of_repeat(0)
    repeated = pl.DataFrame([(0.12, 0.05, 7.0, 0.04, 0.03)], schema=dict(REPEATED), orient="row")
    once, often = (differences(rows, RULES, primary, READS, table) for table in (empty(REPEATED), repeated))
    assert once.equals(differences(rows, RULES, primary, READS))
    row, spread = often.row(0, named=True), Spread(0.05, 7.0)
    assert often["is_primary"].to_list() == [True] + [False] * len(once)
    assert (row["difference"], row["error"], row["df"]) == (0.12, 0.05, 7.0)
    assert row["low"] == pytest.approx(0.12 - spread.half_width(0.95))
    assert (row["p"], row["minimum_detectable"]) == (spread.p(0.12), spread.detectable(0.95))
    kept = ["a", "b", "metric", "difference", "low", "high", "p"]
    assert often.filter(~pl.col("is_primary")).select(kept).sort(kept).equals(once.select(kept).sort(kept))


def test_an_error_that_is_not_known_stays_unknown():
    rows, primary, _ = of_repeat(0)
    unknown = pl.DataFrame([(0.12, None, None, None, None)], schema=dict(REPEATED), orient="row")
    row = differences(rows, RULES, primary, READS, unknown).row(0, named=True)
    assert (row["difference"], row["error"], row["low"], row["p"]) == (0.12, None, None, None)
