"""Failed training: the layer is named, and a class that cannot be learned is no failure."""

import json

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from check_material import run_check
from counterpoint.contenders import make
from counterpoint.data.generate import generate
from counterpoint.diagnose import cp016_training_failed
from counterpoint.measures.contender_fits import ContenderFit
from counterpoint.networks.activity import activities, gradient_shares
from counterpoint.schema import HISTORY, empty
from made_signals import inputs_of_signals

SMALL = {"length": 16, "embed": 16, "hidden": 8, "side_px": 16, "epochs": 2}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("pairs"), n=80, text_signal=1, side_px=16)


def history(name, *, train=0.3, train_score=0.9, valid_score=0.8, later=None):
    row = {"contender": name, "seed": 0, "fold": "0", "epoch": 2, "branch": "joint", "train_loss": train}
    kept = row | {"train_score": train_score, "valid_score": valid_score, "is_kept": None if later is None else True}
    others = [] if later is None else [row | {"epoch": 3, "train_loss": later, "is_kept": False}]
    return pl.DataFrame([kept, *others], schema=dict(HISTORY))


def comparison(pairs, model, *, name="late-fusion", **curve):
    fitted = ContenderFit(model, pairs, pairs, pairs)
    return inputs_of_signals(history=history(name, **curve), fit_of=lambda _: fitted)


@pytest.fixture(scope="module")
def starved(pairs):
    return make("paper-lstm-cnn", activation="softmax", **SMALL).fit(pairs, pairs["label"])


@pytest.fixture(scope="module")
def sound(pairs):
    return make("paper-lstm-cnn", activation="relu", **SMALL).fit(pairs, pairs["label"])


def test_softmax_between_layers_is_named_with_its_layer(pairs, starved):
    found = run_check("CP016", comparison(pairs, starved))
    assert found["severity"] == "warn"
    assert "image.convolutions.1 (Softmax" in found["explanation"]
    assert "Shares of the gradient: " in found["explanation"]


def test_the_same_network_with_relu_raises_no_alarm(pairs, sound):
    found = run_check("CP016", comparison(pairs, sound))
    assert found["severity"] == "info"
    assert len(json.loads(found["evidence"])["table"]) > 3


def test_a_loss_at_that_of_guessing_fails_where_another_reads_the_same(pairs, sound):
    guessing = inputs_of_signals(text=0.9, image=0)["predictions"]
    chances = [pl.when(contender="late-fusion").then(0.5).otherwise(pl.col(f"p_c{k}")).alias(f"p_c{k}") for k in (0, 1)]
    given = comparison(pairs, sound, train=0.69)
    stuck = given.replaced(predictions=guessing.with_columns(chances))
    assert run_check("CP016", stuck)["severity"] == "fail"
    assert "text-svm" in run_check("CP016", stuck)["explanation"]


@pytest.mark.parametrize(("kept", "later", "severity"), [(0.69, 0.3, "fail"), (0.3, 0.69, "info")])
def test_the_epoch_whose_weights_are_kept_is_judged(pairs, sound, kept, later, severity):
    given = guessing_on("validation", "test", given=comparison(pairs, sound, train=kept, later=later))
    found = run_check("CP016", given)
    assert found["severity"] == severity
    if severity == "fail":
        assert "has not learned: the training loss of the epoch whose weights are kept" in found["explanation"]
        assert "Other epochs have a lower training loss" in found["explanation"]


def test_a_network_whose_modality_has_no_information_has_not_failed():
    nothing = inputs_of_signals(image=0, history=history("image-cnn", train=0.693))
    assert run_check("CP016", nothing)["severity"] == "info"


def guessing_on(*parts, given):
    """Return *given* with predictions of late-fusion on *parts* that do not depend on the class."""
    is_guessed = pl.col("part").is_in(parts) & (pl.col("contender") == "late-fusion")
    first = pl.col("id").str.slice(-1).cast(pl.Int64) % 2 == 0
    guess = {k: pl.when(first == (k == 0)).then(0.9).otherwise(0.1) for k in (0, 1)}
    chances = [pl.when(is_guessed).then(guess[k]).otherwise(f"p_c{k}").alias(f"p_c{k}") for k in (0, 1)]
    return given.replaced(predictions=given["predictions"].with_columns(chances))


MEMORIZED = {"train": 0.01, "train_score": 1.0}


def failed(found):
    return json.loads(found["evidence"])["failed"]


def test_validation_and_test_at_chance_with_perfect_training_is_put_in_words(pairs, sound):
    found = run_check(
        "CP016", guessing_on("validation", "test", given=comparison(pairs, sound, **MEMORIZED, valid_score=0.5))
    )
    assert found["severity"] == "fail"
    assert "tokenizer" in found["explanation"]
    assert failed(found) == {"late-fusion": cp016_training_failed.MEMORIZED}


def test_validation_alone_at_chance_is_rows_to_be_read_differently(pairs, sound):
    found = run_check("CP016", guessing_on("validation", given=comparison(pairs, sound, **MEMORIZED, valid_score=0.5)))
    assert failed(found) == {"late-fusion": cp016_training_failed.MISREADS}
    assert "test rows" in found["explanation"]


@pytest.mark.parametrize("valid_score", [0.5, 0.63])
def test_over_fitting_is_no_failed_training_where_test_rows_are_predicted(pairs, sound, valid_score):
    few = comparison(pairs, sound, **MEMORIZED, valid_score=valid_score)
    kept = few["predictions"]["id"].unique().sort().head(150)
    few = few.replaced(predictions=few["predictions"].filter(pl.col("id").is_in(kept.implode())))
    assert run_check("CP016", few)["severity"] == "info"


def test_a_network_part_of_which_is_flat_and_that_falls_short_of_its_inputs_has_failed(pairs, starved):
    given = guessing_on("test", given=comparison(pairs, starved))
    assert failed(run_check("CP016", given)) == {"late-fusion": cp016_training_failed.IN_PART}
    assert json.loads(run_check("CP016", given)["evidence"])["flat"]["late-fusion"][0].startswith("image.")


def test_a_loss_that_stayed_fails_a_network_that_does_little_better_than_chance(pairs, sound):
    strong = inputs_of_signals(text=0.9, image=0.9)["predictions"]
    weak = inputs_of_signals(text=0.15, image=0.15)["predictions"].filter(contender="late-fusion")
    rows = pl.concat([strong.filter(pl.col("contender") != "late-fusion"), weak])
    assert failed(run_check("CP016", comparison(pairs, sound, train=0.69).replaced(predictions=rows))) == {
        "late-fusion": "has not learned"
    }


@pytest.mark.parametrize(("loss", "expected"), [(0.5, {"late-fusion": "has not learned"}), (0.25, {})])
def test_a_loss_is_compared_with_that_of_guessing_the_class_shares(pairs, sound, loss, expected):
    rare = pl.col("label").eq("c1") & (pl.col("id").cast(pl.Int64) % 10 != 0)  # ten to one: an entropy of .3
    strong = inputs_of_signals(n=2000, text=0.9, image=0.9)["predictions"].filter(~rare)
    weak = inputs_of_signals(n=2000, text=0.15, image=0.15)["predictions"].filter(~rare).filter(contender="late-fusion")
    rows = pl.concat([strong.filter(pl.col("contender") != "late-fusion"), weak])
    given = comparison(pairs, sound, train=loss).replaced(predictions=rows)
    assert failed(run_check("CP016", given)) == expected


def test_validation_rows_of_one_fold_at_chance_are_seen(pairs, sound):
    given = comparison(pairs, sound, **MEMORIZED, valid_score=0.9)
    guessed = guessing_on("validation", given=given)["predictions"]
    mixed = pl.concat([guessed.filter(fold="1"), given["predictions"].filter(pl.col("fold") != "1")])
    assert failed(run_check("CP016", given.replaced(predictions=mixed))) == {
        "late-fusion": cp016_training_failed.MISREADS
    }


def test_every_network_that_failed_is_in_the_evidence(pairs, sound):
    names = ("late-fusion", "image-cnn")
    curves = pl.concat([history(name, **MEMORIZED, valid_score=0.5) for name in names])
    given = guessing_on("validation", given=comparison(pairs, sound).replaced(history=curves))
    twins = given["predictions"].filter(contender="late-fusion").with_columns(contender=pl.lit("image-cnn"))
    rest = given["predictions"].filter(pl.col("contender") != "image-cnn")
    found = run_check("CP016", given.replaced(predictions=pl.concat([rest, twins.select(rest.columns)])))
    assert set(failed(found)) == set(names)


def test_a_network_that_learned_raises_no_alarm_in_four_classes():
    assert run_check("CP016", inputs_of_signals(classes=4, history=history("text-svm")))["severity"] == "info"


@pytest.mark.parametrize(
    "given", [inputs_of_signals(), inputs_of_signals(predictions=inputs_of_signals()["predictions"].clear())]
)
def test_without_networks_it_is_not_applicable(given):
    assert run_check("CP016", given)["severity"] == "not_applicable"


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


def permuted(given, *names, share=1.0, part="validation", column="proba"):
    """Return *given* in which *names* answer for other rows of *part*, or in which they have labels of other rows."""
    predictions = given["predictions"].sort("contender", "fold", "part", "id")
    is_there = (pl.col("part") == part) & pl.col("contender").is_in(names)
    is_moved = is_there & (pl.col("id").cast(pl.Int64) % 100 < 100 * share)
    columns = ["label"] if column == "label" else [name for name in predictions.columns if name.startswith("p_")]
    blocks = []
    for (_, fold), block in predictions.group_by("contender", "fold", maintain_order=True):
        moved, rest = block.filter(is_moved), block.filter(~is_moved)
        order = np.random.default_rng(int(fold)).permutation(len(moved))
        blocks += [moved.with_columns(moved[name].gather(order) for name in columns), rest]
    return given.replaced(predictions=pl.concat(blocks))


ALL = ("text-svm", "image-cnn", "late-fusion")


def network(**signals):
    """Return a comparison whose late-fusion has curves, with these signals."""
    return inputs_of_signals(n=900, history=history("late-fusion", **MEMORIZED), **signals)


@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize(
    ("names", "column", "wrong"),
    [
        (("text-svm", "late-fusion"), "proba", ["text"]),
        (("image-cnn", "late-fusion"), "proba", ["image"]),
        (ALL, "label", ["label"]),
        (("late-fusion",), "proba", []),
    ],
)
def test_the_finding_names_the_modality_or_the_label_of_other_rows(names, column, wrong, share):
    given = permuted(network(text=0.9, image=0.9), *names, share=share, column=column)
    found = json.loads(run_check("CP016", given)["evidence"])["other_rows"]["late-fusion"]
    assert found["wrong"] == wrong
    assert found["parts"] == ["validation"]
    assert found["share"] == pytest.approx(share, abs=0.15)


def test_without_a_model_of_the_image_texts_and_labels_stay_candidates():
    reads = {"text-svm": ("text",), "late-fusion": ("text", "image")}
    given = permuted(network(text=0.9, modalities=reads), "text-svm", "late-fusion")
    found = run_check("CP016", given)
    assert json.loads(found["evidence"])["other_rows"]["late-fusion"]["wrong"] == ["text", "label"]
    assert "Their texts or their labels are wrong" in found["explanation"]


def test_curves_show_that_validation_and_test_rows_are_not_their_own():
    epochs = {"contender": "late-fusion", "seed": 0, "branch": "joint", "train_loss": [0.12, 0.02, 0.01],
              "valid_loss": [3.3, 4.0, 4.6], "train_score": [0.97, 1, 1], "valid_score": [0.5, 0.49, 0.5]}  # fmt: skip
    frames = [pl.DataFrame(epochs | {"epoch": [1, 2, 3], "fold": str(fold)}) for fold in range(3)]
    curves = pl.concat([empty(HISTORY), pl.concat(frames)], how="diagonal_relaxed").select(*HISTORY).cast(dict(HISTORY))
    given = inputs_of_signals(n=900, text=0.95, image=0.9, history=curves)
    for part in ("validation", "test"):
        given = permuted(given, "text-svm", "late-fusion", part=part)
    found = run_check("CP016", given)
    assert failed(found) == {"late-fusion": cp016_training_failed.OTHER_ROWS}
    assert json.loads(found["evidence"])["other_rows"]["late-fusion"]["parts"] == ["validation", "test"]
    assert json.loads(found["evidence"])["other_rows"]["late-fusion"]["wrong"] == ["text"]


@pytest.mark.parametrize("seed", range(5))
def test_a_weak_signal_is_no_sign_of_other_rows(seed):
    found = run_check(
        "CP016", inputs_of_signals(seed, text=0.15, image=0.1, history=history("late-fusion", **MEMORIZED))
    )
    assert "other_rows" not in json.loads(found["evidence"])
