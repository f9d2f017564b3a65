"""The verdict on made-up comparisons whose truth is known, with the findings that its checks would make."""

from dataclasses import replace
from functools import cache
from typing import Any

import polars as pl
import pytest

from counterpoint.diagnose import Case, cp008_branch_ignored, cp009_interaction
from counterpoint.diagnose.verdict import VERDICTS, answer
from counterpoint.schema import FINDINGS, SCORES, Frame, finding
from fusion_material import Signals, made_case, made_rows, usual

METRIC = "balanced_accuracy"
BOTH = Signals(text=0.6, image=0.6)
TRUTHS: dict[str, tuple[Signals, dict[str, float]]] = {
    "redundant": (Signals(redundant=0.6), {}),
    "text_only": (Signals(text=0.6), {}),
    "image_only": (Signals(image=0.6), {}),
    "no_signal": (Signals(), {}),
    "additive_gain": (BOTH, {}),
    "interaction_gain": (Signals(joint=0.8), {"joint": 4.0}),
    "branch_ignored": (BOTH, {"image": 0.0}),
}


@cache
def made(truth: str, *, n: int = 1000, classes: int = 2, seed: int = 1) -> tuple[Case, Frame]:
    signals, joint = TRUTHS[truth]
    models = usual(classes, **joint)
    if truth == "branch_ignored":
        del models["late-fusion"]
    case = made_case(made_rows(signals, n, classes=classes, seed=seed), models)
    return case, found(cp008_branch_ignored.look(case), cp009_interaction.look(case))


def found(*rows: dict[str, str]) -> Frame:
    return pl.DataFrame(rows, schema=dict(FINDINGS))


def verdict(case: Case, findings: Frame) -> str:
    said: str = answer(case, findings, METRIC)["verdict"]
    assert said in VERDICTS
    return said


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_verdict_is_what_the_pairs_were_made_of(truth):
    assert verdict(*made(truth)) == truth


@pytest.mark.parametrize("truth", ["additive_gain", "text_only", "no_signal"])
def test_three_classes_are_judged_alike(truth):
    assert verdict(*made(truth, classes=3)) in (truth, "cannot_tell")


@pytest.mark.parametrize("truth", TRUTHS)
def test_few_rows_make_it_careful_and_not_wrong(truth):
    assert verdict(*made(truth, n=80)) in (truth, "cannot_tell")


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        (finding("CP001", "fail", "label", "A rule.", accuracy=0.998), "leak"),
        (finding("CP001", "warn", "label", "A rule.", accuracy=0.93), "additive_gain"),
        (finding("CP004", "fail", "pairs", "Shifted.", shifted_by=1), "misaligned"),
        (finding("CP004", "warn", "pairs", "Some.", lapses={"text": [0.5, 0.4, 0.6]}), "misaligned"),
        (finding("CP004", "warn", "pairs", "Class alone.", joined_on_class=True), "additive_gain"),
        (finding("CP016", "fail", "text-lstm", "Stuck."), "training_failed"),
        (finding("CP016", "warn", "text-lstm", "Dead units."), "additive_gain"),
    ],
)
def test_what_spoils_a_comparison_comes_before_its_gain(alarm, expected):
    case, findings = made("additive_gain")
    assert verdict(case, pl.concat([findings, found(alarm)])) == expected


def test_a_failed_network_is_no_answer_to_what_both_hold():
    case, findings = made("branch_ignored")
    failed = found(finding("CP016", "fail", "lstm-cnn", "Stuck at guessing."))
    assert verdict(case, pl.concat([findings, failed])) == "training_failed"


def test_a_network_that_failed_does_not_hide_the_gain_of_another():
    case, findings = made("additive_gain")
    other = next(name for name in ("lstm-cnn", "late-fusion") if name != case.primary["a"])
    assert verdict(case, pl.concat([findings, found(finding("CP016", "fail", other, "Stuck."))])) == "additive_gain"


def test_a_network_at_chance_on_its_own_training_rows_has_failed_without_a_check():
    case, findings = made("branch_ignored")
    stuck = pl.col("contender").eq(case.primary["a"]) & pl.col("fold").eq("train")
    row = {"contender": case.primary["a"], "fold": "train", "metric": METRIC, "value": 0.5, "low": 0.48, "high": 0.52}
    scores = pl.concat([case.scores.filter(~stuck), pl.DataFrame([row], schema=dict(SCORES))])
    assert verdict(replace(case, scores=scores), findings) == "training_failed"


def test_without_an_additive_contender_the_projection_tells_the_kind_of_gain():
    models: dict[str, Any] = usual()
    del models["late-fusion"]
    case = made_case(made_rows(BOTH, 1000, seed=2), models)
    assert verdict(case, found(cp009_interaction.look(case))) == "additive_gain"
    assert verdict(case, found()) == "cannot_tell"


@pytest.mark.parametrize("truth", TRUTHS)
def test_a_sentence_has_its_numbers_and_is_not_long(truth):
    said = answer(*made(truth), METRIC)["sentence"]
    assert len(said.split(". ")) <= 3
    assert sum(character.isdigit() for character in said) > 10
    assert "nan" not in said
    assert "inf" not in said
