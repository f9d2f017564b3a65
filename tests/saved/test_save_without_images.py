"""A model is saved with the training images that can be read, and not at all where most of them are gone."""

import shutil

import polars as pl
import pytest
from safetensors.numpy import load_file

import counterpoint as cp
from counterpoint.errors import RunFolderError
from counterpoint.formats.images import ImageReader
from counterpoint.saved.model import open_saved
from saved_material import finished_study

pytestmark = pytest.mark.slow
NAMES = ("majority", "text-svm", "image-hog")


@pytest.fixture
def study(tmp_path):
    """A finished study of a table of image files."""
    first = finished_study(tmp_path / "generated", names=("majority", "text-svm"))
    pairs, folder = first.pairs(), tmp_path / "data"
    folder.mkdir()
    with ImageReader() as reader:
        for place, ref in enumerate(pairs["image"]):
            (folder / f"{place}.png").write_bytes(reader.read(ref))
    named = [f"{place}.png" for place in range(len(pairs))]
    pairs.select("id", "text", "label", image=pl.Series(named)).write_csv(folder / "pairs.csv")
    return finished_study(tmp_path / "runs", names=NAMES, source={"kind": "table", "path": folder / "pairs.csv"})


@pytest.fixture
def photos(study, tmp_path):
    """The image files of the study."""
    return sorted((tmp_path / "data").glob("*.png"))


@pytest.mark.parametrize("fit", [None, "seed-0.fold-1"])
def test_a_study_whose_images_are_gone_is_not_saved_as_a_model_of_images(study, photos, tmp_path, fit):
    for photo in photos:
        photo.unlink()
    with pytest.raises(RunFolderError, match=r"training images cannot be read\. .*Put the images back") as error:
        cp.save(study.root, tmp_path / "model", contender="image-hog", fit=fit)
    assert "\n" not in str(error.value)
    cp.save(study.root, tmp_path / "text", contender="text-svm", fit=fit)  # it reads no image


def test_images_that_are_gone_are_counted_and_left_out_of_the_comparison(study, photos, tmp_path):
    cp.save(study.root, tmp_path / "whole", contender="image-hog")
    n_whole = len(load_file(tmp_path / "whole" / "training.safetensors")["image.vectors"])
    steps = []
    for photo in photos[::3]:
        photo.write_bytes(b"no image")
    cp.save(study.root, tmp_path / "model", contender="image-hog", on_progress=lambda step, *_: steps.append(step))
    arrays = load_file(tmp_path / "model" / "training.safetensors")
    assert 0 < len(arrays["image.vectors"]) < n_whole
    assert arrays["image.vectors"].any(axis=1).all()
    assert arrays["image.threshold"] > 0
    [note] = [step for step in steps if "training images cannot be read" in step]
    assert note.startswith(f"{n_whole - len(arrays['image.vectors'])} of {n_whole} ")
    there = pl.DataFrame({"image": list(map(str, photos[1::3]))})
    assert open_saved(tmp_path / "model").predict(there)["is_image_unlike"].mean() < 0.2


def test_a_run_folder_that_was_copied_is_saved_where_its_images_still_are(study, tmp_path):
    copy = shutil.copytree(study.root, tmp_path / "elsewhere" / "winner")
    cp.save(copy, tmp_path / "model", contender="image-hog", fit="seed-0.fold-1")
    assert "image.vectors" in load_file(tmp_path / "model" / "training.safetensors")
