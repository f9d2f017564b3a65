"""The page of a sweep in a browser: no scrolling sideways, no complaint, nothing fetched, legible on a phone."""

import pytest

from browser import BINARY, SMALLEST_TEXT
from counterpoint.report.sweep import write_sweep_page
from report_sweeps import changed, curved

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine")]


@pytest.fixture(scope="module", params=[changed, curved])
def page(request, tmp_path_factory):
    return write_sweep_page(tmp_path_factory.mktemp("page"), request.param())


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 1200])
def test_the_page_fits_its_window_and_has_nothing_to_complain_of(tab, page, width, is_dark):
    tab.complaints.clear()
    tab.requests.clear()
    tab.open(page, width=width, is_dark=is_dark)
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.complaints == []
    assert set(tab.requests) == {page.as_uri()}


def test_text_in_figures_is_legible_on_a_phone(tab, page):
    tab.open(page, width=375)
    assert tab.ask(SMALLEST_TEXT) >= 9.5


def test_labels_and_numbers_of_a_row_do_not_touch(tab, page):
    tab.open(page, width=375)
    boxes = """[...document.querySelectorAll(".on-narrow svg")].flatMap(svg => {
      const boxes = [...svg.querySelectorAll("text")].map(text => text.getBoundingClientRect());
      return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
        a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom));
    }).length"""
    assert tab.ask(boxes) == 0
