import itertools

import polars as pl
import pytest

from counterpoint.measures import error_overlap
from counterpoint.measures.disagreements import (
    CELLS,
    OUTCOMES,
    ChosenReaders,
    cell_counts,
    changes_against,
    chosen_readers,
    disagreements,
)
from made_predictions import predictions

NAMES = {"text": "svm", "image": "cnn", "multimodal": "late"}
READS = {"svm": ("text",), "cnn": ("image",), "late": ("text", "image")}


def rows_of(contender, p_x, *, seed=0, fold="test", part="test", first=0):
    """Rows of class x, each with its probability of x."""
    places = range(first, first + len(p_x))
    columns = {"id": [f"r{place}" for place in places], "contender": contender, "seed": seed, "fold": fold}
    columns |= {"part": part, "group": [f"g{place}" for place in places], "label": "x"}
    return pl.DataFrame({**columns, "p_x": [float(p) for p in p_x]}).with_columns(p_y=1 - pl.col("p_x"))


def readers(*choices, names=None):
    return ChosenReaders(names or NAMES, [{"fold": "test", "seed": 0, **NAMES, **choice} for choice in choices or [{}]])


@pytest.fixture(scope="module")
def each_case():
    """One row for each of the eight ways in which three readers are right or wrong."""
    ways = list(itertools.product([0.9, 0.2], repeat=3))
    table = pl.concat([rows_of(name, [way[place] for way in ways]) for place, name in enumerate(READS)])
    return disagreements(table, readers(), "accuracy")


def test_each_way_of_being_right_has_its_cell_and_its_outcome(each_case):
    assert each_case.select("cell", "outcome").rows() == [
        ("both", "kept"), ("both", "lost"), ("text_only", "rescued"), ("text_only", "lost"),
        ("image_only", "rescued"), ("image_only", "lost"), ("neither", "rescued"), ("neither", "missed"),
    ]  # fmt: skip


def test_the_counts_of_the_cells_and_outcomes_add_up(each_case):
    counts = cell_counts(each_case, confidence=0.95)
    assert counts["cell"].to_list() == list(CELLS)
    assert counts["n"].to_list() == [2, 2, 2, 2]
    assert counts.select(OUTCOMES).rows() == [(1, 0, 0, 1), (1, 1, 0, 0), (1, 1, 0, 0), (0, 1, 1, 0)]
    assert counts["share"].sum() == 1
    assert counts.filter((pl.col("low") < 0.25) & (pl.col("high") > 0.25)).height == 4


def test_gains_and_losses_against_one_reader_are_counted(each_case):
    assert changes_against(each_case, "text") == {"gained": 2, "lost": 2}
    some = each_case.filter(pl.col("cell") != "text_only")
    assert changes_against(some, "image") == {"gained": 1, "lost": 2}


def test_a_cell_without_rows_has_a_count_of_none():
    rows = pl.DataFrame({"cell": ["both"], "outcome": ["kept"]})
    assert cell_counts(rows, confidence=0.95)["n"].to_list() == [1, 0, 0, 0]


def test_the_mean_probability_over_seeds_decides():
    text = [rows_of("svm", [0.9, 0.6], seed=0), rows_of("svm", [0.3, 0.3], seed=1)]
    others = [rows_of(name, [0.9, 0.9], seed=seed) for name in ("cnn", "late") for seed in (0, 1)]
    found = disagreements(pl.concat([*text, *others]), readers({"seed": 0}, {"seed": 1}), "accuracy")
    assert found["text_right"].to_list() == [True, False]
    assert found["text_confidence"].round(6).to_list() == [0.6, 0.55]
    assert len(found) == 2


def test_each_fold_is_answered_by_the_contender_that_was_chosen_there():
    folds = [("0", 0), ("1", 2)]
    table = [
        rows_of(name, [0.9, 0.9] if name == "svm" else [0.2, 0.2], fold=fold, first=first)
        for fold, first in folds
        for name in ("svm", "lstm", "cnn", "late")
    ]
    chosen = readers({"fold": "0"}, {"fold": "1", "text": "lstm"})
    assert disagreements(pl.concat(table), chosen, "accuracy")["text_right"].to_list() == [True, True, False, False]


def test_the_predicted_class_is_that_of_the_primary_metric():
    train = rows_of("svm", [0.5] * 9, part="train").with_columns(label=pl.Series(["x"] * 8 + ["y"]))
    test = pl.concat([rows_of(name, [0.7], first=20) for name in READS])
    found = {
        metric: disagreements(pl.concat([train, test]), readers(), metric)["text_predicted"].item()
        for metric in ("accuracy", "balanced_accuracy")
    }
    assert found == {"accuracy": "x", "balanced_accuracy": "y"}


def test_a_row_that_one_reader_has_not_predicted_is_left_out():
    table = pl.concat([rows_of("svm", [0.9]), rows_of("cnn", [0.9, 0.9]), rows_of("late", [0.9, 0.9])])
    assert disagreements(table, readers(), "accuracy")["id"].to_list() == ["r0"]


def test_the_multimodal_reader_is_that_of_the_primary_contrast():
    table = predictions({"svm": 2, "cnn": 1, "late": 3, "early": 1})
    reads = READS | {"early": ("text", "image")}
    assert chosen_readers(table, reads, "accuracy").names == NAMES
    primary = {"choices": [{"fold": "test", "seed": 0, "a": "early", "b": "svm"}]}
    assert chosen_readers(table, reads, "accuracy", primary).names["multimodal"] == "early"


def test_without_a_contender_of_each_kind_on_validation_rows_none_is_chosen():
    table = predictions({"svm": 2, "cnn": 1, "late": 3})
    assert chosen_readers(table.filter(pl.col("contender") != "cnn"), READS, "accuracy") is None
    assert chosen_readers(table, READS | {"cnn": ()}, "accuracy") is None
    assert chosen_readers(table.filter(part="test"), READS, "accuracy") is None


@pytest.mark.parametrize(("folds", "seeds"), [(0, (0,)), (0, (0, 1, 2)), (3, (0, 1))])
def test_every_test_row_is_counted_once_with_the_shares_of_the_error_overlap(folds, seeds):
    table = predictions({"svm": 1, "cnn": 0.5, "late": 2}, n=90, folds=folds, seeds=seeds)
    rows = disagreements(table, chosen_readers(table, READS, "accuracy"), "accuracy")
    assert sorted(rows["id"]) == sorted(table.filter(part="test")["id"].unique())
    shares = error_overlap(rows["text_right"].to_list(), rows["image_right"].to_list(), draws=10)
    counts = cell_counts(rows, confidence=0.95)
    assert dict(counts.select("cell", "share").iter_rows()) == pytest.approx({c: shares[c].value for c in CELLS})
