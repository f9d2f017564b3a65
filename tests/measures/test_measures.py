"""What each modality contributes: the published values, and invariants."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from counterpoint.measures import (
    blend_weights,
    blend_weights_of,
    centred,
    conditional_utilisation,
    correct_by_modality,
    emap_gap,
    error_overlap,
    ogr,
    ogr_of,
    oracle_headroom,
    perceptual_score,
    pid,
    pid_of,
    projection,
    shapley,
    shapley_of,
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


def test_without_groups_rows_are_drawn_as_ever():
    rng = np.random.default_rng(3)
    text, image, other = rng.integers(0, 2, (3, 60))
    found = pid_of(text, image, text | (image & other), draws=12, permutations=7, seed=5)
    assert found.value == pytest.approx((0.0629497932067038, 0.47744227687010155, 0, 0.15685096510309793), abs=1e-12)
    assert found.null == pytest.approx(
        (0.004142144933632341, 0.0006106147610244774, 0.011991521996237911, 0.014889918549447326), abs=1e-12
    )
    assert found.low == pytest.approx((0.0028473455301042034, 0.31495151638710334, 0, 0.06401619878803103), abs=1e-12)
    assert found.high == pytest.approx((0.11683894742090582, 0.6731034348548464, 0, 0.2325470258973333), abs=1e-12)


def test_labels_of_nothing_have_the_information_of_their_null():
    rng = np.random.default_rng(0)
    found = pid_of(*rng.integers(0, 2, (3, 300)), draws=20, permutations=30)
    assert max(found.value) < 5 * max(found.null) + 0.02


def test_the_projection_is_the_published_vector():
    logits = np.array([[-1.3, 0.3, -0.2], [0.8, 3.0, 1.1], [1.1, -0.1, 0.7]])
    assert projection(logits) == pytest.approx([-0.8, 2.1, 0.5])


@given(arrays(np.float64, 6, elements=LOGITS), arrays(np.float64, 6, elements=LOGITS))
def test_an_additive_model_is_its_own_projection(text, image):
    assert projection(text[:, None] + image[None, :]) == pytest.approx(text + image)


def test_the_projection_of_xor_is_nothing():
    signal = np.array([1.0, -1.0, 1.0, -1.0])
    assert projection(np.outer(signal, signal)) == pytest.approx(np.zeros(4))


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
        text, image = (pairs[modality].cast(pl.Float64).to_numpy() for modality in ("text", "image"))
        chance = 1 / (1 + np.exp(-self.logit(text, image)))
        return np.stack([1 - chance, chance], axis=1)


def signs(n: int = 120) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame({modality: rng.choice([-1, 1], n).astype(str) for modality in ("text", "image")})


def both(pairs: pl.DataFrame, how: Any) -> np.ndarray:
    text, image = (pairs[modality].cast(pl.Float64).to_numpy() for modality in ("text", "image"))
    return (how(text, image) > 0).astype(int)


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


HITS = {
    "prior": np.tile([1, 0], 50),
    "text": np.repeat([1, 1, 0, 0], [40, 30, 10, 20]),
    "image": np.repeat([1, 0, 1, 0], [40, 30, 10, 20]),
    "both": np.repeat([1, 0], [80, 20]),
}


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


def few_draws(*, text: Any, image: Any, both: Any, groups: Any, **_: Any) -> np.ndarray:
    return np.ravel(pid_of(text, image, both, groups=groups, draws=20, permutations=5))


@pytest.mark.parametrize(
    "measure",
    [
        lambda groups, **hits: shapley_of(**hits, groups=groups).text,
        lambda groups, **hits: error_overlap(hits["text"], hits["image"], groups=groups)["q"],
        lambda groups, **hits: conditional_utilisation(hits["both"], hits["text"], groups=groups),
        lambda groups, **hits: oracle_headroom(hits["text"], hits["image"], hits["prior"], groups=groups),
        lambda groups, **hits: few_draws(**hits, groups=groups),
    ],
    ids=["shapley_of", "error_overlap", "conditional_utilisation", "oracle_headroom", "pid_of"],
)
def test_rows_that_are_drawn_together_count_once(measure):
    once = measure(None, **HITS)
    thrice = {name: hits.repeat(3) for name, hits in HITS.items()}
    assert measure(np.arange(100).repeat(3), **thrice) == pytest.approx(once)
    assert measure(None, **thrice) != pytest.approx(once, rel=0.05)


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


def test_a_branch_that_only_fits_its_training_rows_has_an_infinite_ratio_and_no_weight():
    assert ogr([0.7, 0.1], [0.7, 0.7]) == float("inf")
    weights = blend_weights({"text": ([0.7, 0.4], [0.7, 0.5]), "image": ([0.7, 0.1], [0.7, 0.7])})
    assert weights == {"text": 1.0, "image": 0.0}


def test_ratio_is_that_of_the_gap_to_the_gain():
    assert ogr([0.7, 0.5, 0.1], [0.7, 0.6, 0.5], start=1) == pytest.approx(abs((0.4 - 0.1) / (0.6 - 0.5)))


def test_a_branch_weighs_as_its_gain_over_the_square_of_its_gap():
    weights = blend_weights({"text": ([0.7, 0.3], [0.7, 0.5]), "image": ([0.7, 0.1], [0.7, 0.6])})
    text, image = 0.2 / 0.2**2, 0.1 / 0.5**2
    assert weights == pytest.approx({"text": text / (text + image), "image": image / (text + image)})


FITS = [([0.7, 0.3], [0.7, 0.5]), ([0.7, 0.3], [0.7, 0.6]), ([0.7, 0.1], [0.7, 0.4]), ([0.7, 0.2], [0.7, 0.5])]


def test_several_fits_have_the_ratio_of_their_mean_and_an_interval_within_their_own():
    found = ogr_of(FITS)
    train, validation = np.mean(FITS, axis=0)
    assert found.value == pytest.approx(ogr(train, validation))
    ratios = [ogr(*curves) for curves in FITS]
    assert min(ratios) <= found.low < found.value < found.high <= max(ratios)


def test_fits_of_several_branches_have_the_weights_of_their_means_and_an_interval():
    fits = {"text": FITS, "image": [(train, [valid[0], valid[1] + 0.05]) for train, valid in FITS]}
    found = blend_weights_of(fits)
    expected = blend_weights({name: tuple(np.mean(own, axis=0)) for name, own in fits.items()})
    assert {name: weight.value for name, weight in found.items()} == pytest.approx(expected)
    assert sum(expected.values()) == pytest.approx(1)
    assert all(weight.low < weight.value < weight.high for weight in found.values())


@pytest.mark.parametrize(
    ("fits", "groups"), [(FITS[:1], None), (FITS[:2], None), (FITS, [0, 0, 1, 1])], ids=["one", "two", "two groups"]
)
def test_too_few_fits_have_a_value_and_no_interval(fits, groups):
    for found in (
        ogr_of(fits, groups=groups),
        *blend_weights_of({"text": fits, "image": fits}, groups=groups).values(),
    ):
        assert np.isfinite(found.value)
        assert np.isnan(found[1:]).all()


def test_fits_whose_validation_loss_stays_have_an_infinite_ratio():
    stays = ([0.7, 0.1], [0.7, 0.7])
    assert ogr_of([stays] * 3) == (float("inf"),) * 3
    found = ogr_of([*FITS, stays], draws=2000)
    assert np.isfinite(found.value)
    weights = blend_weights_of({"text": FITS, "image": [stays] * 4})
    assert weights == {"text": (1, 1, 1), "image": (0, 0, 0)}
