"""The verdict on made-up comparisons whose truth is known, with the findings that its checks would make."""

from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from check_material import run_check
from counterpoint.diagnose import CHECKS, Inputs
from counterpoint.diagnose.claim import DOUBTS, OPENINGS
from counterpoint.diagnose.cp016_training_failed import MISREADS
from counterpoint.diagnose.verdict import Answer, answer
from counterpoint.diagnose.verdict_gain import INTERACTION
from counterpoint.diagnose.verdict_inputs import NEAR_GUESSING, WORTHLESS, VerdictInputs
from counterpoint.diagnose.verdict_list import BETTER_MODELS, VERDICTS
from counterpoint.diagnose.verdict_modalities import HALF, LITTLE, NOT_EXCLUDED
from counterpoint.diagnose.verdict_questions import MANY_LAPSES, UNTRAINED
from counterpoint.measures.comparison_tables import difference_between
from counterpoint.number_formats import signed_with_interval
from counterpoint.report.glossary import VERDICTS as VERDICTS_IN_WORDS
from counterpoint.schema import DIFFERENCES, FINDINGS, NOTE, REPEATED, REPEATS, SCORES, Frame, finding
from fusion_material import Signals, inputs_of_models, made_rows, usual

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
def made(truth: str, *, n: int = 1000, classes: int = 2, seed: int = 1) -> tuple[Inputs, Frame]:
    signals, joint = TRUTHS[truth]
    models = usual(classes, **joint)
    if truth == "branch_ignored":
        del models["late-fusion"]
    given = inputs_of_models(made_rows(signals, n, classes=classes, seed=seed), models)
    return given, found(run_check("CP008", given), run_check("CP009", given))


def found(*rows: dict[str, str]) -> Frame:
    return pl.DataFrame(rows, schema=dict(FINDINGS))


def failed_training(*names: str) -> dict[str, str]:
    return finding("CP016", "fail", names[0], "Stuck.", failed=dict.fromkeys(names, "has not learned"))


def verdict(given: Inputs, findings: Frame) -> str:
    found = answer(given, findings)
    assert found.verdict in VERDICTS
    return found.verdict


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
        (finding("CP004", "warn", "pairs", "Some.", lapse_rate={"rate": [0.5, 0.4, 0.6]}), "cannot_tell"),
        (finding("CP004", "warn", "pairs", "Few.", lapse_rate={"rate": [0.3, 0.2, 0.4]}), "additive_gain"),
        (finding("CP004", "warn", "pairs", "No association.", association="none"), "additive_gain"),
        (failed_training("text-lstm"), "training_failed"),
        (finding("CP016", "warn", "text-lstm", "Dead units."), "additive_gain"),
    ],
)
def test_what_spoils_a_comparison_comes_before_its_gain(alarm, expected):
    given, findings = made("additive_gain")
    assert verdict(given, pl.concat([findings, found(alarm)])) == expected


@pytest.mark.parametrize(("truth", "expected"), [("additive_gain", "better"), ("text_only", "worse")])
def test_many_lapsing_texts_leave_the_kind_of_a_gain_open_and_not_the_gain(truth, expected):
    given, findings = made(truth)
    lapsing = finding("CP004", "warn", "pairs", "Some.", lapse_rate={"rate": [0.5, 0.4, 0.6]})
    answered = answer(given, pl.concat([findings.filter(pl.col("code") != "CP004"), found(lapsing)]))
    assert (answered.verdict, answered.claim) == ("cannot_tell", expected)
    assert "CP004" in answered.doubt
    assert "about another class than their label (CP004)" in " ".join(answered.reasons)


@pytest.mark.parametrize("association", ["of the class alone", "beyond the class"])
def test_the_answer_has_that_nothing_beyond_the_class_links_text_and_image(association):
    given, findings = made("additive_gain")
    linked = finding("CP004", "info", "pairs", "Linked.", association=association)
    answered = answer(given, pl.concat([findings.filter(pl.col("code") != "CP004"), found(linked)]))
    assert ("Nothing beyond the class" in " ".join(answered.reasons)) == (association == "of the class alone")
    assert "CP004" not in answered.evidence


def test_a_failed_network_is_no_answer_to_what_both_hold():
    given, findings = made("branch_ignored")
    failed = found(failed_training("lstm-cnn"))
    assert verdict(given, pl.concat([findings, failed])) == "training_failed"


def test_the_multimodal_network_is_found_among_several_that_failed():
    given, findings = made("branch_ignored")
    reads = {**given["modalities"], "text-svm": ("text",)}
    failed = found(failed_training("text-lstm", "lstm-cnn"))
    answered = answer(given.replaced(modalities=reads), pl.concat([findings, failed]))
    assert answered.verdict == "training_failed"
    assert any(reason.startswith("lstm-cnn has not learned") for reason in answered.reasons)


def test_a_gain_on_test_rows_stands_though_validation_rows_are_misread():
    given, findings = made("additive_gain")
    misread = finding("CP016", "fail", given["primary"]["a"], "At chance.", failed={given["primary"]["a"]: MISREADS})
    assert verdict(given, pl.concat([findings, found(misread)])) == "additive_gain"


def test_a_branch_that_is_not_used_since_its_layers_are_flat_is_one_that_was_not_trained():
    given, findings = made("branch_ignored")
    flat = finding("CP016", "warn", "lstm-cnn", "In part.", failed={}, flat={"lstm-cnn": ["image.dense.1"]})
    answered = answer(given, pl.concat([findings, found(flat)]))
    assert answered.verdict == "training_failed"
    assert "image.dense.1" in " ".join(answered.reasons)
    other = finding("CP016", "warn", "lstm-cnn", "In part.", failed={}, flat={"lstm-cnn": ["text.dense.1"]})
    assert verdict(given, pl.concat([findings, found(other)])) == "branch_ignored"


def test_a_branch_that_one_fit_leaves_unread_is_no_verdict_where_all_fits_have_the_information_of_a_sum():
    given, findings = made("additive_gain")
    ignored = [{"contender": given["primary"]["a"], "modality": "image"}]
    unread = finding("CP008", "warn", given["primary"]["a"], "Unread.", ignored=ignored)
    others = findings.filter(pl.col("code") != "CP008")
    assert verdict(given, pl.concat([others, found(unread)])) == "additive_gain"


def test_a_gain_with_a_modality_without_information_is_no_gain_of_both():
    given, findings = made("image_only")
    ends = {"difference": 0.04, "low": 0.02, "high": 0.06}
    more = [pl.when("is_primary").then(value).otherwise(name).alias(name) for name, value in ends.items()]
    better = given.replaced(differences=given["differences"].with_columns(more))
    answered = answer(better, findings)
    assert answered.verdict == "image_only"
    assert answered.headline.startswith("A better score, but not from reading both")
    assert "may be a better reading of the image" in " ".join(answered.reasons)
    wide = pl.when(contender="text-lstm").then(0.7).otherwise("high").alias("high")
    answered = answer(better.replaced(scores=better["scores"].with_columns(wide)), findings)
    assert answered.verdict == "cannot_tell"
    shown = "text-lstm, the contender of the text chosen on validation rows, is not shown to beat guessing ("
    assert shown in " ".join(answered.reasons)


@pytest.mark.parametrize(("high", "expected"), [(0.007, "redundant"), (0.03, "cannot_tell")])
def test_a_modality_that_carries_nearly_all_leaves_the_other_nothing_to_add(high, expected):
    given, findings = made("additive_gain")
    ends = {"difference": 0.001, "low": -0.003, "high": high}
    less = [pl.when("is_primary").then(value).otherwise(name).alias(name) for name, value in ends.items()]
    idle = pl.concat([findings, found(finding("CP010", "warn", "headroom", "Nothing to gain."))])
    assert verdict(given.replaced(differences=given["differences"].with_columns(less)), idle) == expected


def test_one_modality_is_not_the_verdict_where_the_gain_is_over_a_contender_of_the_other():
    given, findings = made("text_only")
    ends = {"difference": 0.0, "low": -0.02, "high": 0.02, "error": 0.01}
    for b, expected in (("text-lstm", "text_only"), ("image-cnn", "cannot_tell")):
        own = {
            name: pl.when("is_primary").then(pl.lit(value)).otherwise(name) for name, value in (ends | {"b": b}).items()
        }
        assert verdict(given.replaced(differences=given["differences"].with_columns(**own)), findings) == expected


def test_no_signal_is_not_the_verdict_where_both_go_together_in_another_way_in_each_class():
    given, findings = made("no_signal")
    bound = finding(
        "CP004", "info", "pairs", "In each another.", own_image_by_class={"class_0": [0.6, 0.57, 0.63, 0.002]}
    )
    answered = answer(given, pl.concat([findings, found(bound)]))
    assert answered.verdict == "cannot_tell"
    assert "no contender here has learned to read them together" in " ".join(answered.reasons)


def test_a_network_that_failed_does_not_hide_the_gain_of_another():
    given, findings = made("additive_gain")
    other = next(name for name in ("lstm-cnn", "late-fusion") if name != given["primary"]["a"])
    assert verdict(given, pl.concat([findings, found(failed_training(other))])) == "additive_gain"


def test_a_network_at_chance_on_its_own_training_rows_has_failed_without_a_check():
    given, findings = made("branch_ignored")
    stuck = pl.col("contender").eq(given["primary"]["a"]) & pl.col("part").eq("train")
    row = {
        "contender": given["primary"]["a"],
        "part": "train",
        "metric": METRIC,
        "value": 0.5,
        "low": 0.48,
        "high": 0.52,
    }
    scores = pl.concat([given["scores"].filter(~stuck), pl.DataFrame([row], schema=dict(SCORES))])
    assert verdict(given.replaced(scores=scores), findings) == "training_failed"


def test_without_an_additive_contender_the_projection_shows_the_kind_of_gain():
    models: dict[str, Any] = usual()
    del models["late-fusion"]
    given = inputs_of_models(made_rows(BOTH, 1000, seed=2), models)
    assert verdict(given, found(run_check("CP009", given))) == "additive_gain"
    assert verdict(given, found()) == "cannot_tell"


@pytest.mark.parametrize("truth", TRUTHS)
def test_an_answer_has_its_numbers_and_each_part_is_one_sentence(truth):
    found = answer(*made(truth))
    sentences = [found.headline, *found.reasons, *filter(None, [found.recommendation])]
    assert len(sentences) <= 9
    assert all(sentence.endswith(".") and ". " not in sentence for sentence in sentences)
    assert sum(character.isdigit() for character in "".join(sentences)) > 10
    assert not {"nan", "inf"} & set(" ".join(sentences).replace("(", " ").split())


@pytest.mark.parametrize(
    ("pretrained", "words"),
    [
        (frozenset(), "The text and the image were read only by small models trained from scratch"),
        (frozenset({"text"}), "add image-probe to the contenders"),
        (frozenset({"text", "image"}), None),
    ],
)
def test_an_answer_states_its_limit_where_no_pretrained_reader_was_tried(pretrained, words):
    given, findings = made("additive_gain")
    untried = answer(given.replaced(pretrained=pretrained), findings).untried
    assert untried is None if words is None else words in untried
    assert untried is None or (untried.endswith(".") and ". " not in untried and "pip install" in untried)


def test_a_comparison_that_is_no_answer_has_no_limit_of_an_answer():
    given, findings = made("additive_gain")
    leak = finding("CP001", "fail", "label", "A rule.", accuracy=0.998)
    assert answer(given, pl.concat([findings, found(leak)])).untried is None


@pytest.mark.parametrize(
    "alarm",
    [
        finding("CP001", "fail", "label", "A rule.", accuracy=0.998),
        finding("CP004", "fail", "pairs", "Shifted.", shifted_by=1),
        failed_training("text-lstm"),
    ],
)
def test_a_spoilt_comparison_makes_no_claim_of_reading_both(alarm):
    given, findings = made("additive_gain")
    answered = answer(given, pl.concat([findings, found(alarm)]))
    a, b = given["primary"]["a"], given["primary"]["b"]
    assert answered.headline.startswith(f"{a} does better than {b}")
    assert "reading both" not in f"{answered.headline} {answered.reasons}"


def test_an_ignored_branch_makes_no_claim_of_reading_both():
    assert "reading both" not in answer(*made("branch_ignored")).headline


def projected(value: float, low: float, high: float) -> Frame:
    table = [{"contender": "lstm-cnn", "value": value, "low": low, "high": high}]
    return found(finding("CP009", "info", "lstm-cnn", "Reads both.", table=table))


def contrast(*, joint: float, fusion: float, half: float = 0.01, additive: bool = False) -> Inputs:
    """Return the inputs of contenders that gain *joint* and *fusion* over the text; *additive* makes fusion a."""
    a = "late-fusion" if additive else "lstm-cnn"
    gains = {("lstm-cnn", "text-lstm"): joint, ("late-fusion", "text-lstm"): fusion}
    gains |= {("lstm-cnn", "late-fusion"): joint - fusion}
    gains |= {(name, "majority"): 0.3 for name in ("text-lstm", "lstm-cnn", "late-fusion")}
    rows = [
        {"a": pair[0], "b": pair[1], "metric": METRIC, "difference": gain, "low": gain - half, "high": gain + half,
         "is_primary": pair == (a, "text-lstm")}
        for pair, gain in gains.items()
    ]  # fmt: skip
    given, _ = made("additive_gain")
    return given.replaced(
        differences=pl.DataFrame(rows, schema=dict(DIFFERENCES)), predictions=given["predictions"].clear()
    )


@pytest.mark.parametrize(
    ("given", "part", "expected", "words"),
    [
        (contrast(joint=0.1, fusion=0.1), (0.0, -0.01, 0.01), "additive_gain", "no interaction between them is needed"),
        (contrast(joint=0.1, fusion=0.1), (0.03, 0.01, 0.05), "additive_gain", "an interaction adds +0.030 (+0.010 to"),
        (contrast(joint=0.1, fusion=0.05), None, "additive_gain", "an interaction adds +0.050"),
        (contrast(joint=0.1, fusion=0.06, additive=True), None, "additive_gain", "an interaction adds +0.040"),
        (contrast(joint=0.06, fusion=0.1, additive=True), None, "additive_gain", "more than a sum do worse: −0.040 (−"),
        (contrast(joint=0.1, fusion=0.02, additive=True), None, "cannot_tell", "not shown"),
        (
            contrast(joint=0.1, fusion=0.1, additive=True),
            None,
            "additive_gain",
            "no interaction between them is needed",
        ),
        # the sum's gain is clear, but the joint contender's lead over it is as well, and its interaction is open
        (contrast(joint=0.1, fusion=0.04), (0.04, -0.03, 0.11), "cannot_tell", "not shown"),
        # the interaction may make less than the gain, of which only the value is above the interaction's end
        (contrast(joint=0.1, fusion=0.0, half=0.08), (0.02, -0.05, 0.09), "cannot_tell", "not shown"),
    ],
)
def test_a_gain_is_a_sum_s_only_so_far_as_a_sum_reaches_it(given, part, expected, words):
    answered = answer(given, found() if part is None else projected(*part))
    assert answered.verdict == expected
    assert words in " ".join(answered.reasons)


def test_a_modality_that_is_hardly_above_chance_is_not_reported_as_unproven():
    given, findings = made("no_signal")
    ends = {"value": 0.53, "low": 0.51, "high": 0.55}
    better = given["scores"].with_columns(pl.lit(value).alias(name) for name, value in ends.items())
    answered = answer(given.replaced(scores=better), findings)
    assert answered.verdict == "no_signal"
    little = "a little better than guessing (the best, text-lstm: balanced accuracy +0.030 above guessing, +0.010 to"
    assert little in " ".join(answered.reasons)


def test_a_modality_is_judged_in_balanced_accuracy_whichever_metric_is_primary():
    given, findings = made("text_only")
    other = given.replaced(metric="accuracy", scores=given["scores"].filter(metric="accuracy"))
    assert verdict(other, findings) == verdict(given, findings) == "text_only"
    own = given["scores"].filter(metric=METRIC).sort("contender", "part")
    again = other["balanced_scores"].sort("contender", "part")
    assert again["value"].to_list() == pytest.approx(own["value"].to_list())


def ensemble(*members: str, fusion: float | None = None, single: str = "text-lstm") -> Inputs:
    """Return the inputs of an ensemble that gains 0.1 over *single*, and the late fusion *fusion*, if it is there."""
    given, _ = made("additive_gain")
    of = {"ensemble": "lstm-cnn", "text-ensemble": "text-lstm", "text-svm": "text-lstm"}
    copies = [given["scores"].filter(contender=like).with_columns(contender=pl.lit(name)) for name, like in of.items()]
    gains = {("ensemble", single): 0.1}
    if fusion is not None:
        gains |= {("late-fusion", single): fusion, ("ensemble", "late-fusion"): 0.1 - fusion}
    gains |= {(single, "majority"): 0.3, ("ensemble", "majority"): 0.4}
    rows = [
        {"a": a, "b": b, "metric": METRIC, "difference": gain, "low": gain - 0.01, "high": gain + 0.01,
         "is_primary": a == "ensemble" and b == single}
        for (a, b), gain in gains.items()
    ]  # fmt: skip
    return given.replaced(
        scores=pl.concat([given["scores"], *copies]),
        differences=pl.DataFrame(rows, schema=dict(DIFFERENCES)),
        predictions=given["predictions"].clear(),
        modalities=given["modalities"] | {name: given["modalities"][like] for name, like in of.items()},
        members=given["members"] | {"ensemble": members, "text-ensemble": ("text-lstm", "text-svm")},
        primary=given["primary"] | {"a": "ensemble", "b": single},
    )


@pytest.mark.parametrize(
    ("given", "expected", "words"),
    [
        (ensemble("text-lstm", "image-cnn"), "additive_gain", "None of its members needs an interaction"),
        (ensemble("text-lstm", "text-svm", "image-cnn"), "cannot_tell", "or the average of several models, is not"),
        (ensemble("text-lstm", "text-svm", "image-cnn", fusion=0.05), "additive_gain", "None of its members needs"),
        (
            ensemble("text-lstm", "text-svm", "image-cnn", single="text-ensemble"),
            "additive_gain",
            "None of its members needs",
        ),
        (ensemble("text-lstm", "lstm-cnn"), "cannot_tell", "lstm-cnn may read text and image together"),
        (ensemble("text-lstm", "lstm-cnn", fusion=0.05), "cannot_tell", "without interaction, is not shown"),
        (ensemble("text-lstm", "text-svm", "lstm-cnn"), "cannot_tell", "or the average of several models, is not"),
        (ensemble("text-lstm", "lstm-cnn", fusion=0.1), "additive_gain", "A sum over the modalities is enough"),
    ],
)
def test_the_gain_of_an_ensemble_is_no_interaction_and_may_be_an_average_of_models(given, expected, words):
    answered = answer(given, found())
    assert answered.verdict == expected
    assert answered.claim == ("not_shown" if "average of several models" in " ".join(answered.reasons) else "better")
    assert words in " ".join(answered.reasons)
    assert "must be read together" not in " ".join(answered.reasons)


def test_the_lead_of_an_ensemble_over_a_sum_is_no_interaction():
    given = contrast(joint=0.1, fusion=0.1, additive=True)
    lead = {"a": "ensemble", "b": "late-fusion", "metric": METRIC, "difference": 0.04, "low": 0.03, "high": 0.05}
    ahead = pl.DataFrame([lead | {"is_primary": False}], schema=dict(DIFFERENCES))
    answered = answer(
        given.replaced(
            differences=pl.concat([given["differences"], ahead]),
            modalities=given["modalities"] | {"ensemble": ("text", "image")},
            members=given["members"] | {"ensemble": ("text-lstm", "image-cnn")},
        ),
        found(),
    )
    assert answered.verdict == "additive_gain"
    assert "interaction adds" not in " ".join(answered.reasons)


# The claim.


def claimed(given: Inputs, findings: Frame | None = None, **ends: float) -> Answer:
    """Return the answer where the primary contrast has these *ends*."""
    more = [pl.when("is_primary").then(value).otherwise(name).alias(name) for name, value in ends.items()]
    return answer(
        given.replaced(differences=given["differences"].with_columns(more)), found() if findings is None else findings
    )


def test_a_gain_over_a_contender_that_does_not_beat_the_majority_is_not_shown():
    given, findings = made("additive_gain")
    b = given["primary"]["b"]
    to_majority = (pl.col("a") == b) & (pl.col("b") == "majority")
    worse = [pl.when(to_majority).then(value).otherwise(name).alias(name)
             for name, value in (("difference", -0.02), ("low", -0.05), ("high", 0.01))]  # fmt: skip
    found = answer(given.replaced(differences=given["differences"].with_columns(worse)), findings)
    assert (found.verdict, found.claim) == ("cannot_tell", "not_shown")
    assert found.headline.startswith("Not shown")
    assert f"{b}, the contender of one modality, is not shown to do better than majority" in " ".join(found.reasons)


def test_an_interaction_is_a_gain_though_neither_modality_alone_beats_guessing():
    answered = answer(*made("interaction_gain"))
    assert (answered.verdict, answered.claim) == ("interaction_gain", "better")


@pytest.mark.parametrize(("without", "modality"), [("image-cnn", "image"), ("text-lstm", "text")])
def test_without_a_trained_contender_of_a_modality_there_is_no_claim_of_a_gain(without, modality):
    given, findings = made("additive_gain")
    reads = {name: own for name, own in given["modalities"].items() if name != without}
    for now in (given.replaced(modalities=reads), given.replaced(untrained=(without,))):
        answered = answer(now, findings)
        assert (answered.verdict, answered.claim) == ("not_asked", "not_asked")
        assert answered.headline.startswith(f"Cannot be asked: no trained contender reads the {modality} alone, so")
        assert f"{modality}-probe" in (answered.recommendation or "")
        assert "Yes" not in answered.headline


@pytest.mark.parametrize(("margin", "expected"), [(None, "better"), (0.5, "same"), (0.001, "better")])
def test_a_margin_that_was_fixed_before_allows_to_say_that_a_difference_does_not_matter(margin, expected):
    given, findings = made("additive_gain")
    answered = answer(given.replaced(margin=margin), findings)
    assert answered.claim == expected
    assert (answered.verdict == "equivalent") == (expected == "same")
    assert ("probabilities are" in " ".join(answered.reasons)) == (margin is not None)


def test_no_difference_that_matters_recommends_neither_side_where_one_modality_is_not_shown_to_beat_guessing():
    given, findings = made("interaction_gain")
    answered = answer(given.replaced(margin=0.9), findings)
    assert (answered.claim, answered.to_use, answered.recommendation) == ("same", None, BETTER_MODELS)


@pytest.mark.parametrize(("confidence", "level"), [(0.95, "90%"), (0.999, "99.8%")])
def test_the_interval_within_the_margin_is_named_by_its_level(confidence, level):
    given, findings = made("additive_gain")
    answered = answer(given.replaced(margin=0.9, confidence=confidence), findings)
    assert f"compare the {level} interval with the margin" in " ".join(answered.reasons)


@pytest.mark.parametrize(("low", "high", "claim"), [(-0.3, -0.1, "worse"), (-0.1, 0.3, "open"), (-0.2, 0.01, "none")])
def test_an_interval_decides_the_claim(low, high, claim):
    given, _ = made("additive_gain")
    answered = claimed(given, difference=(low + high) / 2, low=low, high=high, error=(high - low) / 3.92)
    assert answered.claim == claim
    assert ("test pairs would settle it" in " ".join(answered.reasons)) == (claim == "open") == bool(answered.more)


def test_fits_that_differ_too_much_are_not_settled_by_more_pairs():
    given, _ = made("additive_gain")
    b = given["primary"]["b"]
    rows = [
        {"repeat": 0, "fold": "test", "seed": seed, "a": "a", "b": b, "difference": 0.1 * seed} for seed in range(3)
    ]
    repeats = pl.DataFrame(rows, schema=dict(REPEATS))
    answered = claimed(given.replaced(repeats=repeats), difference=0.05, low=-0.1, high=0.2, error=0.06, df=2.1)
    assert answered.more == {"rows": None, "is_of_fits": True, "by_folds": None}
    assert "fits differ too much" in " ".join(answered.reasons)


@pytest.mark.parametrize(
    ("folds", "kind", "error", "is_enough"),
    [
        (("train", "validation", "test"), "holdout", 0.02, True),
        (("train", "validation", "test"), "holdout", 0.1, False),
        (("train", "validation", "test"), "given", 0.02, False),
        (("0", "1", "2"), "kfold", 0.02, False),
    ],
)
def test_folds_of_the_same_pairs_may_be_enough_where_the_split_is_a_drawn_hold_out(folds, kind, error, is_enough):
    given, _ = made("additive_gain")
    pairs = (
        given["pairs"]
        .with_row_index("row")
        .with_columns(
            fold=pl.col("row").replace_strict(dict(enumerate(folds)), default=folds[0], return_dtype=pl.String)
        )
    )
    note = finding(NOTE, "info", "split", "A split.", kind=kind)
    ends = {"difference": 0.04, "low": 0.04 - 2 * error, "high": 0.04 + 2 * error, "error": error}
    answered = claimed(given.replaced(pairs=pairs), found(note), **ends)
    assert answered.more is not None
    assert answered.more["by_folds"] == (len(pairs) if is_enough else None)
    assert ("A k-fold of the same pairs has so many" in " ".join(answered.reasons)) == is_enough


def test_a_margin_below_the_gain_that_counts_as_none_decides_what_counts_as_none():
    given, _ = made("additive_gain")
    ends = {"difference": 0.004, "low": -0.004, "high": 0.012, "error": 0.004, "df": 900.0}
    found = [claimed(given.replaced(margin=margin), **ends).claim for margin in (None, 0.03, 0.009)]
    assert found == ["none", "same", "open"]


def test_scores_of_one_repeat_are_neither_the_difference_nor_another_answer():
    given, _ = made("additive_gain")
    rows = [{"repeat": each, "fold": "test", "seed": 0, "a": "a", "b": "b", "difference": -0.1} for each in range(3)]
    repeated = pl.DataFrame([(-0.1, 0.01, 9.0, 0.01, 0.0)], schema=dict(REPEATED), orient="row")
    tied = given["differences"].with_columns(p=pl.lit(0.5))
    given = given.replaced(repeats=pl.DataFrame(rows, schema=dict(REPEATS)), repeated=repeated, differences=tied)
    words = " ".join(claimed(given, difference=-0.1, low=-0.12, high=-0.08).reasons)
    assert " in the first repeat." in words
    assert "the answer differs" not in words
    assert "best score" not in words


def without_baseline(given: Inputs) -> Inputs:
    """Return *given* without the contenders that read neither text nor image."""
    reads = {name: read for name, read in given["modalities"].items() if read}
    rows = {name: given[name].filter(pl.col("contender").is_in(list(reads))) for name in ("predictions", "scores")}
    own = pl.col("a").is_in(list(reads)) & pl.col("b").is_in(list(reads))
    return given.replaced(modalities=reads, differences=given["differences"].filter(own), **rows)


def test_without_a_baseline_among_the_contenders_the_class_shares_are_one():
    given, findings = made("additive_gain")
    assert answer(without_baseline(given), findings).claim == "better"
    chance = given["predictions"].with_columns(p_class_0=pl.lit(0.9), p_class_1=pl.lit(0.1))
    weak = given["predictions"].with_columns(
        pl.when(contender=given["primary"]["b"]).then(chance[name]).otherwise(name).alias(name)
        for name in ("p_class_0", "p_class_1")
    )
    found = answer(without_baseline(given.replaced(predictions=weak)), findings)
    assert (found.verdict, found.claim) == ("cannot_tell", "not_shown")
    assert "guessing by the class shares" in " ".join(found.reasons)


def test_guessing_is_over_the_classes_of_the_test_rows():
    given, findings = made("additive_gain", classes=3)
    inputs = VerdictInputs(given, findings)
    assert inputs.chance == pytest.approx(1 / 3)
    two = given["predictions"].filter((pl.col("part") != "test") | (pl.col("label") != "class_2"))
    assert VerdictInputs(given.replaced(predictions=two), findings).chance == 0.5


@pytest.mark.parametrize(("low", "high", "is_of_both"), [(0.1, 0.3, True), (-0.3, -0.1, False), (-0.1, 0.3, False)])
def test_an_answer_recommends_the_side_that_its_claim_leaves(low, high, is_of_both):
    given, _ = made("additive_gain")
    answered = claimed(given, difference=(low + high) / 2, low=low, high=high)
    assert answered.to_use == given["primary"]["a" if is_of_both else "b"]


@pytest.mark.parametrize(("end", "expected"), [(0.01, "late-fusion"), (-0.01, "lstm-cnn")])
def test_a_sum_is_recommended_where_the_network_needs_no_interaction_unless_it_does_worse(end, expected):
    given, _ = made("additive_gain")
    rows = given["differences"].filter(~pl.col("is_primary"))
    sums = rows.filter((pl.col("a") == "late-fusion") | (pl.col("b") == "late-fusion"), metric=METRIC).head(1)
    sums = sums.with_columns(a=pl.lit("late-fusion"), b=pl.lit("lstm-cnn"), low=pl.lit(-0.05), high=pl.lit(end))
    mine = given["differences"].filter("is_primary").with_columns(a=pl.lit("lstm-cnn"))
    is_of_sums = [pl.col(side).is_in(["late-fusion", "lstm-cnn"]) for side in ("a", "b")]
    rest = rows.filter(~(is_of_sums[0] & is_of_sums[1]))
    given = given.replaced(differences=pl.concat([mine, sums, rest]), members={"late-fusion": ("text-lstm",)})
    advised = found(finding("CP009", "warn", "lstm-cnn", "No interaction is used."))
    assert answer(given, advised).to_use == expected
    assert answer(given, found()).to_use == "lstm-cnn"


def test_a_gain_that_may_be_a_better_reading_of_one_modality_is_not_shown():
    given, findings = made("additive_gain")
    guessing = given["reader_scores"].with_columns(
        [pl.when(contender="image-cnn").then(value).otherwise(name).alias(name)
         for name, value in (("value", 0.5), ("low", 0.46), ("high", 0.54))]
    )  # fmt: skip
    without = {"additive": (), "members": {}, "reader_scores": guessing}
    answered = answer(given.replaced(**without), findings.filter(pl.col("code") != "CP009"))
    assert answered.claim == "not_shown"
    assert "image chosen on validation rows, is not shown to beat guessing" in " ".join(answered.reasons)


def test_where_the_choices_differ_all_numbers_are_of_the_choices():
    given, _ = made("text_only")
    primary, folds = given["primary"], given["predictions"]["fold"].unique().to_list()
    choices = [{"fold": fold, "seed": 0, "a": primary["a"], "b": "text-lstm"} for fold in folds]
    choices.append({**choices[0], "seed": 1, "b": "image-cnn"})
    shares = {"a": {primary["a"]: 1.0}, "b": {"image-cnn": 0.5, "text-lstm": 0.5}}
    answered = claimed(given.replaced(primary=primary | {"choices": choices, "shares": shares}), low=-0.3, high=-0.1)
    ours, single = answered.chosen_scores[METRIC]
    assert ours > single
    assert answered.reasons[0].startswith("Chosen on validation rows in each fit")
    assert ", as they were chosen in each fit, is" in answered.headline
    assert answered.to_use == "text-lstm"  # the image is shown to do worse


@pytest.mark.parametrize("truth", ["no_signal", "branch_ignored"])
def test_an_answer_without_a_comparison_that_holds_recommends_no_contender(truth):
    assert answer(*made(truth)).to_use is None


def test_the_most_serious_alarm_is_named_in_words():
    given, findings = made("additive_gain")
    noise, leak = finding("CP011", "warn", "s", "Noise."), finding("CP001", "warn", "label", "A rule.", accuracy=0.93)
    both = answer(given, pl.concat([findings, found(noise, leak)]))
    assert both.doubt == "But a rule of a few words predicts most labels (CP001)."
    calm = findings.with_columns(severity=pl.lit("info"))
    assert answer(given, calm).doubt is None
    assert (
        answer(given, pl.concat([calm, found(noise)])).doubt
        == "But another training or other test pairs may reverse the difference (CP011)."
    )


@pytest.mark.parametrize("low", [0.05, -0.05])
def test_a_single_entity_contender_that_loses_to_a_simpler_one_is_named_where_a_gain_rests_on_it(low):
    given, findings = made("additive_gain")
    row = given["differences"].filter("is_primary").row(0, named=True)
    beaten = finding("CP023", "warn", row["b"], "Worse.", losses={row["b"]: "image-cnn"})
    noise = finding("CP011", "warn", "s", "Noise.")
    calm = pl.concat([findings.with_columns(severity=pl.lit("info")), found(noise, beaten)])
    doubt = claimed(given, calm, difference=0.1, low=low, high=0.2).doubt
    own = difference_between(given["differences"], row["a"], "image-cnn", METRIC)
    against = f"{row['a']} against it is {signed_with_interval(*own)}"
    named = f"But {row['b']} is worse than image-cnn, which is simpler: {against} (CP023)."
    rest = "But a contender loses to a simpler one (CP023)."  # no difference is claimed: no noise
    assert doubt == (named if low > 0 else rest)
    other = finding("CP023", "warn", "image-cnn", "Worse.", losses={"image-cnn": "majority"})
    reverse = "But another training or other test pairs may reverse the difference (CP011)."
    assert answer(given, found(noise, other)).doubt == reverse


def test_every_doubt_is_about_a_check_and_every_verdict_has_words():
    assert set(DOUBTS) <= set(CHECKS)
    assert set(VERDICTS) <= set(VERDICTS_IN_WORDS)


def test_contenders_that_tie_with_the_best_are_named():
    reasons = " ".join(answer(*made("redundant")).reasons)
    assert "has the best score, and is not shown to differ from" in reasons


def test_the_two_sides_of_a_contrast_that_is_shown_are_no_tie():
    given, _ = made("interaction_gain")
    a, b = (given["primary"][side] for side in "ab")
    others = sorted({"majority", "late-fusion", "text-lstm", "image-cnn"} - {b})
    given = given.replaced(differences=given["differences"].with_columns(p=pl.lit(0.04)))  # none is left by Holm
    (shown,) = (reason for reason in claimed(given).reasons if "best score" in reason)
    (open_,) = (reason for reason in claimed(given, low=-0.1).reasons if "best score" in reason)
    assert shown.startswith(f"{a} has the best score")
    assert [name for name in (*others, b) if name in shown] == others
    assert b in open_


def test_another_metric_that_contradicts_is_named():
    given, findings = made("text_only")
    a, b = given["primary"]["a"], given["primary"]["b"]
    row = given["differences"].filter(a=a, b=b, metric="accuracy")
    other = row.with_columns(difference=pl.lit(0.2), low=pl.lit(0.1), high=pl.lit(0.3), is_primary=pl.lit(value=False))
    rest = given["differences"].filter(~((pl.col("a") == a) & (pl.col("b") == b) & (pl.col("metric") == "accuracy")))
    answered = answer(given.replaced(differences=pl.concat([rest, other])), findings)
    assert f"By accuracy the answer differs: {a} does better than {b}, +0.200 (" in " ".join(answered.reasons)


def test_a_sentence_never_denies_the_number_next_to_it():
    """A reader that is a little better than guessing is not called as good as chance."""
    given, findings = made("text_only")
    ends = {"value": 0.54, "low": 0.516, "high": 0.563}
    little = [
        pl.when(pl.col("contender") == "image-cnn").then(value).otherwise(name).alias(name)
        for name, value in ends.items()
    ]
    answered = answer(given.replaced(scores=given["scores"].with_columns(little)), findings)
    assert answered.verdict == "text_only"
    text = " ".join([answered.headline, *answered.reasons])
    assert "more than a little better than guessing (the best, image-cnn: balanced accuracy +0.040" in text
    assert "no better than chance" not in text


def test_the_page_of_the_rules_has_the_thresholds_of_the_code():
    page = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text(encoding="utf-8")
    rows = (
        (WORTHLESS, "a gain that counts as none"), (LITTLE, "a little better"), (HALF, "share of a gain"),
        (INTERACTION, "share of a gain"), (UNTRAINED, "at chance"), (NOT_EXCLUDED, "the end of a gain"),
        (MANY_LAPSES, "lapses of many"), (NEAR_GUESSING, "widening"),
    )  # fmt: skip
    for value, row in rows:
        assert any(line.startswith(f"| {row}") and f"{value:g}".removeprefix("0") in line for line in page.splitlines())
    assert all(f"`{verdict}`" in page for verdict in VERDICTS)
    assert all(f"| `{claim}` |" in page for claim in OPENINGS)


@pytest.mark.parametrize(
    ("end", "expected"), [(NOT_EXCLUDED / 2 - 0.01, "text_only"), (NOT_EXCLUDED / 2, "cannot_tell")]
)
def test_a_gain_that_may_be_large_is_open_although_the_image_is_little_better_than_guessing(end, expected):
    given, findings = made("text_only")
    is_primary = pl.col("is_primary")
    row = {"difference": 0.0, "low": -end, "high": end}
    wide = given["differences"].with_columns(
        **{name: pl.when(is_primary).then(value).otherwise(name) for name, value in row.items()}
    )
    assert verdict(given.replaced(differences=wide), findings) == expected
