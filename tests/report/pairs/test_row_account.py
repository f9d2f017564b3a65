"""The account of rows in words has every row."""

import polars as pl

from counterpoint.report.pairs.row_account import rows_in_words


def dropped(*rows):
    return pl.DataFrame(rows, schema={"stage": pl.String, "reason": pl.String}, orient="row")


def test_each_stage_has_its_sentence_in_the_order_of_the_stages():
    left = dropped(("split", "over the limit"), ("source", "no image"), ("source", "no image"))
    found = rows_in_words(5, pl.DataFrame({"fold": ["train", "test"]}), left)
    assert found[1:3] == [
        "2 were dropped while they were read: no image 2.",
        "1 was dropped by the limits of the split: over the limit 1.",
    ]


def test_many_reasons_are_summed_up():
    left = dropped(*(("clean", f"reason {n}") for n in range(6)))
    found = rows_in_words(8, pl.DataFrame({"fold": ["0", "1"]}), left)
    assert found[1] == "6 were dropped in cleaning: reason 0 1, reason 1 1, reason 2 1, and 3 other reasons."
    assert found[2] == "The pairs are in 2 folds of 1 pairs. Each fold is the test once."


def test_a_study_that_lost_nothing_has_one_sentence_on_it():
    found = rows_in_words(3, pl.DataFrame({"fold": ["train", "validation", "test"]}), dropped())
    assert found == [
        "All 3 rows became pairs. No row was dropped.",
        "Of the pairs, 1 are to train, 1 to validate, 1 to test.",
    ]
