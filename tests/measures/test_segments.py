"""Segments are found on validation rows and tested on test rows of other groups."""

import json

import numpy as np
import polars as pl
import pytest

from counterpoint.measures.segments import (
    HALVES,
    NO_CONTRAST,
    NO_VALIDATION,
    WHOLE,
    divided,
    find_segments,
    rows_in_segment,
    segment_facts,
    segment_of_rows,
)
from counterpoint.schema import SEGMENT_SEARCHES, SEGMENTS, check
from injection.segments import HOLD_OUT, K_FOLD, NOTHING, Kind, drawn

N, GAIN = 1000, 0.2


def searched(study, predictions=None, *, pairs=None, metric="accuracy"):
    own = study.predictions if predictions is None else predictions
    return find_segments(
        study.pairs if pairs is None else pairs, own, study.primary, metric=metric, confidence=0.95
    )  # fmt: skip


@pytest.fixture(scope="module")
def studies():
    return {layout: drawn(Kind(layout, "one_word", 1, GAIN), N, 1) for layout in (HOLD_OUT, K_FOLD)}


@pytest.fixture(scope="module", params=[HOLD_OUT, K_FOLD])
def study(request, studies):
    return studies[request.param]


@pytest.fixture(scope="module")
def found(study):
    return searched(study)


def shuffled_labels(predictions, part):
    own = predictions.filter(part=part)
    turned = own.with_columns(label=pl.when(label="a").then(pl.lit("b")).otherwise(pl.lit("a")))
    return pl.concat([turned, predictions.filter(pl.col("part") != part)])


def test_the_tables_have_their_columns(found):
    check(found.segments, SEGMENTS, table="segments")
    check(found.searches, SEGMENT_SEARCHES, table="searches")


def test_a_planted_segment_is_confirmed_in_words(found):
    first = found.segments.row(0, named=True)
    assert first["segment"] == "the text contains “planted”"
    assert first["is_confirmed"]
    assert first["low"] < GAIN < first["high"]
    assert first["gain"] - first["rest"] == pytest.approx(first["difference"])


def test_labels_of_test_rows_do_not_change_the_segments_that_are_found(study, found):
    other = searched(study, shuffled_labels(study.predictions, "test"))
    columns = ["segment", "half", "n_searched", "gain_searched"]
    assert other.segments.select(columns).sort(columns).equals(found.segments.select(columns).sort(columns))
    assert not other.segments.filter("is_confirmed", segment="the text contains “planted”").height


def test_labels_of_validation_rows_do_not_change_the_gain_of_a_segment_on_test_rows(study, found):
    first = found.segments.row(0, named=True)
    other = searched(study, shuffled_labels(study.predictions, "validation")).segments
    same = other.filter(segment=first["segment"], half=first["half"])
    assert same["gain"].to_list() in ([], [first["gain"]])


def test_the_search_has_no_chance_and_no_order(study, found):
    rng = np.random.default_rng(0)
    rows, pairs = (table[rng.permutation(len(table))] for table in (study.predictions, study.pairs))
    assert searched(study, rows, pairs=pairs).segments.equals(found.segments)


def test_in_a_hold_out_all_validation_rows_find(studies):
    assert searched(studies[HOLD_OUT]).searches["half"].to_list() == [WHOLE]


def test_in_a_k_fold_no_group_finds_and_tests_the_same_segment(studies):
    rows = studies[K_FOLD].pairs.select("id", "group", "label", gain=pl.lit(0.0))
    for each in divided(rows, rows):
        assert not set(each.search["group"]) & set(each.test["group"])
    assert [each.name for each in divided(rows, rows)] == list(HALVES)
    assert sum(len(each.test) for each in divided(rows, rows)) == N


def test_a_segment_of_both_halves_names_its_twin(studies):
    rows = searched(studies[K_FOLD]).segments.filter(segment="the text contains “planted”")
    assert set(rows["half"]) == set(HALVES)
    assert set(rows["twin"]) == {"the text contains “planted”"}


def test_p_is_corrected_for_each_segment_of_both_searches(found):
    for half in found.segments["half"].unique():
        own = found.segments.filter(half=half).sort("p")
        n_searches = 1 if half == WHOLE else 2
        assert own["p_holm"][0] == pytest.approx(min(1, n_searches * len(own) * own["p"][0]))


def test_missing_texts_and_images_are_no_error(studies):
    study = studies[K_FOLD]
    image = [name for name in study.pairs.columns if name.startswith("image_")] + ["width_px", "height_px"]
    holes = (pl.when(pl.int_range(pl.len()) % 7 > 0).then(pl.col(name)).alias(name) for name in ("text", *image))
    found = searched(study, pairs=study.pairs.with_columns(*holes)).segments
    assert found["is_confirmed"].any()
    bare = study.pairs.select("id", "group", "label", text=pl.lit(None, pl.String))
    assert searched(study, pairs=bare).segments.is_empty()


def test_a_study_without_validation_predictions_says_so(studies):
    study = studies[HOLD_OUT]
    found = searched(study, study.predictions.filter(part="test"))
    assert found.searches["reason"].to_list() == [NO_VALIDATION]
    assert found.segments.is_empty()


def test_few_rows_are_not_searched_and_the_reason_has_their_number(studies):
    study = studies[K_FOLD]
    few = study.pairs["id"].head(300)
    found = searched(study, study.predictions.filter(pl.col("id").is_in(few.implode())))
    reason = found.searches["reason"].unique().item()
    assert reason.startswith("The search needs 200 validation pairs and 200 test pairs in each half of the pairs.")


def test_a_study_without_a_primary_contrast_says_so(studies):
    study = studies[HOLD_OUT]
    found = find_segments(study.pairs, study.predictions, None, metric="accuracy", confidence=0.95)
    assert found.searches["reason"].to_list() == [NO_CONTRAST]


@pytest.mark.parametrize("gain", [0.0, 0.05])
def test_an_equal_gain_everywhere_is_no_segment(gain):
    study = drawn(Kind(HOLD_OUT, NOTHING, 1, gain), N, 5)
    assert not searched(study).segments["is_confirmed"].any()


def test_balanced_accuracy_has_gains_of_its_own(studies):
    gains = {
        searched(studies[HOLD_OUT], metric=metric).segments["gain"][0] for metric in ("accuracy", "balanced_accuracy")
    }
    assert len(gains) == 2


def test_rows_in_a_segment_are_those_of_its_words(study, found):
    first = found.segments.row(0, named=True)
    inside = rows_in_segment(first["conditions"], segment_facts(found.segments, study.pairs))
    has_word = study.pairs["text"].str.contains(r"\bplanted\b")
    assert json.loads(first["conditions"]) == [{"fact": "word:planted", "low": 0.5}]
    assert inside.to_list() == has_word.to_list()
    named = segment_of_rows(found.segments, study.pairs)
    assert named.filter(inside)["segment"].unique().to_list() == [first["segment"]]
    assert named["id"].equals(study.pairs["id"])
