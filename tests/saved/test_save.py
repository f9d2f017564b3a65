"""A saved model predicts as its study did, in another place and process, and a changed or foreign folder is refused."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import yaml

import counterpoint as cp
from counterpoint.artifacts import read_json, read_sealed, write_json, write_sealed
from counterpoint.errors import (
    ConfigError,
    CounterpointError,
    RunFolderError,
    SavedModelError,
    SchemaError,
    UnreadableFitError,
)
from counterpoint.files import digest_of
from counterpoint.runs.finished import MARK, RESULTS
from counterpoint.saved.model import FLAGS, open_saved
from counterpoint.saved.record import RECORD
from counterpoint.saved.refit import on_all_rows
from saved_material import NAMES, finished_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return finished_study(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def saved(study, tmp_path_factory):
    """The folder of a saved text-svm."""
    folder = tmp_path_factory.mktemp("saved") / "text-svm"
    cp.save(study.root, folder, contender="text-svm")
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "copy")


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_fit_predicts_the_test_rows_of_its_fold_as_the_study_did(study, tmp_path, name):
    cp.save(study.root, tmp_path / "m", contender=name, fit="seed-0.fold-1")
    rows = study.pairs().filter(fold="1")
    then = study.predictions().filter(contender=name, fold="1", part="test")
    found = open_saved(tmp_path / "m").predict(rows.select("id", "text", "image"))
    assert found["id"].to_list() == then["id"].to_list()
    chances = [column for column in then.columns if column.startswith("p_")]
    np.testing.assert_array_equal(found.select(chances).to_numpy(), then.select(chances).to_numpy())


@pytest.mark.parametrize("name", ["text-svm", "lstm-cnn", "late-fusion"])
def test_another_process_without_the_study_predicts_the_same_to_the_last_bit(study, tmp_path, name):
    cp.save(study.root, tmp_path / "m", contender=name)
    rows = study.pairs().select("id", "text", "image").head(40)
    here = cp.load(tmp_path / "m").predict_proba(rows)
    (tmp_path / "images").mkdir()
    moved = [shutil.copy(path, tmp_path / "images" / f"{i}.png") for i, path in enumerate(exported(rows, tmp_path))]
    rows.with_columns(image=pl.Series(list(map(str, moved)))).write_parquet(tmp_path / "rows.parquet")
    shutil.move(tmp_path / "m", tmp_path / "elsewhere")
    code = (
        "import counterpoint as cp, numpy as np, polars as pl\n"
        "np.save('p.npy', cp.load('elsewhere').predict_proba(pl.read_parquet('rows.parquet')))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=os.environ | {"PYTHONPATH": source()})
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), here)


def source():
    return os.pathsep.join(sys.path)


def exported(rows, folder):
    """Return each image of *rows* as a file of its own."""
    from counterpoint.formats.images import ImageReader  # noqa: PLC0415

    found = []
    with ImageReader() as reader:
        for place, ref in enumerate(rows["image"]):
            path = folder / f"image-{place}.png"
            path.write_bytes(reader.read(ref))
            found.append(path)
    return found


@pytest.fixture
def recommending(study, tmp_path):
    """The run folder of the same study, whose answer recommends text-svm."""
    run = shutil.copytree(study.root, tmp_path / "winner")
    results, mark = read_json(run / RESULTS), read_sealed(run / MARK)
    write_json(run / RESULTS, results | {"answer": results["answer"] | {"to_use": "text-svm"}})
    write_sealed(run / MARK, mark | {"files": mark["files"] | {RESULTS: digest_of(run / RESULTS)}})
    return run


def test_by_default_the_contender_that_the_answer_recommends_is_fitted_to_all_rows(study, recommending, tmp_path):
    record = cp.save(recommending, tmp_path / "m")
    assert record["contender"] == "text-svm"
    assert record["trained_on"]["fit"] == "all rows"
    assert record["trained_on"]["train"] + record["trained_on"]["validation"] == len(study.pairs())


def test_where_the_answer_recommends_none_a_contender_must_be_named(study, tmp_path):
    assert study.answer().to_use is None
    with pytest.raises(ConfigError, match=r"recommends no contender. Name a --contender: .*text-svm"):
        cp.save(study.root, tmp_path / "m")


def test_every_row_trains_or_calibrates_and_no_row_is_left_out(study):
    pairs = study.pairs()
    whole = on_all_rows(pairs)
    assert set(whole["fold"]) == {"train", "validation"}
    assert whole.filter(fold="validation")["id"].to_list() == pairs.filter(fold="1")["id"].to_list()
    assert whole.height == pairs.height


def test_a_second_save_makes_no_fit_again(study, tmp_path):
    cp.save(study.root, tmp_path / "a", contender="text-lstm")
    fit = study.root / "saved" / "fits" / "text-lstm.seed-0.fold-test" / "done.json"
    before = fit.stat().st_mtime_ns
    cp.save(study.root, tmp_path / "b", contender="text-lstm")
    assert fit.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["counterpoint.json", "training.safetensors", "fit/model.json", "fit/model.sha256"])
@pytest.mark.parametrize("how", ["one byte", "cut", "gone"])
def test_a_folder_that_was_changed_is_refused_in_one_line(copy, name, how):
    path = copy / name
    data = path.read_bytes()
    middle = len(data) // 2
    changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if how == "one byte" else data[:middle]
    path.unlink() if how == "gone" else path.write_bytes(changed)
    with pytest.raises(CounterpointError) as error:
        cp.load(copy)
    assert "\n" not in str(error.value)


def test_the_card_may_be_edited(copy):
    (copy / "README.md").write_text("mine")
    cp.load(copy)


@pytest.mark.parametrize("name", ["evil.pkl", "fit/extra.json", "fit/README.md", "new/deep/a.txt", "link"])
def test_a_folder_with_another_file_is_refused_in_one_line(copy, name):
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).symlink_to(copy.parent) if name == "link" else (copy / name).write_text("{}")
    with pytest.raises(
        SavedModelError, match=f"{name} is no file of the saved model. Move it to another folder"
    ) as error:
        cp.load(copy)
    assert "\n" not in str(error.value)


def test_a_link_in_place_of_the_folder_of_the_fit_is_refused(copy, tmp_path):
    (copy / "fit").rename(tmp_path / "elsewhere")
    (copy / "fit").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SavedModelError, match="fit is no file of the saved model"):
        cp.load(copy)


def test_a_folder_from_a_hub_is_read(copy, tmp_path):
    for name in (
        ".gitattributes",
        ".DS_Store",
        "fit/.DS_Store",
        "LICENSE",
        ".git/objects/pack.idx",
        ".cache/huggingface/x.metadata",
    ):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("")
    (copy / "empty").mkdir()
    (copy / "fit" / "model.json").rename(tmp_path / "blob")
    (copy / "fit" / "model.json").symlink_to(tmp_path / "blob")  # as in the store of a hub
    (tmp_path / "a-link").symlink_to(copy)
    cp.load(tmp_path / "a-link")


@pytest.mark.parametrize(
    "value",
    [
        {"metric": 7},
        {"classes": ["other"]},
        {"format": 99},
        {"text": {"mask": ["("], "match": "regex", "ignore_case": True}},
        {"modalities": ["audio"]},
        {"modalities": [["text"]]},
        {"modalities": ["image"]},
        {"encoders": [1]},
        {"encoders": [{"name": 1}]},
        {"trusted": [1]},
    ],
)
def test_a_record_of_a_stranger_with_a_right_seal_is_checked(copy, value):
    record = read_sealed(copy / RECORD)
    write_sealed(copy / RECORD, record | value)
    with pytest.raises(CounterpointError) as error:
        cp.load(copy)
    assert "\n" not in str(error.value)


def test_a_malicious_folder_runs_no_code(copy, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'owned'}",)

    record = read_sealed(copy / RECORD)
    for name in ("model.skops", "model.json", "model.safetensors"):
        (copy / "fit" / name).write_bytes(pickle.dumps(Evil()))
    from counterpoint.artifacts import digests  # noqa: PLC0415

    lines = [
        f"{digests(copy / 'fit', [copy / 'fit' / name])[name]}  {name}\n"
        for name in ("model.skops", "model.json", "model.safetensors")
    ]
    (copy / "fit" / "model.sha256").write_text("".join(lines))
    files = [path for path in copy.rglob("*") if path.is_file() and path.name not in (RECORD, "README.md")]
    write_sealed(copy / RECORD, record | {"files": digests(copy, files)})
    with pytest.raises(UnreadableFitError):
        cp.load(copy)
    assert not (tmp_path / "owned").exists()


def test_a_class_that_the_record_names_is_not_imported(copy):
    state = json.loads((copy / "fit" / "model.json").read_text())
    state["class"] = "antigravity:fly"
    from counterpoint.artifacts import digests  # noqa: PLC0415
    from counterpoint.contenders.kept.digests import read_files, write_files  # noqa: PLC0415

    files = read_files(copy / "fit") | {"model.json": json.dumps(state).encode()}
    write_files(copy / "fit", files)
    record = read_sealed(copy / RECORD)
    write_sealed(
        copy / RECORD,
        record
        | {"files": digests(copy, [p for p in copy.rglob("*") if p.is_file() and p.name not in (RECORD, "README.md")])},
    )
    with pytest.raises(UnreadableFitError, match="antigravity"):
        cp.load(copy)
    assert "antigravity" not in sys.modules


def test_a_metric_that_the_record_names_is_not_imported_unless_it_is_trusted(copy, tmp_path, monkeypatch):
    (tmp_path / "own_metrics.py").write_text(
        "from counterpoint.metrics import METRICS, find_metric\nPLAIN = find_metric('accuracy')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    write_sealed(copy / RECORD, read_sealed(copy / RECORD) | {"metric": "own_metrics:PLAIN"})
    with pytest.raises(SavedModelError, match="own_metrics:PLAIN, a metric from outside this package"):
        cp.load(copy)
    assert "own_metrics" not in sys.modules
    found = open_saved(copy, trusted=["own_metrics:PLAIN"]).predict(pl.DataFrame({"text": ["a dog"]}))
    assert found["label"].null_count() == 0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"contender": "text-svn"}, ConfigError, "Did you mean 'text-svm'"),
        ({"contender": "text-svm", "fit": "seed-0.fold-7"}, ConfigError, "Did you mean 'seed-0.fold-"),
        ({"contender": ""}, ConfigError, "no contender ''. Allowed: .*text-svm"),
        ({"contender": "text-svm", "fit": ""}, ConfigError, "no fit ''. Allowed: seed-0.fold-"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(recommending, tmp_path, options, error, words):
    with pytest.raises(error, match=words):
        cp.save(recommending, tmp_path / "m", **options)
    assert not (tmp_path / "m").exists()


def test_a_folder_with_files_is_not_overwritten(study, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="is not empty"):
        cp.save(study.root, tmp_path, contender="text-svm")
    with pytest.raises(RunFolderError, match=r"note\.txt is a file\. Name a new folder with --to"):
        cp.save(study.root, tmp_path / "note.txt", contender="text-svm")
    with pytest.raises(RunFolderError, match="File name too long"):
        cp.save(study.root, tmp_path / ("n" * 300), contender="text-svm")


@pytest.mark.parametrize(("place", "words"), [("file/x", "Not a directory|File exists"), ("loop/x", "symbolic links")])
def test_a_folder_that_cannot_be_made_is_named_before_the_work(study, tmp_path, place, words, monkeypatch):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setattr("counterpoint.saved.save.refitted", None)
    with pytest.raises(RunFolderError, match=words):
        cp.save(study.root, tmp_path / place, contender="text-svm")


def test_training_vectors_of_another_width_are_refused_in_one_line(saved):
    from counterpoint.saved.training_reference import VectorReference  # noqa: PLC0415

    with pytest.raises(SavedModelError, match="another encoder"):
        VectorReference(np.zeros((9, 5), np.float32), 1.0).are_unlike(np.zeros((2, 7), np.float32))


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_a_folder_without_a_model_or_a_study_is_named(tmp_path, folder):
    with pytest.raises(SavedModelError, match="holds no saved model"):
        cp.load(tmp_path / folder)
    with pytest.raises(RunFolderError):
        cp.save(tmp_path / folder, tmp_path / "m")


def test_pairs_that_were_changed_after_the_study_are_not_trained_on(study, tmp_path):
    shutil.copytree(study.root, tmp_path / "winner")
    path = tmp_path / "winner" / "tables" / "pairs.parquet"
    pl.read_parquet(path).reverse().write_parquet(path)
    with pytest.raises(RunFolderError, match="damaged"):
        cp.save(tmp_path / "winner", tmp_path / "m", contender="text-svm")


def test_the_card_has_front_matter_scores_with_intervals_the_contrast_and_the_findings(study, tmp_path):
    record = cp.save(study.root, tmp_path / "m", contender="late-fusion")
    card = (tmp_path / "m" / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["library_name"] == "counterpoint"
    measured = {each["type"]: each["value"] for each in front["model-index"][0]["results"][0]["metrics"]}
    scores = {row["metric"]: row["value"] for row in record["study"]["scores"]}
    assert measured["accuracy"] == pytest.approx(scores["accuracy"], abs=1e-4)
    assert study.answer().headline.split(":")[0] in card
    assert all(row["code"] in card for row in record["study"]["findings"])
    assert "| accuracy |" in card
    assert re.search(r"A prediction took (less than )?[\d.]+ m?s a pair, without", card)
    assert "returns the most probable class. `counterpoint predict` and" in card
    assert str(tmp_path) not in card


def test_masked_words_are_taken_out_of_new_texts(tmp_path):
    masked = finished_study(tmp_path, names=("majority", "text-svm", "image-hog"), text={"mask": ["w001"]})
    cp.save(masked.root, tmp_path / "m", contender="text-svm")
    saved = open_saved(tmp_path / "m")
    with_word, without = (saved.predict(pl.DataFrame({"text": [text]})) for text in ("w001 w005", "w005"))
    assert with_word.equals(without)


def test_flags_say_what_is_missing_or_cannot_be_read(study, tmp_path):
    cp.save(study.root, tmp_path / "m", contender="late-fusion")
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    good = study.pairs()["image"][0]
    rows = pl.DataFrame({
        "text": ["w001", None, " ", "w002"],
        "image": [good, str(tmp_path / "bad.jpg"), None, str(tmp_path / "gone.jpg")],
    })  # fmt: skip
    found = open_saved(tmp_path / "m").predict(rows)
    assert found["is_text_missing"].to_list() == [False, True, True, False]
    assert found["is_image_missing"].to_list() == [False, True, True, True]
    assert found["image_status"][0] == "ok"
    assert found["image_status"][2] == "missing"
    assert all("ok" not in found["image_status"][row] for row in (1, 3))
    assert found.select(pl.sum_horizontal("^p_.*$")).to_series().to_list() == pytest.approx([1.0] * 4)
    assert list(found.columns)[-len(FLAGS) :] == list(FLAGS)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"width_px": ["wide"]}, "The column width_px should hold numbers. It has type String."),
        ({"width_px": [9], "height_px": ["9 px"]}, "The column height_px should hold numbers"),
        ({"width_px": [[9]]}, r"It has type List\(Int64\)"),
        ({"host": [7]}, "The column host should hold texts. It has type Int64."),
    ],
)
def test_a_column_of_another_type_is_named_in_one_line(study, tmp_path, columns, words):
    cp.save(study.root, tmp_path / "m", contender="metadata", fit="seed-0.fold-1")
    for model in (open_saved(tmp_path / "m"), cp.load(tmp_path / "m")):
        with pytest.raises(SchemaError, match=words) as error:
            model.predict(pl.DataFrame({"text": ["a"], "image": [study.pairs()["image"][0]], **columns}))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["metadata", "text-svm", "image-hog"])
def test_other_columns_of_a_frame_change_nothing(study, tmp_path, name):
    cp.save(study.root, tmp_path / "m", contender=name, fit="seed-0.fold-1")
    rows, saved = study.pairs().select("text", "image").head(3), open_saved(tmp_path / "m")
    others = {"row": "x", "label": 1, "group": 2, "sha256": 3, "phash": "4", "image_status": 5, "image_bytes": "6"}
    assert saved.predict(rows.with_columns(**{key: pl.lit(value) for key, value in others.items()})).equals(
        saved.predict(rows)
    )
