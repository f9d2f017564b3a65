r"""Image paths as Windows, Excel and other computers write them lead to their file, or to none, never to a guess."""

import logging
import os
from unicodedata import normalize

import pandas as pd
import polars as pl
import pytest

import counterpoint as cp
from counterpoint.data.sources import open_source
from counterpoint.errors import SourceError
from counterpoint.formats.image_paths import ImagePaths
from source_material import GOOD, read

E_COMPOSED, E_APART = normalize("NFC", "é"), normalize("NFD", "é")


def holding(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(GOOD)
    return folder


def found(folder, *names):
    """Return the files of *names* below *folder*, or None where there is no file."""
    column = pl.Series(names, dtype=pl.String)
    paths = ImagePaths(folder, lambda: [column])
    return [path[len(str(folder)) + 1 :] if os.path.isfile(path) else None for path in paths.find(column)]  # noqa: PTH113


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("im/1.jpg", "im/1.jpg"),
        ("./im/1.jpg", "./im/1.jpg"),
        ("im\\1.jpg", "im/1.jpg"),
        (".\\im\\1.jpg", "im/1.jpg"),
        ("IM/1.JPG", "im/1.jpg"),
        ("Im\\1.Jpg", "im/1.jpg"),
        (" im/1.jpg ", "im/1.jpg"),
        ('"im/1.jpg"', "im/1.jpg"),
        ("im/1", "im/1.jpg"),
        (f"caf{E_APART}.png", f"caf{E_COMPOSED}.png"),
        (f"CAF{E_APART.upper()}.PNG", f"caf{E_COMPOSED}.png"),
        ("C:\\Users\\x\\fotos\\im\\1.jpg", "im/1.jpg"),
        ("c:/im/1.jpg", "im/1.jpg"),
        ("\\\\server\\share\\im\\1.jpg", "im/1.jpg"),
        ("file:///C:/photos/x/im/1.jpg", "im/1.jpg"),
        ("/mnt/another/im/1.jpg", "im/1.jpg"),
        ("im/2.jpg", None),
        ("im/1.png", None),
        ("im", None),
        ("https://example.org/im/1.jpg", None),
    ],
)
def test_a_name_written_otherwise_leads_to_the_one_file_that_it_means(tmp_path, name, file):
    assert found(holding(tmp_path, "im/1.jpg", f"caf{E_COMPOSED}.png"), name) == [file]


def test_a_file_url_has_its_escapes_resolved(tmp_path):
    holding(tmp_path, "my photos/1.jpg")
    assert found(tmp_path, f"file://{tmp_path}/my%20photos/1.jpg") == ["my photos/1.jpg"]


def test_of_two_files_that_a_name_may_mean_none_is_taken(tmp_path):
    holding(tmp_path, "a.jpg", "A.jpg", "b.jpg", "b.png", f"{E_COMPOSED}.png", f"{E_APART}.png")
    assert found(tmp_path, "A.JPG", "b", "a.jpg", "A.jpg") == [None, None, "a.jpg", "A.jpg"]


def test_two_names_of_a_table_never_become_one_file_by_their_case(tmp_path):
    assert found(holding(tmp_path, "a.jpg"), "a.jpg", "A.jpg") == ["a.jpg", None]


def test_absolute_paths_of_another_computer_all_lose_the_same_folders(tmp_path):
    holding(tmp_path, "1.jpg", "2.jpg")
    assert found(tmp_path, "C:\\x\\cats\\1.jpg", "C:\\x\\dogs\\1.jpg") == [None, None]
    holding(tmp_path, "cats/1.jpg", "dogs/1.jpg")
    assert found(tmp_path, "C:\\x\\cats\\1.jpg", "C:\\x\\dogs\\1.jpg") == ["cats/1.jpg", "dogs/1.jpg"]


def test_a_folder_is_listed_once_for_all_names(tmp_path, monkeypatch):
    holding(tmp_path, *(f"{n}.jpg" for n in range(50)))
    listed = []
    monkeypatch.setattr(os, "listdir", lambda path, _list=os.listdir: listed.append(path) or _list(path))
    assert None not in found(tmp_path, *(f"{n}.JPG" for n in range(50)))
    assert listed == [str(tmp_path)]


@pytest.fixture
def shop(tmp_path):
    """Write a table next to a folder of photos, like Excel on Windows."""
    holding(tmp_path, *(f"fotos/{n}.jpg" for n in range(6)))
    rows = [f"FOTOS\\{n}.JPG;ein Bild Nummer {n};{'ab'[n % 2]}" for n in range(6)]
    (tmp_path / "t.csv").write_text("\n".join(["image;text;label", *rows]), encoding="utf-8")
    return tmp_path


def test_names_found_in_another_way_are_counted_with_an_example(shop, caplog):
    with caplog.at_level(logging.WARNING, logger="counterpoint"):
        cp.read_pairs(shop / "t.csv", separator=";")
    [message] = [each.getMessage() for each in caplog.records if "found" in each.getMessage()]
    assert "6 image paths were found with / for \\, in another letter case: 'FOTOS\\0.JPG' is fotos/0.jpg" in message


def test_pairs_are_read_from_another_root(tmp_path):
    holding(tmp_path, *(f"far/{n}.png" for n in range(6)))
    frame = pl.DataFrame({"image": [f"{n}.png" for n in range(6)], "text": ["a cat"] * 6, "label": ["a", "b"] * 3})
    frame.write_csv(tmp_path / "t.csv")
    for source in (tmp_path / "t.csv", frame, frame.to_pandas()):
        assert len(cp.read_pairs(source, root=tmp_path / "far")) == 6
    assert len(cp.read_pairs(tmp_path / "t.csv", root="far")) == 6


@pytest.mark.parametrize("where", ["photos", "data/photos", "../photos"])
def test_a_table_whose_images_are_elsewhere_names_the_path_tried_and_the_root_that_works(tmp_path, where):
    home = tmp_path / "home"
    home.mkdir()
    holding(home / where, "1.jpg", "2.jpg")
    (home / "t.csv").write_text("image,text,label\n1.jpg,a cat,a\n2.jpg,a dog,b\n")
    with pytest.raises(SourceError) as raised:
        cp.read_pairs(home / "t.csv")
    root = (home / where).resolve()
    assert f"'1.jpg' is not at {home}/1.jpg. Its files are below {root}: set root" in str(raised.value)
    assert len(cp.read_pairs(home / "t.csv", root=root)) == 2


def test_a_path_that_begins_above_its_table_gets_the_folder_above_as_root(tmp_path):
    holding(tmp_path, "images/1.jpg", "data/x.png")
    (tmp_path / "data/t.csv").write_text("image,text,label\nimages/1.jpg,a cat,a\n")
    with pytest.raises(SourceError, match=f"Its files are below {tmp_path}: set root"):
        cp.read_pairs(tmp_path / "data/t.csv")


def test_two_roots_that_work_are_both_named(tmp_path):
    holding(tmp_path, "large/1.jpg", "small/1.jpg")
    (tmp_path / "t.csv").write_text("image,text,label\n1.jpg,a cat,a\n")
    with pytest.raises(SourceError, match=f"below {tmp_path}/large or {tmp_path}/small: set root to one of these"):
        cp.read_pairs(tmp_path / "t.csv")


def test_numbers_are_paths_where_they_name_files(tmp_path):
    holding(tmp_path, "1.jpg", "2.jpg")
    frame = pl.DataFrame({"image": [1, 2], "text": ["a cat", "a dog"]})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        records, _ = read(open_source({"kind": "table", "path": tmp_path / name}), tmp_path)
        assert records["image"].to_list() == [f"{tmp_path}/1.jpg", f"{tmp_path}/2.jpg"]


def test_a_column_of_numbers_that_name_no_file_is_refused(tmp_path):
    with pytest.raises(SourceError, match="holds numbers, such as '1', not paths"):
        cp.read_pairs(pd.DataFrame({"image": [1, 2], "text": ["a", "b"], "label": ["a", "b"]}), root=tmp_path)


def test_an_image_inside_a_table_needs_no_file_of_its_path(tmp_path):
    bodies = [{"bytes": GOOD, "path": f"gone/{n}.png"} for n in range(4)]
    pl.DataFrame({"image": bodies, "text": ["a"] * 4}).write_parquet(tmp_path / "t.parquet")
    records, _ = read(open_source({"kind": "table", "path": tmp_path / "t.parquet"}), tmp_path)
    assert records["image"].to_list() == [f"{tmp_path}/t.parquet#{n}" for n in range(4)]


def test_names_that_no_system_has_are_no_files(tmp_path):
    names = ["a\0b", "x" * 5000, "..", "/", "\\", "C:", "file://", "file:///", "im/../../..", " "]
    assert found(holding(tmp_path, "im/1.jpg"), *names) == [None] * len(names)
