"""The disagreement browser as a reader uses it: filters, keys, and lists that a study file accepts."""

import json
import re

import polars as pl
import pytest

from browser import BINARY
from counterpoint import schema
from counterpoint.config import StudyConfig
from counterpoint.measures.disagreements import chosen_readers, disagreements
from counterpoint.measures.segments import segment_of_rows
from counterpoint.report import write_page
from counterpoint.report.pairs.disagreements import CELL_WORDS
from counterpoint.study_resources import StudyResources
from html_reader import HOSTILE, Reader
from report_studies import MODALITIES, study

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine")]

EVIL = [*HOSTILE, "شكرا جزيلا", "<b>bold</b>" * 9_000, "x" * 10_000, 'a "quoted-word", text']
SEGMENT = {
    "segment": "texts <b>of</b> less", "conditions": '[{"fact": "words", "high": 3.0}]', "half": "all rows",
    "n_searched": 90, "gain_searched": 0.1, "n": 90, "groups": 80, "gain": 0.1, "low": 0.05, "high": 0.15, "rest": 0.0,
    "difference": 0.1, "error": 0.02, "df": 80.0, "p": 0.001, "p_holm": 0.002, "is_confirmed": True, "twin": None,
}  # fmt: skip
CARDS = "[...document.querySelectorAll('.cards li')]"
STATUS = "document.querySelector('[data-count]').textContent"
SAVED = "document.querySelector('[data-saved]').textContent"
FOCUSED = f"{CARDS}.findIndex(card => card.contains(document.activeElement))"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the results and tables of a study with hostile texts and ids, and its folder."""
    folder = tmp_path_factory.mktemp("page")
    contenders = ("text-svm", "image-cnn", "late-fusion")
    results, tables, _ = study(folder / "images", n=300, folds=3, seeds=(0, 1), contenders=contenders)
    ids = tables["pairs"]["id"].to_list()
    renamed = dict(zip(ids, ['a "b", c', "=1+1", "line\nbreak", "007", "cut\rhere", "<b>id</b>"], strict=False))
    tables["pairs"] = tables["pairs"].with_columns(
        pl.col("id").replace(renamed), text=pl.Series((EVIL * 30)[: len(ids)]), image=_missing(tables["pairs"]["image"])
    )
    tables["predictions"] = tables["predictions"].with_columns(pl.col("id").replace(renamed))
    mismatched = dict.fromkeys(tables["pairs"]["id"][:40], 0.1)
    findings = [
        schema.finding("CP004", "warn", "pairs", "Look.", queue=mismatched),
        schema.finding("CP020", "warn", "labels", "Look.", queue={'a "b", c': "person", "007": "animal"}),
    ]
    tables["findings"] = pl.DataFrame(findings, schema=dict(schema.FINDINGS))
    tables["segments"] = pl.DataFrame([SEGMENT], schema=dict(schema.SEGMENTS))
    return folder, results, tables


def _missing(images):
    return pl.Series([None if place % 10 == 0 else ref for place, ref in enumerate(images)])


@pytest.fixture(scope="module")
def rows(made):
    _, _, tables = made
    chosen = chosen_readers(tables["predictions"], MODALITIES, "balanced_accuracy")
    return disagreements(tables["predictions"], chosen, "balanced_accuracy")


@pytest.fixture(scope="module")
def page(made):
    folder, results, tables = made
    return write_page(folder, results, tables)


@pytest.fixture
def opened(tab, page, tmp_path):
    tab.complaints.clear()
    tab.open(page, width=1200)
    tab.ask("document.getElementById('disagreement-browser').open = true")
    tab.wait_for(f"{CARDS}.length")
    tab.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    return tab


def choose(tab, name, value):
    field = f"document.querySelector('[data-filter={name}]')"
    tab.ask(f"{field}.value = '{value}'; {field}.dispatchEvent(new Event('change'))")
    return matching(tab)


def search(tab, words):
    field = "document.querySelector('[data-search]')"
    tab.ask(f"{field}.value = {json.dumps(words)}; {field}.dispatchEvent(new Event('input'))")
    return matching(tab)


def matching(tab):
    status = tab.ask(STATUS)
    return 0 if status == "No pair matches." else int(re.match(r"([\d,]+) of ", status)[1].replace(",", ""))


def press(tab, key):
    for kind in ("keyDown", "keyUp"):
        more = {"text": " "} if key == " " and kind == "keyDown" else {}
        tab.send("Input.dispatchKeyEvent", type=kind, key=key, code="Space" if key == " " else key, **more)


def tick(tab, *places):
    for place in places:
        tab.ask(f"{CARDS}[{place}].querySelector('input').click()")


def saved(tab, selector, path):
    tab.ask(f"document.querySelector(`{selector}`).click()")
    tab.wait_for(f"{SAVED}.startsWith('{path.name} has')")
    for _ in range(600):
        if path.exists() and path.stat().st_size:
            return path
        tab.ask("new Promise(done => setTimeout(done, 50))")
    raise AssertionError(f"{path.name} was not saved")


def edits(path, setting):
    config = StudyConfig(study="again", source={"kind": "generated", "n": 60}, **{setting: path})
    return getattr(StudyResources(config, path.parent / "runs").edits, setting)


def places_of(tab, ids):
    names = tab.ask(f"{CARDS}.map(card => card.querySelector('.about bdi').textContent)")
    return [names.index(" ".join(each.split())) for each in ids]


def test_the_table_shows_the_counts_of_the_predictions(page, rows):
    shown = Reader(page.read_text(encoding="utf-8"))
    links = {(attrs["data-cell"], attrs["data-outcome"]) for attrs in shown.all("a") if "data-cell" in attrs}
    assert links == set(rows.select("cell", "outcome").iter_rows())
    text = " ".join("".join(shown.text).split())
    assert f"rescues {rows.filter(outcome='rescued').height}" in text
    assert f"loses {rows.filter(outcome='lost').height}" in text
    assert "over 2 seeds decides" in text


def test_each_cell_outcome_and_class_can_be_filtered(opened, rows):
    for place, cell in enumerate(CELL_WORDS):
        assert choose(opened, "cell", place) == rows.filter(cell=cell).height
    choose(opened, "cell", "")
    for place, outcome in enumerate(("lost", "rescued", "missed", "kept")):
        if expected := rows.filter(outcome=outcome).height:
            assert choose(opened, "outcome", place) == expected
            assert opened.ask(f"{CARDS}.every(card => card.querySelector('.outcome.{outcome}'))")
    choose(opened, "outcome", "")
    assert choose(opened, "label", 1) == rows.filter(label="person").height


def test_confidence_finding_and_segment_can_be_filtered(opened, made, rows):
    sure = rows.filter(pl.col("multimodal_confidence").round(3) >= 0.9).height
    assert choose(opened, "confidence", "0.9 2") == sure
    choose(opened, "confidence", "")
    assert choose(opened, "finding", 0) == 40
    choose(opened, "finding", "")
    tables = made[2]
    assert choose(opened, "segment", 0) == segment_of_rows(tables["segments"], tables["pairs"])["segment"].count() > 0
    opened.ask("document.querySelector('[data-clear]').click()")
    assert matching(opened) == 300


def test_words_of_text_and_id_are_found_in_any_order(opened):
    assert search(opened, "TEXT quoted-word") == EVIL.count(EVIL[-1]) * 25
    assert search(opened, "شكرا") == 25
    assert search(opened, "=1+1") == 1
    assert search(opened, "nothing of this kind") == 0
    assert opened.ask(f"{CARDS}.length") == 0


def test_more_pairs_are_shown_a_page_at_a_time(opened):
    assert opened.ask(f"{CARDS}.length") == 24
    opened.ask("document.querySelector('[data-more]').click()")
    assert opened.ask(f"{CARDS}.length") == 48
    assert opened.ask(FOCUSED) == 24
    assert "the first 48 are shown" in opened.ask(STATUS)


def test_the_most_confident_pairs_come_first_where_they_must(opened):
    opened.ask("document.querySelector('[data-order]').value = '-1'")
    opened.ask("document.querySelector('[data-order]').dispatchEvent(new Event('change'))")
    shares = opened.ask(
        f"{CARDS}.map(card => parseInt([...card.querySelectorAll('p')][4].textContent.match(/(\\d+)%/)[1]))"
    )
    assert shares == sorted(shares, reverse=True)


def test_arrow_keys_lead_from_card_to_card_and_escape_back_to_the_filters(opened):
    per_line = opened.ask(f"{CARDS}.filter(card => card.offsetTop === {CARDS}[0].offsetTop).length")
    opened.ask(f"{CARDS}[0].querySelector('input').focus()")
    for key, place in [("ArrowRight", 1), ("ArrowDown", 1 + per_line), ("ArrowLeft", per_line), ("ArrowUp", 0),
                       ("ArrowLeft", 0), ("End", 23), ("ArrowRight", 24), ("Home", 0)]:  # fmt: skip
        press(opened, key)
        assert opened.ask(FOCUSED) == place, key
    assert opened.ask("document.querySelectorAll('.cards input[tabindex=\"0\"]').length") == 1
    press(opened, " ")
    assert opened.ask("document.activeElement.checked")
    press(opened, "Escape")
    assert opened.ask("document.activeElement.dataset.filter") == "cell"


def test_escape_empties_the_search(opened):
    search(opened, "nothing of this kind")
    opened.ask("document.querySelector('[data-search]').focus()")
    press(opened, "Escape")
    assert matching(opened) == 300


def test_the_focused_card_can_be_seen(opened):
    opened.ask(f"{CARDS}[0].querySelector('input').focus()")
    press(opened, "ArrowRight")
    assert opened.ask(f"getComputedStyle({CARDS}[1]).outlineStyle") == "solid"


def test_a_count_of_the_table_opens_its_pairs(tab, page, rows):
    tab.open(page, width=1200)
    tab.ask("document.querySelector('a[data-cell=text_only][data-outcome=rescued]').click()")
    assert tab.ask("document.getElementById('disagreement-browser').open")
    assert matching(tab) == rows.filter(cell="text_only", outcome="rescued").height
    assert tab.ask(FOCUSED) == 0


def test_ticked_pairs_are_saved_in_a_file_that_exclude_accepts(opened, tmp_path):
    assert choose(opened, "finding", 1) == 2
    tick(opened, 0, 1)
    choose(opened, "finding", "")
    for name in ("=1+1", "line break"):
        assert search(opened, name) == 1
        tick(opened, 0)
    path = saved(opened, "[data-save=exclude]", tmp_path / "exclude.csv")
    assert edits(path, "exclude") == {'a "b", c', "007", "=1+1", "line\nbreak"}


def test_new_labels_are_saved_in_a_file_that_relabel_accepts(opened, tmp_path, rows):
    search(opened, "007")
    tick(opened, *places_of(opened, ["007"]))
    own = rows.filter(id="007")["label"].item()
    other = {"animal": (1, "person"), "person": (0, "animal")}[own]
    opened.ask(f"document.querySelector('[data-label]').value = {other[0]}")
    opened.ask("document.querySelector('[data-relabel]').click()")
    assert f"new label {other[1]}" in opened.ask(f"{CARDS}.map(card => card.textContent).join()")
    path = saved(opened, "[data-save=relabel]", tmp_path / "relabel.csv")
    assert edits(path, "relabel") == {"007": other[1]}


def test_the_queues_are_saved_in_files_that_the_study_file_accepts(opened, tmp_path, made):
    ids = [each for each in made[2]["pairs"]["id"][:40] if "\r" not in each]
    assert edits(saved(opened, '[data-queue="0"]', tmp_path / "CP004-exclude.csv"), "exclude") == set(ids)
    relabelled = edits(saved(opened, '[data-queue="1"]', tmp_path / "CP020-relabel.csv"), "relabel")
    assert relabelled == {'a "b", c': "person", "007": "animal"}


def test_a_pair_whose_id_no_file_can_hold_cannot_be_ticked(opened):
    search(opened, "cut here")
    tick(opened, 0)
    assert "no file of ids can hold its id" in opened.ask(SAVED)
    assert opened.ask("document.querySelector('[data-save=exclude]').disabled")
    assert not opened.ask(f"{CARDS}[0].querySelector('input').checked")


def test_hostile_texts_and_ids_are_shown_as_text(opened):
    for _ in range(12):
        opened.ask("document.querySelector('[data-more]').click()")
    assert opened.ask(f"{CARDS}.length") == 300
    assert opened.ask("document.querySelectorAll('.cards b, .cards script, .cards [onerror]').length") == 0
    texts = opened.ask(f"{CARDS}.map(card => card.querySelector('.words').textContent)")
    assert HOSTILE[0] in texts
    assert max(map(len, texts)) == 300
    assert opened.ask(f"{CARDS}.filter(card => card.textContent.includes('99,000 characters in all')).length") == 25
    assert opened.complaints == []


@pytest.mark.parametrize("width", [360, 768])
def test_the_browser_fits_a_narrow_window(tab, page, width):
    tab.open(page, width=width)
    tab.ask("document.getElementById('disagreement-browser').open = true")
    tab.wait_for(f"{CARDS}.length")
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask("Math.min(...[...document.querySelectorAll('#disagreement-browser :is(select, button)')]"
                   ".filter(each => each.offsetHeight).map(each => each.offsetHeight))") >= 44  # fmt: skip


def test_a_study_that_keeps_its_pairs_off_the_page_shows_counts_alone(tmp_path, made, rows):
    _, results, tables = made
    config = json.dumps(json.loads(results["config"]) | {"page": {"example_images": False}})
    text = write_page(tmp_path, results | {"config": config}, tables).read_text(encoding="utf-8")
    assert f"rescues {rows.filter(outcome='rescued').height}" in text
    attributes = [attrs for _, attrs in Reader(text).elements]
    assert not any(attrs.get("id") == "disagreement-rows" or "data-cell" in attrs for attrs in attributes)
    assert "quoted-word" not in text


def test_a_study_without_an_image_contender_has_no_such_section(tmp_path):
    results, tables, _ = study(tmp_path / "images", contenders=("text-svm", "late-fusion"), n=60)
    assert 'id="disagreements"' not in write_page(tmp_path, results, tables).read_text(encoding="utf-8")
