"""An export predicts the probabilities of its contender, from texts and files, without Counterpoint."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from counterpoint.config import Text
from counterpoint.contenders import make
from counterpoint.contenders.calibrate import Scaling
from counterpoint.contenders.inputs import with_masks
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.onnx_export import export_onnx
from counterpoint.onnx_export.probabilities import EXPORTED
from onnx_material import alone, hard_pairs

MOST = 1e-4
N_ROWS = 500
CLASSES = ("animal", "machine", "plant")
MASK = Text(mask=("fox", "žába", "don't", "犬", "K"))
NETWORKS = {"text-lstm": {"embed": 8, "hidden": 8, "epochs": 2}, "image-cnn": {"side_px": 20, "width": 4, "epochs": 1}}
SETTINGS: dict[str, dict[str, Any]] = {
    "keyword-rule": {"n_words": 4, "min_count": 1},
    "image-hog": {"side_px": 40, "cell_px": 9, "orientations": 12},
    **NETWORKS,
    "lstm-cnn": {"text": NETWORKS["text-lstm"], "image": NETWORKS["image-cnn"], "epochs": 1},
    "late-fusion": {"branches": NETWORKS},
    "probe-average": {"members": ("text-svm", "text-ngrams", "image-cnn"), "branches": NETWORKS},
    "ensemble": {"members": ("text-svm", "keyword-rule", "image-cnn"), "branches": NETWORKS},
}
WITH_ENCODERS = {"text-probe", "image-probe", "pair-probe", "zero-shot"}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> pl.DataFrame:
    return hard_pairs(tmp_path_factory.mktemp("images"), n=N_ROWS)


def fitted(name: str, pairs: pl.DataFrame, classes: Sequence[Any] = CLASSES, **settings: Any) -> Any:
    train = pairs.tail(60)
    labels = np.random.default_rng(1).choice(classes, len(train))
    return make(name, **SETTINGS.get(name, {}) | settings).fit(train, labels)


def farthest(model: Any, pairs: pl.DataFrame, folder, rules: Text | None = None) -> float:
    export_onnx(model, folder, text_rules=rules)
    read = with_masks(pairs, rules or Text())
    return float(np.abs(alone(folder, pairs) - model.predict_proba(read)).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(EXPORTED) - WITH_ENCODERS))
def test_an_export_predicts_as_its_contender(name, pairs, tmp_path):
    assert farthest(fitted(name, pairs), pairs, tmp_path / "out", MASK) <= MOST


VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("text-svm", {"characters": None, "words": 1}),
    ("text-svm", {"characters": (1, 2), "words": 3, "min_count": 2, "class_weight": None}),
    ("text-ngrams", {"characters": (7, 9)}),
    ("text-lstm", {"max_words": 3, "vocabulary": 5}),
    ("image-cnn", {"mode": "gray", "aspect": "squash", "stride": 1, "side_px": 11}),
    ("image-cnn", {"stride": 4, "side_px": 70}),
    ("lstm-cnn", {"start": "scratch"}),
    ("majority", {"smoothing": 1.0}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "settings"), VARIANTS)
@pytest.mark.parametrize("n_classes", [2, 5])
def test_other_settings_and_numbers_of_classes_are_exported(name, settings, n_classes, pairs, tmp_path):
    model = fitted(name, pairs, classes=range(10, 10 + n_classes), **settings)
    assert farthest(model, pairs.head(90), tmp_path / "out") <= MOST


@pytest.mark.slow
def test_a_machine_that_lacks_a_class_is_exported(pairs, tmp_path):
    model, lacking = fitted("text-svm", pairs), fitted("text-svm", pairs, classes=["a", "b"])
    svm = lacking.machine_.svm
    model.machine_, model.grams_ = lacking.machine_, lacking.grams_
    svm.classes_ = np.array([0, 2])
    assert farthest(model, pairs.head(90), tmp_path / "out") <= MOST


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WITH_ENCODERS))
def test_an_export_with_its_encoders_predicts_as_its_probe(name, pairs, tmp_path):
    if CATALOGUE["joint"].missing():
        pytest.skip("needs counterpoint[encoders]")
    model = fitted(name, pairs)
    if name == "zero-shot":  # its calibration found nothing in these pictures
        model.scaling_ = Scaling.identity(3)
    rows = pairs if name == "pair-probe" else pairs.head(80)
    assert farthest(model, rows, tmp_path / "out") <= MOST


@pytest.mark.slow
def test_a_probe_on_the_joint_space_is_exported(pairs, tmp_path):
    if CATALOGUE["joint"].missing():
        pytest.skip("needs counterpoint[encoders]")
    settings = {"text_encoder": "joint", "image_encoder": "joint"}
    assert farthest(fitted("pair-probe", pairs, **settings), pairs.head(80), tmp_path / "out") <= MOST
