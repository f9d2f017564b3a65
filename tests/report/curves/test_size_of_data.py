"""The section about more pairs shows its tables in words and one figure, or the reason that there is none."""

import re

import polars as pl
import pytest

from counterpoint import number_formats as numbers
from counterpoint import schema
from counterpoint.report import write_page
from html_reader import HOSTILE, Reader
from report_studies import study

pytestmark = pytest.mark.slow

A, B = "late-fusion", "text-svm"
FEW = ("majority", B, A)


def sizes(a=A, b=B):
    rows = [
        {"contender": name, "share": share, "draw": draw, "n_train": round(150 * share), "value": top - 0.05 / share}
        for name, top in ((a, 0.95), (b, 0.9))
        for share in (0.25, 0.5, 1.0)
        for draw in range(2 if share < 1 else 1)
    ]
    more = {"metric": "balanced_accuracy", "low": 0.5, "high": 0.99, "n": 48, "seeds": 1}
    return pl.DataFrame([row | more for row in rows], schema=dict(schema.SIZES))


def curves(*reasons, a=A, b=B, gain=(-0.01, 0.02, 0.05)):
    subjects = {(a, None): (0.9, 0.93, 0.96), (b, None): (0.84, 0.88, 0.92), (a, b): gain}
    rows = [
        {"contender": name, "minus": minus, "times": times, "n_train": round(150 * times)}
        | {"low": low, "value": value + times / 1000, "high": high, "reason": None}
        for (name, minus), (low, value, high) in subjects.items()
        for times in (0.25, 0.5, 1.0, 2.0, 3.0)
        if minus is None or times >= 1
    ]
    empty = dict.fromkeys(schema.SIZE_CURVES)
    return pl.DataFrame(([] if reasons else rows) + [empty | each for each in reasons], schema=dict(schema.SIZE_CURVES))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    return folder, *study(folder / "images", contenders=FEW)


def page_of(outcome, **tables):
    folder, results, own, models = outcome
    return write_page(folder, results, own | tables, models=models).read_text(encoding="utf-8")


def section(page):
    found = re.search(r'<section id="more-pairs">.*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def plain(html):
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", "", html, flags=re.DOTALL).split())


def test_the_expected_scores_and_the_gain_are_in_words_as_the_table_has_them(outcome):
    words = plain(section(page_of(outcome, sizes=sizes(), size_curves=curves())))
    for row in curves().filter(times=3.0).iter_rows(named=True):
        write = numbers.signed if row["minus"] else numbers.score
        assert (
            f"{write(row['value'])} ({numbers.interval(row['low'], row['high'], is_signed=bool(row['minus']))})"
            in words
        )
    assert "With three times as many pairs" in words
    assert "contains zero" in words


@pytest.mark.parametrize(
    ("gain", "words"), [((0.01, 0.02, 0.03), "It would be a gain."), ((-0.03, -0.02, -0.01), "would be worse")]
)
def test_the_sign_of_the_gain_is_in_words(gain, words, outcome):
    assert words in plain(section(page_of(outcome, sizes=sizes(), size_curves=curves(gain=gain))))


def test_the_figure_has_two_forms_a_text_for_those_who_cannot_see_it_and_files(outcome):
    found = section(page_of(outcome, sizes=sizes(), size_curves=curves()))
    labels = [
        attrs["aria-label"] for tag, attrs in Reader(found).elements if tag == "svg" and attrs.get("role") == "img"
    ]
    figures = [label for label in labels if "three times as many" in label]
    assert len(figures) == 2
    assert "text and image, two small models added" in figures[0]
    assert "text, word counts" in figures[0]
    assert "stroke-dasharray" in found
    assert {path.suffix for path in (outcome[0] / "figures").glob("size-of-data.*")} == {".svg", ".png"}


def test_the_folded_tables_have_every_size_and_the_page_links_to_the_section(outcome):
    page = page_of(outcome, sizes=sizes(), size_curves=curves())
    found = section(page)
    assert found.count("<table") == 2
    assert '<a href="#more-pairs">' in page
    for n_train in sizes()["n_train"].unique():
        assert f'<td class="number">{n_train}</td>' in found
    assert Reader(page).open == []


def test_a_contender_without_a_curve_has_its_reason_and_its_scores(outcome):
    reason = {"contender": B, "reason": "it is no better than guessing yet."}
    found = section(page_of(outcome, sizes=sizes(), size_curves=curves(reason)))
    assert "cannot be extrapolated: it is no better than guessing yet." in plain(found)
    assert "<svg role" in found
    assert "three times" not in plain(found)


def test_without_fits_the_section_is_the_reason_alone(outcome):
    reason = "The fits would take about 9 min of one core. Set evaluate.sizes: [0.125, 0.25, 0.5] to make them."
    found = section(page_of(outcome, size_curves=curves({"reason": reason})))
    assert reason in plain(found)
    assert "<figure" not in found


@pytest.mark.parametrize("reason", ["evaluate.sizes is none.", "There is no primary contrast."])
def test_without_anything_to_say_there_is_no_section(reason, outcome):
    page = page_of(outcome, size_curves=curves({"reason": reason}))
    assert section(page) == section(page_of(outcome)) == ""
    assert "#more-pairs" not in page


def test_hostile_names_are_text(outcome):
    name = " ".join(HOSTILE)
    found = section(page_of(outcome, sizes=sizes(a=name), size_curves=curves(a=name)))
    assert "<script" not in found
    assert Reader(found).open == []
