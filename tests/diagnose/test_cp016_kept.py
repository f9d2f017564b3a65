"""CP016 judges the kept weights by their predictions of training rows, whatever the curves look like."""

import json

import numpy as np
import polars as pl
import pytest

from check_material import run_check
from counterpoint.schema import HISTORY
from made_signals import inputs_of_signals

READS = {"text-svm": ("text",), "text-lstm": ("text",), "image-cnn": ("image",)}


def history(name, *, loss):
    row = {"contender": name, "seed": 0, "fold": "0", "epoch": 1, "branch": "text", "train_loss": loss}
    later = row | {"epoch": 9, "train_loss": 0.2, "is_kept": False}
    return pl.DataFrame([row | {"is_kept": True}, later], schema=dict(HISTORY))


def study(*, folds=("0", "1", "2"), parts=("train", "validation", "test"), classes=3, text=0.3, loss=0.8, seed=0):
    """Return inputs where text-lstm guesses on *parts* of *folds*, and text-svm predicts a *text* share of the rows."""
    given = inputs_of_signals(seed, n=1200, classes=classes, text=text, image=0.5)
    rows = given["predictions"].filter(pl.col("contender") != "late-fusion")
    svm = rows.filter(contender="text-svm")
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 0.1, (len(svm), classes))
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    guessed = pl.col("fold").is_in(folds) & pl.col("part").is_in(parts)
    chances = [
        pl.when(guessed).then(pl.Series(proba[:, k])).otherwise(f"p_c{k}").alias(f"p_c{k}") for k in range(classes)
    ]
    lstm = svm.with_columns(chances).with_columns(contender=pl.lit("text-lstm"))
    return given.replaced(
        predictions=pl.concat([rows, lstm]), modalities=READS, history=history("text-lstm", loss=loss)
    )


def failed(found):
    return json.loads(found["evidence"])["failed"]


@pytest.mark.parametrize("loss", [1.104, 0.8, None])
def test_kept_weights_that_guess_on_their_own_training_rows_have_not_learned(loss):
    found = run_check("CP016", study(loss=loss))
    assert failed(found) == {"text-lstm": "has not learned"}
    assert found["severity"] == "fail"
    assert "text-svm" in found["explanation"]


def test_a_weak_rival_is_enough_where_training_rows_are_at_chance():
    found = run_check("CP016", study(text=0.14))  # like .42 in three classes
    assert failed(found) == {"text-lstm": "has not learned"}


def test_without_a_rival_above_chance_the_text_may_carry_nothing():
    assert run_check("CP016", study(text=0.0))["severity"] == "info"


def test_a_network_that_predicts_its_training_rows_raises_no_alarm():
    assert run_check("CP016", study(folds=()))["severity"] == "info"


def test_over_fitting_is_not_taken_for_weights_that_have_not_learned():
    assert failed(run_check("CP016", study(parts=("validation", "test")))) == {}


def test_some_fits_that_have_not_learned_are_named_without_a_failure():
    found = run_check("CP016", study(folds=("1",), text=0.6))
    assert found["severity"] == "warn"
    assert failed(found) == {}
    assert "1 of 3 fits of text-lstm (fold 1 with seed 0)" in found["explanation"]


def test_guessing_is_over_the_classes_that_the_rows_of_a_part_have():
    given = study(loss=0.5)
    is_train = pl.col("part") == "train"
    two = given["predictions"].filter(~is_train | (pl.col("label") != "c2"))
    never = pl.when(is_train & (pl.col("contender") == "text-lstm"))
    rows = two.with_columns(
        never.then(0.0).otherwise("p_c2").alias("p_c2"), never.then(1 - pl.col("p_c1")).otherwise("p_c0").alias("p_c0")
    )
    found = run_check("CP016", given.replaced(predictions=rows))  # one of two by guessing, where the study has three
    assert failed(found) == {"text-lstm": "has not learned"}
