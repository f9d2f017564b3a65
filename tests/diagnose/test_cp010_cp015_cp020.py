"""The gain from two modalities, over-confident contenders, and labels that both contradict."""

import numpy as np
import polars as pl
import pytest

from check_material import evidence, run_check
from counterpoint import number_formats as numbers
from counterpoint.diagnose.cp015_overconfidence import temperature_of
from counterpoint.diagnose.cp020_wrong_labels import NONE, confident
from counterpoint.measures.prediction_arrays import prediction_arrays
from made_signals import inputs_of_signals, made_fits

ALL = pytest.mark.parametrize("code", ["CP010", "CP015", "CP020"])


@pytest.mark.parametrize(
    ("signals", "severity"),
    [
        ({}, "info"),
        ({"text": 0, "image": 0, "both": 0.6}, "warn"),
        ({"image": 0}, "warn"),
        ({"text": 0, "image": 0}, "not_applicable"),
    ],
    ids=["complementary", "redundant", "text only", "neither"],
)
def test_there_is_nothing_to_gain_where_the_second_modality_adds_nothing(signals, severity):
    assert run_check("CP010", inputs_of_signals(n=2000, **signals))["severity"] == severity


def weak_case(seed, *, n=3000, strength=0.19):
    """Return inputs with two contenders that are correct on .57 of the rows, by independent weak evidence."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, n)
    evidence = [strength * (strength * (2 * codes - 1) + rng.normal(size=n)) for _ in range(2)]
    logits = {"text-svm": evidence[0], "image-cnn": evidence[1], "late-fusion": sum(evidence)}
    fold = rng.permutation(n) % 3
    frames = [made_fits(np.stack([-values, values], axis=1), codes, fold).with_columns(contender=pl.lit(name))
              for name, values in logits.items()]  # fmt: skip
    return inputs_of_signals(n=12).replaced(predictions=pl.concat(frames))


@pytest.mark.parametrize("seed", range(5))
def test_few_bits_of_weak_signals_may_be_worth_points(seed):
    found = run_check("CP010", weak_case(seed))
    assert evidence(found)["gain_bits"][2] < evidence(found)["worth_bits"]
    assert evidence(found)["gain_points"][0] > 0.015
    assert found["severity"] == "info"


def test_the_gain_is_given_in_bits_with_its_interval():
    found = run_check("CP010", inputs_of_signals(n=1000))
    value, low, high = evidence(found)["gain_bits"]
    assert low < value < high
    assert f"adds {numbers.signed_with_interval(value, low, high)} bits" in found["explanation"]


def test_a_claim_that_nothing_is_to_gain_names_the_modalities_that_no_pretrained_model_has_read():
    given = inputs_of_signals(n=2000, image=0)
    limited, whole = (run_check("CP010", given.replaced(pretrained=read)) for read in ({"text"}, {"text", "image"}))
    assert "The image was read only by small models trained from scratch" in limited["explanation"]
    assert "trained from scratch" not in whole["explanation"]
    assert limited["severity"] == whole["severity"] == "warn"


def test_a_contender_without_validation_rows_is_left_out():
    given = inputs_of_signals()
    rows = given["predictions"].filter((pl.col("contender") != "late-fusion") | (pl.col("part") != "validation"))
    assert run_check("CP010", given.replaced(predictions=rows))["severity"] == "info"


@pytest.mark.parametrize("hot", ["text-svm", "image-cnn"])
def test_a_branch_with_four_times_the_logits_is_named(hot):
    found = run_check("CP015", inputs_of_signals(n=1000, hot=hot))
    assert (found["severity"], found["subject"]) == ("warn", hot)


def test_calibrated_branches_are_not():
    assert run_check("CP015", inputs_of_signals(n=1000))["severity"] == "info"


def test_a_temperature_undoes_the_factor_of_the_logits():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 3))
    codes = (logits + rng.gumbel(size=logits.shape)).argmax(1)
    assert temperature_of(4 * logits, codes) == pytest.approx(4, rel=0.1)


def test_labels_that_both_contradict_are_queued_with_the_class_that_both_predict():
    found = run_check("CP020", inputs_of_signals(n=1000, flips=0.1))
    assert found["severity"] == "warn"
    assert {"id", "label", "suggested"} == set(evidence(found)["table"][0])
    assert len(evidence(found)["table"]) == 12 < evidence(found)["n_queue"] == len(evidence(found)["queue"])
    assert evidence(found)["queue"].items() >= {row["id"]: row["suggested"] for row in evidence(found)["table"]}.items()
    assert "relabel" in found["explanation"]


def test_right_labels_raise_no_alarm():
    assert run_check("CP020", inputs_of_signals(n=1000))["severity"] == "info"


def test_errors_of_one_modality_do_not_count_as_wrong_labels():
    given = inputs_of_signals(n=1000)
    names = ["p_c0", "p_c1"]
    is_wrong = (pl.col("contender") == "image-cnn") & (pl.col("id").cast(pl.Int64) % 3 == 0)
    swapped = [pl.when(is_wrong).then(pl.col(b)).otherwise(pl.col(a)).alias(a) for a, b in (names, names[::-1])]
    assert (
        run_check("CP020", given.replaced(predictions=given["predictions"].with_columns(swapped)))["severity"] == "info"
    )


def test_confidence_is_that_of_confident_learning():
    count = pytest.importorskip("cleanlab.count")
    given = inputs_of_signals(classes=3, flips=0.1)
    rows = prediction_arrays(given["predictions"], ["text-svm"])
    proba, codes = rows.proba["text-svm"], rows.codes
    found = confident(proba, codes, strict=0)
    joint = np.zeros((3, 3), dtype=int)
    np.add.at(joint, (codes[found != NONE], found[found != NONE]), 1)
    theirs = count.compute_confident_joint(codes, proba, calibrate=False)
    off = ~np.eye(3, dtype=bool)
    assert (joint[off] == theirs[off]).all()


@ALL
def test_more_than_two_classes_are_no_trouble(code):
    assert run_check(code, inputs_of_signals(classes=4))["severity"] in ("info", "warn")


@ALL
@pytest.mark.parametrize(
    "given",
    [
        inputs_of_signals(modalities={"text-svm": ("text",)}),
        inputs_of_signals(n=12),
        inputs_of_signals(predictions=inputs_of_signals(n=12)["predictions"].clear()),
    ],
    ids=["no image contender", "few rows", "no rows"],
)
def test_what_cannot_be_judged_is_not_applicable(code, given):
    found = run_check(code, given)
    assert found["severity"] == "not_applicable"
    assert found["explanation"]
