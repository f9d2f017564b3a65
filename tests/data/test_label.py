import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.config import Label
from counterpoint.data.label import check_ids, label, read_ids, read_labels
from counterpoint.errors import ConfigError, SchemaError
from data_material import SOME, inspected_records, is_partition, reasons, records

KEYWORDS = {"classes": {"cat": ["cat"], "dog": ["dog"]}}
RULES = st.sampled_from(
    [
        Label(),
        Label(mapping={"x": "one"}),
        Label(covered_by="study-2023"),
        Label(keywords=KEYWORDS),
        Label(preset="study-2023"),
    ],
)
IDS = st.sets(st.sampled_from("abcdz"))


@SOME
@given(inspected_records(), RULES, IDS, st.dictionaries(st.sampled_from("abcdz"), st.sampled_from(["one", "two"])))
def test_kept_and_dropped_partition_the_records(before, rules, exclude, relabel):
    sure = records(2, id=["sure1", "sure2"], row=[-1, -2])
    before = pl.concat([before, sure], how="diagonal")
    relabel = relabel | {"sure1": "one", "sure2": "two"}
    kept, dropped = label(before, rules, exclude=exclude, relabel=relabel)
    assert is_partition(before, kept, dropped)
    assert kept["label"].null_count() == kept["label_source"].null_count() == 0
    assert not set(kept["id"]) & exclude
    assert all(relabel.get(row["id"], row["label"]) == row["label"] for row in kept.iter_rows(named=True))


def test_labels_come_from_the_column_without_blanks():
    kept, dropped = label(records(4, label=[" cat", "dog", " ", None]), Label())
    assert kept["label"].to_list() == ["cat", "dog"]
    assert reasons(dropped) == ["null_label", "null_label"]
    assert set(kept["label_source"]) == {"column"}


def test_a_value_outside_the_mapping_leaves_and_is_named_in_the_ledger():
    kept, dropped = label(records(4, label=["0", "1", "2", None]), Label(mapping={"0": "cat", "1": "dog"}))
    assert kept["label"].to_list() == ["cat", "dog"]
    assert dropped.select("reason", "label").rows() == [("unmapped_label", "2"), ("null_label", None)]
    assert set(kept["label_source"]) == {"mapping"}


def test_ambiguous_and_none_are_outcomes_of_keyword_rules():
    texts = ["A cat.", "a dog", "cat and dog", "a cow", None]
    kept, dropped = label(records(5, text=texts), Label(keywords=KEYWORDS))
    assert kept["label"].to_list() == ["cat", "dog"]
    assert reasons(dropped) == ["ambiguous_label", "no_label_rule", "no_label_rule"]
    assert dropped["label"].null_count() == 3
    assert set(kept["label_source"]) == {"keywords"}


def test_a_preset_makes_labels_where_there_is_no_column_of_them():
    before = records(2, text=["a man here", "a cat here"]).drop("label")
    kept, _ = label(before, Label(preset="study-2023"))
    assert kept.select("label", "label_source").rows() == [("person", "preset"), ("animal", "preset")]


def test_rows_that_a_preset_does_not_cover_can_be_left_out_and_the_others_keep_their_own_label():
    before = records(4, text=["a man here", "a cat here", "a cow here", "a man and a cat"], label=["x", "y", "x", "y"])
    kept, dropped = label(before, Label(mapping={"x": "one", "y": "two"}, covered_by="study-2023"))
    assert kept["label"].to_list() == ["one", "two", "two"]
    assert reasons(dropped) == ["no_label_rule"]


def test_exclude_comes_before_relabel_and_relabel_before_every_rule():
    before = records(4, label=["cat", None, "unknown", "dog"])
    kept, dropped = label(
        before,
        Label(mapping={"cat": "cat", "dog": "dog"}),
        exclude={"id0"},
        relabel={"id0": "dog", "id1": "cat", "id2": "bird"},
    )
    assert kept.select("id", "label", "label_source").rows() == [
        ("id1", "cat", "relabel"),
        ("id2", "bird", "relabel"),
        ("id3", "dog", "mapping"),
    ]
    assert reasons(dropped) == ["excluded"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([None, None], r"No row has a label \(null_label 2\). A comparison needs at least two classes."),
        (["cat", "cat"], r"One class only: 'cat' on all 2 labelled rows \(none left out\)\. .* at least two."),
        (["cat", None], r"One class only: 'cat' on all 1 labelled rows \(null_label 1\)\. .* at least two."),
    ],
)
def test_fewer_than_two_classes_stop_with_one_line(labels, message):
    with pytest.raises(SchemaError, match=rf"^{message}$"):
        label(records(2, label=labels), Label())


def test_no_label_column_and_no_rules_stop_with_the_way_out():
    with pytest.raises(SchemaError, match=r"no column label. Found id, row, .* or set label.keywords\.$"):
        label(records(2).drop("label"), Label())


def test_a_keyword_that_is_no_pattern_is_one_line():
    rules = Label(keywords={"classes": {"cat": ["("], "dog": ["dog"]}, "match": "regex"})
    with pytest.raises(ConfigError, match=r"^label.keywords.classes.cat: .* is not a regular expression: .*$"):
        label(records(2), rules)


def test_ids_of_no_row_are_found_and_counted():
    (found,) = check_ids(records(2), exclude=["id0"], relabel={"id7": "cat", "id1": "cat", "id8": "dog"})
    assert found["subject"] == "relabel"
    assert found["explanation"] == "2 of 3 ids in relabel are the id of no row, such as 'id7'."


def test_ids_are_read_from_a_text_file_and_from_a_csv(tmp_path):
    (tmp_path / "ids.txt").write_text("\ufeffa\n\n b \r\n", encoding="utf-8")
    (tmp_path / "ids.csv").write_text("why,id\nblurred,007\n,\n")
    assert read_ids(tmp_path / "ids.txt") == {"a", "b"}
    assert read_ids(tmp_path / "ids.csv") == {"007"}


def test_labels_are_read_from_a_csv(tmp_path):
    (tmp_path / "new.csv").write_text("id,label\na,cat\nb,dog\na,cat\n")
    assert read_labels(tmp_path / "new.csv") == {"a": "cat", "b": "dog"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,labels\na,cat\n", r"has no column 'label'. Did you mean 'labels'\?$"),
        ("id,label\na,\n", r"id 'a' has no label.$"),
        ("id,label\na,cat\na,dog\n", r"id 'a' has two labels.$"),
        ("", r"^Cannot read ids: .*new.csv is empty: .*$"),
    ],
)
def test_a_wrong_file_of_labels_is_one_line(tmp_path, content, message):
    (tmp_path / "new.csv").write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_labels(tmp_path / "new.csv")


@pytest.mark.parametrize("name", ["gone.txt", "gone.csv"])
def test_a_file_of_ids_that_is_not_there_is_one_line(tmp_path, name):
    with pytest.raises(ConfigError, match=r"^Cannot read ids[^\n]*gone[^\n]*$"):
        read_ids(tmp_path / name)


def test_ids_and_labels_are_read_from_any_table_and_numbers_lose_their_decimals(tmp_path):
    pl.DataFrame({"id": ["7.0", "8.0"], "label": ["1.0", "0.0"]}).write_csv(tmp_path / "new.csv", separator=";")
    pl.DataFrame({"id": [7.0, 8.0], "label": [1, 0]}).write_parquet(tmp_path / "new.parquet")
    for path in tmp_path.iterdir():
        assert read_labels(path) == {"7": "1", "8": "0"}
        assert read_ids(path) == {"7", "8"}


def test_a_stray_quotation_mark_does_not_hide_ids(tmp_path):
    (tmp_path / "ids.csv").write_text('id,why\n1,"blurred\n2,dark\n3,dark\n')
    with pytest.raises(ConfigError, match="a quotation mark in line 2 is never closed"):
        read_ids(tmp_path / "ids.csv")


def test_a_mapping_names_a_number_with_its_decimals_or_without(tmp_path):
    kept, _ = label(records(2).with_columns(label=pl.Series(["1", "0"])), Label(mapping={"1.0": "cat", "0": "dog"}))
    assert kept["label"].to_list() == ["cat", "dog"]
