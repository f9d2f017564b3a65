from contextlib import suppress

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.errors import SourceError
from counterpoint.formats.tables import BAD, FORMATS, LINE, open_table


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
@given(body=st.binary(max_size=100).filter(lambda body: b"{" not in body))  # an object of JSON may be a row
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
    with pytest.raises(
        SourceError, match=r"t.csv: a quotation mark in line 3 is never closed. The setting quoting: none takes"
    ):
        rows(tmp_path / "t.csv", "a")
    assert rows(tmp_path / "t.csv", "a", quoting="none") == [("1", None), ("x", None), ("3", None)]


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"a,a\n", "two columns named 'a'"),
        ("t.csv", b"\xff,b\n", "is not UTF-8 text"),
        ("t.csv", b"PK\x03\x04", "is no text: it is a ZIP archive or a workbook"),
        ("t.json", b'{"a": 1}', "should hold a list of objects, but holds a dict"),
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


WORDS = ["lamp", "table", "stone", "river", "cloud", "paper", "glass", "wheel", "spoon", "chair"]


def shop(separator=",", ends="\n", **changes):
    """Return a table of twenty rows.  *changes* are captions by row, such as r5="..."."""
    captions = [changes.get(f"r{n}", f"{WORDS[n % 10]} {WORDS[n % 7]}") for n in range(20)]
    lines = [f"im/{n}.png{separator}{caption}{separator}{('cat', 'dog')[n % 2]}" for n, caption in enumerate(captions)]
    return "".join(line + ends for line in [separator.join(("file", "caption", "class")), *lines])


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_a_quotation_mark_in_a_tsv_is_a_character(tmp_path):
    found = rows(written(tmp_path / "t.tsv", shop("\t", r5='"lamp', r9='river"', r11='"a"')), "caption")
    assert len(found) == 20
    assert [found[n][0] for n in (5, 9, 11)] == ['"lamp', 'river"', '"a"']


@pytest.mark.parametrize("quoted", ['"say ""hi"" now"', '"two\nlines"', '"a\tb"'])
def test_a_tsv_with_marks_that_evidently_enclose_fields_is_read_so_with_a_note(quoted, tmp_path):
    path = written(tmp_path / "t.tsv", shop("\t", r5=quoted))
    assert rows(path, "caption")[5][0] == quoted[1:-1].replace('""', '"')
    assert open_table(path).notes == (
        "t.tsv is read with quoting standard, as found in it. Settings of these names change that.",
    )


@pytest.mark.parametrize("n_enclosed", [1, 3])
@pytest.mark.parametrize("suffix", [".tsv", ".csv"])
def test_a_table_between_tabs_whose_columns_are_enclosed_is_read_without_the_marks(suffix, n_enclosed, tmp_path):
    lines = [["image", "caption", "label"], *([f"{n}.png", "a river", "cat"] for n in range(8))]
    enclosed = ["\t".join(f'"{field}"' if at < n_enclosed else field for at, field in enumerate(row)) for row in lines]
    path = written(tmp_path / f"t{suffix}", "\n".join(enclosed))
    assert open_table(path).columns == ("image", "caption", "label")
    assert rows(path, "image", "label")[7] == ("7.png", "cat", None)


def test_a_stray_mark_below_a_header_of_enclosed_names_is_refused_with_its_line(tmp_path):
    path = written(tmp_path / "t.tsv", '"image"\t"caption"\n1.png\t"a lamp\n2.png\ta river\n')
    with pytest.raises(
        SourceError, match=r"t.tsv: a quotation mark in line 2 is never closed. The setting quoting: none"
    ):
        rows(path, "caption")


def test_a_tsv_whose_header_alone_is_plain_is_read_without_the_marks(tmp_path):
    path = written(tmp_path / "t.tsv", "image\tcaption\n" + "".join(f'{n}.png\t"a river"\n' for n in range(8)))
    assert {caption for caption, _ in rows(path, "caption")} == {"a river"}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"r5": '"lamp'}, "line 7 is never closed"),
        ({"r5": '"lamp', "r12": 'river"'}, "lines 7 to 14 are one row"),
        ({"r5": '"lamp', "r6": 'river"'}, "lines 7 to 8 are one row"),
        ({"r5": '"lamp', "r9": 'a "big" river'}, "line 7 is closed in line 11 within a field"),
        ({"r5": '"lamp" on a table'}, "line 7 is within a field"),
        ({"r5": '"' + "x" * 140_000 + '\nim/99.png,smuggled,cat\n"'}, "lines 7 to 9 are one row"),
        ({"r5": '"lamp', "r6": 'river,dog"'}, "lines 7 to 8 are one row"),
    ],
)
def test_rows_that_a_stray_quotation_mark_would_swallow_are_refused_by_their_lines(changes, lines, tmp_path):
    path = written(tmp_path / "t.csv", shop(**changes))
    with pytest.raises(
        SourceError, match=rf"t.csv: .*{lines}.*quoting: none takes quotation marks as plain"
    ) as refused:
        rows(path, "caption")
    assert "\n" not in str(refused.value)


def test_the_settings_of_a_refused_table_read_it_either_way(tmp_path):
    path = written(tmp_path / "t.csv", shop(r5='"lamp', r12='river"'))
    assert len(rows(path, "caption", quoting="none")) == 20
    assert len(rows(path, "caption", quoting="standard")) == 13
    escaped = written(tmp_path / "e.csv", shop(r5=r'"he \"said\" so"'))
    with pytest.raises(SourceError, match="quoting: backslash takes"):
        rows(escaped, "caption")
    assert rows(escaped, "caption", quoting="backslash")[5][0] == 'he "said" so'


@pytest.mark.parametrize(
    "caption",
    ["a cat, black\non a mat, white", "one\n\nthree, four\n, five", "a\nb", "a,\r\nb", "im: 5\n3 dogs, 2 cats", "x, y"],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_caption_of_several_lines_is_one_field_without_a_setting(caption, place, tmp_path):
    lines = [[f"im/{n}.png", ("cat", "dog")[n % 2]] for n in range(20)]
    for n, line in enumerate(lines):
        line.insert(place, f'"{caption}"' if n == 5 else f"{WORDS[n % 10]} {n}")
    header = ["file", "class"]
    header.insert(place, "caption")
    path = written(tmp_path / "t.csv", "".join(",".join(line) + "\n" for line in [header, *lines]))
    found = rows(path, "caption")
    assert found[5] == (caption, None)
    assert len(found) == 20


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\r\r\n"])
def test_a_table_may_have_any_line_ends(ends, tmp_path):
    assert len(rows(written(tmp_path / "t.csv", shop(ends=ends)), "class")) == 20


def test_mixed_line_ends_neither_lose_nor_invent_rows(tmp_path):
    lines = shop().split("\n")[:-1]
    mixed = "".join(line + ("\n", "\r\n", "\r")[n % 3] for n, line in enumerate(lines))
    assert rows(written(tmp_path / "t.csv", mixed), "caption") == rows(written(tmp_path / "s.csv", shop()), "caption")
    assert rows(written(tmp_path / "r.csv", shop(r5="a\rb")), "caption")[5] == ("a\rb", None)
    ragged = shop(r5="a\rb,c")
    with pytest.raises(SourceError, match="line 7 holds a carriage return that may end a row or stand within one"):
        rows(written(tmp_path / "q.csv", ragged), "caption")


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_and_noted(separator, suffix, tmp_path):
    usual = {".csv": ",", ".tsv": "\t"}[suffix]
    path = written(tmp_path / f"t{suffix}", shop(separator))
    assert rows(path, "class")[1] == ("dog", None)
    assert open_table(path).notes == (
        () if separator == usual else (
            f"t{suffix} is read with separator {separator!r}, as found in it. Settings of these names change that.",
        )
    )  # fmt: skip
    assert open_table(path, separator=separator).notes == ()


def test_a_first_line_that_states_the_separator_is_no_header(tmp_path):
    path = written(tmp_path / "t.csv", "sep=;\r\n" + shop(";", "\r\n"))
    assert open_table(path).columns == ("file", "caption", "class")
    assert next(open_table(path).frames([LINE]))[LINE][0] == 3


def test_commas_in_captions_do_not_hide_a_semicolon(tmp_path):
    body = "Datei;Text, kurz;Klasse\n" + "1.png;rot, blau, gelb;a\n2.png;grün;b\n" * 9
    assert open_table(written(tmp_path / "t.csv", body)).columns == ("Datei", "Text, kurz", "Klasse")


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("ein schöner Hund auf der Straße", "cp1252", "cp1252"),
        ("un café noir à côté de la fenêtre", "latin-1", "cp1252"),
        ("собака бежит по зелёному лугу", "cp1251", "cp1251"),
        ("犬が草原を走っている", "cp932", "cp932"),
        ("一只狗在草地上奔跑", "gb18030", "gb18030"),
        ("schön", "utf-16", "utf-16"),
        ("schön", "utf-16-le", "utf-16-le"),
        ("schön", "utf-16-be", "utf-16-be"),
    ],
)
def test_the_encoding_is_found_and_noted(text, encoding, found, tmp_path):
    path = written(tmp_path / "t.csv", shop(r5=text), encoding)
    assert rows(path, "caption")[5] == (text, None)
    assert open_table(path).notes == (
        f"t.csv is read with encoding {found}, as found in it. Settings of these names change that.",
    )
    assert rows(path, "caption", encoding=encoding)[5] == (text, None)


def test_a_few_wrong_bytes_do_not_change_the_encoding(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(shop(r5="schön").encode() + b"im/70.png,caf\xe9 \xff,cat\n")
    found = rows(path, "caption")
    assert found[5] == ("schön", None)
    assert found[20] == (None, "bad_text")
    assert open_table(path).notes == ()


def test_values_of_json_that_are_no_number_are_missing(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": NaN, "b": 1.0}\n{"a": -Infinity, "b": 1}\n{"a": 1e400, "b": "NaN"}\n')
    assert rows(tmp_path / "t.jsonl", "a", "b") == [(None, "1", None), (None, "1", None), (None, "NaN", None)]


def test_carriage_returns_end_rows_of_json_but_are_refused_within_a_broken_one(tmp_path):
    assert len(rows(written(tmp_path / "t.jsonl", '{"a":1}\r{"a":2}\n{"a":3}\r\n'), "a")) == 3
    with pytest.raises(SourceError, match="line 2 holds a carriage return and is no JSON"):
        rows(written(tmp_path / "u.jsonl", '{"a":1}\n{"a": "x\ry"}\n'), "a")
