"""Error overlap, oracle headroom and conditional utilisation, against tables by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from counterpoint.measures import conditional_utilisation, error_overlap, oracle_headroom
from measure_material import HITS


def test_errors_on_the_same_rows_leave_no_headroom_and_on_other_rows_do():
    right = np.array([1, 1, 1, 0] * 50)
    labels = ["a", "b"] * 100
    assert oracle_headroom(right, right, labels).high < 0
    other = np.array([0, 1, 1, 1] * 50)
    assert oracle_headroom(right, other, ["a"] * 200).low > 0


def test_headroom_is_the_oracle_minus_the_oracle_of_errors_permuted_within_each_class():
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1, 1], 40)
    text, image = rng.random((2, 120)) < np.where(labels, 0.9, 0.5)
    permuted = np.stack(
        [np.concatenate([rng.permutation(image[labels == code]) for code in (0, 1)]) for _ in range(4000)]
    )
    better = max(text.mean(), image.mean())
    by_hand = ((text | image).mean() - better) - ((text | permuted).mean() - better)
    assert oracle_headroom(text, image, labels).value == pytest.approx(by_hand, abs=2e-3)


def test_independent_errors_have_a_headroom_around_nothing():
    rng = np.random.default_rng(2)
    text, image = rng.random((2, 2000)) < 0.8
    found = oracle_headroom(text, image, ["a"] * 2000)
    assert found.low < 0 < found.high


@given(arrays(np.bool_, 20), arrays(np.bool_, 20))
def test_every_row_is_in_one_cell_of_the_overlap(text, image):
    found = {name: share.value for name, share in error_overlap(text, image, draws=2).items()}
    assert found["both"] + found["text_only"] + found["image_only"] + found["neither"] == pytest.approx(1)
    assert -1 <= found["q"] <= 1


def test_the_overlap_of_errors_is_that_of_the_table_by_hand():
    text, image = HITS["text"], HITS["image"]  # 40 both, 30 the text alone, 10 the image alone, 20 neither
    found = error_overlap(text, image)
    assert [share.value for share in found.values()] == pytest.approx([0.4, 0.3, 0.1, 0.2, (8 - 3) / (8 + 3)])
    assert all(share.low < share.value < share.high for share in found.values())
    assert found["both"].high - found["both"].low == pytest.approx(3.92 * (0.4 * 0.6 / 100) ** 0.5, rel=0.1)


def test_utilisation_is_the_share_of_the_accuracy_that_is_lost():
    assert conditional_utilisation([1, 1, 1, 0], [1, 0, 0, 0]).value == pytest.approx(2 / 3)
