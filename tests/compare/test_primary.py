import numpy as np
import polars as pl
import pytest

from counterpoint.compare import choose_primary
from counterpoint.errors import ConfigError
from made_predictions import READS, frame_of, predictions

SKILLS = {"majority": 9, "text-svm": 3, "image-cnn": 0, "lstm-cnn": 2, "late-fusion": 1}
READS_MORE = {**READS, "late-fusion": ("text", "image")}
N_ROWS = 20


def fit_of(contender, n_hits, *, seed=0, fold="0", part="validation", rows_of="1", n=N_ROWS):
    """The predictions of one fit on the rows of a fold, the first *n_hits* of them correct."""
    codes = np.resize([0, 1], n)
    chosen = np.where(np.arange(n) < n_hits, codes, 1 - codes)
    frame = frame_of(codes, np.eye(2)[chosen] * 0.8 + 0.1, contender=contender, seed=seed, fold=fold, part=part)
    return frame.with_columns(id=pl.lit(f"{rows_of}-") + pl.col("id"))


def of_folds(hits, *, seeds=(0,)):
    """The predictions of a k-fold with these *hits* on validation rows: by contender, fold and seed."""
    tables = []
    for name, by_fold in hits.items():
        for fold, by_seed in enumerate(by_fold):
            for seed, n_hits in zip(seeds, np.atleast_1d(by_seed), strict=False):
                own = {"seed": seed, "fold": str(fold)}
                tables.append(fit_of(name, n_hits, **own, rows_of=str((fold + 1) % len(by_fold))))
                tables.append(fit_of(name, 0, **own, part="test", rows_of=str(fold)))
    return pl.concat(tables)


def chosen_by_fit(primary, side="a"):
    return [choice[side] for choice in primary["choices"]]


def test_the_best_of_each_kind_on_validation_is_chosen():
    chosen = choose_primary(predictions(SKILLS), READS_MORE, "balanced_accuracy")
    assert (chosen["a"], chosen["b"]) == ("lstm-cnn", "text-svm")
    assert (chosen["metric"], chosen["chosen_on"]) == ("balanced_accuracy", "validation")
    assert chosen["shares"] == {"a": {"lstm-cnn": 1.0}, "b": {"text-svm": 1.0}}


def test_test_rows_are_not_looked_at():
    rows = predictions(SKILLS)
    without = rows.filter(part="validation")
    swapped = rows.with_columns(p_c0="p_c1", p_c1="p_c0").filter(part="test")
    expected = choose_primary(without, READS_MORE, "accuracy")
    assert choose_primary(pl.concat([without, swapped]), READS_MORE, "accuracy") == expected


def test_a_fold_is_decided_by_its_own_validation_rows():
    hits = {"lstm-cnn": [20, 9, 20], "late-fusion": [10, 10, 10], "text-svm": [5, 5, 5]}
    chosen = choose_primary(of_folds(hits), READS_MORE, "accuracy")
    assert chosen_by_fit(chosen) == ["lstm-cnn", "late-fusion", "lstm-cnn"]
    assert chosen["a"] == "lstm-cnn"
    assert chosen["shares"]["a"] == {"lstm-cnn": pytest.approx(2 / 3), "late-fusion": pytest.approx(1 / 3)}


def test_rows_that_a_fold_tests_never_choose_its_contenders():
    hits = {"lstm-cnn": [12, 12, 12], "late-fusion": [11, 11, 11], "text-svm": [5, 5, 5]}
    rows = of_folds(hits)
    expected = {choice["fold"]: choice for choice in choose_primary(rows, READS_MORE, "accuracy")["choices"]}
    for fold in "012":
        is_tested = pl.col("id").str.starts_with(f"{fold}-")
        turned = rows.with_columns(
            pl.when(is_tested).then(other).otherwise(one).alias(one)
            for one, other in [("p_c0", "p_c1"), ("p_c1", "p_c0")]
        )
        chosen = choose_primary(turned, READS_MORE, "accuracy")
        assert expected[fold] in chosen["choices"]
        assert chosen_by_fit(chosen) != ["lstm-cnn"] * 3


def test_the_tested_fit_does_not_choose_itself():
    hits = {"lstm-cnn": [(20, 0, 0)] * 3, "late-fusion": [(9, 9, 9)] * 3, "text-svm": [5] * 3}
    chosen = choose_primary(of_folds(hits, seeds=(3, 5, 8)), READS_MORE, "accuracy")
    assert chosen_by_fit(chosen) == ["late-fusion", "lstm-cnn", "lstm-cnn"] * 3
    assert [choice["seed"] for choice in chosen["choices"]] == [3, 5, 8] * 3
    assert set(chosen_by_fit(chosen, "b")) == {"text-svm"}


def test_of_names_chosen_equally_often_the_first_of_the_study_gives_the_name():
    hits = {"late-fusion": [9, 20, 9, 20], "lstm-cnn": [10] * 4, "text-svm": [5] * 4}
    assert choose_primary(of_folds(hits), READS_MORE, "accuracy")["a"] == "lstm-cnn"


def test_a_loss_is_best_when_it_is_low():
    chosen = choose_primary(predictions(SKILLS, n=200), READS_MORE, "log_loss")
    assert (chosen["a"], chosen["b"]) == ("lstm-cnn", "text-svm")


def test_of_equals_the_first_of_the_study_is_chosen():
    rows = predictions({"lstm-cnn": 1})
    rows = pl.concat([rows.with_columns(contender=pl.lit(name)) for name in ("late-fusion", "lstm-cnn", "text-svm")])
    assert choose_primary(rows, READS_MORE, "accuracy")["a"] == "lstm-cnn"


@pytest.mark.parametrize("kinds", [["text-svm", "image-cnn"], ["lstm-cnn", "late-fusion"], ["majority"], ["elsewhere"]])
def test_a_study_of_one_kind_has_no_primary_contrast(kinds):
    assert choose_primary(predictions(dict.fromkeys(kinds, 1)), READS_MORE, "accuracy") is None


def test_a_contender_without_validation_rows_is_not_chosen():
    rows = predictions(SKILLS).filter((pl.col("contender") != "lstm-cnn") | (pl.col("part") == "test"))
    assert choose_primary(rows, READS_MORE, "accuracy")["a"] == "late-fusion"


def test_an_undefined_score_is_not_chosen():
    rows = predictions({"text-svm": 1, "lstm-cnn": 1}).filter(label="c1")
    assert choose_primary(rows, READS, "roc_auc") is None


@pytest.mark.parametrize("is_absent", [True, False], ids=["no validation rows", "one class"])
def test_a_fold_without_a_score_is_decided_by_folds_that_have_none_of_its_test_rows(is_absent):
    # The validation rows of fold 0 are tested in fold 1, and those of fold 3 in fold 0: only folds 1 and 2 may decide.
    hits = {"lstm-cnn": [1, 12, 12, 1], "late-fusion": [20, 11, 11, 20], "text-svm": [5, 5, 5, 5]}
    rows = of_folds(hits)
    of_fold = (pl.col("fold") == "0") & (pl.col("part") == "validation")
    rows = rows.filter(~of_fold | ((pl.col("label") == "c0") & (not is_absent)))
    chosen = choose_primary(rows, READS_MORE, "roc_auc")
    assert chosen["choices"][0] == {"fold": "0", "seed": 0, "a": "lstm-cnn", "b": "text-svm"}
    assert chosen_by_fit(chosen) == ["lstm-cnn", "lstm-cnn", "lstm-cnn", "late-fusion"]


def test_a_fold_that_no_rows_may_decide_takes_the_first_of_the_study():
    hits = {"lstm-cnn": [1, 1], "late-fusion": [20, 20], "text-svm": [5, 5]}
    rows = of_folds(hits).filter((pl.col("fold") != "0") | (pl.col("part") == "test"))
    assert chosen_by_fit(choose_primary(rows, READS_MORE, "accuracy")) == ["lstm-cnn", "late-fusion"]


def test_an_unknown_metric_is_one_line():
    with pytest.raises(ConfigError, match="Did you mean 'macro_f1'"):
        choose_primary(predictions(SKILLS), READS_MORE, "macrof1")
