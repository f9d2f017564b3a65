"""An export is whole or absent, says what it holds, and is refused in one line where it is not possible."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import polars as pl
import pytest
from PIL import Image

from contender_material import make_pairs
from counterpoint.config import Text
from counterpoint.contenders import make
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.errors import ConfigError, CounterpointError, RunFolderError
from counterpoint.metrics import METRICS, decide
from counterpoint.onnx_export import export, export_onnx
from counterpoint.onnx_export import reader as source

TINY_CNN = {"side_px": 8, "width": 4, "epochs": 1, "batch": 8}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> pl.DataFrame:
    return make_pairs(tmp_path_factory.mktemp("images"), n=24, n_classes=3)


@pytest.fixture(scope="module")
def svm(pairs):
    return make("text-svm").fit(pairs, pairs["label"])


@pytest.fixture(scope="module")
def cnn(pairs):
    return make("image-cnn", **TINY_CNN).fit(pairs, pairs["label"])


def refusal(model, where: Path, kind: type[Exception] = ConfigError, **settings) -> str:
    with pytest.raises(kind) as caught:
        export_onnx(model, where, **settings)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def imported(folder: Path):
    spec = importlib.util.spec_from_file_location("exported_reader", folder / "reader.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "reader.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder.parent)


# What is written.


def test_the_account_has_each_file_and_the_contents_of_the_graphs(cnn, tmp_path):
    account = export_onnx(cnn, tmp_path / "deep" / "out")
    written = {path.name: path.stat().st_size for path in (tmp_path / "deep" / "out").iterdir()}
    assert account["files"] == written
    assert account["bytes"] == sum(written.values())
    assert account["contender"] == "image-cnn"
    assert account["classes"] == ["animal", "machine", "plant"]
    assert account["graphs"]["model.onnx"]["inputs"] == ["pixels", "has_image"]
    assert account["graphs"]["model.onnx"]["operators"]["Conv"] == 9
    assert account["packages"] == ["numpy", "onnxruntime", "pillow", "simplejpeg"]
    assert account["largest_difference"] <= 1e-6
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_the_same_contender_gives_the_same_bytes(cnn, tmp_path):
    for name in ("a", "b"):
        export_onnx(cnn, tmp_path / name)
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b")]
    assert files[0] == files[1]


def test_an_empty_folder_is_filled(svm, tmp_path):
    export_onnx(svm, tmp_path)
    assert (tmp_path / "reader.py").exists()


@pytest.mark.parametrize("name", [".", "link", "new/deep"])
def test_an_empty_folder_is_filled_by_any_of_its_names_and_stays_the_same_folder(svm, tmp_path, monkeypatch, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    monkeypatch.chdir(tmp_path / "empty" if name == "." else tmp_path)
    before = Path(name).stat().st_ino if name != "new/deep" else None
    account = export_onnx(svm, Path(name))
    assert {path.name for path in Path(name).iterdir()} == set(account["files"])
    assert before in (None, Path(name).stat().st_ino)
    assert (tmp_path / "link").is_symlink()


def test_the_graph_reads_a_batch_of_any_size(cnn, tmp_path):
    export_onnx(cnn, tmp_path / "out")
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    pixels, has_image = np.zeros((5, 3, 8, 8), np.uint8), np.array([True, False, True, False, True])
    (chances,) = session.run(None, {"pixels": pixels, "has_image": has_image})
    assert chances.shape == (5, 3)
    np.testing.assert_allclose(chances.sum(axis=1), 1)


def test_the_rules_of_texts_and_classes_are_written(svm, tmp_path):
    export_onnx(svm, tmp_path, text_rules=Text(mask=("fox",), match="substring"), metric="balanced_accuracy")
    settings = json.loads((tmp_path / "preprocessing.json").read_text(encoding="utf-8"))
    assert settings["decision"]["share_power"] == 1
    assert settings["decision"]["class_shares"] == svm.class_shares_.tolist()
    assert settings["text"]["masked_words"] == ["fox"]
    assert settings["inputs"]["counts"]["words"][:2] == sorted(settings["inputs"]["counts"]["words"])[:2]


# What is refused.


def test_a_contender_without_an_export_is_refused_with_those_that_have_one(pairs, tmp_path):
    line = refusal(make("metadata", is_scaled=False).fit(pairs, pairs["label"]), tmp_path / "out")
    assert line.startswith("The contender 'metadata' cannot be exported to ONNX. Allowed: ensemble, image-cnn,")
    assert not any(tmp_path.iterdir())


def test_a_contender_from_outside_is_refused(tmp_path):
    assert "'builtins:dict' cannot be exported" in refusal({}, tmp_path / "out")


def test_a_contender_that_is_not_fitted_is_refused(tmp_path):
    assert refusal(make("text-svm"), tmp_path / "out") == "The contender 'text-svm' is not fitted. Call fit first."


def test_a_combination_of_a_contender_without_an_export_is_refused(pairs, svm, tmp_path):
    fits = {"text-svm": svm, "metadata": make("metadata", is_scaled=False).fit(pairs, pairs["label"])}
    ensemble = make("ensemble", members=tuple(fits), steps=0).fit(
        pairs, pairs["label"], validation=(pairs, pairs["label"]), fits=fits
    )
    ensemble.members_, ensemble.weights_ = fits, dict.fromkeys(fits, 0.5)
    assert "'metadata' cannot be exported" in refusal(ensemble, tmp_path / "out")


def test_an_encoder_from_outside_is_refused(pairs, tmp_path):
    model = make("text-probe", encoder="tiny_encoders:Words").fit(pairs, pairs["label"])
    assert "'tiny_encoders:Words' of texts cannot be exported to ONNX. Allowed: minilm, joint." in refusal(
        model, tmp_path / "out"
    )


def test_a_rule_of_given_words_is_refused(pairs, tmp_path):
    model = make("keyword-rule", classes={"animal": ["fox"], "plant": ["oak"]}).fit(pairs, pairs["label"])
    assert "whose words are given" in refusal(model, tmp_path / "out")


def test_an_unknown_metric_is_refused(svm, tmp_path):
    assert "Did you mean 'accuracy'?" in refusal(svm, tmp_path / "out", metric="acuracy")


def test_a_folder_with_files_or_a_file_is_refused(svm, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert refusal(svm, tmp_path, RunFolderError) == f"{tmp_path} is not empty. Name a new folder with --onnx."
    assert "is a file. Name a new folder with --onnx" in refusal(svm, tmp_path / "mine.txt", RunFolderError)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_refused(svm, tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path) in refusal(svm, tmp_path / "file" / "out", RunFolderError)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_the_command(package, svm, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr("counterpoint.onnx_export.find_spec", lambda name: None if name == package else found(name))
    expected = f"The export to ONNX needs {package}, not installed here: pip install 'counterpoint[onnx]'."
    assert refusal(svm, tmp_path / "out") == expected


def test_an_export_that_differs_from_its_contender_is_not_kept(svm, tmp_path, monkeypatch):
    monkeypatch.setattr(source.Reader, "predict", lambda *_: {"animal": 1.0, "machine": 0.0, "plant": 0.0})
    assert "differs by" in refusal(svm, tmp_path / "out", CounterpointError)
    assert not any(tmp_path.iterdir())


def test_the_room_loads_neither_onnx_nor_torch():
    code = (
        "import sys, counterpoint.onnx_export\n"
        "print(sorted({'onnx', 'onnxruntime', 'torch', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# The reader.


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1"])
def test_the_reader_decides_as_the_study(metric, svm, tmp_path):
    assert metric in METRICS
    svm.class_shares_, before = np.array([0.7, 0.2, 0.1]), svm.class_shares_
    try:
        export_onnx(svm, tmp_path / "out", metric=metric)
        reader = imported(tmp_path / "out").Reader(tmp_path / "out")
        for chances in np.random.default_rng(0).dirichlet([3, 1, 1], 200):
            (code,) = decide(chances[None], metric=metric, shares=svm.class_shares_)
            assert reader.decide(dict(zip(svm.classes_, chances, strict=True))) == svm.classes_[code]
    finally:
        svm.class_shares_ = before


def test_the_reader_is_a_command(svm, tmp_path):
    export_onnx(svm, tmp_path / "out")
    run = run_alone(tmp_path / "out", "--text", "a red fox")
    answer = json.loads(run.stdout)
    assert (run.returncode, run.stderr, answer["label"]) == (0, "", "animal")
    expected = svm.predict_proba(pl.DataFrame({"text": ["a red fox"]}))[0]
    np.testing.assert_allclose(list(answer["probabilities"].values()), expected, atol=1e-9)


def test_a_changed_graph_is_not_read(svm, tmp_path):
    export_onnx(svm, tmp_path / "out")
    graph = tmp_path / "out" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-9] + b"tampered!")
    run = run_alone(tmp_path / "out", "--text", "a red fox")
    assert run.returncode == 1
    assert run.stderr == f"Error: {graph} has changed since the export. Export the model again.\n"


def test_a_missing_image_or_a_pipe_is_one_line(cnn, tmp_path):
    export_onnx(cnn, tmp_path / "out")
    os.mkfifo(tmp_path / "pipe.jpg")  # has no end
    for name in ("nowhere.jpg", "out/reader.py", "pipe.jpg"):
        run = run_alone(tmp_path / "out", "--image", str(tmp_path / name))
        assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
        assert name in run.stderr


def test_a_jpeg_without_simplejpeg_is_refused_and_a_png_is_read(cnn, tmp_path, monkeypatch):
    export_onnx(cnn, tmp_path / "out")
    picture = Image.new("RGB", (30, 20), "red")
    for suffix in ("png", "jpg"):
        picture.save(tmp_path / f"red.{suffix}")
    reader = imported(tmp_path / "out")
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    assert sum(reader.predict(None, tmp_path / "red.png").values()) == pytest.approx(1)
    with pytest.raises(ImportError, match=r"needs simplejpeg, not installed here: pip install simplejpeg\.$"):
        reader.predict(None, tmp_path / "red.jpg")


@pytest.mark.slow
def test_a_probe_without_tokenizers_is_refused(pairs, tmp_path, monkeypatch):
    if CATALOGUE["minilm"].missing():
        pytest.skip("needs counterpoint[encoders]")
    export_onnx(make("text-probe").fit(pairs, pairs["label"]), tmp_path / "out")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ImportError, match=r"needs tokenizers, not installed here: pip install tokenizers\.$"):
        imported(tmp_path / "out").predict("a red fox")


def test_the_limit_of_a_difference_is_the_bar():
    assert export.MOST_DIFFERENCE == 1e-4
