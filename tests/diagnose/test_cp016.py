"""Training that failed: the layer is named, and what merely cannot be learned is no failure."""

import json
from copy import copy
from dataclasses import replace

import polars as pl
import pytest
import torch
from torch import nn

from counterpoint.contenders import make
from counterpoint.data.generate import generate
from counterpoint.diagnose import Fitted, cp016_training_failed
from counterpoint.diagnose.cp016_training_failed import look
from counterpoint.networks.activity import activities, gradient_shares
from counterpoint.schema import HISTORY
from made_cases import made_case

SMALL = {"length": 16, "embed": 16, "hidden": 8, "side_px": 16, "epochs": 2}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("pairs"), n=80, text_signal=1, side_px=16)


def history(name, *, train=0.3, train_score=0.9, valid_score=0.8):
    row = {"contender": name, "seed": 0, "fold": "0", "epoch": 2, "branch": "joint", "train_loss": train}
    return pl.DataFrame([row | {"train_score": train_score, "valid_score": valid_score}], schema=dict(HISTORY))


def case(pairs, model, *, name="late-fusion", **curve):
    fitted = Fitted(model, pairs, pairs, pairs)
    return made_case(history=history(name, **curve), fit_of=lambda _: fitted)


@pytest.fixture(scope="module")
def starved(pairs):
    return make("paper-lstm-cnn", activation="softmax", **SMALL).fit(pairs, pairs["label"])


@pytest.fixture(scope="module")
def sound(pairs):
    return make("paper-lstm-cnn", activation="relu", **SMALL).fit(pairs, pairs["label"])


def test_softmax_between_layers_is_named_with_its_layer(pairs, starved):
    found = look(case(pairs, starved))
    assert found["severity"] == "warn"
    assert "image.convolutions.1 (Softmax" in found["explanation"]
    assert "of the branches' gradient" in found["explanation"].lower()


def test_the_same_network_with_relu_raises_no_alarm(pairs, sound):
    found = look(case(pairs, sound))
    assert found["severity"] == "info"
    assert len(json.loads(found["evidence"])["table"]) > 3


def test_a_loss_at_that_of_guessing_fails_where_another_reads_the_same(pairs, sound):
    guessing = made_case(text=0.9, image=0).predictions
    chances = [pl.when(contender="late-fusion").then(0.5).otherwise(pl.col(f"p_c{k}")).alias(f"p_c{k}") for k in (0, 1)]
    given = case(pairs, sound, train=0.69)
    stuck = replace(given, predictions=guessing.with_columns(chances))
    assert look(stuck)["severity"] == "fail"
    assert "text-svm" in look(stuck)["explanation"]


def test_a_network_whose_modality_tells_nothing_has_not_failed():
    nothing = made_case(image=0, history=history("image-cnn", train=0.693))
    assert look(nothing)["severity"] == "info"


def guessing_on(*parts, given):
    """Return *given* with late-fusion at chance on *parts*: what it says is that of a row of any class."""
    is_guessed = pl.col("part").is_in(parts) & (pl.col("contender") == "late-fusion")
    first = pl.col("id").str.slice(-1).cast(pl.Int64) % 2 == 0
    guess = {k: pl.when(first == (k == 0)).then(0.9).otherwise(0.1) for k in (0, 1)}
    chances = [pl.when(is_guessed).then(guess[k]).otherwise(f"p_c{k}").alias(f"p_c{k}") for k in (0, 1)]
    return replace(given, predictions=given.predictions.with_columns(chances))


BY_HEART = {"train": 0.01, "train_score": 1.0}


def failed(found):
    return json.loads(found["evidence"])["failed"]


def test_validation_and_test_at_chance_beside_perfect_training_is_put_in_words(pairs, sound):
    found = look(guessing_on("validation", "test", given=case(pairs, sound, **BY_HEART, valid_score=0.5)))
    assert found["severity"] == "fail"
    assert "tokenizer" in found["explanation"]
    assert failed(found) == {"late-fusion": cp016_training_failed.BY_HEART}


def test_validation_alone_at_chance_is_said_to_be_read_differently(pairs, sound):
    found = look(guessing_on("validation", given=case(pairs, sound, **BY_HEART, valid_score=0.5)))
    assert failed(found) == {"late-fusion": cp016_training_failed.MISREADS}
    assert "test rows" in found["explanation"]


@pytest.mark.parametrize("valid_score", [0.5, 0.63])
def test_over_fitting_is_no_failed_training_where_test_rows_are_told(pairs, sound, valid_score):
    few = case(pairs, sound, **BY_HEART, valid_score=valid_score)
    kept = few.predictions["id"].unique().sort().head(150)
    few = replace(few, predictions=few.predictions.filter(pl.col("id").is_in(kept.implode())))
    assert look(few)["severity"] == "info"


def test_a_network_part_of_which_is_flat_and_that_falls_short_of_its_inputs_has_failed(pairs, starved):
    given = guessing_on("test", given=case(pairs, starved))
    assert failed(look(given)) == {"late-fusion": cp016_training_failed.IN_PART}
    assert json.loads(look(given)["evidence"])["flat"]["late-fusion"][0].startswith("image.")


def test_a_loss_that_stayed_fails_a_network_that_does_little_better_than_chance(pairs, sound):
    strong = made_case(text=0.9, image=0.9).predictions
    weak = made_case(text=0.15, image=0.15).predictions.filter(contender="late-fusion")
    said = pl.concat([strong.filter(pl.col("contender") != "late-fusion"), weak])
    assert failed(look(replace(case(pairs, sound, train=0.69), predictions=said))) == {"late-fusion": "has not learned"}


def test_a_loss_in_which_classes_weigh_the_same_is_held_against_that_of_guessing_them_alike(pairs, sound):
    rare = pl.col("label").eq("c1") & (pl.col("id").cast(pl.Int64) % 10 != 0)  # ten to one
    strong = made_case(n=2000, text=0.9, image=0.9).predictions.filter(~rare)
    weak = made_case(n=2000, text=0.15, image=0.15).predictions.filter(~rare).filter(contender="late-fusion")
    said = pl.concat([strong.filter(pl.col("contender") != "late-fusion"), weak])
    given = replace(case(pairs, sound, train=0.5), predictions=said)  # above the entropy of the shares, .3
    assert failed(look(given)) == {"late-fusion": "has not learned"}
    weighted = copy(sound)
    weighted.class_weight = "balanced"
    fitted = Fitted(weighted, pairs, pairs, pairs)
    assert failed(look(replace(given, fit_of=lambda _: fitted))) == {}


def test_validation_rows_of_one_fold_at_chance_are_seen(pairs, sound):
    given = case(pairs, sound, **BY_HEART, valid_score=0.9)
    guessed = guessing_on("validation", given=given).predictions
    mixed = pl.concat([guessed.filter(fold="1"), given.predictions.filter(pl.col("fold") != "1")])
    assert failed(look(replace(given, predictions=mixed))) == {"late-fusion": cp016_training_failed.MISREADS}


def test_every_network_that_failed_is_in_the_evidence(pairs, sound):
    names = ("late-fusion", "image-cnn")
    curves = pl.concat([history(name, **BY_HEART, valid_score=0.5) for name in names])
    given = guessing_on("validation", given=replace(case(pairs, sound), history=curves))
    twins = given.predictions.filter(contender="late-fusion").with_columns(contender=pl.lit("image-cnn"))
    rest = given.predictions.filter(pl.col("contender") != "image-cnn")
    found = look(replace(given, predictions=pl.concat([rest, twins.select(rest.columns)])))
    assert set(failed(found)) == set(names)


def test_a_network_that_learned_raises_no_alarm_in_four_classes():
    assert look(made_case(classes=4, history=history("text-svm")))["severity"] == "info"


@pytest.mark.parametrize("given", [made_case(), made_case(predictions=made_case().predictions.clear())])
def test_without_networks_it_is_not_applicable(given):
    assert look(given)["severity"] == "not_applicable"


def test_dead_units_and_saturated_outputs_are_counted():
    dead = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Tanh())
    nn.init.constant_(dead[0].bias, -100)
    nn.init.constant_(dead[2].bias, 50)
    found = {layer.layer: layer for layer in activities(dead, lambda: dead(torch.randn(16, 3)))}
    assert (found["1"].dead, found["1"].spread) == (1, 0)
    assert found["3"].saturated == 1


def test_looking_at_gradients_changes_nothing(pairs, sound):
    before = [
        (weights.clone(), None if weights.grad is None else weights.grad.clone())
        for weights in sound.network_.parameters()
    ]
    shares = gradient_shares(sound.network_, lambda: sound.predict_proba(pairs[:8]), 0)
    assert set(shares) == {"text", "image", "out"}
    assert min(shares.values()) > 0
    for weights, (value, slope) in zip(sound.network_.parameters(), before, strict=True):
        assert torch.equal(weights, value)
        assert (weights.grad is None and slope is None) or torch.equal(weights.grad, slope)
