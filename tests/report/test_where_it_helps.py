"""The section on segments states confirmed segments in words, and says so where nothing was confirmed or searched."""

import re

import polars as pl
import pytest

from counterpoint import schema
from counterpoint.report import write_page
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.report.where_it_helps import segments_section

ROW = {
    "segment": "the text has fewer than four words", "conditions": '[{"fact": "words", "high": 4.0}]',
    "half": "all rows", "n_searched": 90, "gain_searched": 0.2, "n": 110, "groups": 100,
    "gain": 0.12, "low": 0.07, "high": 0.17, "rest": 0.01, "difference": 0.11, "error": 0.02, "df": 90.0,
    "p": 1e-6, "p_holm": 2e-6, "is_confirmed": True, "twin": None,
}  # fmt: skip
OTHER = ROW | {
    "segment": "the text contains “<b>secret</b>”", "conditions": '[{"fact": "word:<b>secret</b>", "low": 0.5}]',
    "gain": 0.02, "low": -0.05, "high": 0.09, "p": 0.4, "p_holm": 0.4, "is_confirmed": False,
}  # fmt: skip
SEARCH = {
    "half": "all rows",
    "n_search": 400,
    "n_test": 500,
    "n_facts": 14,
    "n_words": 30,
    "n_segments": 2,
    "reason": None,
}


def segments(*rows):
    return pl.DataFrame(rows, schema=dict(schema.SEGMENTS))


def searches(**other):
    return pl.DataFrame([SEARCH | other], schema=dict(schema.SEGMENT_SEARCHES))


def section(folder, rows, found, settings=""):
    tables = {"segments": rows, "segment_searches": found}
    results = {"study": "photos", "primary": {"metric": "balanced_accuracy"}, "config": settings}
    page = write_page(folder, results, tables).read_text(encoding="utf-8")
    start = page.find('<section id="where-it-helps"')
    return re.sub(r"\s+", " ", page[start : page.index("</section>", start)]) if start >= 0 else ""


def test_a_confirmed_segment_is_a_sentence_with_its_interval(tmp_path):
    text = section(tmp_path, segments(ROW, OTHER), searches())
    assert "<strong>+0.120</strong> <small>+0.070 to +0.170</small> where the text has fewer than four words." in text
    assert "These are 110 test pairs. For all others it is +0.010." in text
    assert "in balanced accuracy" in text
    assert (tmp_path / "figures" / "where-it-helps.svg").exists()


def test_the_section_states_how_much_was_looked_at(tmp_path):
    text = section(tmp_path, segments(ROW, OTHER), searches())
    assert "14 facts of text, image and source and at 30 frequent words, on 400 validation pairs" in text
    assert "2 segments were tested on 500 test pairs" in text


def test_without_a_confirmed_segment_the_section_says_so(tmp_path):
    text = section(tmp_path, segments(OTHER), searches(n_segments=1))
    assert "No segment is confirmed." in text
    assert "1 segment was tested" in text


def test_without_a_clear_segment_nothing_was_tested(tmp_path):
    text = section(tmp_path, segments(), searches(n_segments=0))
    assert "No segment is confirmed." in text
    assert "No segment was clear enough for a test." in text


def test_without_a_search_the_section_has_the_reason(tmp_path):
    text = section(tmp_path, segments(), searches(reason="There are no pairs.", n_segments=0))
    assert "No segment was searched. There are no pairs." in text
    assert "Small trees" not in text


def test_a_page_without_searches_has_no_such_section(tmp_path):
    assert section(tmp_path, segments(), searches().clear()) == ""


def test_a_word_of_the_data_is_text_and_no_markup(tmp_path):
    text = section(tmp_path, segments(OTHER), searches())
    assert "<b>secret" not in text
    assert "&lt;b&gt;secret" in text


@pytest.mark.parametrize("rows", [(OTHER,), (ROW | {"twin": OTHER["segment"]}, OTHER)], ids=["own", "twin"])
def test_a_page_without_examples_shows_no_word_of_a_text(tmp_path, rows):
    text = section(tmp_path, segments(*rows), searches(), "page: {example_images: false}")
    assert "secret" not in text
    assert "the text contains a certain word" in text


def test_a_segment_that_both_halves_found_is_listed_once(tmp_path):
    twins = (ROW | {"twin": "the text is short"}, ROW | {"segment": "the text is short", "twin": ROW["segment"]})
    with drawing():
        found = segments_section(segments(*twins), searches(), Gallery(tmp_path), metric="accuracy")
    assert [row["segment"] for row in found["confirmed"]] == [ROW["segment"]]
    assert len(found["rows"]) == 2
