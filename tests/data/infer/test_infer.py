"""A study file is inferred from an input, and it opens."""

import json
import tarfile
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
import yaml

from counterpoint.config import StudyConfig, read_study
from counterpoint.contenders import MODELS
from counterpoint.data.infer import infer_source, sample, study_file
from counterpoint.errors import SourceError
from counterpoint.formats.tables import open_table


def inferred(file: Path, source: Path | None) -> dict:
    file.write_text(study_file(file, source), encoding="utf-8")
    read_study(file)
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def test_without_a_source_the_file_is_an_openmoji_study(tmp_path):
    assert inferred(tmp_path / "my first.yaml", None)["source"] == {"kind": "emoji"}


def test_each_list_of_contenders_in_a_comment_is_a_list_of_contenders(tmp_path):
    source = {"kind": "emoji"}
    lines = study_file(tmp_path / "s.yaml", None).splitlines()
    lists = [yaml.safe_load(line.removeprefix("# ")) for line in lines if line.startswith("# contenders: ")]
    default, pretrained = (StudyConfig(study="s", source=source, **each).contenders for each in lists)
    assert default == StudyConfig(study="s", source=source).contenders
    assert {"text-probe", "image-probe", "pair-probe"} <= {entry.kind for entry in pretrained} <= set(MODELS)


def test_the_role_of_a_column_is_inferred_from_its_values(tmp_path):
    rows = [f"{i},img/{i}.JPG,a caption of some length {i},{'ab'[i % 2]},{i % 7}" for i in range(60)]
    (tmp_path / "captions.csv").write_text("\n".join(["n,file,caption,class,shelf", *rows]), encoding="utf-8")
    source = inferred(tmp_path / "study.yaml", tmp_path / "captions.csv")["source"]
    expected = {"kind": "table", "path": "captions.csv", "image": "file", "text": "caption", "label": "class"}
    assert source == expected


def test_a_folder_with_one_table_is_that_table(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("image,text,label\n1.png,a cat,x\n2.png,a dog,y\n", encoding="utf-8")
    assert inferred(tmp_path / "s.yaml", tmp_path / "data")["source"]["path"] == "data/a.csv"


def test_the_json_field_of_fewest_values_in_tars_becomes_the_label(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for i in range(40):
            fields = json.dumps({"votes": i % 5, "person": i % 2}).encode()
            for name, data in ((f"{i}.jpg", b""), (f"{i}.json", fields)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, BytesIO(data))
    source = inferred(tmp_path / "s.yaml", tmp_path)["source"]
    assert (source["kind"], source["label"]) == ("webdataset", "person")


def test_a_json_field_of_lists_in_tars_is_no_label_and_is_named(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for i in range(6):
            fields = json.dumps({"label": ["a", "b"][: i % 2 + 1]}).encode()
            for name, data in ((f"{i}.jpg", b""), (f"{i}.txt", b"a river"), (f"{i}.json", fields)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, BytesIO(data))
    found = infer_source(tmp_path)
    assert "label" not in found.source
    assert (
        "Column 'label' is not the label. Labels such as '[\"a\"]' are lists: they are multi-label" in found.warnings[0]
    )


@pytest.mark.parametrize("name", ["\x85", "a\x85b", "\u2028", "\x7f", "é: #"])
def test_a_column_of_any_name_is_named_so_in_the_file(name, tmp_path):
    pl.DataFrame({"image": ["train"], "caption": ["train"], name: ["1.png"]}).write_csv(tmp_path / "a.csv")
    assert inferred(tmp_path / "s.yaml", tmp_path / "a.csv")["source"]["image"] == name


def test_without_a_label_the_file_asks_for_keywords(tmp_path):
    (tmp_path / "a.csv").write_text("image,text\n1.png,a cat\n2.png,a dog\n", encoding="utf-8")
    assert set(inferred(tmp_path / "s.yaml", tmp_path / "a.csv")["label"]["keywords"]["classes"]) == {"first", "second"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "text,label\na cat,x\n", "no column of image paths"),
        ("a.csv", "image,n\n1.png,4\n2.png,\n", None),
        ("notes.doc", "hello", "no table or tar"),
    ],
)
def test_what_cannot_be_a_source_is_refused_with_what_was_found(tmp_path, name, content, says):
    (tmp_path / name).write_text(content, encoding="utf-8")
    if says is None:  # a number column is all the text there is: it is taken, for the user to correct
        assert inferred(tmp_path / "s.yaml", tmp_path / name)["source"]["text"] == "n"
    else:
        with pytest.raises(SourceError, match=says):
            study_file(tmp_path / "s.yaml", tmp_path / name)


def test_a_default_study_is_the_one_that_the_template_shows(tmp_path):
    values = inferred(tmp_path / "s.yaml", None)
    assert StudyConfig.read(values).fit == StudyConfig(study="a", source={}).fit


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_large_file_is_looked_into_from_its_begin_to_its_end(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(sample, "LARGE_BYTES", 100_000)
    monkeypatch.setattr(sample, "PIECE_BYTES", 1000)
    rows = [{"image": f"{n}.png", "text": f"a cat on mat {n}", "kind": f"kind {n // 2500}"} for n in range(20_000)]
    frame = pl.DataFrame(rows)
    {".csv": frame.write_csv, ".jsonl": frame.write_ndjson}[suffix](tmp_path / f"t{suffix}")
    looked = sample.sampled(open_table(tmp_path / f"t{suffix}"))
    assert looked.rows["kind"].n_unique() == 8
    assert (len(looked.rows) < 2500, looked.is_whole) == (True, False)
    assert set(looked.rows.iter_rows()) <= set(frame.iter_rows())


def test_a_large_file_whose_fields_have_line_breaks_is_read_from_its_first_row(tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "LARGE_BYTES", 1000)
    monkeypatch.setattr(sample, "PIECE_BYTES", 100)
    frame = pl.DataFrame({"image": ["1.png"] * 200, "text": ["a\ncat,\non a mat\n" * 5] * 200})
    frame.write_csv(tmp_path / "t.csv")
    assert sample.sampled(open_table(tmp_path / "t.csv")).rows.rows() == frame.rows()
