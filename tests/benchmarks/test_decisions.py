"""The benchmark of decisions makes soft evidence, counts contradictions correctly, and fits each contender once."""

import doctest
import json

import numpy as np
import polars as pl
import pytest
import torch

import decisions
from counterpoint.diagnose.verdict_list import VERDICTS
from counterpoint.measures.prediction_arrays import PredictionArrays
from counterpoint.study import Study
from injection import answers, corrected, decision_bars, soft
from injection.answers import clashes, contradict, contradictions, position
from injection.corrected import contender_records, uncorrected
from injection.decision_bars import N_EACH, lines, summary
from injection.draw import Item, study_of
from injection.soft import Soft
from injection.work import kept

pytestmark = pytest.mark.slow


def rows_of(tmp_path, **settings):
    (rows,) = Soft(**settings).rows(tmp_path)
    return rows


# Pairs.


def test_few_rows_are_nearly_certain_and_their_chances_are_true(tmp_path):
    rows = rows_of(tmp_path, n=6000, seed=1)
    chances = rows.select("^chance_.*$").to_numpy()
    codes = rows["label"].str.tail(1).cast(pl.Int64).to_numpy()
    assert (chances.max(1) > 0.99).mean() < 0.06
    assert (chances.max(1) < 0.9).mean() > 0.5
    assert np.abs(chances.mean(0) - [0.6, 0.3, 0.1]).max() < 0.02
    of_label = chances[np.arange(6000), codes]
    # If the chances are true, the log loss is their entropy, which a bias in any direction would exceed or miss.
    entropy = -(chances * np.log(chances)).sum(1).mean()
    assert abs(-np.log(of_label).mean() - entropy) < 0.03
    assert 0.7 < (chances.argmax(1) == codes).mean() < 0.85


def test_a_modality_of_clarity_0_has_no_evidence(tmp_path):
    rows = rows_of(tmp_path, n=50, text_strength=0.0, image_clarity=0.0)
    assert np.allclose(rows.select("^chance_.*$").to_numpy(), [0.6, 0.3, 0.1])


def test_a_seed_fixes_all_pairs(tmp_path):
    first, again, other = (rows_of(tmp_path, n=60, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first["text"].equals(other["text"])


# Contradictions.


def under(**verdicts):
    return {metric: {"verdict": verdict, "headline": "A gain: ..."} for metric, verdict in verdicts.items()}


def test_every_verdict_has_a_position_or_is_open():
    places = {verdict: position({"verdict": verdict}) for verdict in VERDICTS}
    assert [verdict for verdict, place in places.items() if place is None] == ["not_asked", "cannot_tell"]
    gains = {verdict for verdict, place in places.items() if place == "yes"}
    assert gains == {"averaging_gain", "additive_gain", "interaction_gain"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("additive_gain", "redundant", True),
        ("interaction_gain", "no_signal", True),
        ("additive_gain", "text_only", True),
        ("text_only", "image_only", True),
        ("additive_gain", "interaction_gain", False),
        ("text_only", "redundant", False),
        ("cannot_tell", "additive_gain", False),
        ("cannot_tell", "image_only", False),
        ("branch_ignored", "additive_gain", False),
    ],
)
def test_a_yes_contradicts_a_no_and_one_modality_the_other(one, other, expected):
    assert contradict(position({"verdict": one}), position({"verdict": other})) is expected
    assert bool(contradictions(under(accuracy=one, roc_auc=other))) is expected
    assert bool(contradictions(under(accuracy=other, macro_f1="cannot_tell", roc_auc=one))) is expected


def test_a_reader_of_headlines_sees_more_clashes_than_verdicts_have():
    found = under(accuracy="cannot_tell", roc_auc="redundant", macro_f1="branch_ignored")
    assert clashes(found) == [("roc_auc", "macro_f1")]
    found["accuracy"]["headline"] = "Yes, reading both helps: the difference ..."
    assert clashes(found) == [("accuracy", "roc_auc"), ("accuracy", "macro_f1"), ("roc_auc", "macro_f1")]
    assert contradictions(found) == []


# Figures.


def test_the_gain_of_a_rule_is_paired_and_by_class():
    codes = np.array([0] * 60 + [1] * 30 + [2] * 10)
    proba = np.tile([0.5, 0.35, 0.15], (100, 1))
    proba[60:90] = [0.45, 0.44, 0.11]
    names = {"majority": np.tile([0.6, 0.3, 0.1], (100, 1)), "net": proba}
    ids = [str(i) for i in range(100)]
    rows = PredictionArrays(ids, ids, np.array(["test"] * 100), codes, names, np.tile([0.6, 0.3, 0.1], (100, 1)))
    found = contender_records(rows, {"net": proba})["net"]
    assert found["beyond_majority"] == [0, 0, 0]
    # By share, rows of class 0 and of class 2 become class 2, and the rows of class 1 become class 1.
    assert found["balanced_accuracy"] == pytest.approx(2 / 3)
    assert found["beyond_largest"][0] == pytest.approx(1 / 3)
    assert found["before"]["log_loss"] == found["log_loss"]


def result(seed, *, net=0.0, verdicts=("additive_gain", "additive_gain"), **more):
    own = {
        "mean": [0.6, 0.3, 0.1], "log_loss": 0.7, "ece": 0.05, "before": None, "accuracy": 0.7,
        "beyond_majority": [0.1, 0.05, 0.15], "balanced_accuracy": 0.6,
        "beyond_largest": [0.1, 0.05, 0.15], "beyond_before": [0.1, 0.05, 0.15],
    }  # fmt: skip
    change = {"mean": [0.6 - net, 0.3, 0.1 + net], "before": {"log_loss": 0.7 - net, "ece": 0.05}}
    metrics = ("accuracy", "roc_auc")
    return {
        **Item("both", 1800, 1, 0.0, seed)._asdict(), "took_s": 1.0, "best": {"accuracy": 0.8},
        "shares": {"train": [0.6, 0.3, 0.1], "test": [0.6, 0.3, 0.1]},
        "contenders": {"majority": own | {"beyond_majority": [0, 0, 0]}, "net": own | change},
        "answers": {metric: {"verdict": verdict, "headline": "", "primary": {"a": "net", "b": "svm"}}
                    for metric, verdict in zip(metrics, verdicts, strict=True)},
        **more,
    }  # fmt: skip


def test_bars_are_met_by_enough_studies_alone():
    met = summary(result(seed) for seed in range(N_EACH))["both"]["meets"]
    assert set(met.values()) == {True}
    few = summary(result(seed) for seed in range(N_EACH - 1))["both"]["meets"]
    assert set(few.values()) == {None}


def test_a_shift_of_the_mean_or_a_higher_loss_misses_its_bar():
    met = summary(result(seed, net=0.04) for seed in range(N_EACH))["both"]["meets"]
    assert (met["shares"], met["log_loss"], met["ece"]) == (False, False, True)


def test_six_contradictions_miss_the_bar_and_five_do_not():
    against = ("additive_gain", "text_only")
    for n, met in ((5, True), (6, False)):
        found = summary(result(seed, **({"verdicts": against} if seed < n else {})) for seed in range(N_EACH))["both"]
        assert found["meets"]["verdicts"] is met
        assert list(found["answers"]["contradictions"]) == [str(seed) for seed in range(n)]


def test_a_study_that_failed_is_named_and_meets_nothing():
    found = summary([*(result(seed) for seed in range(N_EACH)), {"kind": "both", "error": "no", "took_s": 0.0}])["both"]
    assert (found["n"], found["errors"], set(found["meets"].values())) == (N_EACH + 1, ["no"], {None})
    assert "no" in list(lines({"both": found}))


# Studies.


@pytest.fixture
def tiny(monkeypatch):
    fewer = {"text-lstm": {"epochs": 1, "embed": 8, "hidden": 8}, "image-cnn": {"epochs": 1, "side_px": 16, "width": 4}}
    fewer |= {"lstm-cnn": {"epochs": 1, "hidden": 8}}
    monkeypatch.setattr(decisions, "CONTENDERS", {**decisions.CONTENDERS, **fewer})
    monkeypatch.setattr(decisions, "METRICS", ("accuracy", "roc_auc"))


def test_a_study_is_fitted_once_and_judged_by_each_metric(tiny, tmp_path, monkeypatch):
    found = decisions.draw(Item("both", 240, 1, 0.0, 3), tmp_path)
    assert "error" not in found, found
    assert set(found["answers"]) == {"accuracy", "roc_auc"}
    assert [answer["primary"]["metric"] for answer in found["answers"].values()] == ["accuracy", "roc_auc"]
    networks = {name for name, record in found["contenders"].items() if record["before"]}
    assert networks == {"text-lstm", "image-cnn", "lstm-cnn"}
    assert json.loads(json.dumps(summary([found])))["both"]["n"] == 1
    assert any("lstm-cnn" in line for line in lines(summary([found])))


def test_the_uncorrected_probabilities_are_those_of_the_network_alone(tiny, tmp_path):
    study: Study = study_of(decisions.config(Item("both", 240, 1, 0.0, 3), "accuracy"), tmp_path)
    model, pairs = study.fits.first_models(["image-cnn"])["image-cnn"], study.pairs().filter(fold="test")
    pixels = torch.from_numpy(model._pixels(pairs)[np.arange(len(pairs))])
    with torch.inference_mode():
        logits = model.network_(pixels=pixels, has_image=torch.ones(len(pairs), dtype=torch.bool))[:, 0]
    assert np.allclose(uncorrected(model, pairs), logits.softmax(1).numpy(), atol=1e-6)


@pytest.mark.parametrize("module", [answers, corrected, decision_bars, decisions, soft], ids=lambda m: m.__name__)
def test_the_examples_are_true(module):
    assert doctest.testmod(module).failed == 0


def test_nothing_is_kept_of_reported_studies_with_development_seeds():
    assert all(result["seed"] >= decisions.REPORTED for result in kept(decisions.KEPT))
