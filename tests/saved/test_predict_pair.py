"""Predictions of new pairs by the fits that a run folder keeps."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from contender_material import make_pairs
from counterpoint.artifacts import read_sealed, write_sealed
from counterpoint.config import StudyConfig
from counterpoint.contenders import make
from counterpoint.contenders.fit_task import write_done
from counterpoint.contenders.kept.files import keep, load
from counterpoint.errors import ConfigError, CounterpointError, ImageError, RunFolderError
from counterpoint.runs.finished import write_finished
from counterpoint.saved.predict_pair import predict_pair


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    pairs = make_pairs(folder, n=24, n_classes=2)
    settings = {"study": "shop", "source": {"kind": "emoji"}, "text": {"mask": ["secret"]}}
    config = StudyConfig.read(settings).model_dump(mode="json")
    (folder / "results.json").write_text(json.dumps({"config": yaml.safe_dump(config)}))
    for name in ("text-svm", "metadata"):
        for fold, rows in (("0", pairs[:16]), ("1", pairs[8:])):
            fit = folder / "fits" / f"{name}.seed-0.fold-{fold}"
            fit.mkdir(parents=True)
            keep(make(name).fit(rows, rows["label"]), fit)
            write_done(fit, key="key", costs={})
    fits = {name: {f"{name}.seed-0.fold-{fold}": "key" for fold in "01"} for name in ("text-svm", "metadata")}
    write_finished(folder, "key", fits)
    return folder


def test_a_pair_is_predicted_by_all_fits_of_a_contender(run_folder):
    chances = predict_pair(run_folder, "text-svm", text="a red fox here")
    assert list(chances) == ["animal", "machine"]
    assert chances["animal"] > 0.5
    assert sum(chances.values()) == pytest.approx(1)
    models = [load(folder) for folder in sorted(run_folder.glob("fits/text-svm*"))]
    each = [model.predict_proba(pl.DataFrame({"text": ["a red fox here"]}))[0, 0] for model in models]
    assert chances["animal"] == pytest.approx(np.mean(each))


def test_the_studys_mask_is_put_on_the_text(run_folder):
    assert predict_pair(run_folder, "text-svm", text="a fox secret") == predict_pair(
        run_folder, "text-svm", text="a secret fox"
    )
    assert predict_pair(run_folder, "text-svm", text="a secret fox") == predict_pair(
        run_folder, "text-svm", text="a fox"
    )


def test_metadata_of_an_image_are_looked_up(run_folder):
    assert sum(predict_pair(run_folder, "metadata", image=run_folder / "0.png").values()) == pytest.approx(1)


def test_what_cannot_be_predicted_is_one_clear_line(run_folder, tmp_path):
    with pytest.raises(ConfigError, match=r"text-svm reads text\. Give --text"):
        predict_pair(run_folder, "text-svm", image=run_folder / "0.png")
    with pytest.raises(ConfigError, match=r"no contender 'text-svn'\. Did you mean 'text-svm'"):
        predict_pair(run_folder, "text-svn", text="a")
    with pytest.raises(RunFolderError, match="holds no fitted contenders"):
        predict_pair(tmp_path, "text-svm", text="a")
    with pytest.raises(ImageError, match=r"missing_file: .*none\.png"):
        predict_pair(run_folder, "metadata", image=tmp_path / "none.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match="not_image"):
        predict_pair(run_folder, "metadata", image=tmp_path / "bad.png")


def test_an_unfinished_run_is_named(run_folder, tmp_path):
    (tmp_path / "fits").symlink_to(run_folder / "fits")
    with pytest.raises(RunFolderError, match=r"no results\.json"):
        predict_pair(tmp_path, "text-svm", text="a")


@pytest.mark.parametrize(
    "name", ["report.json", "results.json", "fits/text-svm.seed-0.fold-1/done.json", "fits/text-svm.seed-0.fold-1"]
)
def test_nothing_is_predicted_by_a_run_folder_that_is_not_whole(run_folder, tmp_path, name):
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    path = folder / name
    file = next(path.glob("model*")) if path.is_dir() else path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(RunFolderError, match=r"is damaged.*counterpoint run makes it again\.$"):
        predict_pair(folder, "text-svm", text="a")
    assert predict_pair(run_folder, "text-svm", text="a")


def test_a_fit_of_earlier_settings_does_not_vote(run_folder, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    fits = folder / "fits"
    shutil.copytree(fits / "metadata.seed-0.fold-0", fits / "text-svm.seed-7.fold-0")
    assert predict_pair(folder, "text-svm", text="a fox") == predict_pair(run_folder, "text-svm", text="a fox")


def with_config(run_folder: Path, folder: Path, config: object) -> Path:
    """Return a copy of the run folder whose record has these settings, and is sealed again."""
    shutil.copytree(run_folder, folder)
    (folder / "results.json").write_text(json.dumps({"config": config}))
    record = read_sealed(folder / "report.json")
    write_finished(folder, record["key"], record["fits"])
    return folder


@pytest.mark.parametrize("config", ["[" * 5000, "study: 2020-99-99", '!!int ""', "1" * 5000, "a: &a [*a]", None, 5])
def test_settings_that_a_stranger_wrote_are_damaged_in_one_line(run_folder, tmp_path, config):
    with pytest.raises(CounterpointError, match=r"\A[^\n]*run") as raised:
        predict_pair(with_config(run_folder, tmp_path / "run", config), "text-svm", text="a")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("mask", ["(", "(?=a)b", "(a{1000}){1000}"])
def test_a_mask_that_is_no_regular_expression_is_named(run_folder, tmp_path, mask):
    settings = yaml.safe_load(json.loads((run_folder / "results.json").read_text())["config"])
    settings["text"] |= {"mask": [mask], "match": "regex"}
    folder = with_config(run_folder, tmp_path / "run", yaml.safe_dump(settings))
    with pytest.raises(ConfigError, match=r"mask: .* is not a regular expression: [^\n]*\Z"):
        predict_pair(folder, "text-svm", text="a")


@pytest.mark.parametrize("change", [{"key": None}, {"files": [1]}, {"files": None}, {"costs": 3}])
def test_a_sealed_record_of_a_fit_of_another_form_is_damaged(run_folder, tmp_path, change):
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    path = folder / "fits" / "text-svm.seed-0.fold-1" / "done.json"
    write_sealed(path, read_sealed(path) | change)
    with pytest.raises(RunFolderError, match="is damaged"):
        predict_pair(folder, "text-svm", text="a")
