"""The checks of what a contender was given: they fire on a record that shows it, and only then."""

import json

import polars as pl
import pytest

from check_material import inputs_of, made_costs, made_pairs, predictions_of, run_check, severity
from counterpoint.diagnose.verdict_inputs import UNKNOWN, VerdictInputs
from counterpoint.schema import DIFFERENCES, FINDINGS, empty

PRIMARY = {"a": "lstm-cnn", "b": "text-svm", "metric": "balanced_accuracy", "chosen_on": "validation"}
READS = {"text-svm": ("text",), "lstm-cnn": ("text", "image"), "late-fusion": ("text", "image")}
FAIR = {"text_svm": (1, 0, 5000, 1.0), "lstm_cnn": (1, 8, 90_000, 4.0), "late_fusion": (3, 40, 80_000, 6.0)}


BUILT = {"late-fusion": ("text-svm",)}


def comparison(costs, **parts):
    given = {"primary": PRIMARY, "modalities": READS, "additive": ("late-fusion",), "costs": made_costs(**costs)}
    return inputs_of(made_pairs(20), **(given | parts))


def difference(low, high):
    row = {"a": "late-fusion", "b": "lstm-cnn", "metric": "balanced_accuracy", "difference": (low + high) / 2}
    return pl.DataFrame([row | {"low": low, "high": high}], schema=dict(DIFFERENCES))


@pytest.mark.parametrize(
    ("lstm_cnn", "text_svm", "expected"),
    [
        ((1, 8, 9, 1.0), (1, 0, 9, 1.0), "info"),
        ((12, 8, 9, 1.0), (1, 0, 9, 1.0), "warn"),
        ((2, 8, 9, 1.0), (9, 0, 9, 1.0), "warn"),
        ((3, 8, 9, 1.0), (1, 0, 9, 1.0), "info"),
        ((1, 80, 9, 1.0), (1, 8, 9, 1.0), "warn"),
        ((1, 30, 9, 1.0), (1, 8, 9, 1.0), "info"),
    ],
)
def test_very_unequal_trials_or_epochs_warn(lstm_cnn, text_svm, expected):
    assert severity("CP005", comparison({"lstm_cnn": lstm_cnn, "text_svm": text_svm})) == expected


def test_every_contender_stands_in_the_table_of_budgets():
    rows = json.loads(run_check("CP005", comparison(FAIR))["evidence"])["table"]
    assert [row["contender"] for row in rows] == ["lstm-cnn", "text-svm", "late-fusion"]
    assert rows[0]["parameters"] == 90_000


def test_a_fusion_that_sums_the_epochs_of_its_branches_is_not_unequal():
    fair = FAIR | {"late_fusion": (3, 90, 9, 1.0), "text_svm": (1, 8, 9, 1.0)}
    assert severity("CP005", comparison(fair, primary=PRIMARY | {"a": "late-fusion"})) == "info"


def test_an_ensemble_that_sums_the_epochs_of_its_members_is_not_unequal():
    costs = FAIR | {"ensemble": (3, 90, 9, 1.0), "text_svm": (1, 8, 9, 1.0)}
    given = comparison(costs, primary=PRIMARY | {"a": "ensemble"}, members={"ensemble": ("text-svm", "lstm-cnn")})
    assert severity("CP005", given) == "info"


def test_an_outside_model_has_no_record():
    assert severity("CP005", comparison(FAIR, primary=PRIMARY | {"a": "theirs"})) == "not_applicable"


@pytest.mark.parametrize("code", ["CP005", "CP006"])
def test_without_a_primary_contrast_there_is_nothing_to_hold_equal(code):
    assert severity(code, comparison(FAIR, primary=None)) == "not_applicable"


def test_a_joint_network_without_its_control_warns():
    alone = {name: READS[name] for name in ("text-svm", "lstm-cnn")}
    assert severity("CP006", comparison(FAIR, additive=(), modalities=alone)) == "warn"


def test_a_late_fusion_in_the_contrast_is_its_own_control():
    found = run_check("CP006", comparison(FAIR, primary=PRIMARY | {"a": "late-fusion"}))
    assert found["severity"] == "info"
    assert found["explanation"].endswith("is a sum of contenders that are trained apart.")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (("text-svm", "image-cnn"), "is a combination of contenders that are trained apart."),
        (("text-svm", "lstm-cnn", "late-fusion"), "trained apart. Of these, lstm-cnn is trained jointly."),
    ],
)
def test_an_ensemble_is_not_trained_jointly(members, words):
    given = comparison(
        FAIR, primary=PRIMARY | {"a": "ensemble"}, members=BUILT | {"ensemble": members},
        modalities=READS | {"ensemble": ("text", "image")},
    )  # fmt: skip
    found = run_check("CP006", given)
    assert found["severity"] == "info"
    assert found["explanation"].endswith(words)


def test_a_jointly_trained_sum_is_no_control_and_needs_none():
    reads = {"text-svm": ("text",), "lstm-cnn": ("text", "image"), "pair-probe": ("text", "image")}
    sums = {"additive": ("pair-probe",), "members": {}, "modalities": reads}
    assert severity("CP006", comparison(FAIR, **sums)) == "warn"
    costs = FAIR | {"pair_probe": (1, 0, 9, 1.0)}
    found = run_check("CP006", comparison(costs, primary=PRIMARY | {"a": "pair-probe"}, **sums))
    assert found["severity"] == "info"
    assert "pair-probe is trained jointly, but it is a sum over the modalities." in found["explanation"]


def test_the_training_of_an_outside_model_is_not_known():
    reads = {"text-svm": ("text",), "mine": ("text", "image")}
    found = run_check("CP006", comparison(FAIR, primary=PRIMARY | {"a": "mine"}, modalities=reads))
    assert (found["severity"], found["explanation"][:30]) == ("warn", "mine may be trained jointly, a")


@pytest.mark.parametrize(
    ("low", "high", "conclusion"),
    [(-0.06, -0.02, "improves the score."), (0.02, 0.06, "is worse"), (-0.02, 0.02, "is not shown")],
)
def test_the_joint_network_is_compared_with_its_control(low, high, conclusion):
    found = run_check("CP006", comparison(FAIR, differences=difference(low, high)))
    assert (found["severity"], conclusion in found["explanation"]) == ("info", True)


def test_a_control_that_loses_at_less_than_half_the_cost_warns():
    given = comparison(FAIR | {"late_fusion": (3, 40, 9, 0.5)}, differences=difference(-0.06, -0.02), members=BUILT)
    assert severity("CP006", given) == "warn"  # 0.5 + 1 s against 4 s
    fair = comparison(FAIR | {"late_fusion": (3, 40, 9, 2.0)}, differences=difference(-0.06, -0.02), members=BUILT)
    assert severity("CP006", fair) == "info"  # 2 + 1 s against 4 s


@pytest.mark.parametrize(("low", "high"), [(0.02, 0.06), (-0.02, 0.02)])
def test_a_cheap_control_that_is_not_beaten_needs_no_larger_budget(low, high):
    given = comparison(FAIR | {"late_fusion": (3, 40, 9, 0.5)}, differences=difference(low, high), members=BUILT)
    assert severity("CP006", given) == "info"


def test_a_slow_clock_alone_makes_no_control_cheap():
    quick = FAIR | {"late_fusion": (3, 40, 9, 0.5), "text_svm": (1, 40, 90_000, 1.0)}  # 40 epochs against 8
    assert severity("CP006", comparison(quick, differences=difference(-0.06, -0.02), members=BUILT)) == "info"


def test_outside_contenders_without_validation_rows_leave_it_unknown():
    reads = {"theirs": ("text",), "others": ("text",)}
    rows = pl.concat([predictions_of(made_pairs(20), name) for name in reads])
    given = comparison(FAIR, modalities=reads, predictions=rows)
    assert VerdictInputs(given, empty(FINDINGS)).above_chance("text") is UNKNOWN
