"""Checks of what a multimodal model makes of its branches: each fires on its fault, and is silent without it."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import fusion_material
from counterpoint.diagnose import Case, cp008_branch_ignored, cp009_interaction, cp014_missing_modality
from counterpoint.measures import emap_gap, perceptual_score
from counterpoint.measures.encoded_fits import heads_of
from counterpoint.measures.information_gain import APART, SUM, told
from fusion_material import Made, Signals, made_case, made_rows, usual

BOTH = Signals(text=0.6, image=0.6)


@cache
def case(signals: Signals = BOTH, *, n: int = 800, classes: int = 2, seed: int = 0, **joint: Any) -> Case:
    return made_case(made_rows(signals, n, classes=classes, seed=seed), usual(classes, **joint))


def severity(check: Any, given: Case) -> str:
    return check.look(given)["severity"]


def evidence(check: Any, given: Case) -> dict[str, Any]:
    return json.loads(check.look(given)["evidence"])


def with_missing_images(pairs: pl.DataFrame, share: float = 0.3) -> pl.DataFrame:
    is_kept = np.random.default_rng(5).random(len(pairs)) > share
    return pairs.with_columns(image=pl.when(pl.Series(is_kept)).then("image"))


# CP008


def test_an_image_that_would_help_and_is_not_read_is_named():
    found = cp008_branch_ignored.look(case(image=0.0))
    assert found["severity"] == "warn"
    assert "lstm-cnn ignores the image" in found["explanation"]
    assert "of that of a plain sum" in found["explanation"]
    assert evidence(cp008_branch_ignored, case(image=0.0))["ignored"] == [
        {"contender": "lstm-cnn", "modality": "image"}
    ]


def test_a_text_that_would_help_and_is_hardly_read_is_named():
    assert evidence(cp008_branch_ignored, case(text=0.05))["ignored"] == [{"contender": "lstm-cnn", "modality": "text"}]


def test_branches_that_are_both_read_raise_no_alarm():
    assert severity(cp008_branch_ignored, case()) == "info"


def test_an_image_of_weak_signals_that_would_help_and_is_not_read_is_named(monkeypatch):
    monkeypatch.setattr(fusion_material, "SAYS", 0.2)  # under .02 bits from either, and three points to gain
    given = made_case(made_rows(Signals(text=1.0, image=1.0), 8000), usual(image=0.0))
    found = evidence(cp008_branch_ignored, given)
    assert all(
        row["adds bits"] < cp008_branch_ignored.WORTH_BITS for row in found["table"] if row["modality"] == "image"
    )
    assert found["ignored"] == [{"contender": "lstm-cnn", "modality": "image"}]


def test_an_image_that_tells_nothing_is_rightly_not_read():
    found = cp008_branch_ignored.look(case(Signals(text=0.6), image=0.05))
    assert found["severity"] == "info"
    assert "nor to add anything" in found["explanation"]


def test_an_image_that_is_read_raises_no_alarm_where_rows_are_too_few_to_show_it():
    found = cp008_branch_ignored.look(case(Signals(text=0.5, image=0.3), n=140, image=0.6, seed=16))
    image = next(row for row in json.loads(found["evidence"])["table"] if row["modality"] == "image")
    assert image["would help"]
    assert image["low"] < 0 < image["in the sum"] / 2 < image["high"]
    assert found["severity"] == "info"
    assert "the image, which so few rows do not tell from none" in found["explanation"]


@pytest.mark.parametrize("check", [cp008_branch_ignored, cp009_interaction, cp014_missing_modality])
def test_a_study_without_a_model_of_both_is_not_applicable(check):
    models = {name: model for name, model in usual().items() if name in ("text-lstm", "image-cnn")}
    assert severity(check, made_case(made_rows(BOTH, 200), models)) == "not_applicable"


@pytest.mark.parametrize("check", [cp008_branch_ignored, cp009_interaction, cp014_missing_modality])
def test_a_model_that_is_not_at_hand_is_not_applicable(check):
    assert severity(check, replace(case(), fit_of=dict[str, Any]().get)) == "not_applicable"


def test_without_a_contender_of_the_image_what_it_would_add_is_not_known():
    models = {name: model for name, model in usual().items() if name != "image-cnn"}
    given = made_case(made_rows(BOTH, 200), models)
    assert severity(cp008_branch_ignored, given) == "not_applicable"
    assert severity(cp014_missing_modality, given) == "not_applicable"
    assert severity(cp009_interaction, given) == "info"


@pytest.mark.parametrize("check", [cp008_branch_ignored, cp009_interaction, cp014_missing_modality])
@pytest.mark.parametrize("given", [{"classes": 3, "n": 240}, {"n": 16}], ids=["three classes", "tiny"])
def test_odd_tables_are_looked_at_or_not_applicable(check, given):
    assert severity(check, case(**given)) in ("info", "warn", "not_applicable")


# CP009


def test_a_joint_model_of_an_additive_truth_is_named():
    found = cp009_interaction.look(case())
    assert found["severity"] == "warn"
    assert "late-fusion" in found["explanation"]


def test_a_model_that_reads_both_together_raises_no_alarm():
    found = cp009_interaction.look(case(Signals(joint=0.9), joint=4.0))
    assert found["severity"] == "info"
    assert "reads text and image together" in found["explanation"]


def test_no_interaction_is_no_alarm_where_nothing_is_gained():
    assert severity(cp009_interaction, case(Signals(text=0.6), image=0.1)) == "info"


def with_another_seed(given: Case, name: str, *, right: bool) -> Case:
    """Return *given* as though a second fit of *name* were always right, or always wrong."""
    is_chance = [column for column in given.predictions.columns if column.startswith("p_")]
    surely = [
        pl.when((pl.col("label") == column[2:]) == right).then(0.9).otherwise(0.1).alias(column) for column in is_chance
    ]
    second = given.predictions.filter(contender=name).with_columns(pl.lit(1, pl.Int64).alias("seed"), *surely)
    return replace(given, predictions=pl.concat([given.predictions, second]))


def test_what_another_fit_gains_is_not_held_against_the_gap_of_this_one():
    given = with_another_seed(case(Signals(text=0.9), image=0.0), "lstm-cnn", right=True)
    assert severity(cp009_interaction, given) == "info"


def test_the_gap_in_the_table_is_that_of_the_public_measure():
    given = case(Signals(joint=0.9), joint=4.0)
    row = evidence(cp009_interaction, given)["table"][0]
    heads = next(heads for heads in heads_of(given) if heads.name == "lstm-cnn")
    whole = emap_gap(heads.fitted.model, heads.pairs, heads.pairs["label"])
    assert row["value"] == pytest.approx(whole.value, abs=0.05)


# CP014


def test_a_model_that_falls_where_images_are_missing_is_named():
    given = made_case(with_missing_images(made_rows(BOTH, 800)), usual(off=4.0))
    found = cp014_missing_modality.look(given)
    assert found["severity"] == "warn"
    assert "without the image lstm-cnn" in found["explanation"]


def test_missing_images_are_no_alarm_where_the_text_still_counts():
    given = made_case(with_missing_images(made_rows(BOTH, 800)), usual())
    assert severity(cp014_missing_modality, given) == "info"


def test_what_would_fall_is_told_where_nothing_is_missing():
    found = cp014_missing_modality.look(case(off=4.0))
    assert found["severity"] == "info"
    assert "Should one be missing later" in found["explanation"]


def test_what_is_missing_is_filled_in_four_ways():
    rows = evidence(cp014_missing_modality, case(Signals(redundant=0.8)))["table"]
    fills = {row["filled with"]: row["score"] for row in rows if row["without"] == "image"}
    assert list(fills) == ["nothing", "the mean", "another row's", "what is learned of it"]
    assert fills["what is learned of it"] > fills["another row's"] + 0.02  # the text says what the image would


def test_an_outside_model_that_said_nothing_of_validation_rows_hides_nothing():
    given = case()
    reads = {**given.modalities, "elsewhere": ("text", "image")}
    said = given.predictions.filter(contender="late-fusion", part="test").with_columns(contender=pl.lit("elsewhere"))
    more = replace(given, modalities=reads, predictions=pl.concat([given.predictions, said]))
    assert told(more).beyond(SUM, "text") == told(given).beyond(SUM, "text")
    assert "elsewhere" not in told(more).bits


def test_one_fit_is_set_against_the_mean_of_fits_and_not_against_their_ensemble():
    heads, name = heads_of(case())[0], "text-lstm"
    one = heads.hits_of(case(), name)
    both = heads.hits_of(with_another_seed(case(), name, right=False), name)
    assert both.tolist() == (one / 2).tolist()


# What they share


def test_what_is_read_once_serves_all_checks():
    given = replace(case())
    assert heads_of(given) is heads_of(given)
    assert told(given) is told(given)
    assert replace(given).shared == {}


def test_the_contender_of_the_primary_contrast_comes_first():
    assert heads_of(case())[0].name == case().primary["a"]


def test_two_that_say_the_same_tell_less_together_than_two_that_err_apart():
    same, apart = told(case(Signals(redundant=0.6))), told(case())
    assert same.beyond(APART, "text").value > 2 * same.beyond(SUM, "text").value
    assert apart.beyond(APART, "text").value == pytest.approx(apart.beyond(SUM, "text").value, abs=0.08)


def test_heads_stand_for_the_model_in_a_measure():
    heads = heads_of(case())[0]
    kept = perceptual_score(heads, heads.pairs, heads.pairs["label"], "image", permutations=3, draws=50)
    anew = perceptual_score(heads.fitted.model, heads.pairs, heads.pairs["label"], "image", permutations=3, draws=50)
    assert kept == anew
    assert isinstance(heads.fitted.model, Made)
