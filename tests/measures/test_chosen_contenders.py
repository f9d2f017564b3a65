import polars as pl
import pytest

from counterpoint.measures.chosen_contenders import better_on_test_rows, chosen_sentences, how_often

READS = {"svm": ("text",), "cnn": ("image",), "probe": ("image",), "late": ("text", "image"), "majority": ()}


def scored(metric="accuracy", **values):
    rows = [{"contender": name, "part": "oof", "metric": metric, "value": value} for name, value in values.items()]
    return pl.DataFrame(rows)


def chosen(*pairs, seeds=(0,), metric="accuracy"):
    choices = [{"fold": str(fold), "seed": seed, "a": a, "b": b} for fold, (a, b) in enumerate(pairs) for seed in seeds]
    return {"a": pairs[0][0], "b": pairs[0][1], "metric": metric, "choices": choices}


def test_of_one_modality_those_that_are_better_on_test_rows_are_named_the_best_first():
    scores = scored(svm=0.5, cnn=0.6, probe=0.7, late=0.9, majority=0.8)
    assert better_on_test_rows(chosen(("late", "svm")), scores, READS) == {"probe": 0.7, "cnn": 0.6}
    sentences = chosen_sentences(chosen(("late", "svm")), scores, READS)
    assert "probe (0.700) and cnn (0.600) are better than svm" in sentences[-1]


def test_a_loss_is_better_when_it_is_low():
    scores = scored("log_loss", svm=0.5, cnn=0.6, probe=0.4)
    assert better_on_test_rows(chosen(("late", "svm"), metric="log_loss"), scores, READS) == {"probe": 0.4}


def test_without_a_better_one_there_is_one_sentence():
    assert len(chosen_sentences(chosen(("late", "svm")), scored(svm=0.9, cnn=0.6, late=1.0), READS)) == 1


@pytest.mark.parametrize(("primary", "words"), [
    (chosen(("late", "svm"), ("late", "cnn"), ("late", "svm")), "(in 2 of 3 folds)"),
    (chosen(("late", "svm"), seeds=(0, 1)), "(in 2 of 2 seeds)"),
    (chosen(("late", "svm"), ("late", "cnn"), seeds=(0, 1)), "(in 2 of 4 fits, of 2 folds and 2 seeds)"),
    (chosen(("late", "svm")), ""),
])  # fmt: skip
def test_the_number_of_choices_has_its_unit(primary, words):
    assert how_often(primary, "b") == words


def test_where_choices_differ_the_sentences_give_their_numbers():
    primary = chosen(("late", "svm"), ("late", "cnn"), ("late", "svm"))
    text = " ".join(chosen_sentences(primary, scored(svm=0.5, cnn=0.4), READS))
    assert "late (in 3 of 3 folds) and svm (in 2 of 3 folds)" in text
    assert "not exactly that of the scores" in text
