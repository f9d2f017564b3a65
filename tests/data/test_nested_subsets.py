"""Parts of the training rows contain each other, have every class, and never tear a group."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.data.nested_subsets import nested_subsets

SHARES = (0.125, 0.25, 0.5)


def rows(n, classes, seed, *, most_of_a_group=4):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n), rng.integers(1, most_of_a_group + 1, n))[:n]
    labels = rng.integers(0, classes, n)[groups]
    return pl.DataFrame({"id": [str(i) for i in range(n)], "label": labels.astype(str), "group": groups.astype(str)})


@settings(max_examples=30, deadline=None)
@given(st.integers(60, 300), st.integers(2, 6), st.integers(0, 99))
def test_parts_are_nested_stratified_and_tear_no_group(n, classes, seed):
    whole = rows(n, classes, seed)
    larger = whole
    for share, part in nested_subsets(whole, SHARES, seed=seed).items():
        assert set(part["id"]) < set(larger["id"])
        inside = whole.filter(pl.col("group").is_in(part["group"].unique().implode()))
        assert len(inside) == len(part)
        assert set(part["label"]) == set(whole["label"])
        assert len(part) == pytest.approx(share * n, abs=0.2 * n)
        larger = part


def test_rows_that_are_alone_give_each_class_its_share_to_within_a_row():
    whole = pl.DataFrame({"label": ["a"] * 80 + ["b"] * 16, "group": [str(row) for row in range(96)]})
    (part,) = nested_subsets(whole, [0.25], seed=1).values()
    assert dict(part["label"].value_counts().iter_rows()) == {"a": 20, "b": 4}


def test_the_seed_decides():
    whole = rows(200, 2, 0)
    first, again, other = (nested_subsets(whole, SHARES, seed=seed)[0.125]["id"].to_list() for seed in (3, 3, 4))
    assert first == again != other


def test_a_share_without_a_group_for_each_class_is_left_out():
    whole = pl.DataFrame({"label": ["a"] * 30 + ["b"] * 3, "group": [str(row) for row in range(33)]})
    assert list(nested_subsets(whole, SHARES, seed=0)) == [0.5, 0.25]
