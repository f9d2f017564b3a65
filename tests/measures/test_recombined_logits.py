"""The head alone has the logits of the whole model, so that measures can use it instead."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from contender_material import make_pairs
from counterpoint.contenders import make
from counterpoint.contenders.encoded import MEAN, MISSING
from counterpoint.measures import (
    PredictedLogits,
    conditional_utilisation,
    correct_by_modality,
    emap_gap,
    perceptual_score,
)
from counterpoint.measures.recombined_logits import centred, codes_of, recombine

TINY: dict[str, dict[str, Any]] = {
    "lstm-cnn": {"text": {"epochs": 2, "hidden": 4}, "image": {"epochs": 1, "side_px": 16, "width": 4}, "epochs": 2},
    "paper-lstm-cnn": {"hidden": 8, "length": 6, "side_px": 16, "epochs": 2, "activation": "relu"},
    "late-fusion": {"text": ("text-svm",), "branches": {"image-cnn": {"epochs": 1, "side_px": 16, "width": 4}}},
}
every_kind = pytest.mark.parametrize("kind", TINY)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> dict[int, pl.DataFrame]:
    return {k: make_pairs(tmp_path_factory.mktemp("images"), n=48, n_classes=k) for k in (2, 3)}


@pytest.fixture(scope="module")
def fitted(pairs) -> Callable[[str, int], Any]:
    made: dict[tuple[str, int], Any] = {}

    def fit(kind: str, n_classes: int = 2) -> Any:
        if (kind, n_classes) not in made:
            rows = pairs[n_classes]
            made[kind, n_classes] = make(kind, **TINY[kind]).fit(rows.drop("label"), rows["label"])
        return made[kind, n_classes]

    return fit


@every_kind
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_head_has_the_logits_of_the_model_for_any_combination(kind, n_classes, pairs, fitted):
    model, rows = fitted(kind, n_classes), pairs[n_classes]
    rng = np.random.default_rng(0)
    texts, images = rng.integers(MISSING, len(rows), (2, 200))
    texts[:3], images[1:4] = MISSING, MISSING
    heads, whole = model.encoded(rows), PredictedLogits(model, rows)
    logits = heads.logits(texts, images)
    logits = logits - logits.mean(1, keepdims=True)
    np.testing.assert_allclose(logits, whole.logits(texts, images), atol=2e-4)


@every_kind
def test_the_head_predicts_the_pairs_themselves_as_the_model_does(kind, pairs, fitted):
    model, rows = fitted(kind), pairs[2]
    own = np.arange(len(rows))
    logits = model.encoded(rows).logits(own, own)
    np.testing.assert_allclose(logits - logits.mean(1, keepdims=True), centred(model.predict_proba(rows)), atol=2e-4)


class Whole:
    """A model that has predictions only."""

    def __init__(self, model: Any) -> None:
        self.model, self.classes_, self.predict_proba = model, model.classes_, model.predict_proba


@every_kind
def test_the_measures_are_the_same_with_and_without_heads(kind, pairs, fitted):
    model, rows = fitted(kind), pairs[2]
    labels = rows["label"]
    for measure in (
        lambda model: emap_gap(model, rows, labels, block=20, draws=50),
        lambda model: perceptual_score(model, rows, labels, "image", permutations=3, draws=50),
        lambda model: perceptual_score(model, rows, labels, "text", is_within_class=True, permutations=3, draws=50),
        lambda model: conditional_utilisation(
            *(correct_by_modality(model, rows, labels)[name] for name in ("both", "text"))
        ),
    ):
        assert measure(model) == pytest.approx(measure(Whole(model)), abs=1e-6)


@every_kind
def test_the_mean_of_a_modality_is_over_the_rows_that_have_it(kind, pairs, fitted):
    rows = pairs[2].filter(pl.col("text").is_not_null() & pl.col("image").is_not_null()).head(4)
    encoded = fitted(kind).encoded(rows)
    np.testing.assert_allclose(encoded.image.terms[MEAN], encoded.image.terms[:4].mean(0), rtol=1e-5, atol=1e-6)
    none = encoded_without_images(fitted(kind), rows)
    np.testing.assert_array_equal(none.image.terms[MEAN], none.image.terms[MISSING])


def encoded_without_images(model: Any, rows: pl.DataFrame) -> Any:
    return model.encoded(rows.with_columns(image=pl.lit(None, pl.String)))


def test_a_network_of_one_modality_has_no_separate_head(pairs):
    model = make("paper-text-lstm", hidden=4, length=5, epochs=1).fit(pairs[2].drop("label"), pairs[2]["label"])
    assert model.encoded(pairs[2]) is None
    assert isinstance(recombine(model, pairs[2]), PredictedLogits)


def test_a_label_outside_the_classes_of_the_model_is_never_correct(pairs, fitted):
    labels = pairs[2]["label"].to_list()
    labels[0] = "zebra"
    right = correct_by_modality(fitted("late-fusion"), pairs[2], labels)
    assert all(hits[0] == 0 for hits in right.values())
    assert codes_of(fitted("late-fusion"), ["zebra", "aardvark"]).tolist() == [-1, -1]


@given(arrays(np.float64, (4, 3), elements=st.floats(-5, 5)))
def test_centred_logs_of_probabilities_are_the_logits_but_for_a_constant(logits):
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert centred(proba) == pytest.approx(logits - logits.mean(1, keepdims=True), abs=1e-6)
