"""Columns of a second table come to the rows that they belong to, or the key at fault is named."""

import logging

import pytest

from counterpoint.config import read_study
from counterpoint.data.sources import open_source
from counterpoint.errors import ConfigError, SourceError
from layout_material import write_csv
from source_material import read


def joined(folder, keys, values, *, files=("im/1.jpg", "im/2.jpg", "im/3.jpg"), **changes):
    """Return the labels that the rows of *files* have from a table of *keys* and *values*."""
    write_csv(folder / "captions.csv", file=list(files), text=["a cat"] * len(files))
    write_csv(folder / "labels.csv", name=keys, label=values)
    join = {"path": folder / "labels.csv", "key": "name", "matches": "file"} | changes
    source = open_source({"kind": "table", "path": folder / "captions.csv", "image": "file", "join": join})
    return read(source, folder)[0]["label"].to_list()


@pytest.mark.parametrize(
    "keys",
    [
        ["im/1.jpg", "im/2.jpg", "im/3.jpg"],
        ["1.jpg", "2.jpg", "3.jpg"],
        ["1", "2", "3"],
        ["IM\\1.JPG", "im\\2.jpg", "./im/3.jpg"],
        ["3.jpg", "1.jpg", "2.jpg"],
    ],
)
def test_rows_are_joined_by_the_name_of_the_image_however_it_is_written(tmp_path, keys):
    label_of = {"1": "a", "2": "b", "3": "a"}
    labels = [label_of[next(each for each in key if each.isdigit())] for key in keys]
    assert joined(tmp_path, keys, labels) == ["a", "b", "a"]


def test_names_that_come_in_several_folders_are_joined_with_their_folder(tmp_path):
    files = ["cats/1.jpg", "dogs/1.jpg"]
    assert joined(tmp_path, files[::-1], ["dog", "cat"], files=files) == ["cat", "dog"]


def test_rows_without_a_match_are_kept_without_a_label_and_counted(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="counterpoint"):
        assert joined(tmp_path, ["1", "9"], ["a", "b"]) == ["a", None, None]
    assert "2 rows have no match in " in caplog.text
    assert "1 of its 2 rows are not used" in caplog.text


def test_a_key_with_two_labels_is_refused_and_one_that_repeats_its_own_is_not(tmp_path):
    assert joined(tmp_path, ["1", "2", "3", "3"], ["a", "b", "a", "a"]) == ["a", "b", "a"]
    with pytest.raises(SourceError, match=r"labels.csv: name '3' comes twice, with label 'a' and 'b'"):
        joined(tmp_path, ["1", "2", "3", "3"], ["a", "b", "a", "b"])


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"key": "nmae"}, SourceError, "no column for source.join.key, 'nmae'.*Did you mean 'name'"),
        ({"matches": "fiel"}, SourceError, "no column for source.join.matches, 'fiel'.*Did you mean 'file'"),
        ({"on": "x"}, ConfigError, "Unknown key 'source.join.on'"),
    ],
)
def test_a_wrong_setting_of_a_join_is_one_line(tmp_path, changes, kind, says):
    with pytest.raises(kind, match=says):
        joined(tmp_path, ["1"], ["a"], **changes)


def test_a_second_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"No table to join .*label.csv\. Did you mean 'labels.csv'"):
        joined(tmp_path, ["1"], ["a"], path=tmp_path / "label.csv")


def test_the_path_of_a_second_table_is_relative_to_the_study_file_and_its_change_is_noticed(tmp_path):
    joined(tmp_path, ["1"], ["a"])
    (tmp_path / "s.yaml").write_text(
        "study: s\nsource: {kind: table, path: captions.csv, image: file, "
        "join: {path: labels.csv, key: name, matches: file}}"
    )
    source = open_source(read_study(tmp_path / "s.yaml").source)
    before = source.fingerprint()
    write_csv(tmp_path / "labels.csv", name=["1", "2"], label=["a", "b"])
    assert source.fingerprint() != before
