"""The first screen is true for every claim and verdict, in words that need no explanation."""

import json
import re
from dataclasses import replace

import polars as pl
import pytest

from counterpoint import schema
from counterpoint.config import Evaluate
from counterpoint.contenders import MODELS
from counterpoint.diagnose.claim import BETTER, DOUBTS, NOT_COMPARABLE, OPENINGS
from counterpoint.diagnose.to_use import SETTLED
from counterpoint.diagnose.verdict_list import VERDICTS
from counterpoint.metrics.table import METRICS
from counterpoint.report import glossary, write_page
from counterpoint.report.contenders import ranked_contenders
from counterpoint.report.first_screen import plain_words
from counterpoint.report.first_screen.section import first_screen
from counterpoint.report.first_screen.sides import Sides
from counterpoint.report.page import TABLES
from counterpoint.report.scores import ScoreTable
from html_reader import Reader
from report_studies import study

READS = {
    "metadata": (),
    "text-svm": ("text",),
    "image-cnn": ("image",),
    "lstm-cnn": ("text", "image"),
    "late-fusion": ("text", "image"),
}
VALUES = {"metadata": 0.6, "text-svm": 0.92, "image-cnn": 0.8, "lstm-cnn": 0.95, "late-fusion": 0.94}
STEADY = {"value": 0.0, "low": 0.0, "high": 0.0, "n": 1000, "seeds": 1}
ENDS = {
    "better": (0.03, 0.01, 0.05),
    "better_alone": (0.03, 0.01, 0.05),
    "not_shown": (0.03, 0.01, 0.05),
    "same": (0.002, -0.004, 0.008),
    "worse": (-0.03, -0.05, -0.01),
    "none": (0.002, -0.01, 0.014),
    "open": (0.02, -0.01, 0.05),
}
CASES = [
    *(("better", verdict) for verdict in ("averaging_gain", "additive_gain", "interaction_gain", "cannot_tell")),
    *(("better_alone", verdict) for verdict in ("text_only", "image_only", "redundant", "no_signal")),
    ("not_shown", "cannot_tell"),
    ("same", "equivalent"),
    ("worse", "cannot_tell"),
    *(("none", verdict) for verdict in ("redundant", "text_only", "image_only", "no_signal", "cannot_tell")),
    ("open", "cannot_tell"),
    ("not_asked", "not_asked"),
    *(("not_comparable", verdict) for verdict in NOT_COMPARABLE),
    ("nothing", "cannot_tell"),
]
TERMS = {
    *(name.lower() for name, _ in glossary.TERMS.values()),
    *(name.replace("_", " ") for name in METRICS),
    "holm", "p =", "p <", "oof", "out-of-fold", "logit", "encoder", "calibrat", "bootstrap", "hypothes", "confidence",
    "bits", "single-entity", "multimodal", "branch", "in-sample", "significan", "standard error", "cross-validation",
}  # fmt: skip
"""Terms that a reader without statistics would have to look up."""


def sides(
    claim, verdict, *, doubt=None, to_use=None, metric="balanced_accuracy", findings=(), ends=None, values=VALUES,
    more=None, **evaluate,
):  # fmt: skip
    difference, low, high = ends or ENDS.get(claim, (0.03, 0.01, 0.05))
    row = {"a": "lstm-cnn", "b": "text-svm", "metric": metric, "difference": difference, "low": low, "high": high}
    row |= {"error": (high - low) / 3.92, "df": 900.0, "p": 0.01, "p_holm": 0.02, "minimum_detectable": 0.03}
    sums = row | {"b": "late-fusion", "difference": 0.01, "low": -0.01, "high": 0.03, "is_primary": False}
    differences = pl.DataFrame([row | {"is_primary": True}, sums], schema=dict(schema.DIFFERENCES))
    scores = [
        {"contender": name, "part": "test", "metric": each} | STEADY | {"value": value}
        for each in dict.fromkeys([metric, "accuracy"])
        for name, value in values.items()
    ]
    fits = {"seed": 0, "fold": "test", "trials": 1, "epochs": 1, "parameters": 9, "fit_s": 12.0, "predict_s": 4.0}
    tables = {
        "pairs": _pairs(),
        "differences": differences if claim != "nothing" else differences.clear(),
        "scores": pl.DataFrame(scores, schema=dict(schema.SCORES)),
        "costs": pl.DataFrame([{"contender": name} | fits for name in READS], schema=dict(schema.COSTS)),
        "findings": pl.DataFrame(list(findings), schema=dict(schema.FINDINGS)),
    }
    tables = {name: tables.get(name, schema.empty(columns)) for name, columns in TABLES.items()}
    table = ScoreTable(tables["scores"], metric=metric, confidence=0.95)
    if to_use is None:
        to_use = "lstm-cnn" if claim in BETTER else "text-svm" if claim in SETTLED and verdict != "no_signal" else None
    answer = {"claim": claim, "verdict": verdict, "doubt_code": doubt, "headline": "lstm-cnn …", "to_use": to_use}
    answer |= {"more": more, "unread": ["image"] if claim == "not_asked" else []}
    results = {"study": "photos", "answer": answer, "primary": {"a": "lstm-cnn", "b": "text-svm", "metric": metric}}
    results |= {"primary": None} if claim == "nothing" else {}
    reads = {name: read for name, read in READS.items() if claim != "not_asked" or name != "image-cnn"}
    values = {name: value for name, value in values.items() if name in reads}
    contenders = ranked_contenders(table, [], modalities=reads, models={}, kinds={name: name for name in reads})
    rules = Evaluate.read({"primary": metric, "metrics": [metric, "accuracy"], **evaluate}, where="evaluate")
    return Sides(results, tables, table, contenders, rules, {name: name for name in READS})


def _pairs(n=1000):
    columns = {"id": [str(i) for i in range(n)], "row": range(n), "text": "a pair", "image": None, "group": "1"}
    labels = ["dog", "cat"] * (n // 2)
    return pl.DataFrame(columns, schema_overrides={"image": pl.String}).with_columns(
        label=pl.Series(labels), label_source=pl.lit("column"), fold=pl.lit("test")
    )


def words_of(content):
    """Return all words of a first screen but the command."""
    if isinstance(content, dict):
        left_out = ("command", "code", "picture")
        return " ".join(words_of(value) for key, value in content.items() if key not in left_out)
    if isinstance(content, list):
        return " ".join(map(words_of, content))
    return content if isinstance(content, str) else ""


def finding(code, subject, **evidence):
    return {"code": code, "severity": "warn", "subject": subject, "explanation": "…", "evidence": json.dumps(evidence)}


@pytest.mark.parametrize(("claim", "verdict"), CASES)
@pytest.mark.parametrize("doubt", [None, *DOUBTS])
def test_no_claim_needs_a_code_a_kind_or_a_term_to_be_explained(claim, verdict, doubt):
    queue = [finding("CP020", "labels", n_queue=3), finding("CP009", "lstm-cnn")]
    found = first_screen(sides(claim, verdict, doubt=doubt, findings=queue), None)
    words = words_of(found).lower()
    assert not re.search(r"cp\d{3}", words)
    assert not [kind for kind in MODELS if re.search(rf"(?<![\w-]){re.escape(kind)}(?![\w-])", words)]
    assert not [term for term in TERMS if re.search(rf"\b{re.escape(term)}", words)]
    assert "{" not in words
    assert all(found[key] for key in ("answer", "sure", "cost", "next"))
    assert found["next"]["sentences"]


def test_the_words_around_the_first_screen_need_no_explanation_either(tmp_path):
    results, tables, _ = study(tmp_path / "images", contenders=("text-svm", "image-cnn", "lstm-cnn"), n=80)
    answer = results["answer"] | {"claim": "better", "doubt_code": "CP020"}
    page = write_page(tmp_path, results | {"answer": answer}, tables).read_text(encoding="utf-8")
    screen = page[page.index("<header") : page.index('<section id="detail"')]
    screen = re.sub(r"<nav.*?</nav>|<code.*?</code>", "", screen, flags=re.DOTALL)
    words = " ".join(Reader(_balanced(screen)).text).lower()
    assert "some labels look wrong" in words
    assert "80 pairs" in words
    assert not re.search(r"cp\d{3}", words)
    assert not [term for term in TERMS if re.search(rf"\b{re.escape(term)}", words)]


def _balanced(markup):
    """Return markup without the tags that are closed outside of it."""
    return re.sub(r"</?(?:main|div|header)[^>]*>", "", markup)


def test_every_claim_verdict_and_doubt_has_words():
    assert {claim for claim, _ in CASES} == {*OPENINGS, "nothing"} == set(plain_words.ANSWERS)
    assert {verdict for _, verdict in CASES} == set(VERDICTS)
    assert set(plain_words.DOUBTS_IN_WORDS) == set(DOUBTS)
    assert set(plain_words.NEXT) <= set(VERDICTS)


@pytest.mark.parametrize(
    ("claim", "verdict", "answer"),
    [
        ("better", "additive_gain", "Use text and image together."),
        ("worse", "cannot_tell", "Use the text alone: reading both does worse."),
        ("none", "redundant", "Use the text alone: no gain from reading both is shown."),
        (
            "none",
            "no_signal",
            "No model of the text or of the image alone does more than a little better than guessing.",
        ),
        ("better_alone", "image_only", "The model of both does better, but the image alone may explain it."),
        ("not_asked", "not_asked", "No answer yet: no trained model reads the image alone."),
        ("not_comparable", "leak", "No answer: a few words of the text give the class away."),
    ],
)
def test_the_answer_is_that_of_the_claim(claim, verdict, answer):
    assert first_screen(sides(claim, verdict), None)["answer"] == answer


def test_scores_are_counts_of_right_answers_in_the_metric_that_decides():
    found = first_screen(sides("better", "additive_gain", metric="accuracy"), None)
    assert found["scores"] == "Of 100 pairs, it gets 95 right, and the text alone 92."
    weighed = first_screen(sides("better", "additive_gain"), None)
    assert weighed["scores"] == "Of 100 pairs (as many of each class), it gets 95 right, and the text alone 92."


def test_another_metric_is_not_given_as_counts_of_the_contrary():
    lower = VALUES | {"lstm-cnn": 0.90}
    found = first_screen(sides("better", "additive_gain", metric="macro_f1", values=lower), None)
    assert found["scores"].startswith("By the measure that decides this study, it reaches 0.900")


@pytest.mark.parametrize("claim", ENDS)
def test_the_range_is_that_of_the_primary_contrast_and_says_how_often_such_a_range_is_true(claim):
    first = first_screen(sides(claim, "cannot_tell"), None)["sure"][0]
    low, high = (f"{abs(100 * end):.1f}" for end in ENDS[claim][1:])
    assert low in first
    assert high in first
    assert first.endswith("95 of 100 hold the truth.")


@pytest.mark.parametrize(("claim", "verdict"), [case for case in CASES if case[0] in ("not_asked", "not_comparable")])
def test_a_comparison_that_does_not_hold_claims_no_probability_and_ships_nothing(claim, verdict):
    found = first_screen(sides(claim, verdict), None)
    assert found["sure"] == ["Nothing can be claimed yet."]
    assert found["next"]["command"] is None


def test_the_probability_is_that_of_the_answer():
    sure = " ".join(first_screen(sides("open", "cannot_tell"), None)["sure"])
    assert "Reading both is better with a probability of 90%." in sure


@pytest.mark.parametrize(("claim", "relation"), [("better", "better"), ("open", "better"), ("worse", "worse")])
def test_the_probability_beyond_a_margin_is_that_of_a_difference_that_matters(claim, relation):
    sure = " ".join(first_screen(sides(claim, "cannot_tell", margin=0.03), None)["sure"])
    assert f"is {relation} by enough to matter with a probability of" in sure


@pytest.mark.parametrize(
    ("claim", "to_use", "sentence"),
    [
        ("better", "lstm-cnn", "Use “text and image, small network”."),
        ("better", "late-fusion", "Use the simpler “text and image, two small models added”."),
        ("same", "text-svm", "Use the simpler “text, word counts”."),
        ("worse", "text-svm", "Use “text, word counts”."),
        ("open", "text-svm", "Until then, use “text, word counts”."),
    ],
)
def test_the_command_saves_the_contender_that_the_answer_recommends(claim, to_use, sentence):
    found = first_screen(sides(claim, "cannot_tell", to_use=to_use), None)["next"]
    assert found["command"] == f"counterpoint save runs/photos --contender {to_use} --to model"
    assert sentence in found["sentences"]


def test_a_contender_that_loses_to_one_that_reads_nothing_is_not_recommended():
    found = first_screen(sides("none", "redundant", to_use=""), None)
    assert found["answer"] == "No gain from reading both is shown, and a model that reads neither does better."
    assert found["next"]["sentences"][0].startswith("Use none of these yet")
    assert found["next"]["command"] is None


def test_an_answer_without_a_difference_that_matters_denies_no_gain_over_a_model_that_reads_nothing():
    answer = first_screen(sides("same", "equivalent", to_use=""), None)["answer"]
    assert answer.endswith("but the text alone is not shown to beat a model that reads neither.")


@pytest.mark.parametrize("claim", ["same", "worse", "none"])
def test_no_answer_recommends_a_contender_that_the_next_step_does_not(claim):
    found = first_screen(sides(claim, "cannot_tell", to_use=""), None)
    assert "Use none of these yet" in found["next"]["sentences"][0]
    assert not re.search(r"\b[Uu]se (?:the|either)", found["answer"])


def test_a_doubt_about_a_simpler_model_has_words_of_its_own_where_the_answer_rests_on_it():
    found = sides("better", "additive_gain", doubt="CP023")
    assert first_screen(found, None)["doubt"]["words"] == "A larger model does worse than a simpler one."
    found.results["answer"]["better_single"] = "keyword-rule"
    assert "does better than the model of the text compared here" in first_screen(found, None)["doubt"]["words"]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("accuracy", "Over 3 repeats, it gets 3.0 more of 100 pairs right than the text alone."),
        ("macro_f1", "Over 3 repeats, it scores 0.030 more than the text alone."),
    ],
)
def test_a_difference_over_repeats_is_not_given_as_the_scores_of_the_first(metric, words):
    found = sides("better", "additive_gain", metric=metric, values=VALUES | {"lstm-cnn": 0.90})
    rows = [
        {"repeat": repeat, "fold": "test", "seed": 0, "a": "a", "b": "b", "difference": 0.03} for repeat in range(3)
    ]
    repeats = pl.DataFrame(rows, schema=dict(schema.REPEATS))
    found = replace(found, tables={**found.tables, "repeats": repeats})
    assert first_screen(found, None)["scores"] == words


def test_scores_are_those_of_the_choices_where_they_differ():
    found = sides("worse", "cannot_tell")
    found.results["answer"]["chosen_scores"] = {"balanced_accuracy": [0.80, 0.83]}
    words = first_screen(found, None)["scores"]
    assert words == "Of 100 pairs (as many of each class), reading both gets 80 right, and the text alone 83."


def test_scores_of_choices_of_both_modalities_are_those_of_neither():
    found = sides("worse", "cannot_tell")
    columns = {
        "repeat": 0,
        "fold": ["0", "1"],
        "seed": 0,
        "a": "lstm-cnn",
        "b": ["text-svm", "image-cnn"],
        "difference": 0.0,
    }
    repeats = pl.DataFrame(columns, schema=dict(schema.REPEATS))
    found = replace(found, tables={**found.tables, "repeats": repeats})
    assert first_screen(found, None)["scores"].endswith("reading both gets 95 right, and one of them alone 92.")


@pytest.mark.parametrize("claim", ["worse", "none"])
def test_the_answer_names_the_modality_of_the_contender_to_use(claim):
    found = first_screen(sides(claim, "cannot_tell", to_use="image-cnn"), None)
    assert found["answer"].startswith("Use the image alone: ")
    assert "Use “image" in found["next"]["sentences"][0]


def test_answers_that_are_equal_in_every_group_have_no_range():
    found = sides("open", "cannot_tell", ends=(0.0, 0.0, 0.0))
    assert first_screen(found, None)["sure"] == ["Both got the same score in every group of the 1,000 test pairs."]


def test_an_open_question_says_about_how_many_more_pairs_would_settle_it():
    more = {"rows": 3640, "is_of_fits": False, "by_folds": None}
    sentences = first_screen(sides("open", "cannot_tell", more=more), None)["next"]["sentences"]
    assert sentences[0] == "About 3,700 more pairs would settle it, if the difference stays as it is."


def test_no_new_pairs_are_needed_where_folds_of_the_same_ones_are_enough():
    more = {"rows": 640, "is_of_fits": False, "by_folds": 2000}
    sentences = first_screen(sides("open", "cannot_tell", more=more), None)["next"]["sentences"]
    assert sentences[0] == "You may need no new pairs: test each of the 2,000 once, in turns (split.kind: kfold)."


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rows": None, "is_of_fits": False, "by_folds": None}, "More pairs will hardly settle it"),
        ({"rows": None, "is_of_fits": True, "by_folds": None}, "train the models more often"),
        (None, "Until then, use"),
    ],
)
def test_no_more_pairs_are_recommended_where_they_would_not_settle_the_question(more, words):
    sentences = first_screen(sides("open", "cannot_tell", more=more), None)["next"]["sentences"]
    assert words in sentences[0]
    assert "About" not in " ".join(sentences)


def test_rows_in_doubt_are_counted_and_lead_to_their_finding():
    queue = first_screen(sides("better", "additive_gain", findings=[finding("CP020", "l", n_queue=3)]), None)["next"]
    assert queue["queue"] == {"code": "CP020", "words": "Look at the 3 pairs whose label looks wrong"}


def test_the_cost_is_the_time_of_a_pair():
    cost = first_screen(sides("better", "additive_gain"), None)["cost"]
    assert cost[0] == "Reading both: 4.0 ms a pair, after 12 s of training."
    assert cost[1].startswith("The text alone: 4.0 ms a pair")


@pytest.mark.parametrize(
    ("encode_s", "words", "note"),
    [
        (8.0, "12 ms", "Pretrained models are included."),
        (None, "4.0 ms", "The time to load pictures and to run the pre"),
    ],
)
def test_the_cost_has_the_time_of_encoders_where_it_is_known(encode_s, words, note):
    found = sides("better", "additive_gain")
    costs = found.tables["costs"].with_columns(pl.lit(encode_s, pl.Float64).alias("encode_s"))
    kinds = found.kinds | {"lstm-cnn": "pair-probe"}
    cost = first_screen(replace(found, tables={**found.tables, "costs": costs}, kinds=kinds), None)["cost"]
    assert cost[0] == f"Reading both: {words} a pair, after 12 s of training."
    assert cost[-1].startswith(note)


def test_a_study_without_examples_shows_neither_text_nor_image():
    found = first_screen(sides("better", "additive_gain"), None)["classes"]["examples"]
    assert [(each["label"], each["n"], each["text"], each["picture"]) for each in found] == [
        ("cat", 500, None, None),
        ("dog", 500, None, None),
    ]
