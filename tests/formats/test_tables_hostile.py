import json
import zipfile

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from counterpoint.data.sources.table import TableSource
from counterpoint.errors import CounterpointError, SourceError
from counterpoint.formats.tables import MAX_COLUMNS, open_table
from hostile_tables import TABLES, check_of_table, delimited

pytestmark = pytest.mark.slow

SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=TABLES)
def test_every_row_of_a_damaged_table_is_read_or_dropped_or_the_file_is_refused(data):
    check_of_table(data)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=delimited())
def test_a_source_of_a_damaged_table_loses_no_row_and_invents_none(data, tmp_path_factory):
    head, _, body = data.partition(b"\n")
    suffix, n_rows = head.decode().split(" ")
    path = tmp_path_factory.mktemp("any") / f"t.{suffix}"
    path.write_bytes(body)
    try:
        batches = list(TableSource(path=path, image="file", text="caption", label="class").read(path.parent))
    except CounterpointError as error:
        assert "\n" not in str(error)  # noqa: PT017 - only some are refused
    else:
        assert n_rows in ("?", str(sum(records.height + dropped.height for records, dropped in batches)))


def write_json(path, columns):
    path.write_text(json.dumps([columns]))


def write_lines(path, columns):
    path.write_text(json.dumps(columns) + "\n")


def write_csv(path, columns):
    path.write_text(",".join(columns) + "\n")


def write_parquet(path, columns):
    pq.write_table(pa.table({name: [1] for name in columns}), path)


@pytest.mark.parametrize(
    ("name", "write", "n"),
    [
        ("t.csv", write_csv, 1_000_000),
        ("t.tsv", write_csv, 1_000_000),
        ("t.jsonl", write_lines, 200_000),
        ("t.json", write_json, 200_000),
        ("t.parquet", write_parquet, 20_000),
    ],
)
def test_a_table_of_a_million_columns_is_refused_in_one_line(name, write, n, tmp_path):
    write(tmp_path / name, {f"c{number}": 1 for number in range(n)})
    with pytest.raises(SourceError, match=rf"{name} has .*{MAX_COLUMNS:,}"):
        open_table(tmp_path / name)


def bomb(path, tmp_path, rows):
    """Write a workbook whose sheet holds these rows in place of its own."""
    pl.DataFrame({"a": ["1"]}).write_excel(tmp_path / "good.xlsx")
    with zipfile.ZipFile(tmp_path / "good.xlsx") as good, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for part in good.infolist():
            is_sheet = part.filename.startswith("xl/worksheets/sheet")
            made.writestr(part.filename, SHEET.format(rows) if is_sheet else good.read(part))


FAR = '<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="{1}"><c r="{0}{1}"><v>1</v></c></row></sheetData>'


@pytest.mark.parametrize(("column", "row"), [("XFD", 1_048_576), ("A", 9_999_999), ("C", 1_048_576), ("ZZZZ", 2)])
def test_a_workbook_with_a_cell_far_outside_is_refused_before_it_fills_the_memory(column, row, tmp_path):
    bomb(tmp_path / "t.xlsx", tmp_path, FAR.format(column, row))
    with pytest.raises(SourceError, match=rf"t.xlsx has a sheet whose cells reach to row {row:,}, column"):
        open_table(tmp_path / "t.xlsx")


def test_a_workbook_that_only_claims_to_be_large_is_read(tmp_path):
    cells = '<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" t="str"><v>text</v></c></row></sheetData>'
    bomb(tmp_path / "t.xlsx", tmp_path, cells)
    assert open_table(tmp_path / "t.xlsx").columns == ("text",)


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("counterpoint.formats.workbooks.MAX_UNPACKED_BYTES", 1 << 20)
    bomb(tmp_path / "t.xlsx", tmp_path, "<a/>" * (1 << 19))
    with pytest.raises(SourceError, match=r"t.xlsx unpacks to 2 MB. Save its table as CSV"):
        open_table(tmp_path / "t.xlsx")


def test_a_parquet_with_two_columns_of_one_name_is_refused(tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")
    with pytest.raises(SourceError, match="two columns named 'a'"):
        open_table(tmp_path / "t.parquet")
