"""Labels that may be one class are named with their counts and the mapping that merges them.  Nothing is merged."""

import logging

import polars as pl
import pytest
import yaml

import counterpoint as cp
from counterpoint.config import Label, StudyConfig
from counterpoint.data import generate
from counterpoint.data.label import label
from counterpoint.data.look_alikes import look_alike_findings, look_alikes, yaml_string
from counterpoint.diagnose import title_of
from counterpoint.study import Study

ALIKE = {
    "upper case": ("Cat", "cat"),
    "white space inside": ("ice  cream", "ice cream"),
    "a no-break space": ("ice\u00a0cream", "ice cream"),
    "composed and decomposed": ("caf\u00e9", "cafe\u0301"),
    "a zero-width space": ("cat\u200b", "cat"),
    "a byte order mark": ("\ufeffcat", "cat"),
    "a mark of direction": ("\u200fcat", "cat"),
    "full width": ("\uff23\uff21\uff34", "CAT"),
    "a stop at the end": ("cat.", "cat"),
    "quotation marks": ('"cat"', "cat"),
    "a dash for a space": ("t-shirt", "t shirt"),
    "a Cyrillic letter": ("c\u0430t", "cat"),
    "a sharp s": ("Stra\u00dfe", "STRASSE"),
    "decimals": ("1", "1.0"),
    "a leading zero": ("01", "1"),
}


@pytest.mark.parametrize("kind", ALIKE)
def test_labels_that_look_alike_are_one_set(kind):
    [found] = look_alikes([*ALIKE[kind], "quite another"])
    assert set(found.counts) == set(ALIKE[kind])


@pytest.mark.parametrize(
    "labels",
    [
        ("-1", "1"), ("A", "A-", "A+"), ("C", "C++", "C#"), ("cafe", "caf\u00e9"), ("1.5", "15"), (".5", "5"),
        ("no", "none"), ("\u304b", "\u304c"), ("", None, "x"),
    ],
)  # fmt: skip
def test_labels_that_differ_are_not_taken_for_one(labels):
    assert look_alikes(labels) == []


def test_the_label_of_most_rows_names_the_merged_class_without_what_cannot_be_seen():
    [found] = look_alikes(["cat\u200b", "cat\u200b", "Cat"])
    assert (dict(found.counts), found.merged) == ({"cat\u200b": 2, "Cat": 1}, "cat")


def test_the_mapping_is_yaml_that_keeps_every_row_and_merges():
    labels = pl.Series(["Cat", "cat", "caf\u00e9", "cafe\u0301", "cat\u200b", "dog: big", "1", "1.0"])
    [found] = look_alike_findings(labels)
    mapping = yaml.safe_load(found["explanation"].partition("label.mapping: ")[2].removesuffix("."))
    assert set(mapping) == set(labels)
    rows = pl.DataFrame({"id": list("abcdefgh"), "row": range(8), "label": labels})
    kept, dropped = label(rows, Label(mapping=mapping))
    assert (kept["label"].n_unique(), dropped.height) == (4, 0)
    assert look_alike_findings(kept["label"]) == []


def test_of_many_classes_the_message_stays_short_and_the_evidence_whole():
    [found] = look_alike_findings(pl.Series([f"class {n}" for n in range(500)] + ["Class 7"]))
    assert len(found["explanation"]) < 500
    assert found["evidence"].count("class") > 500


@pytest.mark.parametrize("letter", ["\u200b", "\u202e", "\x1b", "\x07", "\u2028", "\U000e0041"])
def test_what_cannot_be_seen_is_shown_by_its_escape(letter):
    assert letter not in yaml_string(f"cat{letter}")
    assert yaml.safe_load(yaml_string(f"cat{letter}")) == f"cat{letter}"


@pytest.fixture
def typed(tmp_path):
    """Pairs where a third of the rows of one class have a label with a capital letter."""
    pairs = generate(tmp_path / "images", n=60, seed=1)
    first = pl.int_range(pl.len()) % 3 == 0
    return pairs.with_columns(label=pl.when(first).then(pl.col("label").str.to_titlecase()).otherwise("label"))


def test_reading_pairs_warns_and_merges_nothing(typed, tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="counterpoint"):
        pairs = cp.read_pairs(typed, work=tmp_path / "work")
    assert pairs["label"].n_unique() == 4
    [message] = [record.getMessage() for record in caplog.records]
    assert message.startswith("4 classes may be 2: ")
    assert '"Class_1": "class_1"' in message


def test_a_study_has_a_finding_of_it_with_a_title(typed, tmp_path):
    typed.write_parquet(tmp_path / "pairs.parquet")
    config = StudyConfig(study="typed", source={"kind": "table", "path": tmp_path / "pairs.parquet"})
    findings = Study(config, runs=tmp_path / "runs").made("pairs")["pairs_findings"]
    assert findings.filter(code="CP024")["severity"].to_list() == ["warn"]
    assert title_of("CP024") == "Labels that conflict or look alike"
