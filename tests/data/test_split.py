import json

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from counterpoint.config import Split
from counterpoint.data.given_split import split_findings
from counterpoint.data.split import split, straddling_groups
from counterpoint.errors import SplitError
from counterpoint.schema import DROPPED, PAIRS, check
from data_material import SOME, is_partition, pairs, reasons

KINDS = st.sampled_from(["holdout", "kfold"])
RULES = st.builds(
    Split,
    kind=KINDS,
    folds=st.integers(3, 5),
    balance=st.booleans(),
    limit=st.none() | st.integers(10, 60),
    seed=st.integers(0, 9),
)


def alone(labels, **columns):
    return pairs(labels, [f"g{row}" for row in range(len(labels))], **columns)


@st.composite
def grouped_pairs(draw):
    labels = draw(st.lists(st.sampled_from("abb"), min_size=20, max_size=80))
    groups = draw(st.lists(st.integers(0, 60).map(str), min_size=len(labels), max_size=len(labels)))
    return pairs(labels, groups)


def split_or_pass(before, rules):
    try:
        return split(before, rules)
    except SplitError:
        assume(False)


@SOME
@given(grouped_pairs(), RULES)
def test_pairs_in_folds_and_dropped_partition_the_pairs_and_no_group_is_torn(before, rules):
    folded, dropped = split_or_pass(before, rules)
    assert is_partition(before, folded, dropped)
    check(folded, PAIRS, table="Pairs")
    check(dropped, DROPPED, table="Dropped")
    assert straddling_groups(folded) == []


@SOME
@given(grouped_pairs(), RULES)
def test_every_class_can_be_trained_on_for_every_test_fold(before, rules):
    folded, _ = split_or_pass(before, rules)
    folds = ["train"]
    if rules.kind == "kfold":
        folds = [str(fold) for fold in range(rules.folds)]
        assert set(folded["fold"]) == set(folds)
    assert all(set(folded.filter(folded["fold"] == fold)["label"]) == {"a", "b"} for fold in folds)


@SOME
@given(grouped_pairs(), RULES, st.randoms(use_true_random=False))
def test_only_the_row_numbers_order_the_rows(before, rules, chance):
    order = list(range(before.height))
    chance.shuffle(order)
    folded, dropped = split_or_pass(before, rules)
    again, dropped_again = split(before[order], rules)
    assert folded.equals(again)
    assert dropped.equals(dropped_again)


def test_other_columns_stay_and_a_fold_of_the_source_is_only_used_by_a_given_split():
    before = alone(["a", "b"] * 20, fold=["old"] * 40, host=["h"] * 40)
    folded, _ = split(before, Split())
    assert set(folded["host"]) == {"h"}
    assert set(folded["fold"]) == {"train", "validation", "test"}


def test_balance_leaves_as_many_of_each_class_as_the_smallest_has():
    folded, dropped = split(alone(["a"] * 30 + ["b"] * 10), Split(balance=True))
    assert dict(folded["label"].value_counts().iter_rows()) == {"a": 10, "b": 10}
    assert reasons(dropped) == ["balance"] * 20
    assert set(dropped["label"]) == {"a"}
    assert set(dropped["stage"]) == {"split"}


def test_balance_with_shares_leaves_as_many_rows_as_these_shares_allow():
    folded, dropped = split(alone(["a"] * 60 + ["b"] * 42), Split(balance={"a": 0.58, "b": 0.42}))
    assert dict(folded["label"].value_counts().iter_rows()) == {"a": 58, "b": 42}
    assert (reasons(dropped), set(dropped["label"])) == (["balance"] * 2, {"a"})
    folded, dropped = split(alone(["a"] * 60 + ["b"] * 40), Split(balance={"a": 0.75, "b": 0.25}))
    assert dict(folded["label"].value_counts().iter_rows()) == {"a": 60, "b": 20}


def test_balance_with_wrong_shares_or_classes_is_refused():
    with pytest.raises(ValueError, match=r"the class shares of balance add up to 0\.9, not to 1"):
        Split(balance={"a": 0.5, "b": 0.4})
    with pytest.raises(SplitError, match=r"split.balance has the classes a, dog. Found a, b."):
        split(alone(["a"] * 20 + ["b"] * 20), Split(balance={"a": 0.5, "dog": 0.5}))


def test_limit_keeps_the_shares_of_the_classes():
    folded, dropped = split(alone(["a"] * 60 + ["b"] * 20), Split(limit=40))
    assert dict(folded["label"].value_counts().iter_rows()) == {"a": 30, "b": 10}
    assert set(dropped["reason"]) == {"limit"}


def test_balance_comes_before_limit():
    folded, dropped = split(alone(["a"] * 60 + ["b"] * 20), Split(balance=True, limit=20))
    assert dict(folded["label"].value_counts().iter_rows()) == {"a": 10, "b": 10}
    assert dict(dropped["reason"].value_counts().iter_rows()) == {"balance": 40, "limit": 20}


def test_a_train_limit_keeps_the_other_folds_and_a_smaller_one_keeps_rows_of_a_larger_one():
    before = alone(["a"] * 150 + ["b"] * 50)
    whole, small, large = (split(before, Split(train_limit=n)) for n in (None, 20, 60))
    for folded, dropped in (small, large):
        assert is_partition(before, folded, dropped)
        assert set(dropped["reason"]) == {"train_limit"}
        assert folded.filter(pl.col("fold") != "train").equals(whole[0].filter(pl.col("fold") != "train"))
    trained = [folded.filter(fold="train") for folded, _ in (small, large)]
    assert dict(trained[0]["label"].value_counts().iter_rows()) == {"a": 15, "b": 5}
    assert set(trained[0]["id"]) < set(trained[1]["id"])


def test_a_train_limit_that_loses_a_class_or_has_no_training_rows_to_limit_is_refused():
    with pytest.raises(SplitError, match="train_limit is 1: too few training rows for 2 classes"):
        split(alone(["a"] * 190 + ["b"] * 10), Split(train_limit=1))
    with pytest.raises(ValueError, match="train_limit needs a hold-out"):
        Split(kind="kfold", train_limit=20)


def test_a_limit_above_what_there_is_leaves_nothing_out():
    assert split(alone(["a", "b"] * 20), Split(limit=1000))[1].is_empty()


GIVEN = ["train"] * 8 + ["validation"] * 4 + ["test"] * 4


def test_a_given_split_is_kept_and_rows_without_a_fold_leave():
    before = alone(["a", "b"] * 9, fold=[*GIVEN, None, None])
    folded, dropped = split(before, Split(kind="given"))
    assert folded["fold"].to_list() == GIVEN
    assert reasons(dropped) == ["null_fold", "null_fold"]


def test_a_given_k_fold_is_kept():
    folds = ["0", "1", "2"] * 4
    assert split(alone(["a", "b"] * 6, fold=folds), Split(kind="given"))[0]["fold"].to_list() == folds


def test_a_given_split_without_validation_draws_it_from_training_groups():
    groups = [str(row // 2) for row in range(60)]
    before = pairs([("a", "b")[row // 2 % 2] for row in range(60)], groups, fold=["train"] * 40 + ["test"] * 20)
    folded, _ = split(before, Split(kind="given"))
    assert folded["fold"].to_list()[40:] == ["test"] * 20
    assert folded["fold"].to_list().count("validation") == 8  # .16 / (1 − .2) of 40
    assert straddling_groups(folded) == []


def test_a_given_split_that_tears_a_group_is_kept_and_found():
    before = pairs(["a", "b"] * 8, ["g"] * 9 + [str(row) for row in range(7)], fold=GIVEN)
    folded, _ = split(before, Split(kind="given"))
    assert folded["fold"].to_list() == GIVEN
    (found,) = straddling_groups(folded)
    assert (found["code"], found["severity"], json.loads(found["evidence"])["rows"]) == ("CP002", "warn", 9)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (["train"] * 8, r"folds train, validation, test, or 0, 1, 2 …. Found train\.$"),
        (["train", "tset"] * 4, r"Found train, tset\.$"),
        (["1", "2", "3", "4"] * 2, r"Found 1, 2, 3, 4\.$"),
        (["0", "1"] * 4, r"Found 0, 1\.$"),
        (["train", "test"] * 4 + ["validation"] * 2, r"no training row of class 'b'\.$"),
        ([None] * 8, r"^A split needs two classes. Got 0 rows of 0\.$"),
    ],
)
def test_a_given_split_that_is_none_is_one_line(folds, message):
    with pytest.raises(SplitError, match=message):
        split(alone((["a", "b"] * 5)[: len(folds)], fold=folds), Split(kind="given"))


def test_the_split_of_a_source_is_kept_unless_another_is_wanted():
    before = alone(["a", "b"] * 8, fold=GIVEN)
    assert split(before, Split())[0]["fold"].to_list() == GIVEN
    assert split(before, Split(kind="holdout"))[0]["fold"].equals(split(before.drop("fold"), Split())[0]["fold"])
    assert set(split(before, Split(kind="kfold", folds=3))[0]["fold"]) == {"0", "1", "2"}


@pytest.mark.parametrize(
    ("third", "test", "validation"),
    [("validation", "validation", None), ("eval", "eval", None), ("eval", "test", "eval"), ("test", "test", None)],
)
def test_validation_rows_are_the_test_part_of_a_source_without_test_rows(third, test, validation):
    folds = ["train"] * 40 + [third] * 10 + (["test"] * 10 if third != test else [])
    before = alone((["a", "b"] * 30)[: len(folds)], fold=folds)
    folded, dropped = split(before, Split())
    assert dropped.is_empty()
    by_given = folded["fold"].to_frame().with_columns(given=pl.Series(folds))
    assert set(by_given.filter(given=test)["fold"]) == {"test"}
    assert (by_given.filter(fold="test")["given"] == test).all()
    if validation:
        assert set(by_given.filter(given=validation)["fold"]) == {"validation"}
        assert (by_given["fold"] == "train").sum() == 40
    else:
        assert set(by_given.filter(given="train")["fold"]) == {"train", "validation"}


@pytest.mark.parametrize("kind", ["auto", "given"])
def test_the_page_has_a_sentence_on_the_split_that_is_kept(kind):
    before = alone(["a", "b"] * 25, fold=["train"] * 40 + ["validation"] * 8 + [None] * 2)
    rules = Split(kind=kind)
    (found,) = split_findings(before, split(before, rules)[0], rules)
    assert found["severity"] == "info"
    assert found["explanation"] == (
        "The source's own split is kept: 32 training, 8 validation and 8 test rows. Its validation rows are the test "
        "part. The 8 validation rows are drawn from its training rows. 2 rows have no fold and are left out."
    )


@pytest.mark.parametrize(
    ("folds", "severity", "reason"),
    [
        (["train"], "info", "all its rows are of the fold train"),
        (["test"], "info", "all its rows are of the fold test"),
        (["validation", "test"], "warn", "it has no training rows, only test, validation"),
        (["train", "test", "restval"], "warn", "its folds are restval, test, train"),
        (["0", "1"], "warn", "its folds are 0, 1"),
    ],
)
def test_folds_that_make_no_split_give_a_hold_out_and_the_reason(folds, severity, reason):
    before = pairs(["a"] * 30 + ["b"] * 30, [str(row) for row in range(60)], fold=folds * (60 // len(folds)))
    folded, _ = split(before, Split())
    assert folded.drop("fold").equals(split(before.drop("fold"), Split())[0].drop("fold"))
    assert folded["fold"].equals(split(before.drop("fold"), Split())[0]["fold"])
    (found,) = split_findings(before, folded, Split())
    assert (found["severity"], found["subject"]) == (severity, "split")
    assert found["explanation"] == f"The split of the source is not kept, and a hold-out is drawn: {reason}."


def test_a_source_without_folds_needs_no_sentence():
    before = alone(["a", "b"] * 20)
    nothing = before.with_columns(fold=pl.lit(None, pl.String))
    assert split_findings(before, split(before, Split())[0], Split()) == []
    assert split_findings(nothing, split(nothing, Split())[0], Split()) == []


def test_a_given_split_that_cannot_be_used_names_the_way_out():
    before = alone(["a"] * 20 + ["b"] * 10, fold=["train"] * 20 + ["test"] * 10)
    with pytest.raises(
        SplitError, match=r"no training row of class 'b'\. split\.kind: holdout draws a split of its own"
    ):
        split(before, Split())
    with pytest.raises(SplitError, match=r"class 'b'\.$"):
        split(before, Split(kind="given"))


def test_a_train_limit_of_a_given_k_fold_is_refused():
    with pytest.raises(SplitError, match="train_limit needs a hold-out: a given k-fold"):
        split(alone(["a", "b"] * 6, fold=["0", "1", "2"] * 4), Split(train_limit=4))


def test_a_given_split_needs_the_column():
    with pytest.raises(SplitError, match=r"^split.kind is given, but there is no column fold. Name it .*$"):
        split(alone(["a", "b"] * 5), Split(kind="given"))


@pytest.mark.parametrize(
    ("labels", "rules", "message"),
    [
        (["a", "b"], Split(kind="kfold"), r"^5 folds .* need at least as many rows. Got 2\.$"),
        (["a"] * 20 + ["b"] * 4, Split(kind="kfold"), r"^5 folds .* 'b' has 4 \(of 4 rows\)\.$"),
        (["a"] * 20 + ["b"] * 2, Split(), r"^3 folds \(train, validation, test\) .* 'b' has 2 \(of 2 rows\)\.$"),
        (["a"] * 20, Split(), r"^A split needs two classes. Got 20 rows of 1\.$"),
        (["a", "b"] * 20, Split(limit=4), r"^3 folds .* has 2 \(of 2 rows\)\.$"),
    ],
)
def test_a_split_that_cannot_be_made_is_one_line_with_figures(labels, rules, message):
    with pytest.raises(SplitError, match=message):
        split(alone(labels), rules)
