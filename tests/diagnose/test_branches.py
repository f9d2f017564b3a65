"""Checks of multimodal models and their branches: each fires on its fault, and is silent without it."""

import json
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import fusion_material
from check_material import evidence, run_check, severity
from counterpoint.diagnose import Inputs
from counterpoint.diagnose.cp008_branch_ignored import FEW_ROWS, WORTH_BITS
from counterpoint.measures import emap_gap, perceptual_score
from counterpoint.measures.information_gain import INDEPENDENT, SUM
from fusion_material import Made, Signals, inputs_of_models, made_rows, usual

pytestmark = pytest.mark.slow

BOTH = Signals(text=0.6, image=0.6)


@cache
def comparison(signals: Signals = BOTH, *, n: int = 800, classes: int = 2, seed: int = 0, **joint: Any) -> Inputs:
    return inputs_of_models(made_rows(signals, n, classes=classes, seed=seed), usual(classes, **joint))


def with_missing_images(pairs: pl.DataFrame, share: float = 0.3) -> pl.DataFrame:
    is_kept = np.random.default_rng(5).random(len(pairs)) > share
    return pairs.with_columns(image=pl.when(pl.Series(is_kept)).then("image"))


# CP008


def test_an_image_that_would_help_and_is_not_read_is_named():
    found = run_check("CP008", comparison(image=0.0))
    assert found["severity"] == "warn"
    assert "lstm-cnn ignores the image" in found["explanation"]
    assert "of the score of a plain sum" in found["explanation"]
    assert evidence(run_check("CP008", comparison(image=0.0)))["ignored"] == [
        {"contender": "lstm-cnn", "modality": "image"}
    ]


def test_the_advice_on_an_ignored_branch_fits_the_contender():
    given = comparison(image=0.0)
    assert run_check("CP008", given)["explanation"].endswith("Train the branches apart and fuse them late.")
    combined = given.replaced(members={"lstm-cnn": ("text-lstm", "image-cnn")})
    assert run_check("CP008", combined)["explanation"].endswith("on which they are combined.")
    models = usual(image=0.0)
    models["lstm-cnn"].hide = 0.2
    network = inputs_of_models(made_rows(BOTH, 800), models)
    assert run_check("CP008", network)["explanation"].endswith("give the image branch a loss of its own (auxiliary).")


def test_a_text_that_would_help_and_is_hardly_read_is_named():
    assert evidence(run_check("CP008", comparison(text=0.05)))["ignored"] == [
        {"contender": "lstm-cnn", "modality": "text"}
    ]


def test_branches_that_are_both_read_raise_no_alarm():
    assert severity("CP008", comparison()) == "info"


def test_an_image_of_weak_signals_that_would_help_and_is_not_read_is_named(monkeypatch):
    monkeypatch.setattr(fusion_material, "SIGNAL_LOGIT", 0.2)  # under .02 bits from either, and three points to gain
    given = inputs_of_models(made_rows(Signals(text=1.0, image=1.0), 8000), usual(image=0.0))
    found = evidence(run_check("CP008", given))
    assert all(row["adds bits"] < WORTH_BITS for row in found["table"] if row["modality"] == "image")
    assert found["ignored"] == [{"contender": "lstm-cnn", "modality": "image"}]


def test_an_image_without_information_is_rightly_not_read():
    found = run_check("CP008", comparison(Signals(text=0.6), image=0.05))
    assert found["severity"] == "info"
    assert "or would help" in found["explanation"]


def test_an_image_that_is_read_raises_no_alarm_where_rows_are_too_few_to_show_it():
    found = run_check("CP008", comparison(Signals(text=0.5, image=0.3), n=140, image=0.6, seed=16))
    image = next(row for row in json.loads(found["evidence"])["table"] if row["modality"] == "image")
    assert image["would help"]
    assert image["low"] < 0 < image["in the sum"] / 2 < image["high"]
    assert found["severity"] == "info"
    assert "on the image, but the rows are too few" in found["explanation"]


@pytest.mark.parametrize(("n_rare", "severity"), [(400, "warn"), (18, "info")])
def test_an_image_that_is_not_read_raises_no_alarm_where_one_class_has_too_few_rows_to_judge(n_rare, severity):
    rows = made_rows(BOTH, 800)
    rare, other = (rows.filter(label=name) for name in rows["label"].unique().sort())
    given = inputs_of_models(pl.concat([rare.head(n_rare), other]), usual(image=0.0))
    found = run_check("CP008", given)
    table = json.loads(found["evidence"])["table"]
    image = next(row for row in table if (row["contender"], row["modality"]) == ("lstm-cnn", "image"))
    assert image["is unread"]
    assert image["would help"]
    assert (image["rows if equal"] >= FEW_ROWS) == (severity == "warn")
    assert (found["severity"], found["subject"]) == (severity, "lstm-cnn")
    assert ("are needed to judge this" in found["explanation"]) == (severity == "info")


@pytest.mark.parametrize("code", ["CP008", "CP009", "CP014"])
def test_a_study_without_a_model_of_both_is_not_applicable(code):
    models = {name: model for name, model in usual().items() if name in ("text-lstm", "image-cnn")}
    assert severity(code, inputs_of_models(made_rows(BOTH, 200), models)) == "not_applicable"


@pytest.mark.parametrize("code", ["CP008", "CP009", "CP014"])
def test_a_model_that_is_not_at_hand_is_not_applicable(code):
    assert severity(code, comparison().replaced(fit_of=dict[str, Any]().get)) == "not_applicable"


def test_without_a_contender_of_the_image_its_gain_is_unknown():
    models = {name: model for name, model in usual().items() if name != "image-cnn"}
    given = inputs_of_models(made_rows(BOTH, 200), models)
    assert severity("CP008", given) == "not_applicable"
    assert severity("CP014", given) == "not_applicable"
    assert severity("CP009", given) == "info"


@pytest.mark.parametrize("code", ["CP008", "CP009", "CP014"])
@pytest.mark.parametrize("given", [{"classes": 3, "n": 240}, {"n": 16}], ids=["three classes", "tiny"])
def test_odd_tables_are_looked_at_or_not_applicable(code, given):
    assert severity(code, comparison(**given)) in ("info", "warn", "not_applicable")


# CP009


def test_a_joint_model_of_an_additive_truth_is_named():
    found = run_check("CP009", comparison())
    assert found["severity"] == "warn"
    assert "late-fusion" in found["explanation"]


def test_a_model_that_reads_both_together_raises_no_alarm():
    found = run_check("CP009", comparison(Signals(joint=0.9), joint=4.0))
    assert found["severity"] == "info"
    assert "reads text and image together" in found["explanation"]


def test_no_interaction_is_no_alarm_where_nothing_is_gained():
    assert severity("CP009", comparison(Signals(text=0.6), image=0.1)) == "info"


def with_another_seed(given: Inputs, name: str, *, right: bool) -> Inputs:
    """Return *given* as though a second fit of *name* were always right, or always wrong."""
    is_chance = [column for column in given["predictions"].columns if column.startswith("p_")]
    surely = [
        pl.when((pl.col("label") == column[2:]) == right).then(0.9).otherwise(0.1).alias(column) for column in is_chance
    ]
    second = given["predictions"].filter(contender=name).with_columns(pl.lit(1, pl.Int64).alias("seed"), *surely)
    return given.replaced(predictions=pl.concat([given["predictions"], second]))


def test_the_gain_of_another_fit_is_not_compared_with_the_gap_of_this_one():
    given = with_another_seed(comparison(Signals(text=0.9), image=0.0), "lstm-cnn", right=True)
    assert severity("CP009", given) == "info"


def test_the_gap_in_the_table_is_that_of_the_public_measure():
    given = comparison(Signals(joint=0.9), joint=4.0)
    row = evidence(run_check("CP009", given))["table"][0]
    fit = next(fit for fit in given["encoded_fits"] if fit.name == "lstm-cnn")
    whole = emap_gap(fit.fit.model, fit.pairs, fit.pairs["label"])
    assert row["value"] == pytest.approx(whole.value, abs=0.05)


# CP014


def test_a_model_that_falls_where_images_are_missing_is_named():
    given = inputs_of_models(with_missing_images(made_rows(BOTH, 800)), usual(off=4.0))
    found = run_check("CP014", given)
    assert found["severity"] == "warn"
    assert "Without the image, lstm-cnn" in found["explanation"]


def test_missing_images_are_no_alarm_where_the_text_still_counts():
    given = inputs_of_models(with_missing_images(made_rows(BOTH, 800)), usual())
    assert severity("CP014", given) == "info"


def test_a_fall_is_reported_where_nothing_is_missing():
    found = run_check("CP014", comparison(off=4.0))
    assert found["severity"] == "info"
    assert "if the text is missing later" in found["explanation"]


def test_a_missing_modality_is_filled_in_four_ways():
    rows = evidence(run_check("CP014", comparison(Signals(redundant=0.8))))["table"]
    fills = {row["filled with"]: row["score"] for row in rows if row["without"] == "image"}
    assert list(fills) == ["nothing", "the mean", "another row's", "a prediction from the other"]
    assert fills["a prediction from the other"] > fills["another row's"] + 0.02  # the two are redundant


def test_an_outside_model_without_validation_rows_hides_nothing():
    given = comparison()
    reads = {**given["modalities"], "elsewhere": ("text", "image")}
    rows = given["predictions"].filter(contender="late-fusion", part="test").with_columns(contender=pl.lit("elsewhere"))
    more = given.replaced(modalities=reads, predictions=pl.concat([given["predictions"], rows]))
    assert more["information_gain"].beyond(SUM, "text") == given["information_gain"].beyond(SUM, "text")
    assert "elsewhere" not in more["information_gain"].bits


def test_one_fit_is_compared_with_the_mean_of_fits_and_not_with_their_ensemble():
    fit, name = comparison()["encoded_fits"][0], "text-lstm"
    one = fit.correct_shares_of(comparison()["predictions"], name)
    two = with_another_seed(comparison(), name, right=False)
    both = fit.correct_shares_of(two["predictions"], name)
    assert both.tolist() == (one / 2).tolist()


# Shared inputs


def test_inputs_that_checks_share_are_made_once():
    given = comparison().replaced()
    assert given["encoded_fits"] is given["encoded_fits"]
    assert given["information_gain"] is given["information_gain"]
    assert given.replaced()["encoded_fits"] is not given["encoded_fits"]


def test_the_contender_of_the_primary_contrast_comes_first():
    assert comparison()["encoded_fits"][0].name == comparison()["primary"]["a"]


def test_redundant_contenders_have_less_information_together_than_contenders_with_independent_errors():
    same, apart = comparison(Signals(redundant=0.6))["information_gain"], comparison()["information_gain"]
    assert same.beyond(INDEPENDENT, "text").value > 2 * same.beyond(SUM, "text").value
    assert apart.beyond(INDEPENDENT, "text").value == pytest.approx(apart.beyond(SUM, "text").value, abs=0.08)


def test_an_encoded_fit_stands_for_the_model_in_a_measure():
    fit = comparison()["encoded_fits"][0]
    kept = perceptual_score(fit, fit.pairs, fit.pairs["label"], "image", permutations=3, draws=50)
    again = perceptual_score(fit.fit.model, fit.pairs, fit.pairs["label"], "image", permutations=3, draws=50)
    assert kept == again
    assert isinstance(fit.fit.model, Made)
