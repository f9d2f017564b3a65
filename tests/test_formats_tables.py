from contextlib import suppress

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.errors import SourceError
from counterpoint.formats.tables import BAD, FORMATS, open_table


def rows(path, *wanted, **options):
    return [row for frame in open_table(path, **options).frames(wanted) for row in frame.rows()]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_rows(suffix, tmp_path):
    path = tmp_path / f"t{suffix}"
    frame = pl.DataFrame({"a": ["x, y", None, 'say "hi"\nagain', "é 猫"], "b": ["1", "2", "3", "4"]})
    writers = {
        ".csv": frame.write_csv,
        ".tsv": lambda to: frame.write_csv(to, separator="\t"),
        ".xlsx": frame.write_excel,
        ".json": frame.write_json,
        ".jsonl": frame.write_ndjson,
        ".ndjson": frame.write_ndjson,
        ".parquet": frame.write_parquet,
    }
    writers[suffix](path)
    assert open_table(path).columns == ("a", "b")
    assert rows(path, "b", "a") == [(a, b, None) for a, b in frame.rows()]
    assert rows(path, "b") == [(b, None) for b in frame["b"]]


@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=200))
def test_a_csv_of_any_bytes_is_read_or_refused(body, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(body)
    with suppress(SourceError):
        table = open_table(path)
        for frame in table.frames(table.columns):
            assert frame.columns == [*table.columns, BAD]


@pytest.mark.parametrize("suffix", [".xlsx", ".json", ".jsonl", ".parquet"])
@settings(max_examples=15, deadline=None)
@given(body=st.binary(max_size=100))
def test_a_file_of_any_other_bytes_is_refused(suffix, body, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / f"t{suffix}"
    path.write_bytes(body)
    with pytest.raises(SourceError, match=r"t\."):
        open_table(path)


def test_rows_that_cannot_be_read_say_why_and_keep_their_place(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n1\n1,2,3\n\xff,2\n\n5,6\n")
    assert rows(tmp_path / "t.csv", "a") == [
        ("1", None),
        (None, "bad_row"),
        (None, "bad_row"),
        (None, "bad_text"),
        ("5", None),
    ]
    (tmp_path / "t.jsonl").write_bytes(b'{"a": 1.0}\n{"a": \n[1]\n\xff\n{"a": "\\ud800"}\n{"b": 1}\n')
    assert [row[-1] for row in rows(tmp_path / "t.jsonl", "a")] == [
        None,
        "bad_json",
        "bad_json",
        "bad_text",
        "bad_text",
        None,
    ]


def test_a_quotation_mark_without_end_is_refused_by_its_line_however_long_the_field(tmp_path):
    long = 'x,"' + "y" * 140_000
    (tmp_path / "t.csv").write_text(f"a,b\n1,2\n{long}\n3,4\n")
    with pytest.raises(SourceError, match=r"t.csv: a quotation mark in line 3 is never closed; quoting: none takes"):
        rows(tmp_path / "t.csv", "a")
    assert rows(tmp_path / "t.csv", "a", quoting="none") == [("1", None), ("x", None), ("3", None)]


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"a,a\n", "two columns named 'a'"),
        ("t.csv", b"\xff,b\n", "is not UTF-8 text"),
        ("t.csv", b"PK\x03\x04", "is no text: it is a ZIP archive or a workbook"),
        ("t.json", b'{"a": 1}', "should hold a list of objects; it holds a dict"),
        ("t.jsonl", b"1\n2\n", "holds no JSON object"),
        ("t.docx", b"", "is not a table that can be read"),
    ],
)
def test_a_table_that_is_none_is_refused(name, body, message, tmp_path):
    (tmp_path / name).write_bytes(body)
    with pytest.raises(SourceError, match=message):
        open_table(tmp_path / name)


def test_an_option_of_another_format_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n1;2\n")
    assert rows(tmp_path / "t.csv", "b", separator=";") == [("2", None)]
    with pytest.raises(SourceError, match=r"sheet means nothing in a .csv file"):
        open_table(tmp_path / "t.csv", sheet="one")


def test_an_unknown_sheet_names_the_nearest(tmp_path):
    pl.DataFrame({"a": ["1"]}).write_excel(tmp_path / "t.xlsx", worksheet="captions")
    assert rows(tmp_path / "t.xlsx", "a", sheet="captions") == [("1", None)]
    with pytest.raises(SourceError, match=r"no sheet 'caption'. Did you mean 'captions'"):
        open_table(tmp_path / "t.xlsx", sheet="caption")


def test_an_empty_row_of_a_workbook_keeps_the_numbers_of_those_below(tmp_path):
    pl.DataFrame({"desc": ["a", None, "c", None]}).write_excel(tmp_path / "t.xlsx", autofilter=False)
    assert [text for text, _ in rows(tmp_path / "t.xlsx", "desc")][:3] == ["a", None, "c"]


def test_a_parquet_that_is_damaged_inside_is_refused_when_read(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": [f"text {row}" for row in range(5000)]}).write_parquet(path, compression="zstd")
    body = bytearray(path.read_bytes())
    body[8:2000] = bytes(1992)
    path.write_bytes(body)
    with pytest.raises(SourceError, match="damaged Parquet"):
        rows(path, "a")
