"""EMAP: the published projection, and the gain of models that add or interact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from counterpoint.measures import emap_gap, projection
from measure_material import Reader, both, first, signs

LOGITS = st.floats(-5, 5)


def test_the_projection_is_the_published_vector():
    logits = np.array([[-1.3, 0.3, -0.2], [0.8, 3.0, 1.1], [1.1, -0.1, 0.7]])
    assert projection(logits) == pytest.approx([-0.8, 2.1, 0.5])


@given(arrays(np.float64, 6, elements=LOGITS), arrays(np.float64, 6, elements=LOGITS))
def test_an_additive_model_is_its_own_projection(text, image):
    assert projection(text[:, None] + image[None, :]) == pytest.approx(text + image)


def test_the_projection_of_xor_is_nothing():
    signal = np.array([1.0, -1.0, 1.0, -1.0])
    assert projection(np.outer(signal, signal)) == pytest.approx(np.zeros(4))


def test_a_model_of_xor_is_at_chance_as_a_sum():
    pairs = signs()
    labels = both(pairs, lambda text, image: text * image)
    found = emap_gap(Reader(lambda text, image: 4 * text * image), pairs, labels, block=60)
    assert found.value > 0.3
    assert found.low > 0


def test_a_model_that_adds_loses_nothing():
    pairs = signs()
    labels = both(pairs, first)
    assert emap_gap(Reader(lambda text, image: 3 * text + image), pairs, labels, block=50) == (0, 0, 0)
