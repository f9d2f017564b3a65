import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.config import Clean
from counterpoint.data.clean import check_dropped, clean
from counterpoint.data.sources.table import TableSource
from counterpoint.errors import ConfigError, SchemaError
from counterpoint.schema import DROPPED, check
from data_material import SOME, inspected_records, is_partition, reasons, records

RULES = st.builds(
    Clean,
    min_words=st.integers(0, 3),
    max_words=st.none() | st.integers(1, 3),
    allowed_characters=st.none() | st.just("[a-z ]+"),
)


@SOME
@given(inspected_records(), RULES)
def test_kept_and_dropped_partition_the_records(before, rules):
    kept, dropped = clean(before, rules)
    assert is_partition(before, kept, dropped)
    check(dropped, DROPPED, table="Dropped")
    assert kept.columns == before.columns
    assert kept["id"].is_unique().all()
    assert set(dropped["stage"]) <= {"clean"}


@SOME
@given(inspected_records())
def test_a_text_that_is_kept_is_never_blank_and_a_status_never_bad(before):
    kept, _ = clean(before, Clean())
    assert all(text.strip() for text in kept["text"].drop_nulls())
    assert set(kept["image_status"]) <= {"ok", "missing"}


def test_the_first_rule_that_fails_is_the_reason():
    rules = Clean(min_words=2, max_words=3, allowed_characters="[a-z ]+")
    before = records(
        8,
        id=["a", "a", None, "b", "c", "d", "e", "f"],
        text=["a cat", "é", "é", "é", "cat", "a very big cat", "a dog", "a cow"],
        image_status=["ok", "aspect", "aspect", "aspect", "aspect", "aspect", "truncated_image", "missing"],
    )
    kept, dropped = clean(before, rules)
    assert reasons(dropped) == [
        "duplicate_id",
        "missing_id",
        "disallowed_characters",
        "too_few_words",
        "too_many_words",
        "truncated_image",
    ]
    assert kept["id"].to_list() == ["a", "f"]


def test_a_later_row_of_an_id_leaves_even_when_the_first_fails_another_rule():
    _, dropped = clean(records(2, id=["a", "a"], image_status=["decode_error", "ok"]), Clean())
    assert reasons(dropped) == ["decode_error", "duplicate_id"]


def test_text_rules_do_not_apply_to_a_missing_text():
    kept, dropped = clean(records(2, text=[None, " \t"]), Clean(min_words=3, allowed_characters="x"))
    assert dropped.is_empty()
    assert kept["text"].to_list() == [None, None]


def test_allowed_characters_must_match_the_whole_text_in_each_alternative():
    kept, _ = clean(records(4, text=["cat", "cats", "dog", "cat\n"]), Clean(allowed_characters="cat|dog"))
    assert kept["text"].to_list() == ["cat", "dog"]


def test_the_ledger_has_label_and_host():
    _, dropped = clean(records(1, label=["cat"], host=["example.org"], image_status=["aspect"]), Clean())
    assert dropped.select("id", "label", "host", "source").row(0) == ("id0", "cat", "example.org", "s")


def test_a_pattern_that_is_none_is_one_line():
    with pytest.raises(ConfigError, match=r"^clean.allowed_characters: '\[a-' is not a regular expression: .*$"):
        clean(records(1), Clean(allowed_characters="[a-"))


def test_records_that_were_not_inspected_are_refused():
    with pytest.raises(SchemaError, match="Records lack image_status"):
        clean(records(1).drop("image_status"), Clean())


def test_too_many_bad_rows_are_a_bad_table_with_the_reasons_named():
    _, dropped = clean(records(5, image_status=["aspect", "aspect", "too_small", "ok", "ok"]), Clean())
    check_dropped(5, dropped, 0.6)
    with pytest.raises(SchemaError) as error:
        check_dropped(5, dropped, 0.5)
    message = "3 of 5 rows were dropped (aspect 2, too_small 1). clean.max_dropped_share allows 0.5."
    assert str(error.value) == message


def test_a_table_of_rows_wider_than_its_header_is_refused_with_the_first_line(tmp_path):
    (tmp_path / "t.csv").write_text("image,text,label\n" + '1.png, "a lamp, a table",cat\n' * 4)
    ((records, dropped),) = TableSource(path=tmp_path / "t.csv").read(tmp_path)
    with pytest.raises(SchemaError, match=r"The first bad_row is line 2 of t\.csv, .* or set separator or quoting\.$"):
        check_dropped(len(records) + len(dropped), dropped, 0.5)


@pytest.mark.parametrize("reason", ["excluded", "ambiguous_label", "no_label_rule", "balance", "limit"])
def test_rows_left_out_on_purpose_make_no_bad_table(reason):
    _, dropped = clean(records(3, image_status=[reason] * 3), Clean())
    check_dropped(3, dropped, 0.0)
