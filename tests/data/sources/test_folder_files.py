"""Every file of a folder is a row, the text or table of one, or is counted with a reason."""

import json
import os

import polars as pl
import pytest

from counterpoint.errors import SourceError
from counterpoint.formats.images import ImageReader
from source_material import GOOD, IMAGES, put, read
from source_material import folder_source as source

JPEG = IMAGES["jpeg"]
BMP = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + bytes(60)


def unused(opened):
    """Return the names of the files that became no row, by reason."""
    found = [json.loads(row["evidence"])["table"] for row in opened.findings() if "no rows" in row["explanation"]]
    return {row["reason"]: row["such as"].split(", ") for table in found for row in table}


# What an image is.

NAMES = ["a.jfif", "a.jpe", "a.pjpeg", "A.JPG", "a", "a.png", "a.bin", "a.jpg.download", "1.5", "a.txt", "a.db"]


@pytest.mark.parametrize("name", NAMES)
def test_content_decides_whether_a_file_is_an_image(name, tmp_path):
    put(tmp_path / "cat" / name, JPEG)
    put(tmp_path / "dog/b.jpg")
    records, _ = read(source(tmp_path), tmp_path)
    assert records["image"].to_list() == [f"{tmp_path}/cat/{name}", f"{tmp_path}/dog/b.jpg"]


@pytest.mark.parametrize(
    ("name", "body"), [("a.bmp", BMP), ("a", BMP), ("a.heic", b"x"), ("a.tiff", b"II*\0"), ("a.png", b"")]
)
def test_an_image_that_cannot_be_decoded_is_a_row(name, body, tmp_path):
    put(tmp_path / "cat" / name, body)
    records, _ = read(source(tmp_path), tmp_path)
    assert records["image"].to_list() == [f"{tmp_path}/cat/{name}"]


def test_files_that_are_no_images_are_counted_by_reason_with_their_names(tmp_path):
    for name in ("cat/a.png", "cat/a.txt", "dog/b.png"):
        put(tmp_path / name, GOOD if name.endswith("png") else b"a cat")
    for name in ("README.md", "cat/Thumbs.db", "cat/.DS_Store", "dog/._b.png", "__MACOSX/cat/._a.png", ".git/HEAD",
                 "notes.txt", "dog/meta.csv"):  # fmt: skip
        put(tmp_path / name, b"\0\5\26\7")
    os.mkfifo(tmp_path / "cat/pipe")
    (tmp_path / "cat/gone").symlink_to("nowhere")
    opened = source(tmp_path)
    records, dropped = read(opened, tmp_path)
    assert (records["id"].to_list(), len(dropped)) == (["cat/a.png", "dog/b.png"], 0)
    assert unused(opened) == {
        "hidden": [".git/HEAD", "__MACOSX/cat/._a.png", "cat/.DS_Store", "dog/._b.png"],
        "not a picture": ["README.md", "cat/Thumbs.db", "dog/meta.csv"],
        "broken link": ["cat/gone"],
        "no regular file": ["cat/pipe"],
        "text of no image": ["notes.txt"],
    }


def test_the_account_counts_each_file_once(tmp_path):
    for name, body in {"cat/a.png": GOOD, "cat/a.txt": b"a", "cat/b.txt": b"b", "README": b"c", ".d": b"d"}.items():
        put(tmp_path / name, body)
    opened = source(tmp_path)
    read(opened, tmp_path)
    found = json.loads(opened.findings()[0]["evidence"])
    assert {key: found[key] for key in ("files", "images", "texts_and_tables", "no_rows")} == {
        "files": 5,
        "images": 1,
        "texts_and_tables": 2,
        "no_rows": 2,
    }


def test_a_file_that_is_called_like_a_member_of_a_tar_is_read(tmp_path):
    for name in ("cat/x.tar#y.png", "x.tar#z/0.png"):
        put(tmp_path / name)
    records, _ = read(source(tmp_path), tmp_path)
    with ImageReader() as reader:
        assert [reader.read(image) for image in records["image"]] == [GOOD, GOOD]


def test_the_text_of_an_image_is_found_by_any_name_that_means_it(tmp_path):
    for name in ("cat/a.jfif", "cat/b.png", "cat/c", "cat/d.png"):
        put(tmp_path / name)
    for name in ("cat/a.txt", "cat/b.png.txt", "cat/c.TXT", "cat/e.txt"):
        put(tmp_path / name, name.encode())
    records, _ = read(source(tmp_path), tmp_path)
    assert records.select("id", "text").rows() == [
        ("cat/a.jfif", "cat/a.txt"),
        ("cat/b.png", "cat/b.png.txt"),
        ("cat/c", "cat/c.TXT"),
        ("cat/d.png", None),
        ("cat/e.txt", "cat/e.txt"),
    ]


def test_a_broken_link_with_the_name_of_an_image_is_a_row_without_one(tmp_path):
    put(tmp_path / "cat/a.png")
    (tmp_path / "cat/b.png").symlink_to("nowhere")
    records, _ = read(source(tmp_path), tmp_path)
    assert records["id"].to_list() == ["cat/a.png", "cat/b.png"]
    assert source(tmp_path).fingerprint()


def test_linked_folders_are_read_once_and_loops_end(tmp_path):
    put(tmp_path / "far/cat/a.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/cat").symlink_to(tmp_path / "far/cat")
    (tmp_path / "set/again").symlink_to(tmp_path / "set")
    put(tmp_path / "set/dog/b.png")
    opened = source(tmp_path / "set")
    records, _ = read(opened, tmp_path)
    assert records["label"].to_list() == ["cat", "dog"]
    assert list(unused(opened)) == ["link to a folder that is read already"]


def test_a_name_that_is_not_unicode_leaves_with_a_reason(tmp_path):
    put(tmp_path / "cat/a.png")
    try:
        put(tmp_path / "cat" / os.fsdecode(b"\xff.png"))
    except OSError:
        pytest.skip("this file system has names in Unicode only")
    _, dropped = read(source(tmp_path), tmp_path)
    assert dropped.select("id", "reason").rows() == [(r"cat/\xff.png", "bad_name")]


# Folds and classes.

FOLDERS = [("train", "test"), ("Training", "TESTING"), ("train", "val"), ("train", "dev"), ("train", "eval"),
           ("train", "valid"), ("train", "evaluation")]  # fmt: skip


@pytest.mark.parametrize("names", FOLDERS)
@pytest.mark.parametrize("others", ["docs/fig.png", "docs/a.txt", "__MACOSX/train/cat/._0.png", ".cache/cat/0.png"])
def test_folders_of_folds_are_never_classes(names, others, tmp_path):
    for name in names:
        for label in ("cat", "dog"):
            put(tmp_path / name / label / "0.png")
    put(tmp_path / others)
    opened = source(tmp_path)
    records, _ = read(opened, tmp_path)
    assert set(records["label"]) == {"cat", "dog"}
    assert records["fold"].n_unique() == 2
    [found] = opened.findings()
    assert found["severity"] == ("warn" if others == "docs/fig.png" else "info")
    assert others in found["explanation"]


def test_two_folders_of_one_fold_keep_their_names_apart(tmp_path):
    for name in ("train", "val", "dev"):
        put(tmp_path / name / "cat/0.png")
    records, _ = read(source(tmp_path), tmp_path)
    assert records.select("id", "fold").rows() == [
        ("dev/cat/0.png", "validation"),
        ("train/cat/0.png", "train"),
        ("val/cat/0.png", "validation"),
    ]


def test_classes_may_be_called_like_folds(tmp_path):
    for label in ("train", "car", "bus"):
        put(tmp_path / label / "0.png")
    assert read(source(tmp_path), tmp_path)[0]["label"].to_list() == ["bus", "car", "train"]


@pytest.mark.parametrize("files", [("train/0.png", "test/0.png", "car/0.png"), ("train/ice/0.png", "car/0.png")])
def test_folders_that_may_be_folds_or_classes_need_a_setting(files, tmp_path):
    for name in files:
        put(tmp_path / name)
    with pytest.raises(SourceError, match=r"train may be folds or classes, because car also .* source.folds to true"):
        read(source(tmp_path), tmp_path)
    records, _ = read(source(tmp_path, folds=False), tmp_path)
    assert set(records["label"]) == {name.split("/")[0] for name in files}
    opened = source(tmp_path, folds=True)
    assert read(opened, tmp_path)[0].height == len(files) - 1
    assert unused(opened) == {"an image outside the folders that are read": ["car/0.png"]}


def test_images_of_folds_without_classes_are_rows_without_a_label(tmp_path):
    for name in ("train/0", "test/0"):
        put(tmp_path / f"{name}.png")
        put(tmp_path / f"{name}.txt", b"a cat")
    records, _ = read(source(tmp_path), tmp_path)
    assert records.select("id", "text", "label", "fold").rows() == [
        ("test/0.png", "a cat", None, "test"),
        ("train/0.png", "a cat", None, "train"),
    ]


def test_folders_that_hold_nothing_but_one_folder_are_looked_into(tmp_path):
    for name in ("set/data/train/cat/0.png", "set/data/test/cat/0.png", "set/data/__MACOSX/a/._0.png", "README"):
        put(tmp_path / name, GOOD if name.endswith("png") else b"read me")
    records, _ = read(source(tmp_path), tmp_path)
    assert records.select("id", "label", "fold").rows() == [
        ("test/cat/0.png", "cat", "test"),
        ("train/cat/0.png", "cat", "train"),
    ]


# Metadata.


def metadata(path, *names, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {"file_name": names, "text": [f"text {number}" for number in range(len(names))], **columns}
    pl.DataFrame(columns).write_csv(path)


SPELLED = ["./0.png", "sub/../0.png", ".//0.png", "{root}/0.png", "sub\\..\\0.png", ".\\0.png", "{root}/./sub/../0.png"]


@pytest.mark.parametrize("spelled", SPELLED)
def test_an_image_is_one_row_however_the_metadata_write_its_name(spelled, tmp_path):
    put(tmp_path / "0.png")
    put(tmp_path / "sub/1.png")
    metadata(tmp_path / "metadata.csv", spelled.format(root=tmp_path), "sub/1.png")
    records, dropped = read(source(tmp_path), tmp_path)
    assert records.select("id", "image", "text").rows() == [
        ("0.png", f"{tmp_path}/0.png", "text 0"),
        ("sub/1.png", f"{tmp_path}/sub/1.png", "text 1"),
    ]
    assert len(dropped) == 0


def test_a_second_row_for_an_image_has_the_id_of_the_first(tmp_path):
    put(tmp_path / "0.png")
    metadata(tmp_path / "metadata.csv", "0.png", "./0.png", "gone.png")
    records, _ = read(source(tmp_path), tmp_path)
    assert records["id"].to_list() == ["0.png", "0.png", "gone.png"]


def test_metadata_at_the_root_may_name_images_in_folds(tmp_path):
    for name in ("train/0.png", "val/0.png", "val/1.png"):
        put(tmp_path / name)
    metadata(tmp_path / "metadata.csv", "train/0.png", "val/0.png", label=["a", "b"])
    records, _ = read(source(tmp_path), tmp_path)
    assert records.select("id", "text", "label", "fold").rows() == [
        ("train/0.png", "text 0", "a", "train"),
        ("validation/0.png", "text 1", "b", "validation"),
        ("validation/1.png", None, None, "validation"),
    ]


def test_a_fold_without_metadata_gives_its_images(tmp_path):
    put(tmp_path / "train/0.png")
    put(tmp_path / "test/0.png")
    metadata(tmp_path / "train/Metadata.CSV", "0.png")
    records, _ = read(source(tmp_path), tmp_path)
    assert records.select("id", "text").rows() == [("test/0.png", None), ("train/0.png", "text 0")]


def test_a_second_table_of_metadata_is_counted(tmp_path):
    put(tmp_path / "0.png")
    metadata(tmp_path / "metadata.csv", "0.png")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "0.png", "text": "b"}\n')
    opened = source(tmp_path)
    assert read(opened, tmp_path)[0]["text"].to_list() == ["text 0"]
    assert unused(opened) == {"a second table of metadata": ["metadata.jsonl"]}


def test_metadata_in_the_only_folder_are_found(tmp_path):
    put(tmp_path / "data/0.png")
    put(tmp_path / "README.md", b"read me")
    metadata(tmp_path / "data/metadata.csv", "0.png", label=["a"])
    assert read(source(tmp_path), tmp_path)[0].select("id", "label").rows() == [("0.png", "a")]


def test_metadata_without_the_column_name_it(tmp_path):
    put(tmp_path / "cat/0.png")
    (tmp_path / "metadata.csv").write_text("key,text\n1,a\n")
    with pytest.raises(SourceError, match=r"'file_name'. Found key, text"):
        read(source(tmp_path), tmp_path)
    assert read(source(tmp_path, layout="classes"), tmp_path)[0]["label"].to_list() == ["cat"]


def test_a_column_of_the_metadata_may_say_the_fold(tmp_path):
    for name in ("0.png", "1.png"):
        put(tmp_path / name)
    metadata(tmp_path / "metadata.csv", "0.png", "1.png", split=["train", "Val"])
    assert read(source(tmp_path), tmp_path)[0]["fold"].to_list() == ["train", "validation"]


# The 2023 study.


def test_a_study_s_images_are_known_by_their_content(tmp_path):
    for name in ("pos/1_0.jfif", "pos/1_1", "pos/1_2.png", "neg/0_0.bin", "pos/notes.doc", "more/1_3.png"):
        put(tmp_path / name, b"text" if name.endswith("doc") else JPEG)
    for name in ("pos", "neg"):
        pl.DataFrame({"desc": ["a", "b", "c"]}).write_csv(tmp_path / f"{name}.csv")
    opened = source(tmp_path)
    records, _ = read(opened, tmp_path)
    assert records["id"].to_list() == ["1_0", "1_1", "1_2", "0_0", "0_1", "0_2"]
    assert unused(opened) == {
        "an image outside the folders that are read": ["more/1_3.png"],
        "not a picture": ["pos/notes.doc"],
    }
