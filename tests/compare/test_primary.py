import polars as pl
import pytest

from counterpoint.compare import choose_primary
from counterpoint.errors import ConfigError
from made_predictions import READS, predictions

SKILLS = {"majority": 9, "text-svm": 3, "image-cnn": 0, "lstm-cnn": 2, "late-fusion": 1}
READS_MORE = {**READS, "late-fusion": ("text", "image")}


def test_the_best_of_each_kind_on_validation_is_chosen():
    chosen = choose_primary(predictions(SKILLS), READS_MORE, "balanced_accuracy")
    assert chosen == {"a": "lstm-cnn", "b": "text-svm", "metric": "balanced_accuracy", "chosen_on": "validation"}


def test_test_rows_are_not_looked_at():
    rows = predictions(SKILLS)
    without = rows.filter(part="validation")
    swapped = rows.with_columns(p_c0="p_c1", p_c1="p_c0").filter(part="test")
    expected = choose_primary(without, READS_MORE, "accuracy")
    assert choose_primary(pl.concat([without, swapped]), READS_MORE, "accuracy") == expected


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


def test_an_unknown_metric_is_one_line():
    with pytest.raises(ConfigError, match="Did you mean 'macro_f1'"):
        choose_primary(predictions(SKILLS), READS_MORE, "macrof1")
