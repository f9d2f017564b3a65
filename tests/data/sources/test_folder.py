import polars as pl
import pytest

from counterpoint.errors import SourceError
from source_material import folder_source as source
from source_material import put, read


@pytest.fixture
def study(tmp_path):
    """The 2023 study's layout, with an image without description and a description without image on either side."""
    for name in ("pos/1_0.jpg", "pos/1_2.jpg", "pos/1_9.jpg", "neg/0_1.png", "neg/other.jpg"):
        put(tmp_path / "images" / name)
    put(tmp_path / "images/neg/Thumbs.db", b"\xd0\xcf\x11\xe0")
    pl.DataFrame({"desc": ["man zero", "man one", "man two"]}).write_excel(tmp_path / "posData.xlsx")
    pl.DataFrame({"desc": ["cat zero", "cat one"]}).write_csv(tmp_path / "negData.csv")
    return tmp_path


def test_the_study_pairs_an_image_with_the_row_of_its_number(study):
    records, dropped = read(source(study), study)
    assert records.select("id", "text", "label", "image_id", "text_id").rows() == [
        ("1_0", "man zero", "pos", "0", "0"),
        ("1_2", "man two", "pos", "2", "2"),
        ("1_9", None, "pos", "9", None),
        ("1_1", "man one", "pos", None, "1"),
        ("other", None, "neg", None, None),
        ("0_1", "cat one", "neg", "1", "1"),
        ("0_0", "cat zero", "neg", None, "0"),
    ]
    assert records["image"].is_null().to_list() == [False] * 3 + [True, False, False, True]
    assert len(dropped) == 0


def test_the_first_description_may_be_number_one(study):
    records, _ = read(source(study, first_index=1), study)
    assert dict(records.select("id", "text").rows())["1_2"] == "man one"


def test_the_numbers_that_descriptions_state_go_along_for_alignment_to_judge(study):
    pl.DataFrame({"desc": ["a", "b", "c"], "n": [0, 1, 3]}).write_csv(study / "mine.csv")
    pl.DataFrame({"desc": ["a", "b"], "n": [0, 1]}).write_csv(study / "theirs.csv")
    captions = {"pos": "mine.csv", "neg": "theirs.csv"}
    records, _ = read(source(study, captions=captions, number="n"), study)
    disagree = records.filter(pl.col("image_id") != pl.col("text_id"))
    assert disagree.select("id", "image_id", "text_id").rows() == [("1_2", "2", "3")]


def test_a_description_that_cannot_be_read_drops_its_row(study):
    (study / "negData.csv").write_bytes(b"desc\ncat zero\n\xff\n")
    _, dropped = read(source(study), study)
    assert dropped.select("id", "reason").rows() == [("0_1", "bad_text")]


def test_ambiguous_tables_of_descriptions_need_a_setting(study):
    (study / "posOld.csv").write_text("desc\n")
    with pytest.raises(SourceError, match=r"source.captions.pos. Found posData.xlsx, posOld.csv"):
        read(source(study), study)
    with pytest.raises(SourceError, match=r"No table of descriptions .*negData.cvs. Did you mean 'negData.csv'"):
        read(source(study, captions={"pos": "posData.xlsx", "neg": "negData.cvs"}), study)
    with pytest.raises(SourceError, match=r"has no column 'text'. Found desc"):
        read(source(study, text="text", captions={"pos": "posData.xlsx"}), study)


def test_a_folder_of_a_class_takes_the_text_next_to_the_image(tmp_path):
    put(tmp_path / "cats/1.png")
    put(tmp_path / "cats/1.txt", "a cat ü\n".encode())
    put(tmp_path / "cats/deep/2.jpg")
    put(tmp_path / "dogs/3.txt", b"a dog without picture")
    put(tmp_path / "dogs/4.gif", b"")
    put(tmp_path / "dogs/4.txt", b"\xff")
    put(tmp_path / "dogs/._4.gif")
    records, dropped = read(source(tmp_path), tmp_path)
    assert records.select("id", "text", "label").rows() == [
        ("cats/1.png", "a cat ü", "cats"),
        ("cats/deep/2.jpg", None, "cats"),
        ("dogs/3.txt", "a dog without picture", "dogs"),
    ]
    assert records["image"].is_null().to_list() == [False, False, True]
    assert dropped.select("id", "reason").rows() == [("dogs/4.gif", "bad_text")]


def test_folders_named_after_folds_give_the_fold(tmp_path):
    for fold in ("train", "val", "test"):
        put(tmp_path / fold / "cats" / "1.png")
    records, _ = read(source(tmp_path), tmp_path)
    assert records.select("id", "fold", "label").sort("id").rows() == [
        ("test/cats/1.png", "test", "cats"),
        ("train/cats/1.png", "train", "cats"),
        ("validation/cats/1.png", "validation", "cats"),
    ]


@pytest.mark.parametrize(
    "names", [("train2017", "val2017"), ("training_set", "test_set"), ("Train Images", "Val-Data")]
)
def test_folders_named_after_folds_with_a_year_or_a_word_for_files_are_no_classes(names, tmp_path):
    for name in names:
        for each in ("cats", "dogs"):
            put(tmp_path / name / each / "1.png")
    records, _ = read(source(tmp_path), tmp_path)
    assert set(records["label"]) == {"cats", "dogs"}
    assert records["fold"].n_unique() == 2
    assert not records["fold"].null_count()


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_an_imagefolder_is_read_with_the_images_that_it_does_not_name(name, tmp_path):
    put(tmp_path / "a/1.png")
    put(tmp_path / "2.png")
    frame = pl.DataFrame({"file_name": ["a/1.png", "gone.png"], "caption": ["one", "two"], "label": ["x", "y"]})
    writers = {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}
    writers[name.split(".")[1]](tmp_path / name)
    records, _ = read(source(tmp_path, text="caption"), tmp_path)
    assert records.select("id", "text", "label").rows() == [
        ("a/1.png", "one", "x"),
        ("gone.png", "two", "y"),
        ("2.png", None, None),
    ]
    assert records["image"][0] == str(tmp_path / "a/1.png")


def test_imagefolders_of_folds_keep_their_names_apart(tmp_path):
    for fold in ("train", "test"):
        put(tmp_path / fold / "1.png")
        (tmp_path / fold / "metadata.csv").write_text("file_name,text\n1.png,one\n")
    records, _ = read(source(tmp_path), tmp_path)
    assert records.select("id", "fold").rows() == [("test/1.png", "test"), ("train/1.png", "train")]


def test_an_imagefolder_without_the_column_names_those_it_has(tmp_path):
    (tmp_path / "metadata.csv").write_text("file_name,captions\n1.png,one\n")
    with pytest.raises(SourceError, match=r"source.text, 'caption'. Found file_name, captions"):
        read(source(tmp_path, text="caption"), tmp_path)


def test_a_folder_of_no_layout_says_what_it_holds(tmp_path):
    put(tmp_path / "readme.md")
    with pytest.raises(SourceError, match=r"is no folder of pairs.*Found readme.md"):
        read(source(tmp_path), tmp_path)
    with pytest.raises(SourceError, match=r"has none of metadata\.csv"):
        read(source(tmp_path, layout="imagefolder"), tmp_path)
    with pytest.raises(SourceError, match=r"No folder .*pos"):
        read(source(tmp_path, layout="study2023"), tmp_path)
    with pytest.raises(SourceError, match="is a file, not a folder"):
        read(source(tmp_path / "readme.md"), tmp_path)


def test_a_new_file_changes_the_fingerprint(study):
    before = source(study).fingerprint()
    put(study / "images/pos/1_1.jpg")
    assert source(study).fingerprint() != before
