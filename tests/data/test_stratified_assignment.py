from collections import Counter

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from counterpoint.data.stratified_assignment import apportion, assign_parts
from counterpoint.errors import SplitError
from data_material import SOME

HOLDOUT = {"train": 0.64, "validation": 0.16, "test": 0.2}
SHARES = st.sampled_from([HOLDOUT, {"train": 0.8, "test": 0.2}, dict.fromkeys("01234", 0.2), dict.fromkeys("012", 1.0)])
SEEDS = st.integers(0, 99)


@st.composite
def labelled_groups(draw):
    """Return rows of two or three classes in groups of one to five rows.  Some groups have several classes."""
    n_classes = draw(st.integers(2, 3))
    letters = st.sampled_from("abc"[:n_classes])
    one_class = st.builds(lambda letter, n: letter * n, letters, st.integers(1, 5))
    groups = draw(st.lists(one_class | st.text(letters, min_size=1, max_size=5), min_size=15, max_size=60))
    rows = [(letter, number) for number, group in enumerate(groups) for letter in group]
    return pl.Series([row[0] for row in rows]), pl.Series([row[1] for row in rows])


def assigned(rows, shares, seed=0):
    try:
        return assign_parts(*rows, shares, seed=seed)
    except SplitError:
        assume(False)


def table(labels, parts):
    return Counter(zip(parts, labels, strict=True))


@SOME
@given(labelled_groups(), SHARES, SEEDS)
def test_no_group_is_in_two_parts(rows, shares, seed):
    _, groups = rows
    parts = assigned(rows, shares, seed)
    assert all(parts.filter(groups == group).n_unique() == 1 for group in groups.unique())


@SOME
@given(labelled_groups(), SHARES, SEEDS)
def test_every_class_is_in_every_part(rows, shares, seed):
    counts = table(rows[0], assigned(rows, shares, seed))
    assert all(counts[part, label] for part in shares for label in rows[0].unique())


@SOME
@given(st.lists(st.sampled_from("abc"), min_size=30, max_size=120), SHARES, SEEDS)
def test_rows_on_their_own_are_assigned_to_within_one_row_of_each_class(labels, shares, seed):
    parts = assigned((pl.Series(labels), pl.Series(range(len(labels)))), shares, seed)
    of_class, whole = Counter(labels), sum(shares.values())
    off = {(part, each): table(labels, parts)[part, each] - of_class[each] * shares[part] / whole
           for part in shares for each in of_class}  # fmt: skip
    assert all(abs(rows) < 1 + 1e-9 or of_class[each] < 10 for (_, each), rows in off.items())


@SOME
@given(labelled_groups(), SHARES)
def test_a_seed_gives_the_same_parts_again(rows, shares):
    assert assigned(rows, shares, 3).to_list() == assigned(rows, shares, 3).to_list()


def test_another_seed_gives_other_parts():
    labels, groups = pl.Series(["a", "b"] * 50), pl.Series(range(100))
    assert (
        assign_parts(labels, groups, HOLDOUT, seed=0).to_list()
        != assign_parts(labels, groups, HOLDOUT, seed=1).to_list()
    )


def test_groups_of_all_sizes_keep_the_shares_of_every_class():
    sizes = [*[40] * 3, *[10] * 20, *[3] * 60, *[1] * 400]
    groups = [number for number, size in enumerate(sizes) for _ in range(size)]
    labels = ["rare" if number % 10 == 0 else "usual" for number in groups]
    counts = table(labels, assign_parts(pl.Series(labels), pl.Series(groups), HOLDOUT, seed=0))
    for label, n in Counter(labels).items():
        for part, share in HOLDOUT.items():
            assert counts[part, label] == pytest.approx(n * share, abs=1)


def test_equal_folds_are_equally_large_with_many_small_classes():
    labels = pl.Series([f"c{number % 20}" for number in range(20 * 7)])
    parts = assign_parts(labels, pl.Series(range(140)), dict.fromkeys("01234", 0.2), seed=0)
    assert set(parts.value_counts()["count"]) == {28}


@SOME
@given(st.lists(st.lists(st.integers(1, 9), min_size=5, max_size=9), min_size=2, max_size=4), SHARES, SEEDS)
def test_groups_of_one_class_can_be_assigned_whenever_there_are_enough(sizes, shares, seed):
    rows = [
        (each, f"{each}-{number}") for each, ns in enumerate(sizes) for number, n in enumerate(ns) for _ in range(n)
    ]
    labels, groups = pl.Series([row[0] for row in rows]), pl.Series([row[1] for row in rows])
    counts = table(labels, assign_parts(labels, groups, shares, seed=seed))
    assert all(counts[part, label] for part in shares for label in range(len(sizes)))


def test_three_large_groups_of_a_class_go_to_three_unequal_parts():
    labels, groups = ["a"] * 15 + ["b"] * 30, [*[0] * 5, *[1] * 5, *[2] * 5, *range(10, 40)]
    assert assign_parts(pl.Series(labels), pl.Series(groups), HOLDOUT, seed=0)[:15].n_unique() == 3


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        (["a"], [0], r"^3 folds \(0, 1, 2\) need at least as many rows. Got 1\.$"),
        (
            [*"aaaabbb"],
            [0, 0, 1, 1, 2, 3, 4],
            r"as many groups of each class. Class 'a' has 2 \(of 4 rows\)\.$",
        ),
        ([*"ababab"], [0, 0, 0, 0, 1, 2], r"^3 folds .* Class 'a' has 2 \(of 3 rows\)\.$"),
    ],
)
def test_an_assignment_that_is_impossible_is_one_line_with_figures(labels, groups, message):
    with pytest.raises(SplitError, match=message):
        assign_parts(pl.Series(labels), pl.Series(groups), dict.fromkeys("012", 1.0), seed=0)


@SOME
@given(st.integers(0, 50), st.lists(st.integers(0, 9), min_size=2, max_size=5).filter(any))
def test_apportion_gives_away_all_and_only_what_there_is(n, wanted):
    given_out = apportion(n, wanted)
    assert given_out.sum() == n
    assert (given_out >= 0).all()
    assert (given_out > 0).sum() >= min(n, len(wanted))


@SOME
@given(st.integers(40, 400), st.lists(st.integers(5, 9), min_size=2, max_size=5))
def test_apportion_is_within_one_of_the_exact_part(n, wanted):
    exact = [n * each / sum(wanted) for each in wanted]
    assert all(abs(rows - share) < 1 for rows, share in zip(apportion(n, wanted), exact, strict=True))
