"""The page of a comparison shows every score and change once, is whole, and shows names of strangers as text."""

from dataclasses import replace

import polars as pl
import pytest

from browser import BINARY, SMALLEST_TEXT
from counterpoint import number_formats as numbers
from counterpoint.compared_runs.comparison import compared
from counterpoint.compared_runs.page import write_comparison_page
from counterpoint.compared_runs.sentences import limits, sentences
from counterpoint.compared_runs.terminal import comparison_summary
from counterpoint.safe_terminal import console
from html_reader import HOSTILE, Reader, check_whole
from made_predictions import predictions
from made_runs import SKILLS, finding, made_run, other_fits

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    three = predictions(SKILLS, n_classes=3)
    found = compared([
        made_run("A", findings=[finding("CP001", "warn")]),
        made_run("B", other_fits(), findings=[finding("CP002", "fail")], verdict="redundant", config={"split": 1}),
        made_run("C", three),
    ])  # fmt: skip
    folder = tmp_path_factory.mktemp("page")
    return found, write_comparison_page(folder / "compared.html", found)


def shown(found):
    out = console(width=100)
    with out.capture() as captured:
        for part in comparison_summary(found):
            out.print(part)
    return captured.get()


def test_every_element_is_closed_and_every_link_leads_somewhere(made):
    check_whole(made[1])


def test_the_page_is_one_file(made):
    assert [path.name for path in made[1].parent.iterdir()] == ["compared.html"]


def test_every_score_and_change_is_on_the_page_and_its_interval(made):
    found, page = made
    text = page.read_text(encoding="utf-8")
    for comparison in found.comparisons:
        start = text.index(f'id="run-{comparison.b.letter}"')
        body = text[start : text.index("<h3>Findings", start)]
        assert body.count('<td class="metric">') == len(comparison.scores)
        for each in comparison.scores:
            assert f"{numbers.score(each.after.value)} <small>" in body
            if each.change and not each.change.is_same:
                assert numbers.signed(each.change.value) in body
                assert f'data-value="{each.p_holm}">{numbers.p_value(each.p_holm)}' in body


def test_page_and_terminal_have_the_same_sentences_limits_and_findings(made):
    found, page = made
    text = " ".join("".join(Reader(page.read_text(encoding="utf-8")).text).split())
    terminal = " ".join(shown(found).split())
    for comparison in found.comparisons:
        for sentence in [*sentences(comparison), *limits(comparison)]:
            assert sentence in text
            assert sentence in terminal
    assert "CP002 new (not there → fail): CP002 is fail." in terminal
    assert "CP002 is fail." in text


def test_a_folder_of_this_machine_is_not_on_the_page(made, tmp_path):
    found, _ = made
    runs = [replace(run, folder=tmp_path / run.letter) for run in found.runs]
    page = write_comparison_page(tmp_path / "page.html", compared(runs))
    assert str(tmp_path) not in page.read_text(encoding="utf-8")


def test_runs_in_folders_of_one_name_are_named_with_the_folder_around(made, tmp_path):
    places = [tmp_path / "plain" / "study", tmp_path / "masked" / "study"]
    runs = [replace(run, folder=place) for run, place in zip(made[0].runs[:2], places, strict=True)]
    page = write_comparison_page(tmp_path / "page.html", compared(runs))
    assert "<title>B (masked/study) against A (plain/study)" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_and_never_run(tmp_path, name):
    table = other_fits().with_columns(
        label=pl.col("label").replace("c1", name), contender=pl.col("contender").replace("text-svm", "lstm-cnn2")
    ).rename({"p_c1": f"p_{name}"})  # fmt: skip
    table = table.filter(pl.col("contender") != "lstm-cnn2")
    findings = [finding("CP001", "warn", name) | {"explanation": name}]
    runs = [made_run("A", table), made_run("B", table, findings=findings, config={name: {name: name}}, verdict=name)]
    found = compared(runs)
    text = write_comparison_page(tmp_path / "page.html", found).read_text(encoding="utf-8")
    read = Reader(text)
    assert len(read.all("script")) == 1
    assert not [attrs for _, attrs in read.elements if any(each.startswith("on") for each in attrs)]
    for output in (text, shown(found)):
        assert not {"\x00", "\x1b", "\u202e"} & set(output.replace("\x1b[1m", "").replace("\x1b[0m", ""))


@pytest.fixture(scope="module")
def tab():
    from browser import browser  # noqa: PLC0415 - only where there is a browser

    with browser() as tab:
        yield tab


@pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_fits_its_window_and_has_nothing_to_complain_of(tab, made, width, is_dark):
    tab.complaints.clear()
    tab.requests.clear()
    tab.open(made[1], width=width, is_dark=is_dark)
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.complaints == []
    assert tab.requests == [made[1].as_uri()]
    assert tab.ask(SMALLEST_TEXT) >= 9.5
