import polars as pl
import pytest

from counterpoint.compare import choose_primary, contrast, differences
from counterpoint.compare.selected import PROCEDURES, is_unanimous, selected
from counterpoint.config import Evaluate
from counterpoint.measures.comparison_tables import difference_between
from counterpoint.metrics import scores
from counterpoint.schema import class_names
from made_predictions import READS, predictions

FEW = Evaluate(primary="accuracy", metrics=("accuracy", "roc_auc"))
READS_MORE = {**READS, "late-fusion": ("text", "image")}
EQUAL = {"text-svm": 1, "image-cnn": 1, "lstm-cnn": 1, "late-fusion": 1}


def divided(**settings):
    """Predictions whose choices differ, and their primary contrast."""
    rows = predictions(EQUAL, folds=3, n=90, **settings)
    primary = choose_primary(rows, READS_MORE, "accuracy")
    assert not is_unanimous(primary)
    return rows, primary


def chances(rows):
    return rows.sort("seed", "fold", "id").select("id", *(f"p_{name}" for name in class_names(rows)))


def test_where_all_choices_agree_the_rows_are_those_of_the_contender():
    rows = predictions({"text-svm": 1, "lstm-cnn": 3}, seeds=(4, 7), folds=3, n=90)
    chosen = selected(rows, choose_primary(rows, READS, "accuracy"))
    for name, side in (("lstm-cnn", "a"), ("text-svm", "b")):
        own = rows.filter(contender=name, part="test")
        assert chances(chosen.filter(contender=PROCEDURES[side])).equals(chances(own))


@pytest.mark.parametrize("seeds", [(0,), (2, 5, 6)])
def test_each_fold_and_seed_has_the_rows_of_its_choice(seeds):
    rows, primary = divided(seeds=seeds)
    chosen = selected(rows, primary)
    assert len(chosen) == 2 * 90 * len(seeds)
    for choice in primary["choices"]:
        fit = {"fold": choice["fold"], "seed": choice["seed"]}
        for side, name in PROCEDURES.items():
            own = rows.filter(contender=choice[side], part="test", **fit)
            assert chances(chosen.filter(contender=name, **fit)).equals(chances(own))


def test_a_contender_with_one_fit_is_used_for_all_seeds():
    rows = predictions({"lstm-cnn": 1, "late-fusion": 1}, seeds=(0, 1, 2), folds=3, n=90)
    once = predictions({"text-svm": 1, "image-cnn": 1}, folds=3, n=90)
    both = pl.concat([rows, once])
    primary = choose_primary(both, READS_MORE, "accuracy")
    chosen = selected(both, primary)
    assert chosen.filter(contender=PROCEDURES["b"])["seed"].n_unique() == 1
    assert chosen.filter(contender=PROCEDURES["a"])["seed"].n_unique() == 3


def test_the_contrast_of_two_procedures_is_the_difference_of_their_scores():
    rows, primary = divided(seeds=(0, 1))
    row = contrast(rows, FEW, primary)
    values = dict(
        scores(selected(rows, primary), FEW).filter(metric="accuracy").select("contender", "value").iter_rows()
    )
    assert row["difference"] == pytest.approx(values[PROCEDURES["a"]] - values[PROCEDURES["b"]])
    assert row["low"] <= row["difference"] <= row["high"]


def test_where_choices_agree_the_contrast_is_the_row_of_the_pair():
    rows = predictions({"text-svm": 1, "lstm-cnn": 3}, seeds=(0, 1), folds=3, n=90)
    primary = choose_primary(rows, READS, "accuracy")
    first = differences(rows, FEW, primary, READS).row(0, named=True)
    alone = contrast(rows, FEW, primary)
    assert {name: first[name] for name in alone} == pytest.approx(alone)


def test_the_pair_that_is_chosen_most_often_keeps_its_own_row():
    rows, primary = divided()
    table = differences(rows, FEW, primary, READS_MORE)
    a, b = primary["a"], primary["b"]
    assert table["is_primary"].sum() == 1
    assert table.row(0, named=True)["is_primary"]
    assert table.filter(a=a, b=b, metric="accuracy")["is_primary"].to_list() == [True, False]
    own = differences(rows, FEW, None, READS_MORE).filter(a=a, b=b, metric="accuracy")
    columns = ["difference", "low", "high", "p"]
    assert table.filter(~pl.col("is_primary"), a=a, b=b, metric="accuracy").select(columns).equals(own.select(columns))
    assert table["difference"][0] != own["difference"].item()
    for first, second, sign in ((a, b, 1), (b, a, -1)):
        found = difference_between(table, first, second, "accuracy")
        assert found is not None
        assert found.value == sign * own["difference"].item()
    assert table["p_holm"][0] >= table["p"][0]
