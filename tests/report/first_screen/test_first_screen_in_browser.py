"""The page in a browser: everything of the first screen above the fold, no violation of axe, few pages on paper."""

import polars as pl
import pytest

from counterpoint.report import write_page
from playwright_tab import SIDEWAYS, UNFOLD, WHY_SKIPPED, chromium
from report_studies import ALL_METRICS, study

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(WHY_SKIPPED), reason=WHY_SKIPPED or "runs here")]
MOST_PAGES = 8
LOWEST = "document.querySelector('.first').lastElementChild.getBoundingClientRect().bottom"


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    contenders = ("metadata", "text-svm", "text-lstm", "late-fusion")  # axe takes long on a page of many figures
    results, tables, models = study(folder / "images", seeds=(0,), contenders=contenders, metrics=ALL_METRICS[:2])
    doubt = {"claim": "better", "doubt": "But a rule of a few words predicts most labels (CP001)."}
    return write_page(folder, results | {"answer": results["answer"] | doubt}, tables, models=models)


@pytest.fixture(scope="module")
def wordy(tmp_path_factory):
    """The page of a study whose texts and names are as long as they may be."""
    folder = tmp_path_factory.mktemp("wordy")
    classes = tuple(f"a class with quite a long name, number {place}" for place in range(6))
    results, tables, models = study(folder / "images", classes=classes, contenders=("text-svm", "lstm-cnn"))
    tables["pairs"] = tables["pairs"].with_columns(text=pl.concat_str([pl.col("text")] * 9, separator=" "))
    long = {"claim": "open", "doubt": "But text-svm is worse than keyword-rule, which is simpler (CP023)."}
    return write_page(folder, results | {"answer": results["answer"] | long}, tables, models=models)


@pytest.mark.parametrize("made", ["page", "wordy"])
def test_the_whole_first_screen_is_above_the_fold(browser, made, request):
    with browser.open(request.getfixturevalue(made)) as opened:
        assert opened.page.evaluate(LOWEST) <= 800


@pytest.mark.parametrize(("width", "is_dark"), [(1280, False), (1280, True), (360, False)])
def test_axe_finds_no_violation_and_the_page_is_silent(browser, page, width, is_dark):
    with browser.open(page, width=width, is_dark=is_dark) as opened:
        opened.page.evaluate(UNFOLD)
        assert opened.messages == []
        assert {url for url in opened.requests if not url.startswith("data:")} == {page.as_uri()}
        assert opened.violations() == []


@pytest.mark.parametrize("made", ["page", "wordy"])
def test_nothing_scrolls_sideways_on_a_phone_with_all_folds_open(browser, made, request):
    with browser.open(request.getfixturevalue(made), width=360, height=740) as opened:
        opened.page.evaluate(UNFOLD)
        assert opened.page.evaluate(SIDEWAYS) <= 0


def test_the_page_needs_few_pages_on_paper(browser, page):
    with browser.open(page) as opened:
        assert opened.n_printed() <= MOST_PAGES
        opened.page.emulate_media(media="print")
        assert "unfold on screen" in opened.page.evaluate(
            "getComputedStyle(document.querySelector('#data details > summary'), '::after').content"
        )


def test_every_fold_opens_by_the_keyboard(browser, page):
    with browser.open(page) as opened:
        opened.page.focus("#detail summary")
        opened.page.keyboard.press("Enter")
        assert opened.page.evaluate("document.querySelector('#detail details').open")
