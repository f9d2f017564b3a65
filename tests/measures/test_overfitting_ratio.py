"""The overfitting-to-generalisation ratio and blend weights, for one fit and for several."""

import numpy as np
import pytest

from counterpoint.measures import blend_weights, blend_weights_of, ogr, ogr_of


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
