"""Shapley values: the formula, rows with intervals, and their sum."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.measures import correct_by_modality, shapley, shapley_of
from measure_material import HITS, Reader, both, first, signs


def test_shares_are_those_of_the_formula():
    assert shapley(prior=0.5, text=0.7, image=0.5, both=0.8) == pytest.approx((0.25, 0.05))


def test_shares_of_rows_are_those_of_their_scores_with_an_interval():
    found = shapley_of(**HITS)
    scores = {name: hits.mean() for name, hits in HITS.items()}
    assert [share.value for share in found] == pytest.approx(shapley(**scores))
    assert all(share.low < share.value < share.high for share in found)
    by_class = shapley_of(**HITS, labels=np.repeat(["a", "b"], [80, 20]))
    assert sum(share.value for share in by_class) == pytest.approx(0.5 * (1 + 0) - 0.5)


def test_a_model_of_xor_divides_its_accuracy_evenly_and_one_of_the_text_gives_it_all():
    class ZeroFilled(Reader):
        """A missing modality is 0, which adds nothing to the logit."""

        def predict_proba(self, pairs: pl.DataFrame) -> np.ndarray:
            return super().predict_proba(pairs.fill_null("0"))

    pairs = signs(400)
    xor = ZeroFilled(lambda text, image: 4 * text * image - 0.01)
    even = shapley_of(**correct_by_modality(xor, pairs, both(pairs, lambda text, image: text * image)))
    assert even.text == even.image
    assert even.text.low > 0.2
    text = shapley_of(**correct_by_modality(ZeroFilled(lambda text, _: 3 * text - 0.01), pairs, both(pairs, first)))
    assert text.text.low > 0.4
    assert text.image == (0, 0, 0)


@given(*[st.floats(0, 1)] * 4)
def test_shares_sum_to_what_both_add(prior, text, image, joint):
    shares = shapley(prior=prior, text=text, image=image, both=joint)
    assert sum(shares) == pytest.approx(joint - prior, abs=1e-9)
