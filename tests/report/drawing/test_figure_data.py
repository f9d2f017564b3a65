"""The numbers of a figure are a CSV that reads back the same and that no spreadsheet computes."""

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from counterpoint.report.drawing.figure_data import csv_of, table_of
from counterpoint.report.drawing.svg import Gallery, drawing
from counterpoint.safe_text import spreadsheet_text

EVIL = (
    "=HYPERLINK(A1)",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "  =1",
    "\t=1",
    "\r\n=1",
    "\u202e=1",
    "\uff1d1",
    "ok;=1",
    'a"\n=1;@x',
)


def data(texts=EVIL):
    return pl.DataFrame({"label": texts, "value": [-0.5] * len(texts)})


@pytest.mark.parametrize("separator", [",", ";"])
def test_no_cell_of_text_begins_as_a_formula_however_cells_are_separated(separator):
    rows = list(csv.reader(io.StringIO(csv_of(data()).decode(), newline=""), delimiter=separator))
    cells = [cell.strip() for row in rows[1:] for cell in row]
    starts = [cell for cell in cells if (cell and cell[0] in "=+@\uff1d") or cell.startswith("-2")]
    assert starts == []


@given(st.text(max_size=30))
def test_a_cell_of_a_spreadsheet_is_one_line_and_no_formula(text):
    cell = spreadsheet_text(text)
    assert len(cell.splitlines()) <= 1
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))


def test_numbers_read_back_the_same_and_a_missing_value_stays_missing():
    given = pl.DataFrame({"contender": ["a, b", None], "low": [-0.1234567890123, None], "n": [3, None]})
    assert pl.read_csv(csv_of(given)).equals(given)


def test_rows_of_any_shape_become_the_columns_that_are_wanted():
    rows = [{"value": None, "x": [1]}, {"value": 0.5, "a": "b"}]
    assert table_of(rows, ["a", "value"]).rows() == [(None, None), ("b", 0.5)]
    assert table_of([], ["a"]).columns == ["a"]


def test_a_csv_goes_with_the_figure_that_lost_its_numbers(tmp_path):
    with drawing():
        Gallery(tmp_path).add("a", "A", Figure(), alt="A", data=data())
        assert {path.name for path in tmp_path.iterdir()} == {"a.svg", "a.png", "a.csv"}
        again = Gallery(tmp_path)
        again.add_rows("a", "A", lambda **_: Figure(), alt="A")
        again.remove_others()
    assert {path.name for path in tmp_path.iterdir()} == {"a.svg", "a.png"}
