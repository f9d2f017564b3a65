import json

import polars as pl
import pytest

from counterpoint.config import Label
from counterpoint.data.label import label
from counterpoint.data.sources.table import TableSource
from counterpoint.data.targets import check_classes
from counterpoint.errors import SchemaError
from source_material import read

SETS = [["a", "b"], ["a"], ["b", "c"], ["a", "c"], ["c"]] * 4
PARTS = [", ".join(each) for each in SETS]
NUMBERS = [n * 0.37 + 0.01 for n in range(20)]


def write_csv(path, labels):
    plain = [json.dumps(each) if isinstance(each, list) else each for each in labels]
    pl.DataFrame({"text": ["x"] * len(labels), "label": plain}).write_csv(path)


def write_lines(path, labels):
    path.write_text("".join(json.dumps({"text": "x", "label": each}) + "\n" for each in labels))


def write_parquet(path, labels):
    pl.DataFrame({"text": ["x"] * len(labels), "label": labels}).write_parquet(path)


@pytest.mark.parametrize(
    ("name", "write"), [("t.csv", write_csv), ("t.jsonl", write_lines), ("t.parquet", write_parquet)]
)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (SETS, "are lists: they are multi-label"),
        (PARTS, "name several classes, which also come in other labels: they are multi-label"),
        (NUMBERS, "are measurements, 20 different ones in 20 rows: to predict them is regression"),
    ],
)
def test_a_target_that_is_no_class_is_refused_by_name_in_every_format(name, write, labels, message, tmp_path):
    write(tmp_path / name, labels)
    records, _ = read(TableSource(path=tmp_path / name, image=None), tmp_path)
    with pytest.raises(SchemaError, match=rf"^Labels such as '[^\n]* {message}[^\n]*label\.mapping\.$"):
        label(records, Label())


def test_a_mapping_makes_classes_of_any_target(tmp_path):
    write_parquet(tmp_path / "t.parquet", SETS)
    records, _ = read(TableSource(path=tmp_path / "t.parquet", image=None), tmp_path)
    kept, _ = label(records, Label(mapping={'["a"]': "one", '["c"]': "two"}))
    assert kept["label"].unique().sort().to_list() == ["one", "two"]


@pytest.mark.parametrize(
    "labels",
    [
        ["Smith, John", "Smith, Jane", "Doe, John"],
        ["Washington, DC", "Portland, OR", "Portland, ME", "Salem, OR"],
        ["red, large", "red, small", "blue, large", "blue, small"],
        ["cat", "dog", "bird; other"],
        ["1", "1.5", "2", "2.5", "3"] * 9,
        ["0", "1"] * 9,
        [str(n) for n in range(30)],
        ["2019.1", "2019.2"],
        ["[UNK]", "[CLS]"],
        ["(none)", "cat"],
        ["1e5", "nan"],
        [None, None],
    ],
)
def test_names_with_commas_and_numbers_of_few_values_are_classes(labels):
    check_classes(pl.Series(labels, dtype=pl.String))


@pytest.mark.parametrize(
    "labels",
    [["['a', 'b']", "['a']"], ["[1 0 0]", "[0 1 0]"], ["a|b", "b", "a"], ["a;b", "b; c", "c;a"], ["('a', 'b')"]],
)
def test_sets_of_classes_are_refused_however_they_are_written(labels):
    with pytest.raises(SchemaError, match="multi-label"):
        check_classes(pl.Series(labels))


def test_lists_are_refused_where_most_labels_name_one_class():
    with pytest.raises(SchemaError, match=r"Labels such as '\[\"a\", \"b\"\]' name several classes"):
        check_classes(pl.Series(["a", "b", "a", "b", '["a", "b"]']))


def test_measurements_are_refused_where_some_are_not_available():
    with pytest.raises(SchemaError, match=r"Labels such as '0\.37' are measurements, 54 different ones in 60 rows"):
        check_classes(
            pl.Series([str(round(n * 0.37, 2)) if n % 10 else ("n/a", "inf")[n % 20 == 0] for n in range(60)])
        )
