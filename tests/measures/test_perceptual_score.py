"""Perceptual score: models that read one modality, and permutation within a class."""

import numpy as np
import pytest

from counterpoint.measures import perceptual_score
from measure_material import Reader, both, first, signs


def test_a_modality_that_is_not_read_has_no_score_and_the_one_that_is_has_all():
    pairs = signs(400)
    labels = both(pairs, first)
    model = Reader(lambda text, _: 3 * text)
    assert perceptual_score(model, pairs, labels, "image") == (0, 0, 0)
    assert perceptual_score(model, pairs, labels, "text").value == pytest.approx(0.5, abs=0.05)


def test_the_perceptual_score_is_the_share_of_the_score_that_permutation_takes():
    pairs = signs(2000)
    labels = both(pairs, first)
    wrong = np.arange(2000) % 5 == 0
    found = perceptual_score(Reader(lambda text, _: 3 * text), pairs, np.where(wrong, 1 - labels, labels), "text")
    assert found.value == pytest.approx((0.8 - 0.5) / 0.8, abs=0.02)
    assert found.low < found.value < found.high
    most = perceptual_score(
        Reader(lambda text, _: 3 * text), pairs, np.where(wrong, 1 - labels, labels), "text", per="headroom"
    )
    assert most.value == pytest.approx((0.8 - 0.5) / 0.5, abs=0.04)


def test_within_a_class_the_modality_that_only_names_it_has_no_score():
    pairs = signs(400)
    labels = both(pairs, first)
    found = perceptual_score(Reader(lambda text, _: 3 * text), pairs, labels, "text", is_within_class=True)
    assert found.value == 0
