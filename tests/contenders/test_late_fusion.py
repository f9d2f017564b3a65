"""Late fusion of branches with given probabilities."""

import numpy as np
import polars as pl
import pytest
from scipy.special import log_softmax
from sklearn.metrics import log_loss

from counterpoint.contenders import make
from counterpoint.contenders.late_fusion import LateFusion
from counterpoint.errors import ConfigError, SchemaError


class Given:
    """A fit with a given probability for each text or image."""

    n_epochs_, n_parameters_, n_trials_ = 1, 10, 1

    def __init__(self, modality: str, chances: dict[str | None, list[float]]) -> None:
        self.modality, self.chances = modality, chances
        self.classes_ = np.array(["a", "b"])

    def predict_proba(self, X: pl.DataFrame) -> np.ndarray:
        return np.array([self.chances[value] for value in X[self.modality]])


def fused(n: int = 400, **chances) -> tuple[LateFusion, pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"])[rng.integers(0, 2, n)]
    flip = {"text": 0.1, "image": 0.3}
    drawn = {name: np.where(rng.random(n) < p, 1 - (labels == "b"), labels == "b") for name, p in flip.items()}
    X = pl.DataFrame({name: [f"{name}{v}" for v in codes.astype(int)] for name, codes in drawn.items()})
    chances_of = {
        modality: {f"{modality}0": [1 - p, p], f"{modality}1": [p, 1 - p], None: [0.5, 0.5]}
        for modality, p in flip.items()
    }
    fits = {
        "text-svm": Given("text", chances_of["text"]),
        "text-lstm": Given("text", {"text0": [0.5, 0.5], "text1": [0.5, 0.5], None: [0.5, 0.5]}),
        "image-cnn": Given("image", chances_of["image"] | chances),
    }
    return LateFusion().fit(X[:2], ["a", "b"], validation=(X, labels), fits=fits), X, labels


def test_the_better_branch_is_chosen_on_validation_and_honest_branches_count_alike():
    model, _, _ = fused()
    assert [branch.name for branch in model.branches_] == ["text-svm", "image-cnn"]
    ratio = model.scaling_.weights[0] / model.scaling_.weights[1]
    assert ratio == pytest.approx(1, abs=0.25)


def test_two_branches_together_are_surer_than_either_and_no_less_right():
    model, X, labels = fused()
    both = log_loss(labels, model.predict_proba(X))
    for branch in model.branches_:
        assert both < log_loss(labels, np.exp(log_softmax(branch.logits(X), axis=1)))


def test_the_other_branch_decides_where_one_is_missing():
    model, X, _ = fused()
    text, image = model.branches_
    for branch, gone in ((text, "image"), (image, "text")):
        rows = X.with_columns(pl.lit(None, pl.String).alias(gone))
        np.testing.assert_allclose(model.predict_proba(rows), np.exp(log_softmax(branch.logits(rows), axis=1)))
    nothing = X[:1].with_columns(text=pl.lit(None, pl.String), image=pl.lit(None, pl.String))
    np.testing.assert_allclose(model.predict_proba(nothing), [[0.5, 0.5]])


def test_its_logits_are_its_own_empirical_projection():
    model, X, _ = fused()
    rows = X[:6]
    grid = np.stack([model.logits(rows.with_columns(image=pl.lit(image))) for image in rows["image"]])
    projected = grid.mean(axis=0) + grid.mean(axis=1) - grid.mean(axis=(0, 1))
    np.testing.assert_allclose(projected, model.logits(rows), atol=1e-9)


def test_a_branch_that_is_too_sure_is_cooled_before_it_is_added():
    model, X, labels = fused(image0=[1.0, 0.0], image1=[0.0, 1.0])
    assert log_loss(labels, model.predict_proba(X)) < 0.33
    assert model.branches_[1].scaling.weights[0] < 0.2


def test_fits_without_validation_rows_cannot_be_combined():
    X = pl.DataFrame({"text": ["text0", "text1"], "image": ["image0", "image1"]})
    with pytest.raises(ConfigError, match="validation rows"):
        LateFusion().fit(X, ["a", "b"], fits={"text-svm": Given("text", {})})


def test_fits_of_other_classes_are_refused():
    X = pl.DataFrame({"text": ["text0", "text1"], "image": ["image0", "image1"]})
    fits = {name: Given("text", {}) for name in LateFusion().needs}
    with pytest.raises(SchemaError, match=r"other classes than \['x', 'y'\]: \['text-svm'"):
        LateFusion().fit(X, ["x", "y"], validation=(X, ["x", "y"]), fits=fits)


def test_branches_are_settings_and_needs_follow_them():
    model = make("late-fusion", text=["keyword-rule"], image=["metadata"])
    assert model.needs == ("keyword-rule", "metadata")
