"""Folders of tables as Hugging Face writes them: the folds of their names, the names of their classes."""

import json

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterpoint.config import Split
from counterpoint.data.sources import open_source
from counterpoint.data.split import split
from source_material import GOOD, read

LABEL = {"names": ["cat", "dog"], "_type": "ClassLabel"}


def source(path, **own):
    return open_source({"kind": "table", "path": path, **own})


def write(path, labels, features=None):
    """Write a Parquet file as the datasets package does: images as structs, classes as numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    info = {"info": {"features": {"label": LABEL, **(features or {})}}}
    columns = {
        "image": [{"bytes": GOOD, "path": None}] * len(labels),
        "text": ["a cat"] * len(labels),
        "label": labels,
    }
    table = pa.table(columns).replace_schema_metadata({"huggingface": json.dumps(info)})
    pq.write_table(table, path)


@pytest.mark.parametrize(
    ("names", "folds"),
    [
        (["data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"], ["train", "validation"]),
        (
            ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "test-0.parquet"],
            ["test", "train", "train"],
        ),
        (["default/train/0000.parquet", "default/test/0000.parquet"], ["test", "train"]),
        (["Training/a.parquet", "dev/b.parquet"], ["train", "validation"]),
        (["train2017.parquet", "val2017.parquet"], ["train", "validation"]),
        (["captions_train.parquet", "captions_eval.parquet"], ["eval", "train"]),
        (["a.parquet", "train.parquet"], None),
        (["train.parquet"], None),
        (["test_train.parquet", "train.parquet"], None),
    ],
)
def test_names_of_files_say_the_fold_where_all_of_them_do(names, folds, tmp_path):
    for name in names:
        write(tmp_path / name, [0])
    (tmp_path / "README.md").touch()
    (tmp_path / "dataset_infos.json").write_text("{}")
    records, dropped = read(source(tmp_path), tmp_path)
    assert (len(records), len(dropped)) == (len(names), 0)
    assert (records["fold"].to_list() if "fold" in records.columns else None) == folds


def test_a_column_says_the_fold_before_the_name_of_the_file(tmp_path):
    for name in ("train", "test"):
        pl.DataFrame({"image": ["a"], "text": ["b"], "split": ["Eval"]}).write_csv(tmp_path / f"{name}.csv")
    records, _ = read(source(tmp_path), tmp_path)
    assert records["fold"].to_list() == ["eval", "eval"]


def test_numbers_of_classes_are_read_as_their_names(tmp_path):
    write(tmp_path / "a.parquet", [1, 0, -1, 7, None])
    records, _ = read(source(tmp_path / "a.parquet"), tmp_path)
    assert records["label"].to_list() == ["dog", "cat", None, None, None]


@pytest.mark.parametrize(
    "metadata", [b"{", b"[]", b'{"info": 3}', b'{"info": {"features": {"label": {"names": [1]}}}}']
)
def test_a_schema_that_names_no_classes_leaves_the_numbers(metadata, tmp_path):
    table = pa.table({"image": ["a"], "text": ["b"], "label": [1]}).replace_schema_metadata({"huggingface": metadata})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(source(tmp_path / "a.parquet"), tmp_path)[0]["label"].to_list() == ["1"]


def test_classes_have_names_inside_lists_and_structs_too(tmp_path):
    from counterpoint.formats.tables import open_table  # noqa: PLC0415

    info = {"info": {"features": {"tags": {"feature": LABEL, "_type": "Sequence"}, "about": {"class": LABEL}}}}
    table = pa.table({"tags": [[0, 1], None], "about": [{"class": 1, "n": 2}, {"class": -1, "n": 3}]})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), tmp_path / "a.parquet")
    [frame] = open_table(tmp_path / "a.parquet").frames({"tags", "about"})
    assert frame["tags"].to_list() == [["cat", "dog"], None]
    assert frame["about"].to_list() == [{"class": "dog", "n": 2}, {"class": None, "n": 3}]


def test_train_and_validation_files_give_the_parts_of_a_study(tmp_path):
    write(tmp_path / "data/train-00000-of-00001.parquet", [0, 1] * 20)
    write(tmp_path / "data/validation-00000-of-00001.parquet", [0, 1] * 5)
    records, _ = read(source(tmp_path), tmp_path)
    pairs = records.with_columns(label_source=pl.lit("column"), group="id")
    folds = split(pairs, Split())[0]["fold"].to_list()
    assert folds[40:] == ["test"] * 10
    assert set(folds[:40]) == {"train", "validation"}
