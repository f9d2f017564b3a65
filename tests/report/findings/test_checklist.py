"""The checklist answers from the record alone, and marks what only the author can answer."""

import polars as pl
import pytest

from counterpoint import schema
from counterpoint.report.findings.checklist import MODULES, checklist_section
from counterpoint.report.page import TABLES
from report_studies import study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    results, tables, _ = study(
        tmp_path_factory.mktemp("images"), contenders=("majority", "text-svm", "late-fusion"), n=60
    )
    return results, {name: schema.empty(columns) for name, columns in TABLES.items()} | tables


def answers(made, *, config=None, results=None, **tables):
    found = checklist_section(made[0] | (results or {}), made[1] | tables, config=config or {})
    return {item["name"]: item for items in found["modules"].values() for item in items}


def test_there_are_the_eight_modules_and_32_items_of_reforms():
    assert [len(items) for items in MODULES.values()] == [3, 5, 7, 3, 6, 3, 3, 2]


def test_the_counts_add_up(made):
    found = checklist_section(*made, config={})
    assert found["n_answered"] + found["n_partly"] + found["n_open"] == found["n"] == 32


def test_answers_have_the_values_of_the_record(made):
    found = answers(made, config={"fit": {"threads": 2}, "source": {"kind": "table"}, "text": {"mask": ["man", "dog"]}})
    assert "1 evaluation recorded" in found["Separation of training and test"]["text"]
    assert "majority" in found["Baselines"]["text"]
    assert "Counterpoint 0.2.0" in found["Code and its version"]["text"]
    assert "threads of one fit 2" in found["Machine and software"]["text"]
    assert "kind table" in found["Data and where to get them"]["text"]
    assert "2 words are masked" in found["Changes to texts and images"]["text"]
    assert "3 seeds of the fits" in found["Method of evaluation"]["text"]


@pytest.mark.parametrize(
    ("n_seeds", "left_out"), [(1, "of other fits or new training rows"), (3, "of new training rows")]
)
def test_an_interval_has_the_variation_of_fits_only_with_several_seeds(made, n_seeds, left_out):
    rows = made[1]["predictions"].filter(pl.col("seed") < n_seeds)
    text = answers(made, predictions=rows)["Uncertainty"]["text"]
    assert ("of the fits of 3 seeds" in text) == (n_seeds > 1)
    assert text.endswith(f"but not that {left_out}.")
    repeated = answers(made, predictions=rows, config={"evaluate": {"repeats": 3}})["Uncertainty"]["text"]
    assert repeated == f"{text} That of the primary contrast is over all repeats of the split."


@pytest.mark.parametrize(("kind", "origin"), [("given", "as the source gives it"), ("holdout", "drawn with seed 4")])
def test_the_split_of_the_source_has_no_seed(made, kind, origin):
    note = schema.finding("CP000", "info", "split", "The split.", kind=kind)
    findings = pl.DataFrame([note], schema=dict(schema.FINDINGS))
    text = answers(made, findings=findings, config={"split": {"seed": 4}})["Method of evaluation"]["text"]
    assert origin in text


def test_the_population_is_left_to_the_author(made):
    found = answers(made)
    assert found["Population that the claim is about"]["state"] == "open"
    assert "only you can answer" in found["Population that the claim is about"]["text"]
    assert found["Evidence on other data"]["state"] == "partly"


def test_a_study_without_a_baseline_is_not_ticked_off(made):
    found = answers(made, results={"modalities": {"text-svm": ["text"]}})
    assert found["Baselines"]["state"] == "open"


def test_a_lost_record_of_test_evaluations_is_not_counted(made):
    found = answers(made, results={"test_evaluations": [{"time": "x", "is_lost": True}]})
    assert "not known" in found["Separation of training and test"]["text"]


def test_a_tuned_contender_has_its_trials(made):
    costs = made[1]["costs"].with_columns(trials=pl.when(contender="text-svm").then(9).otherwise(1))
    assert "text-svm 9" in answers(made, costs=costs)["Choice of settings"]["text"]


def test_missing_texts_are_counted_by_class(made):
    pairs = made[1]["pairs"].with_columns(text=pl.when(pl.col("label") == "animal").then(None).otherwise("text"))
    text = answers(made, pairs=pairs)["Missing texts and images"]["text"]
    assert "most in animal: 100%" in text


def test_a_page_of_pairs_alone_has_a_checklist_and_one_without_pairs_has_none(made):
    empty = {name: schema.empty(columns) for name, columns in TABLES.items()}
    assert checklist_section({}, empty, config={}) is None
    assert checklist_section({"study": "s"}, empty | {"pairs": made[1]["pairs"]}, config={})["n"] == 32
