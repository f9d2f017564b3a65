"""What all contenders share: how they take rows and labels, hold rows out, and turn scores into chances."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.contenders import make
from counterpoint.contenders.base import Rows
from counterpoint.contenders.calibrate import fit_scaling
from counterpoint.contenders.inner_split import cross_folds, hold_out
from counterpoint.contenders.inputs import as_labels, as_pairs
from counterpoint.errors import SchemaError


@pytest.mark.parametrize(
    "y",
    [
        [None, "a"],
        [np.nan, 1.0],
        ["a", np.nan],
        pd.Series([1, None], dtype=object),
        pd.Series(["a", pd.NA], dtype="string"),
    ],
)
def test_a_missing_label_is_refused(y):
    with pytest.raises(SchemaError, match="y has 1 missing labels"):
        as_labels(y)


def test_a_class_may_be_called_none_or_nan():
    assert as_labels(["None", "nan"]).tolist() == ["None", "nan"]


def test_whole_numbers_stay_whole_numbers():
    assert as_labels(pd.Series([2, 1], dtype=object)).tolist() == [2, 1]
    assert as_labels(pl.Series([True, False])).tolist() == [True, False]


def test_labels_of_two_columns_are_refused():
    with pytest.raises(SchemaError, match=r"one column of labels\. Its shape is \(2, 1\)"):
        as_labels([["a"], ["b"]])


def test_rows_and_labels_must_be_as_many():
    with pytest.raises(SchemaError, match="X has 2 rows and y has 3 labels"):
        make("majority").fit(pl.DataFrame({"text": ["a", "b"]}), ["x", "y", "y"])


def test_a_text_column_of_numbers_is_refused():
    with pytest.raises(SchemaError, match=r"type String\. It has Int64"):
        as_pairs(pl.DataFrame({"text": [1]}), ["text"])


def test_a_missing_text_of_pandas_is_a_missing_text():
    frame = pd.DataFrame({"text": ["a", None, np.nan, "b"]})
    assert as_pairs(frame)["text"].to_list() == ["a", None, None, "b"]
    assert as_pairs(frame.astype({"text": "category"}))["text"].to_list() == ["a", None, None, "b"]


groups = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=1, max_size=60)


@given(groups, st.integers(0, 5))
def test_held_out_rows_are_a_part_of_the_rows_and_share_no_group(drawn, seed):
    pairs = pl.DataFrame({"group": [f"{g}-{c}" for g, c in drawn], "row": range(len(drawn))})
    rows = Rows(pairs, np.array([c for _, c in drawn]))
    train, validation = hold_out(rows, seed=seed)
    if pairs["group"].n_unique() == len({c for _, c in drawn}):  # every class is one group
        assert train.pairs.equals(validation.pairs)
        return
    assert not set(train.pairs["group"]) & set(validation.pairs["group"])
    assert sorted([*train.pairs["row"], *validation.pairs["row"]]) == list(range(len(drawn)))
    assert set(train.codes) == set(rows.codes)


@given(groups)
def test_no_group_is_in_two_cross_folds_and_no_class_is_ever_wholly_out(drawn):
    pairs = pl.DataFrame({"group": [f"{g}-{c}" for g, c in drawn]})
    codes = np.array([c for _, c in drawn])
    folds = cross_folds(Rows(pairs, codes), 3)
    assert pairs.with_columns(fold=folds).group_by("group").agg(pl.col("fold").n_unique())["fold"].max() == 1
    for fold in range(3):
        assert set(codes[folds != fold]) == set(codes)


def test_cross_folds_do_not_follow_the_order_of_the_rows():
    rows = Rows(pl.DataFrame({"row": range(600)}), np.repeat([0, 1], 300))
    folds = cross_folds(rows, 3)
    assert np.bincount(folds).tolist() == [200] * 3
    # In turn, each third row would be in the same fold, and no two neighbours.
    assert (folds[3:] == folds[:-3]).mean() == pytest.approx(1 / 3, abs=0.08)
    assert (folds[1:] == folds[:-1]).mean() == pytest.approx(1 / 3, abs=0.08)
    assert np.array_equal(folds, cross_folds(rows, 3))
    assert not np.array_equal(folds, cross_folds(rows, 3, seed=1))


def test_about_the_share_is_held_out_of_each_class():
    rows = Rows(pl.DataFrame({"row": range(400)}), np.repeat([0, 1], [300, 100]))
    _, validation = hold_out(rows, seed=0, share=0.2)
    assert np.bincount(validation.codes).tolist() == [60, 20]
    _, other = hold_out(rows, seed=1, share=0.2)
    assert validation.pairs["row"].to_list() != other.pairs["row"].to_list()


def test_one_large_family_does_not_fill_the_held_out_rows():
    rows = Rows(pl.DataFrame({"group": ["big"] * 80 + list("abcdefghijklmnopqrst")}), np.zeros(100, np.int64))
    for seed in range(5):
        assert "big" not in hold_out(rows, seed=seed)[1].pairs["group"]


def sample(n: int, scale: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return logits that are *scale* times too large, and classes drawn by the right ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 3)) * 2
    gumbel = rng.gumbel(size=(n, 3))
    return logits * scale, (logits + gumbel).argmax(axis=1)


@pytest.mark.parametrize("scale", [0.2, 1.0, 5.0])
def test_a_scaling_finds_the_temperature(scale):
    scores, codes = sample(4000, scale, 0)
    scaling = fit_scaling([scores], codes)
    assert scaling.weights[0] * scale == pytest.approx(1, abs=0.08)
    np.testing.assert_allclose(scaling.bias - scaling.bias.mean(), 0, atol=0.15)


def test_two_classes_are_calibrated_as_by_platt():
    rng = np.random.default_rng(0)
    margin = rng.normal(size=300)
    codes = (margin + rng.normal(size=300) > 0.3).astype(np.int64)
    proba = fit_scaling([np.stack([-margin, margin], axis=1)], codes).proba([np.stack([-margin, margin], axis=1)])
    n = np.bincount(codes)
    target = np.where(codes == 1, (n[1] + 1) / (n[1] + 2), 1 / (n[0] + 2))
    grid = [(a, b) for a in np.linspace(0.5, 4, 71) for b in np.linspace(-2, 2, 81)]
    losses = [
        (target * np.logaddexp(0, -a * margin - b) + (1 - target) * np.logaddexp(0, a * margin + b)).sum()
        for a, b in grid
    ]
    a, b = grid[int(np.argmin(losses))]
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-a * margin - b)), atol=0.03)


def test_a_branch_that_is_wrong_is_silenced_not_turned_round():
    scores, codes = sample(500, 1.0, 0)
    assert fit_scaling([-scores], codes).weights.tolist() == [0.0]
    weights = fit_scaling([scores, -scores[::-1]], codes, equality=0.0).weights
    assert weights[0] > 0.8
    assert 0 <= weights[1] < 0.1


def test_weights_are_equal_where_the_branches_are_equal():
    scores, codes = sample(50, 1.0, 0)
    weights = fit_scaling([scores, scores], codes).weights
    assert weights[0] == pytest.approx(weights[1], rel=1e-3)


def test_nothing_to_fit_on_leaves_scores_as_they_are():
    scaling = fit_scaling([np.zeros((0, 3))], np.zeros(0, np.int64))
    assert (scaling.weights.tolist(), scaling.bias.tolist()) == ([1.0], [0.0, 0.0, 0.0])


SHARES = np.log([0.6, 0.3, 0.1])


def test_a_model_without_information_predicts_the_known_class_shares():
    rng = np.random.default_rng(0)
    noise, codes = rng.normal(size=(600, 3)) * 3, np.repeat([0, 1, 2], [360, 180, 60])
    for log_prior in (np.zeros(3), SHARES):
        scaling = fit_scaling([noise + log_prior], codes, log_shares=SHARES, log_prior=log_prior)
        proba = scaling.proba([noise[:5] + log_prior])
        np.testing.assert_allclose(proba, np.tile(np.exp(SHARES), (5, 1)), atol=0.06)


def test_known_class_shares_count_more_than_those_of_the_held_out_rows():
    scores, codes = sample(4000, 1.0, 0)  # classes of equal size
    rare = fit_scaling([scores], codes, log_shares=SHARES).proba([scores])
    drawn = np.random.default_rng(1).choice(4000, 4000, p=np.exp(SHARES)[codes] / np.exp(SHARES)[codes].sum())
    np.testing.assert_allclose(rare[drawn].mean(0), np.exp(SHARES), atol=0.02)


def test_a_class_without_held_out_rows_keeps_its_share():
    scores, codes = sample(60, 1.0, 0)
    held_out = codes != 2
    proba = fit_scaling([scores[held_out]], codes[held_out], log_shares=SHARES).proba([scores])
    assert 0.02 < proba[:, 2].mean() < 0.2
    nothing = fit_scaling([scores[:0]], codes[:0], log_shares=SHARES)
    assert (nothing.weights.tolist(), nothing.bias.tolist()) == ([1.0], SHARES.tolist())
