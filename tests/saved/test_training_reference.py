"""Texts and images that are unlike training are flagged, and held-out ones almost never."""

import numpy as np
import pytest

from counterpoint.saved.training_reference import (
    LEAST_ROWS,
    CharacterReference,
    TrainingReference,
    VectorReference,
    restored,
    small_copies,
)

RNG = np.random.default_rng(0)
ENGLISH = [
    *("the", "small", "brown", "dog", "runs", "over", "a", "green", "field", "near", "some", "water", "with", "two"),
    *("happy", "children", "and", "an", "old", "man"),
]
GERMAN = [
    *("der", "kleine", "braune", "hund", "läuft", "über", "eine", "grüne", "wiese", "nahe", "dem", "wasser", "mit"),
    *("zwei", "glücklichen", "kindern"),
]


def sentences(words, n, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(words, rng.integers(3, 9))) for _ in range(n)]


@pytest.fixture(scope="module")
def characters():
    return CharacterReference.of(sentences(ENGLISH, 400, 1), np.arange(400) % 5, share=0.015)


def test_texts_of_the_same_kind_are_rarely_flagged(characters):
    assert characters.are_unlike(sentences(ENGLISH, 400, 2)).mean() <= 0.04


@pytest.mark.parametrize("texts", [sentences(GERMAN, 200, 3), ["犬が草原を走る"] * 5, ["собака бежит по траве"] * 5])
def test_texts_of_another_language_are_flagged(characters, texts):
    assert characters.are_unlike(texts).mean() >= 0.9


def test_a_blank_text_is_not_flagged(characters):
    assert not characters.are_unlike(["", "  "]).any()


def test_vectors_from_elsewhere_are_flagged_and_held_out_ones_rarely():
    reference = VectorReference.of(RNG.normal(size=(500, 8)), np.arange(500) % 5, share=0.01)
    assert reference.are_unlike(RNG.normal(size=(500, 8))).mean() <= 0.04
    assert reference.are_unlike(RNG.normal(8, 1, size=(500, 8))).all()


def test_few_rows_give_no_reference():
    n = LEAST_ROWS - 1
    folds = np.zeros(n, dtype=np.int64)
    assert CharacterReference.of(["a"] * n, folds, share=0.015) is None
    assert VectorReference.of(np.ones((n, 2)), folds, share=0.015) is None


def test_a_reference_is_restored_from_its_arrays(characters):
    vectors = VectorReference.of(RNG.normal(size=(80, 4)), np.arange(80) % 5, share=0.01)
    again = restored(TrainingReference(characters, None, vectors).arrays())
    texts, others = sentences(GERMAN, 20, 4), RNG.normal(size=(20, 4))
    np.testing.assert_array_equal(again.characters.are_unlike(texts), characters.are_unlike(texts))
    np.testing.assert_array_equal(again.image.are_unlike(others + 9), vectors.are_unlike(others + 9))
    assert again.text is None


@pytest.mark.parametrize(
    "change",
    [
        {"characters.3": np.zeros(4, np.int64)},
        {"characters.threshold": np.zeros(2)},
        {"image.vectors": np.zeros(3, np.float16), "image.threshold": np.zeros(1)},
    ],
)
def test_arrays_of_another_form_are_refused(characters, change):
    with pytest.raises(ValueError, match=r"form|number"):
        restored(TrainingReference(characters).arrays() | change)


def test_no_image_gives_no_vector():
    assert small_copies(np.zeros((0, 3, 32, 32), np.uint8)).shape == (0, 384)
