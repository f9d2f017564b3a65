"""The predictions of contenders in detail: confusions, rates, lengths, mistakes, words."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.contenders import make
from counterpoint.report.behaviour import error_analysis, word_importance
from counterpoint.report.behaviour.predicted_classes import PredictedClasses, predicted_classes
from counterpoint.report.contenders import ranked_contenders
from counterpoint.report.pairs import rows
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import DROPPED
from report_studies import Words, study


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return study(tmp_path_factory.mktemp("images"), classes=("a", "b", "c"), pictures=0)[1]


@pytest.fixture(scope="module")
def predicted(tables) -> PredictedClasses:
    return predicted_classes(tables["predictions"], primary="accuracy")


@pytest.mark.parametrize(("metric", "is_more_better"), [("balanced_accuracy", True), ("log_loss", False)])
def test_contenders_are_ranked_by_the_metric_that_decides(tables, metric, is_more_better):
    scores = ScoreTable(tables["scores"], metric=metric, confidence=0.95)
    values = scores.test.filter(metric=metric).sort("value", descending=is_more_better)
    assert ranked_contenders(scores, [], modalities={}, models={}).names == tuple(values["contender"])


def test_confusion_shares_sum_to_one_for_every_class_that_has_pairs(predicted):
    shares = error_analysis.confusion_shares(predicted.rows, [*predicted.classes, "unseen"])
    np.testing.assert_allclose(shares[:-1].sum(axis=1), 1)
    assert np.isnan(shares[-1]).all()


def test_the_likeliest_class_is_predicted(predicted):
    proba = predicted.rows.select(f"p_{name}" for name in predicted.classes).to_numpy()
    assert predicted.rows["predicted"].to_list() == [predicted.classes[k] for k in proba.argmax(axis=1)]


@settings(max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 3))
def test_a_rate_lies_in_its_interval_and_seeds_do_not_narrow_it(hits, n_seeds):
    once = pl.DataFrame({"id": [str(i) for i in range(len(hits))], "is_correct": hits, "label": "a"})
    one, many = (error_analysis.group_accuracy(pl.concat([once] * n), "label", confidence=0.95) for n in (1, n_seeds))
    assert one["low"].item() - 1e-9 <= one["value"].item() <= one["high"].item() + 1e-9
    assert many.select("low", "high", "n").row(0) == pytest.approx(one.select("low", "high", "n").row(0))


@settings(max_examples=30)
@given(st.lists(st.one_of(st.none(), st.integers(0, 12)), min_size=1, max_size=40))
def test_every_pair_has_one_bin_of_length_and_bins_do_not_overlap(n_words):
    texts = [None if n is None else "word " * n for n in n_words]
    binned = error_analysis.length_bins(
        pl.DataFrame({"id": [str(i) for i in range(len(texts))], "text": texts}, {"id": str, "text": str})
    )
    known = binned.with_columns(n=pl.Series(n_words, dtype=pl.Int64)).drop_nulls("n")
    spans = known.group_by("place").agg(low=pl.col("n").min(), high=pl.col("n").max()).sort("place")
    assert len(binned) == len(texts)
    assert (spans["low"][1:] > spans["high"][:-1]).all()
    assert binned.filter(pl.Series(n_words, dtype=pl.Int64).is_null())["bin"].unique().to_list() in ([], ["no text"])


def test_mistakes_are_wrong_the_surest_first_and_one_a_group(predicted):
    rows_of_one = predicted.rows.filter(contender="image-cnn")
    wrong = error_analysis.confident_mistakes(rows_of_one, predicted.classes, most=20)
    groups = rows_of_one.select("id", "group").unique()
    assert (wrong["predicted"] != wrong["label"]).all()
    assert wrong["confidence"].is_sorted(descending=True)
    assert wrong.join(groups, on="id")["group"].is_unique().all()


def test_a_contender_that_predicts_the_same_for_all_has_no_confident_mistakes(predicted):
    assert error_analysis.confident_mistakes(
        predicted.rows.filter(contender="majority"), predicted.classes, most=5
    ).is_empty()


def test_the_word_that_decides_is_found_and_carries_an_interval():
    texts = [f"{noun} number {i}" for i in range(8) for noun in ("dog", "man")]
    moved = word_importance.removal_effects(Words(["animal", "person"]), pl.DataFrame({"text": texts}))
    assert set(moved["word"].head(2)) == {"dog", "man"}
    assert dict(moved.select("word", "label").head(2).iter_rows()) == {"dog": "animal", "man": "person"}
    assert (moved["low"] <= moved["value"]).all()
    assert (moved["value"] <= moved["high"]).all()
    assert (moved["n"] >= word_importance.LEAST_TEXTS).all()


def test_no_more_texts_and_words_are_predicted_than_the_limits_allow():
    n_predicted = []

    class Counting(Words):
        def predict_proba(self, pairs):
            n_predicted.append(len(pairs))
            return super().predict_proba(pairs)

    long = " ".join(f"w{i}" for i in range(100))
    word_importance.removal_effects(Counting(["animal", "person"]), pl.DataFrame({"text": [long] * 300}))
    assert n_predicted == [word_importance.MOST_TEXTS, word_importance.MOST_TEXTS * word_importance.MOST_WORDS]


@pytest.mark.parametrize("texts", [[None, ""], []])
def test_pairs_without_words_move_nothing(texts):
    pairs = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    assert word_importance.removal_effects(Words(["animal", "person"]), pairs).is_empty()


def test_chinese_is_read_letter_by_letter():
    class Fox(Words):
        def predict_proba(self, pairs):
            is_fox = pairs["text"].str.contains("狐").to_numpy().astype(float)
            return np.column_stack([1 - is_fox, is_fox])

    moved = word_importance.removal_effects(Fox(["cat", "fox"]), pl.DataFrame({"text": ["红狐", "白狐狸", "狐"]}))
    assert moved.row(0)[:2] == ("狐", "fox")


def test_a_contender_of_this_package_returns_its_words_as_the_page_reads_them():
    pairs = pl.DataFrame({"text": ["a red fox", "the fox", "a blue car", "the car"]})
    top = make("text-svm").fit(pairs, ["animal", "animal", "thing", "thing"]).top_words(3)
    assert {"class", "word", "weight"} <= set(top.columns)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(["clean", "label", "odd"]), st.integers(0, 30)), max_size=80), st.integers(1, 9)
)
def test_the_bars_of_the_journey_meet_end_to_end(left, n_pairs):
    dropped = pl.DataFrame(
        [{"stage": stage, "reason": f"reason {reason}"} for stage, reason in left], schema=dict(DROPPED)
    )
    pairs = pl.DataFrame({"fold": [str(i % 3) for i in range(n_pairs)]})
    read, *others = rows.row_bars(n_pairs + len(left), pairs, dropped)
    place = next(i for i, bar in enumerate(others) if bar.label == "pairs")
    gone, kept, folds = others[:place], others[place], others[place + 1 :]
    assert len(gone) <= rows.MOST_REASONS
    assert [bar.end for bar in gone] == [read.end, *(bar.start for bar in gone)][: len(gone)]
    assert (gone[-1].start if gone else read.end) == kept.end == folds[-1].end == n_pairs
    assert [bar.start for bar in folds] == [0, *(bar.end for bar in folds[:-1])]
