"""The verdict follows from intervals, and each check fires on the record of its pitfall and not without it."""

import json

import polars as pl
import pytest

from check_material import inputs_of
from counterpoint.diagnose import CHECKS, run_checks
from counterpoint.diagnose.verdict import answer
from counterpoint.diagnose.verdict_list import VERDICTS
from counterpoint.schema import DIFFERENCES, FINDINGS, SCORES, empty, finding

METRIC = "balanced_accuracy"
MODALITIES = {
    "majority": (),
    "text-svm": ("text",),
    "image-cnn": ("image",),
    "lstm-cnn": ("text", "image"),
    "late-fusion": ("text", "image"),
}
VALUES = {"majority": 0.5, "text-svm": 0.85, "image-cnn": 0.75, "lstm-cnn": 0.88, "late-fusion": 0.875}


def comparison(
    *, primary=("lstm-cnn", "text-svm"), rule=0.7, n_fits=5, evaluations=1, half=0.01, detectable=0.01, **values
):
    values = VALUES | {name.replace("_", "-"): value for name, value in values.items()}
    names = list(values)
    rows = [
        {"a": a, "b": b, "metric": METRIC, "difference": values[a] - values[b], "low": values[a] - values[b] - half,
         "high": values[a] - values[b] + half, "minimum_detectable": detectable, "is_primary": (a, b) == primary}
        for i, b in enumerate(names) for a in names[i + 1 :]
    ]  # fmt: skip
    scores = [
        {"contender": name, "part": "oof", "metric": METRIC,
         "value": value, "low": value - half, "high": value + half}
        for name, value in values.items()
    ]  # fmt: skip
    scores.append({"contender": "keyword-rule", "part": "oof", "metric": "accuracy", "value": rule})
    return inputs_of(
        pl.DataFrame({"label": ["a", "b"]}),
        scores=pl.DataFrame(scores, schema=dict(SCORES)),
        differences=pl.DataFrame(rows, schema=dict(DIFFERENCES)),
        primary=primary and {"a": primary[0], "b": primary[1], "metric": METRIC, "chosen_on": "validation"},
        modalities=MODALITIES,
        additive=("late-fusion",),
        n_fits=n_fits,
        test_evaluations=evaluations,
    )


def verdict(given):
    return answer(given, run_checks(given)).verdict


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (comparison(late_fusion=0.80), "interaction_gain"),
        (comparison(), "additive_gain"),
        (comparison(primary=("late-fusion", "text-svm")), "additive_gain"),
        (comparison(lstm_cnn=0.85, late_fusion=0.85, half=0.005), "redundant"),
        (comparison(lstm_cnn=0.85, late_fusion=0.85, half=0.05), "cannot_tell"),
        (comparison(lstm_cnn=0.80, late_fusion=0.80, half=0.005), "cannot_tell"),
        (comparison(lstm_cnn=0.85, late_fusion=0.85, image_cnn=0.5), "text_only"),
        (comparison(text_svm=0.5, image_cnn=0.88, primary=("lstm-cnn", "image-cnn")), "image_only"),
        (comparison(lstm_cnn=0.5, late_fusion=0.5, text_svm=0.5, image_cnn=0.5), "no_signal"),
        (comparison(rule=0.998), "leak"),
        (comparison(primary=None), "cannot_tell"),
    ],
)  # fmt: skip
def test_the_verdict_is_the_one_that_the_intervals_allow(given, expected):
    assert verdict(given) == expected
    assert expected in VERDICTS


def test_the_headline_and_the_first_reason_carry_the_numbers_of_the_primary_contrast():
    given = comparison()
    found = answer(given, run_checks(given))
    for number in ("lstm-cnn", "0.880", "text-svm", "0.850", "+0.030", "+0.020", "+0.040"):
        assert number in f"{found.headline} {found.reasons[0]}"


def test_a_loss_is_called_a_loss():
    given = comparison(lstm_cnn=0.80, late_fusion=0.80)
    assert answer(given, run_checks(given)).headline.startswith("No, reading both does worse")


def severities(given):
    return dict(run_checks(given).select("code", "severity").iter_rows())


def test_checks_are_quiet_without_a_fault():
    found = severities(comparison())
    assert {found[code] for code in ("CP001", "CP011", "CP012")} == {"info"}
    assert not {"warn", "fail"} & set(found.values())
    assert list(CHECKS) == sorted(CHECKS) == list(found)


@pytest.mark.parametrize(
    ("given", "code", "severity"),
    [
        (comparison(rule=0.995), "CP001", "fail"),
        (comparison(rule=0.93), "CP001", "warn"),
        (comparison(n_fits=1), "CP011", "warn"),
        (comparison(detectable=0.2), "CP011", "info"),
        (comparison(primary=None), "CP011", "not_applicable"),
        (comparison(evaluations=9), "CP012", "warn"),
    ],
)
def test_a_check_has_the_severity_of_the_record_of_its_pitfall(given, code, severity):
    assert severities(given)[code] == severity


def test_a_finding_carries_its_evidence_as_json():
    found = run_checks(comparison(evaluations=3)).filter(code="CP012")["evidence"].item()
    assert json.loads(found) == {"test_evaluations": 3}


def test_the_evidence_of_an_answer_names_the_alarms_of_stages_too():
    given = comparison()
    stage = pl.DataFrame([finding("CP002", "warn", "groups", "One family.")], schema=dict(FINDINGS))
    assert answer(given, pl.concat([stage, run_checks(given)])).evidence == ("CP002",)
    assert answer(given, empty(FINDINGS)).evidence == ()


def test_a_contrast_that_is_not_defined_is_reported_as_such():
    given = comparison()
    unknown = given["differences"].with_columns(
        pl.lit(None, pl.Float64).alias(n) for n in ("difference", "low", "high")
    )
    given = given.replaced(differences=unknown)
    assert verdict(given) == "cannot_tell"
    assert severities(given)["CP011"] == "warn"


def test_a_gain_below_the_detectable_difference_differs_from_none():
    gain = run_checks(comparison(detectable=0.2)).filter(code="CP011")["explanation"].item()
    none = run_checks(comparison(detectable=0.2, half=0.1)).filter(code="CP011")["explanation"].item()
    assert "the test rows are few" in gain
    assert "overstated" in gain
    assert "does not show that there is no difference" in none


def test_a_gain_that_may_be_a_sum_is_described_so():
    given = comparison(late_fusion=0.86).replaced(additive=("lstm-cnn-2",))
    assert "is not shown" in answer(given, run_checks(given)).reasons[-1]
