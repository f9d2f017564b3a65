import json
import os

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from xlsxwriter import Workbook

import counterpoint as cp
from counterpoint.data.sources import open_source
from counterpoint.data.sources.table import TableSource
from counterpoint.errors import ConfigError, SourceError
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from source_material import GOOD, read, write_tar

ROWS = pl.DataFrame(
    {
        "file": ["1.png", "sub/2.png", None],
        "caption": ["a cat", "a dog", "a hat"],
        "class": [1.0, 0.0, None],
        "set": ["Train", "val", "test"],
        "page": ["https://Example.org/1", None, "https://b.net:8080/x"],
    }
)
COLUMNS = {"image": "file", "text": "caption", "label": "class", "split": "set", "url": "page"}


def write(frame: pl.DataFrame, path):
    writers = {".csv": frame.write_csv, ".parquet": frame.write_parquet, ".jsonl": frame.write_ndjson}
    writers[path.suffix](path)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_columns_are_what_the_settings_call_them(name, tmp_path):
    path = write(ROWS, tmp_path / name)
    records, _ = read(open_source({"kind": "table", "path": path, **COLUMNS}), tmp_path)
    assert records["id"].to_list() == ["0", "1", "2"]
    assert records["image"].to_list() == [f"{tmp_path}/1.png", f"{tmp_path}/sub/2.png", None]
    assert records["fold"].to_list() == ["train", "validation", "test"]
    assert records["host"].to_list() == ["example.org", None, "b.net"]
    assert records["label"].to_list() == ["1", "0", None]
    assert set(records["source"]) == {name}


def test_relative_paths_start_at_the_root(tmp_path):
    (tmp_path / "photos").mkdir()
    path = write(ROWS, tmp_path / "t.csv")
    records, _ = read(open_source({"kind": "table", "path": path, "root": tmp_path / "photos", **COLUMNS}), tmp_path)
    assert records["image"][0] == f"{tmp_path}/photos/1.png"
    with pytest.raises(SourceError, match=r"No folder of images .*photo\. Did you mean 'photos'"):
        read(open_source({"kind": "table", "path": path, "root": tmp_path / "photo", **COLUMNS}), tmp_path)


@pytest.mark.parametrize("made", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_frame_in_memory_is_read_like_a_file(made, tmp_path):
    frame = made({"pic": [GOOD, None, GOOD], "text": ["a", "b", None], "label": ["x", "y", "x"]})
    source = TableSource.of(frame, image="pic")
    records, _ = read(source, tmp_path / "work")
    assert records["text"].to_list() == ["a", "b", None]
    assert inspect_images(records, Limits(), workers=1)["image_status"].to_list() == ["ok", "missing", "ok"]
    assert source.fingerprint() == TableSource.of(frame, image="pic").fingerprint()
    other = made({"pic": [GOOD, None, GOOD], "text": ["a", "b", "c"], "label": ["x", "y", "x"]})
    assert source.fingerprint() != TableSource.of(other, image="pic").fingerprint()


def test_what_is_no_table_is_refused():
    with pytest.raises(SourceError, match="Got list"):
        TableSource.of([1, 2])
    with pytest.raises(SourceError, match="mixed types"):
        TableSource.of(pd.DataFrame({"text": [1, "x"]}))
    with pytest.raises(ConfigError, match=r"Unknown key 'read_pairs.txt'\. Did you mean 'text'"):
        TableSource.of(pl.DataFrame(), txt="caption")


def test_bytes_in_parquet_stay_there_over_several_files(tmp_path):
    bodies = [{"bytes": GOOD, "path": "1.png"}, {"bytes": None, "path": None}, {"bytes": None, "path": "2.png"}]
    (tmp_path / "2.png").write_bytes(GOOD)
    for shard in ("a", "b"):
        write(pl.DataFrame({"picture": bodies, "text": ["x", "y", "z"]}), tmp_path / f"{shard}.parquet")
    records, _ = read(open_source({"kind": "table", "path": tmp_path / "*.parquet", "image": "picture"}), tmp_path)
    assert records["image"].to_list() == [
        ref for shard in ("a", "b") for ref in (f"{tmp_path}/{shard}.parquet#0@picture", None, f"{tmp_path}/2.png")
    ]
    assert records["id"].to_list() == list("012345")
    assert inspect_images(records, Limits(), workers=1)["image_status"].to_list() == ["ok", "missing", "ok"] * 2


def test_many_images_in_one_parquet_are_counted_through(tmp_path):
    path = write(
        pl.DataFrame({"image": [b"%d" % row for row in range(700)], "text": ["x"] * 700}), tmp_path / "t.parquet"
    )
    records, _ = read(open_source({"kind": "table", "path": path}), tmp_path)
    assert records["image"].to_list() == [f"{path}#{row}" for row in range(700)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": [0.5, 1.5]}, "image column 'image' is Float64. Allowed: paths"),
        ({"image": ["0.5", "1.5"]}, "image column 'image' holds numbers, such as '0.5'"),
        ({"image": [["a"], ["b"]]}, "image of row 0 is a list; allowed: a path, bytes"),
        (
            {"image": ["https://a.org/1", "https://a.org/2", "?"], "text": ["a"] * 3},
            "holds addresses, such as 'https://a.org/1'",
        ),
        ({"text": [1, 2]}, "text column 'text' is Int64. Allowed: strings"),
        ({"group": [[1], [2]]}, "column 'group' is List"),
    ],
)
def test_a_column_of_a_wrong_type_is_refused(columns, message, tmp_path):
    frame = pl.DataFrame({"image": ["a", "b"], "text": ["a", "b"]} | columns)
    with pytest.raises(SourceError, match=message):
        read(TableSource.of(frame), tmp_path)


def test_numbers_where_paths_should_be_are_refused_in_a_csv_too(tmp_path):
    path = write(pl.DataFrame({"image": [0.5, 1.5], "text": ["a", "b"]}), tmp_path / "t.csv")
    with pytest.raises(SourceError, match="holds numbers"):
        read(open_source({"kind": "table", "path": path}), tmp_path)


def test_a_column_that_is_not_there_names_those_that_are(tmp_path):
    path = write(ROWS, tmp_path / "t.csv")
    with pytest.raises(SourceError, match=r"source.text, 'captoin'. Found file, .*page. Did you mean 'caption'"):
        read(open_source({"kind": "table", "path": path, "image": "file", "text": "captoin"}), tmp_path)
    with pytest.raises(SourceError, match=r"source.label, 'label'. Found file"):
        read(open_source({"kind": "table", "path": path, **COLUMNS, "label": "label"}), tmp_path)
    with pytest.raises(SourceError, match=r"source.image, 'image'"):
        read(open_source({"kind": "table", "path": path, "text": "caption"}), tmp_path)


def test_a_table_of_one_modality_is_read_but_not_one_of_none(tmp_path):
    path = write(ROWS, tmp_path / "t.csv")
    records, _ = read(open_source({"kind": "table", "path": path, "image": None, "text": "caption"}), tmp_path)
    assert records["image"].null_count() == 3
    with pytest.raises(ConfigError, match="give a column of images, or of texts, or both"):
        open_source({"kind": "table", "path": path, "image": None, "text": None})


def test_a_row_without_id_leaves_and_a_repeated_id_stays_for_the_clean_stage(tmp_path):
    (tmp_path / "t.csv").write_text("id,image,text\na,gone-1.png,x\n,gone-2.png,y\na,gone-3.png,z\n")
    records, dropped = read(open_source({"kind": "table", "path": tmp_path / "t.csv"}), tmp_path)
    assert records["id"].to_list() == ["a", "a"]
    assert dropped.select("row", "reason").rows() == [(1, "no_id")]


@pytest.mark.parametrize("separator", [";;", "\n", '"', ""])
def test_a_separator_is_one_character(separator, tmp_path):
    with pytest.raises(ConfigError, match=r"source\.separator"):
        open_source({"kind": "table", "path": tmp_path / "t.csv", "separator": separator})


def test_the_sheets_of_a_workbook_that_are_not_read_are_named(tmp_path):
    with Workbook(tmp_path / "shop.xlsx") as workbook:
        pl.DataFrame({"as of": ["May"]}).write_excel(workbook, "cover")
        pl.DataFrame({"image": ["1.jpg"], "text": ["a mug"]}).write_excel(workbook, "articles")
    of_sheet = TableSource(path=tmp_path / "shop.xlsx", sheet="articles")
    assert [len(records) for records, _ in of_sheet.read(tmp_path)] == [1]
    message = r"Found as of\. shop\.xlsx: sheet 'cover' is read\. The setting sheet names another: articles\."
    with pytest.raises(SourceError, match=message):
        list(TableSource(path=tmp_path / "shop.xlsx").read(tmp_path))


NAMES = [1.0, 0.0, None, 1.0]


def write_any(path, labels):
    frame = pd.DataFrame({"image": ["a"] * 4, "text": ["NaN", "b", "c", "d"], "label": labels, "split": [0.0] * 4})
    writers = {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".tsv": lambda: frame.to_csv(path, index=False, sep="\t", na_rep="NaN"),
        ".jsonl": lambda: path.write_text("\n".join(map(json.dumps, frame.to_dict("records")))),
        ".json": lambda: path.write_text(json.dumps(frame.to_dict("records"))),
        ".parquet": lambda: frame.to_parquet(path),
        ".xlsx": lambda: pl.from_pandas(frame).write_excel(path),
    }
    writers[path.suffix]()
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet", ".xlsx"])
def test_missing_values_and_whole_numbers_are_the_same_in_every_format(suffix, tmp_path):
    source = TableSource(path=write_any(tmp_path / f"t{suffix}", NAMES))
    records, _ = read(source, tmp_path)
    assert records["label"].to_list() == ["1", "0", None, "1"]
    assert records["fold"].to_list() == ["0"] * 4
    assert records["text"][0] == "NaN"


def test_a_class_is_one_over_parts_of_which_only_one_has_a_missing_label(tmp_path):
    write_any(tmp_path / "0.csv", [1, 0, 0, 1])
    write_any(tmp_path / "1.csv", NAMES)
    records, _ = read(TableSource(path=tmp_path), tmp_path)
    assert set(records["label"]) == {"0", "1", None}


def test_versions_are_names_not_numbers(tmp_path):
    records, _ = read(TableSource(path=write_any(tmp_path / "t.csv", ["1.0", "1.10", "1", "2.0"])), tmp_path)
    assert records["label"].to_list() == ["1.0", "1.10", "1", "2.0"]


def test_a_row_that_cannot_be_read_is_dropped_with_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("image,text\na,b\n\nc\n")
    _, dropped = read(TableSource(path=tmp_path / "t.csv"), tmp_path)
    assert dropped.select("id", "reason").rows() == [("line 4", "bad_row")]


def test_how_a_table_was_read_is_a_finding_without_its_folder(tmp_path):
    (tmp_path / "t.csv").write_bytes("image;text\na;schön\n".encode("cp1252"))
    source = TableSource(path=tmp_path / "t.csv")
    read(source, tmp_path)
    (found,) = source.findings()
    assert found["explanation"].startswith("t.csv is read with encoding cp1252 and separator ';', as found in it")
    set_by_hand = TableSource(path=tmp_path / "t.csv", separator=";", encoding="cp1252")
    read(set_by_hand, tmp_path)
    assert set_by_hand.findings() == []


@pytest.mark.parametrize("encoding", ["utf9", "base64", "rot13"])
def test_an_unknown_encoding_is_refused(encoding, tmp_path):
    with pytest.raises(ConfigError, match=r"source.encoding: no encoding that Python reads"):
        open_source({"kind": "table", "path": tmp_path / "t.csv", "encoding": encoding})


@pytest.mark.parametrize("place", ["?.csv", "?.parquet", "shards/?.parquet", "shards/?.tar", "?/a.csv"])
def test_an_input_whose_name_is_not_utf8_is_refused_in_one_line(tmp_path, place):
    path = tmp_path / os.fsdecode(place.encode().replace(b"?", b"\xff"))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"text,label\na,u\n")
    if path.suffix == ".tar":
        write_tar(path, [{"txt": b"a", "png": b"x", "cls": b"1"}])
    with pytest.raises(SourceError, match="a name that is not UTF-8"):
        cp.read_pairs(path.parent if place.startswith("shards") else path)
