"""The map on the page has the outcome of each pair, bears hostile texts, and shows no text where it may not."""

import json
import re

import polars as pl
import pytest

from counterpoint.measures.disagreements import OUTCOMES, read_rows
from counterpoint.report import write_page
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.report.pairs.pair_map import MARKS, map_data, map_rows, map_section, ordered_classes
from html_reader import HOSTILE, Reader
from report_studies import MODALITIES, study


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    contenders = ("text-svm", "image-cnn", "late-fusion")
    return study(tmp_path_factory.mktemp("made"), contenders=contenders, pictures=0, seeds=(0, 1))[:2]


def shown_data(page):
    return json.loads(re.search(r'<script type="application/json" id="map-data">(.*?)</script>', page, re.DOTALL)[1])


def section(tables, results, folder, **settings):
    settings = {"classes": ["animal", "person"], "shows_examples": True} | settings
    with drawing():
        return map_section(tables, read(tables, results), Gallery(folder), **settings)


def read(tables, results):
    return read_rows(tables["predictions"], results["modalities"], "balanced_accuracy", results.get("primary"))


def test_each_test_pair_has_its_place_class_text_and_outcome(outcome):
    results, tables = outcome
    rows = map_rows(tables, read(tables, results))
    data = map_data(rows, ["animal", "person"], shows_examples=True)
    tested = tables["pairs"].filter(fold="test")
    assert sorted(data["id"]) == sorted(tested["id"])
    labels = dict(tested.select("id", "label").iter_rows())
    assert [data["classes"][place] for place in data["label"]] == [labels[name] for name in data["id"]]
    both = [["lost", "rescued", "missed", "kept"][place] in ("rescued", "kept") for place in data["outcome"]]
    assert both == [predicted == label for predicted, label in zip(data["predicted"][2], data["label"], strict=True)]
    assert tuple(data["outcomes"]) == OUTCOMES


def test_a_study_of_one_modality_has_a_map_without_outcomes(outcome, tmp_path):
    results, tables = outcome
    alone = tables | {"predictions": tables["predictions"].filter(contender="text-svm")}
    found = section(alone, results | {"modalities": {"text-svm": ["text"]}}, tmp_path)
    assert found["outcomes"] == []
    assert set(json.loads(found["data"])["outcome"]) == {-1}


def test_a_map_of_a_sample_counts_all_test_pairs(outcome, tmp_path):
    results, tables = outcome
    n = len(tables["map"])
    found = section(tables | {"map": tables["map"].head(20)}, results, tmp_path)
    assert (found["n"], found["n_tested"]) == (20, n)
    assert section(tables | {"map": tables["map"].clear()}, results, tmp_path) is None


def test_its_numbers_are_saved_with_the_figure(outcome, tmp_path):
    section(outcome[1], outcome[0], tmp_path)
    saved = pl.read_csv(tmp_path / "map.csv")
    assert saved.columns == ["id", "label", "outcome", "x", "y"]
    assert saved["x"].to_list() == pytest.approx(outcome[1]["map"]["x"].to_list())


def test_the_most_frequent_classes_have_marks_of_their_own(tmp_path):
    names = tuple(f"class-{place}" for place in range(9))
    results, tables, _ = study(tmp_path / "images", n=300, classes=names, contenders=("text-svm",), pictures=0)
    rows = map_rows(tables, read(tables, results))
    counts = [rows["label"].eq(name).sum() for name in ordered_classes(rows, names)]
    assert counts == sorted(counts, reverse=True)
    assert len(set(MARKS)) == len({marker for _, marker in MARKS}) == 6
    assert section(tables, results, tmp_path, classes=names)["n"] == len(rows)


def test_hostile_ids_texts_and_classes_become_text(outcome, tmp_path):
    results, tables = outcome
    fates = {name: HOSTILE[place % len(HOSTILE)] for place, name in enumerate(tables["pairs"]["id"])}
    texts = tables["pairs"]["id"].replace_strict(fates) + "x" * 100_000
    attacked = tables | {"pairs": tables["pairs"].with_columns(text=texts)}
    page = write_page(tmp_path, results, attacked).read_text(encoding="utf-8")
    data = shown_data(page)
    assert max(map(len, data["text"])) <= 160
    assert any("<script>" in text for text in data["text"])
    assert Reader(page).open == []
    assert len([attrs for attrs in Reader(page).all("script") if not attrs.get("type")]) == 1


def test_an_id_that_no_file_can_hold_is_null(outcome):
    results, tables = outcome
    first = tables["map"]["id"][0]
    renamed = {
        name: table.with_columns(pl.col("id").replace(first, "y" * 501))
        for name, table in tables.items()
        if "id" in table.columns
    }
    rows = map_rows(tables | renamed, read(tables | renamed, results))
    data = map_data(rows, ["animal", "person"], shows_examples=True)
    assert data["id"][0] is None
    assert len(data["name"][0]) == 80


def test_a_page_that_may_show_no_examples_has_points_only(outcome, tmp_path):
    results, tables = outcome
    config = "page:\n  example_images: false\n"
    page = write_page(tmp_path, results | {"config": config}, tables).read_text(encoding="utf-8")
    data = shown_data(page)
    assert set(data["text"]) == {None}
    assert data["has_texts"] is False
    texts = tables["pairs"]["text"]
    assert not any(text in page for text in texts if len(text) > 20)
    assert set(MODALITIES) >= set(results["modalities"])
