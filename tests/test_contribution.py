"""What each modality contributes: the published values, and invariants."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from counterpoint.contribution import (
    blend_weights,
    centred,
    conditional_utilisation,
    emap_gap,
    error_overlap,
    ogr,
    oracle_headroom,
    perceptual_score,
    pid,
    pid_of,
    projection,
    shapley,
)

LOGITS = st.floats(-5, 5)


def first(one: Any, _: Any) -> Any:
    return one


def second(_: Any, other: Any) -> Any:
    return other


def table(rule: Any) -> np.ndarray:
    joint = np.zeros((2, 2, 2))
    for a in (0, 1):
        for b in (0, 1):
            joint[a, b, rule(a, b)] += 0.25
    return joint


SAME = np.zeros((2, 2, 2))
SAME[0, 0, 0] = SAME[1, 1, 1] = 0.5


@pytest.mark.parametrize(
    ("joint", "expected"),
    [
        (table(lambda a, b: a & b), (0.3113, 0, 0, 0.5)),
        (table(lambda a, b: a ^ b), (0, 0, 0, 1)),
        (table(first), (0, 1, 0, 0)),
        (table(second), (0, 0, 1, 0)),
        (SAME, (1, 0, 0, 0)),
    ],
    ids=["and", "xor", "copy of text", "copy of image", "identical"],
)
def test_information_is_divided_as_published(joint, expected):
    assert pid(joint) == pytest.approx(expected, abs=2e-3)


@settings(max_examples=25, deadline=None)
@given(arrays(np.float64, (2, 3, 2), elements=st.floats(0.01, 1)))
def test_the_parts_are_not_negative_and_sum_to_what_the_pair_says(joint):
    found = pid(joint)
    p = joint / joint.sum()
    pair = p.reshape(-1, 2)
    whole = (pair * np.log2(pair / (pair.sum(1, keepdims=True) * pair.sum(0)))).sum()
    assert min(found) >= 0
    assert sum(found) == pytest.approx(whole, abs=5e-3)


def test_labels_of_nothing_have_the_information_of_their_null():
    rng = np.random.default_rng(0)
    found = pid_of(*rng.integers(0, 2, (3, 300)), draws=20, permutations=30)
    assert max(found.value) < 5 * max(found.null) + 0.02


def test_the_projection_is_the_published_vector():
    logits = np.array([[-1.3, 0.3, -0.2], [0.8, 3.0, 1.1], [1.1, -0.1, 0.7]])
    assert projection(logits) == pytest.approx([-0.8, 2.1, 0.5])


@given(arrays(np.float64, 6, elements=LOGITS), arrays(np.float64, 6, elements=LOGITS))
def test_what_adds_is_its_own_projection(text, image):
    assert projection(text[:, None] + image[None, :]) == pytest.approx(text + image)


def test_the_projection_of_xor_is_nothing():
    side = np.array([1.0, -1.0, 1.0, -1.0])
    assert projection(np.outer(side, side)) == pytest.approx(np.zeros(4))


@given(arrays(np.float64, (4, 3), elements=LOGITS))
def test_centred_logs_of_probabilities_are_the_logits_but_for_a_constant(logits):
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert centred(proba) == pytest.approx(logits - logits.mean(1, keepdims=True), abs=1e-6)


class Reader:
    """A model whose text and image are numbers, and whose logit of class 1 is a function of both."""

    classes_ = np.array([0, 1])

    def __init__(self, logit: Any) -> None:
        self.logit = logit

    def predict_proba(self, pairs: pl.DataFrame) -> np.ndarray:
        text, image = (pairs[side].cast(pl.Float64).to_numpy() for side in ("text", "image"))
        chance = 1 / (1 + np.exp(-self.logit(text, image)))
        return np.stack([1 - chance, chance], axis=1)


def signs(n: int = 120) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame({side: rng.choice([-1, 1], n).astype(str) for side in ("text", "image")})


def both(pairs: pl.DataFrame, how: Any) -> np.ndarray:
    text, image = (pairs[side].cast(pl.Float64).to_numpy() for side in ("text", "image"))
    return (how(text, image) > 0).astype(int)


def test_a_model_of_xor_loses_all_it_knows_when_it_may_only_add():
    pairs = signs()
    labels = both(pairs, lambda text, image: text * image)
    found = emap_gap(Reader(lambda text, image: 4 * text * image), pairs, labels, block=60)
    assert found.value > 0.3
    assert found.low > 0


def test_a_model_that_adds_loses_nothing():
    pairs = signs()
    labels = both(pairs, first)
    assert emap_gap(Reader(lambda text, image: 3 * text + image), pairs, labels, block=50) == (0, 0, 0)


def test_a_modality_that_is_not_read_has_no_score_and_the_one_that_is_has_all():
    pairs = signs(400)
    labels = both(pairs, first)
    model = Reader(lambda text, _: 3 * text)
    assert perceptual_score(model, pairs, labels, "image") == (0, 0, 0)
    assert perceptual_score(model, pairs, labels, "text").value == pytest.approx(0.5, abs=0.05)


def test_within_a_class_the_modality_that_only_names_it_has_no_score():
    pairs = signs(400)
    labels = both(pairs, first)
    found = perceptual_score(Reader(lambda text, _: 3 * text), pairs, labels, "text", is_within_class=True)
    assert found.value == 0


@given(*[st.floats(0, 1)] * 4)
def test_shares_sum_to_what_both_add(prior, text, image, joint):
    shares = shapley(prior=prior, text=text, image=image, both=joint)
    assert sum(shares) == pytest.approx(joint - prior, abs=1e-9)


def test_errors_on_the_same_rows_leave_no_headroom_and_on_other_rows_do():
    right = np.array([1, 1, 1, 0] * 50)
    labels = ["a", "b"] * 100
    assert oracle_headroom(right, right, labels).high < 0
    other = np.array([0, 1, 1, 1] * 50)
    assert oracle_headroom(right, other, ["a"] * 200).low > 0


def test_independent_errors_have_a_headroom_around_nothing():
    rng = np.random.default_rng(2)
    text, image = rng.random((2, 2000)) < 0.8
    found = oracle_headroom(text, image, ["a"] * 2000)
    assert found.low < 0 < found.high


@given(arrays(np.bool_, 20), arrays(np.bool_, 20))
def test_every_row_is_in_one_cell_of_the_overlap(text, image):
    found = error_overlap(text, image)
    assert found["both"] + found["text_only"] + found["image_only"] + found["neither"] == pytest.approx(1)
    assert -1 <= found["q"] <= 1


def test_utilisation_is_the_share_of_the_accuracy_that_is_lost():
    assert conditional_utilisation([1, 1, 1, 0], [1, 0, 0, 0]).value == pytest.approx(2 / 3)


def test_a_branch_that_only_fits_its_training_rows_has_an_infinite_ratio_and_no_weight():
    assert ogr([0.7, 0.1], [0.7, 0.7]) == float("inf")
    weights = blend_weights({"text": ([0.7, 0.4], [0.7, 0.5]), "image": ([0.7, 0.1], [0.7, 0.7])})
    assert weights == {"text": 1.0, "image": 0.0}


def test_ratio_is_that_of_the_gap_to_the_gain():
    assert ogr([0.7, 0.5, 0.1], [0.7, 0.6, 0.5], start=1) == pytest.approx(abs((0.4 - 0.1) / (0.6 - 0.5)))
