"""The map in a browser: hover and keys show a pair, a lasso and a choice list pairs, and a file has the list."""

import csv
import io
import json
import time

import polars as pl
import pytest

from browser import BINARY
from counterpoint.report import write_page
from report_studies import study

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine")]

DATA = "JSON.parse(document.getElementById('map-data').textContent)"
COUNT = "document.querySelector('[data-map=count]').textContent"
PAIR = "document.querySelector('[data-map=pair]').textContent"
LISTED = "[...document.querySelectorAll('[data-map=rows] th')].map(cell => cell.textContent)"
BOX = """(() => {
  const box = document.querySelector('[data-map=place] svg').getBoundingClientRect();
  return [box.left, box.top, box.width, box.height];
})()"""
SAVED = """
URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return "blob:null/x"; };
HTMLAnchorElement.prototype.click = function () { window.savedName = this.download; };
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("map")
    contenders = ("text-svm", "image-cnn", "late-fusion")
    results, tables, _ = study(folder / "images", n=600, contenders=contenders, pictures=4)
    first = tables["map"]["id"][0]
    formula = {
        name: table.with_columns(pl.col("id").replace(first, "=1+1"))
        for name, table in tables.items()
        if "id" in table.columns
    }
    return write_page(folder, results, tables | formula), (tables | formula)["map"]


@pytest.fixture
def opened(tab, outcome):
    tab.complaints.clear()
    tab.open(outcome[0], width=1200)
    tab.ask("document.getElementById('map').scrollIntoView()")
    yield tab
    assert tab.complaints == []


def mouse(tab, kind, x, y, **more):
    tab.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)


def press(tab, key):
    for kind in ("keyDown", "keyUp"):
        tab.send(
            "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=13 if key == "Enter" else 0
        )


def choose(tab, name, value):
    tab.ask(
        f"(() => {{ const each = document.querySelector('[data-map={name}]'); each.value = {value!r}; "
        "each.dispatchEvent(new Event('change')); })()"
    )


def lasso(tab, corners):
    left, top, *_ = tab.ask(BOX)
    places = [(left + x, top + y) for x, y in corners]
    mouse(tab, "mousePressed", *places[0], button="left", clickCount=1)
    for x, y in [*places[1:], places[0]]:
        mouse(tab, "mouseMoved", x, y, button="left", buttons=1)
    mouse(tab, "mouseReleased", *places[0], button="left", clickCount=1)


def spot(tab, row):
    """Return the place of a mark in the window, from the drawing of a list of this pair alone."""
    left, top, width, _ = tab.ask(BOX)
    data = tab.ask(DATA)
    highest, scale = max(data["y"]), width - 24
    return left + 12 + data["x"][row] * scale, top + 12 + (highest - data["y"][row]) * scale


def test_hovering_a_mark_shows_its_pair(opened):
    data = opened.ask(DATA)
    mouse(opened, "mouseMoved", *spot(opened, 5))
    shown = opened.ask(PAIR)
    assert data["name"][5] in shown
    assert data["text"][5] in shown
    assert f"class: {data['classes'][data['label'][5]]}" in shown


def test_a_lasso_lists_the_pairs_inside_it(opened, outcome):
    _, _, width, height = opened.ask(BOX)
    lasso(opened, [(2, 2), (width / 2, 2), (width / 2, height - 2), (2, height - 2)])
    inside = outcome[1].filter(pl.col("x") < 0.5)["id"].to_list()
    listed = opened.ask(LISTED)
    assert 0 < len(inside) < len(outcome[1])
    assert sorted(listed) == sorted(inside)[:200]
    assert opened.ask(COUNT).startswith(f"{len(inside)} pair")


def test_a_lasso_takes_only_pairs_of_the_chosen_class(opened, outcome):
    data = opened.ask(DATA)
    _, _, width, height = opened.ask(BOX)
    choose(opened, "label", "1")
    lasso(opened, [(2, 2), (width - 2, 2), (width - 2, height - 2), (2, height - 2)])
    assert len(opened.ask(LISTED)) == sum(label == 1 for label in data["label"])


def test_a_choice_of_class_and_outcome_lists_pairs_without_a_pointer(opened):
    data = opened.ask(DATA)
    rescued = data["outcomes"].index("rescued")
    choose(opened, "outcome", str(rescued))
    opened.ask("document.querySelector('[data-map=list]').click()")
    expected = [name for name, outcome in zip(data["name"], data["outcome"], strict=True) if outcome == rescued]
    assert expected
    assert opened.ask(LISTED) == expected[:200]


def test_the_arrow_keys_lead_from_mark_to_mark_and_enter_lists_a_pair(opened):
    opened.ask("document.querySelector('[data-map=place]').focus()")
    press(opened, "ArrowRight")
    first = opened.ask(PAIR)
    press(opened, "ArrowRight")
    second = opened.ask(PAIR)
    assert first
    assert second not in ("", first)
    press(opened, "Enter")
    assert len(opened.ask(LISTED)) == 1
    press(opened, "ArrowLeft")
    press(opened, "Enter")
    assert len(opened.ask(LISTED)) == 2
    press(opened, "Escape")
    assert opened.ask(LISTED) == []


def test_a_tap_shows_a_pair_and_a_lasso_by_touch_needs_its_button(opened):
    tap = lambda kind, x, y: opened.ask(  # noqa: E731
        f"document.querySelector('[data-map=place]').dispatchEvent(new PointerEvent('{kind}', "
        f"{{pointerType: 'touch', pointerId: 1, button: 0, clientX: {x}, clientY: {y}, bubbles: true}}))"
    )
    x, y = spot(opened, 3)
    tap("pointerdown", x, y)
    tap("pointermove", x + 60, y)
    tap("pointerup", x + 60, y)
    assert opened.ask(DATA)["name"][3] in opened.ask(PAIR)
    assert opened.ask(LISTED) == []
    lasso_button = "document.querySelector('[data-map=lasso]')"
    opened.ask(f"{lasso_button}.click()")
    assert opened.ask(f"{lasso_button}.getAttribute('aria-pressed')") == "true"
    assert opened.ask("getComputedStyle(document.querySelector('[data-map=place]')).touchAction") == "none"


def test_the_list_is_saved_with_ids_as_they_are_and_no_formula_elsewhere(opened, outcome):
    opened.ask(SAVED)
    opened.ask("document.querySelector('[data-map=list]').click()")
    opened.ask("document.querySelector('[data-map=save]').click()")
    saved = list(csv.DictReader(io.StringIO(opened.wait_for("window.saved"))))
    assert opened.ask("window.savedName") == "map-pairs.csv"
    assert [row["id"] for row in saved] == outcome[1]["id"].to_list()
    assert "=1+1" in {row["id"] for row in saved}
    assert {row["class"] for row in saved} == {"animal", "person"}
    assert not any(value.startswith("=") for row in saved for name, value in row.items() if name != "id")


def test_a_picture_that_the_page_has_already_is_shown(opened):
    name, picture = opened.ask(DATA)["id"][7], "data:image/gif;base64,R0lGODlhAQABAAAAACw="
    rows = json.dumps({"id": [name], "picture": [0], "pictures": [picture]})
    opened.ask(
        "document.getElementById('disagreement-rows')?.remove(); const rows = document.createElement('script'); "
        "rows.type = 'application/json'; rows.id = 'disagreement-rows'; "
        f"rows.textContent = {rows!r}; document.body.append(rows)"
    )
    mouse(opened, "mouseMoved", *spot(opened, 7))
    assert opened.ask("document.querySelector('[data-map=pair] img').src") == picture


def test_a_file_of_the_map_is_saved_in_the_page_without_the_policy_objecting(tab, outcome, tmp_path):
    tab.complaints.clear()
    tab.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tab.open(outcome[0], width=1200)
    tab.ask("document.querySelector('[data-map=list]').click()")
    tab.ask("document.querySelector('[data-map=save]').click()")
    tab.wait_for("document.querySelector('[data-map=count]').textContent.startsWith('map-pairs.csv')")
    ends_s = time.monotonic() + 20
    while not (tmp_path / "map-pairs.csv").exists() and time.monotonic() < ends_s:
        time.sleep(0.05)
    assert (tmp_path / "map-pairs.csv").read_text(encoding="utf-8").count("\n") == len(outcome[1]) + 1
    assert tab.complaints == []
