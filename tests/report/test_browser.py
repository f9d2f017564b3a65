"""The page in a browser: no scrolling sideways, no complaint, nothing fetched, legible on a phone, alive."""

import pytest

from browser import BINARY, SMALLEST_TEXT
from counterpoint.report import write_page
from report_studies import ALL_METRICS, study

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine")]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    contenders = ("majority", "text-svm", "text-lstm", "image-cnn", "a-contender-with-quite-a-long-name-of-its-own")
    results, tables, models = study(folder / "images", contenders=contenders[:4], metrics=ALL_METRICS)
    tables = {
        name: table.with_columns(column.replace("text-lstm", contenders[4]) for column in columns)
        if (columns := [table[each] for each in ("contender", "a", "b") if each in table.columns])
        else table
        for name, table in tables.items()
    }
    return write_page(folder, results, tables, models=models)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 1200])
def test_the_page_fits_its_window_and_has_nothing_to_complain_of(tab, page, width, is_dark):
    tab.complaints.clear()
    tab.requests.clear()
    tab.open(page, width=width, is_dark=is_dark)
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.complaints == []
    assert {url for url in tab.requests if not url.startswith("data:image/jpeg")} == {page.as_uri()}


def test_the_page_fits_a_phone_with_everything_unfolded(tab, page):
    tab.open(page, width=360)
    tab.ask("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    assert tab.ask("document.documentElement.scrollWidth") <= 360


def test_the_places_of_the_page_take_one_line_on_a_phone(tab, page):
    tab.open(page, width=360)
    tops = "new Set([...document.querySelectorAll('nav a')].map(place => place.getBoundingClientRect().top)).size"
    assert tab.ask(tops) == 1


def test_text_in_figures_is_legible_on_a_phone(tab, page):
    tab.open(page, width=375)
    assert tab.ask(SMALLEST_TEXT) >= 9.5


def test_paper_is_white_and_figures_have_the_colours_of_the_theme(tab, page):
    background = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('svg[role=img] text')).fill"
    colours = {}
    for name, theme in {"light": {}, "dark": {"is_dark": True}, "paper": {"is_dark": True, "media": "print"}}.items():
        tab.open(page, width=1200, **theme)
        colours[name] = tab.ask(background), tab.ask(ink)
    assert colours["light"] != colours["dark"]
    assert colours["paper"] == ("rgba(0, 0, 0, 0)", colours["light"][1])


def test_only_what_decides_is_unfolded_on_paper(tab, page):
    tab.open(page, width=1200)
    decides, folded = (f"document.querySelectorAll('details{kind}:not([open])').length" for kind in (".on-paper", ""))
    before = tab.ask(decides), tab.ask(folded)
    assert before[1] > before[0] > 0
    tab.ask("window.dispatchEvent(new Event('beforeprint'))")
    assert (tab.ask(decides), tab.ask(folded)) == (0, before[1] - before[0])
    tab.ask("window.dispatchEvent(new Event('afterprint'))")
    assert (tab.ask(decides), tab.ask(folded)) == before


def test_a_link_into_a_fold_opens_it(tab, page):
    tab.open(page, width=1200)
    opened = "document.querySelector('#glossary details').open"
    assert tab.ask(opened) is False
    tab.ask("location.hash = '#term-interval'")
    assert tab.wait_for(opened)


def test_another_metric_can_be_drawn(tab, page):
    tab.open(page, width=1200)
    drawn = "[...document.querySelectorAll('[data-of=score-figure]')].findIndex(figure => !figure.hidden)"
    assert tab.ask(drawn) == 0
    tab.ask("document.querySelectorAll('[data-switch] input')[3].click()")
    assert tab.ask(drawn) == 3


def test_a_click_on_a_heading_sorts_and_a_second_turns_around(tab, page):
    tab.open(page, width=1200)
    values = "[...document.querySelectorAll('#scores table')[0].tBodies[0].rows].map(r => +r.cells[2].dataset.value)"
    click = "document.querySelectorAll('#scores table')[0].tHead.rows[0].cells[2].querySelector('button').click()"
    tab.ask(click)
    falling = tab.ask(values)
    tab.ask(click)
    assert falling == sorted(falling, reverse=True)
    assert tab.ask(values) == falling[::-1]
