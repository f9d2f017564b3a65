"""Partial information decomposition: the published values, and invariants."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from counterpoint.measures import pid, pid_of
from measure_material import first, second


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


def test_without_groups_rows_are_drawn_as_ever():
    rng = np.random.default_rng(3)
    text, image, other = rng.integers(0, 2, (3, 60))
    found = pid_of(text, image, text | (image & other), draws=12, permutations=7, seed=5)
    assert found.value == pytest.approx((0.0629497932067038, 0.47744227687010155, 0, 0.15685096510309793), abs=1e-12)
    assert found.null == pytest.approx(
        (0.004142144933632341, 0.0006106147610244774, 0.011991521996237911, 0.014889918549447326), abs=1e-12
    )
    assert found.low == pytest.approx(
        (0.001702162854071589, 0.32453252880456385, 1.4802973661668756e-16, 0.06299719761009326), abs=1e-12
    )
    assert found.high == pytest.approx(
        (0.1134567052520585, 0.6826844472723069, 3.7007434154171886e-16, 0.23152802471939554), abs=1e-12
    )


def test_the_interval_is_around_the_value_though_a_drawn_table_has_more_information():
    rng = np.random.default_rng(0)
    found = pid_of(*rng.integers(0, 5, (3, 200)), draws=30, permutations=5)
    for value, low, high in zip(found.value, found.low, found.high, strict=True):
        assert low <= value <= high


def test_labels_of_nothing_have_the_information_of_their_null():
    rng = np.random.default_rng(0)
    found = pid_of(*rng.integers(0, 2, (3, 300)), draws=20, permutations=30)
    assert max(found.value) < 5 * max(found.null) + 0.02
