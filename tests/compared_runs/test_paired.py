"""A change between runs is paired on shared rows by the method of a study, and has no p where rows are not shared."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.compare import compare
from counterpoint.compare.holm import holm
from counterpoint.compared_runs.comparison import compared
from counterpoint.compared_runs.paired import contrast_on_shared_rows, on_shared_rows, spread_between
from counterpoint.compared_runs.sentences import limits, sentences
from counterpoint.compared_runs.shared_rows import joined_groups, shared_rows
from counterpoint.metrics.intervals import independent_difference
from made_predictions import frame_of, predictions, some_proba
from made_runs import SKILLS, made_run, other_fits, rows_of


def change_of(found, contender, metric):
    return next(each for each in found.scores if (each.contender, each.metric) == (contender, metric))


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "roc_auc", "log_loss"])
@pytest.mark.parametrize("folds", [0, 3])
def test_a_paired_change_is_the_difference_of_two_contenders_of_one_study(metric, folds):
    one, other = predictions(SKILLS, folds=folds), other_fits(folds=folds)
    [found] = compared([made_run("A", one), made_run("B", other)]).comparisons
    both = pl.concat([
        one.filter(contender="text-svm"), other.filter(contender="text-svm").with_columns(contender=pl.lit("later")),
    ])  # fmt: skip
    expected = compare(both, "later", "text-svm", metric=metric, primary="balanced_accuracy").row(0, named=True)
    change = change_of(found, "text-svm", metric).change
    assert change.is_paired
    assert change[:4] == pytest.approx([expected[name] for name in ("difference", "low", "high", "p")])


def test_the_change_of_the_contrast_is_the_difference_of_both_contrasts():
    a, b = made_run("A"), made_run("B", other_fits())
    [found] = compared([a, b]).comparisons
    assert found.contrast.change.value == pytest.approx(b.contrast.difference - a.contrast.difference)
    own = [contrast_on_shared_rows(run, shared_rows(a, b).test) for run in (a, b)]
    assert [each.found.value for each in own] == pytest.approx([a.contrast.difference, b.contrast.difference])
    assert [each.found.spread.p(each.found.value) for each in own] == pytest.approx([a.contrast.p, b.contrast.p])


def test_the_same_predictions_are_the_same_and_are_not_tested():
    both = compared([made_run("A"), made_run("B")])
    assert all(each.change.is_same and each.change.p is None for each in both.comparisons[0].scores)
    assert both.comparisons[0].contrast.change.is_same
    assert both.n_tests == 0
    assert "all 4 contenders predict the same in both" in " ".join(sentences(both.comparisons[0]))


def test_another_decision_rule_changes_the_scores_of_the_same_probabilities():
    codes = np.repeat([0, 1], [45, 15])
    table = pl.concat(
        frame_of(codes, some_proba(np.random.default_rng(3), codes, 2), part=part) for part in ("validation", "test")
    )
    a, b = made_run("A", table), made_run("B", table, evaluate={"primary": "accuracy"})
    [found] = compared([a, b]).comparisons
    change = change_of(found, "text-svm", "accuracy")
    assert change.change.value == pytest.approx(change.after.value - change.before.value) != 0
    assert change_of(found, "text-svm", "roc_auc").change.value == 0
    assert any("evaluate.primary differs" in limit for limit in limits(found))


def test_p_is_corrected_for_every_change_of_every_run():
    found = compared([made_run("A"), made_run("B", other_fits(1)), made_run("C", other_fits(2))])
    changes = [each for comparison in found.comparisons for each in comparison.scores if each.change.p is not None]
    assert found.n_tests == len(changes) > 20
    assert [each.p_holm for each in changes] == holm([each.change.p for each in changes])
    fewer = compared(found.runs, ["accuracy"])
    assert fewer.n_tests == sum(each.metric == "accuracy" for each in changes)


def test_fits_of_other_seeds_are_independent_samples():
    table = predictions(SKILLS, seeds=(0, 1, 2))
    renamed = table.with_columns(seed=pl.col("seed") + 5)
    a, b, fewer = made_run("A", table), made_run("B", renamed), made_run("B", renamed.filter(pl.col("seed") > 5))
    shared = shared_rows(a, b).test
    one, other, two = (on_shared_rows(run, ["text-svm"], ["log_loss"], shared)["text-svm"]["log_loss"]
                       for run in (a, b, fewer))  # fmt: skip
    by_seed = one.found.by_seed.var(ddof=1) / 3
    assert spread_between(other, one).error ** 2 == pytest.approx(2 * by_seed)  # the rows add nothing: they agree
    assert spread_between(one, one).error == pytest.approx(0)  # the same seeds are paired
    assert np.isfinite(spread_between(two, one).error)


@pytest.mark.slow
def test_about_one_of_twenty_changes_is_shown_where_there_is_none():
    found, n = [], 120
    for seed in range(150):
        tables = [other_fits(1000 + 2 * seed + k, n=n, skills={"text-svm": 1.0}) for k in range(2)]
        runs = [made_run(letter, table) for letter, table in zip("AB", tables, strict=True)]
        [comparison] = compared(runs, ["accuracy"]).comparisons
        found.append(comparison.scores[0].change.p < 0.05)
    assert 0.01 <= np.mean(found) <= 0.09


def moved(table, start):
    """Return *table* with other ids: row 0 is row *start*."""
    ids = pl.format("r{}", pl.col("id").str.slice(1).cast(pl.Int64).add(start).cast(pl.String).str.zfill(5))
    return table.with_columns(id=ids, group=ids)


def test_without_shared_rows_a_change_is_of_two_samples_and_has_no_p():
    both = compared([made_run("A"), made_run("B", moved(other_fits(), 1000))])
    change = change_of(both.comparisons[0], "text-svm", "accuracy")
    ends = [(row.value, row.low, row.high) for row in (change.after, change.before)]
    assert change.change[:3] == pytest.approx(independent_difference(*ends))
    assert (change.change.p, change.p_holm, change.change.is_paired, both.n_tests) == (None, None, False, 0)
    assert "Changes (≈) are not paired: no test row is in both." in " ".join(limits(both.comparisons[0]))


@pytest.mark.parametrize(("start", "is_paired"), [(20, True), (40, False)])
def test_rows_are_paired_when_half_of_them_are_shared(start, is_paired):
    [found] = compared([made_run("A"), made_run("B", moved(other_fits(), start))]).comparisons
    assert {each.change.is_paired for each in found.scores} == {is_paired}
    words = " ".join(limits(found))
    assert ("Differences are on the 40 test rows that are in both" in words) == is_paired
    assert ("only 20 of 60 test rows" in words) != is_paired


def test_a_row_with_another_label_is_not_paired():
    table = other_fits()
    is_odd = pl.col("id").is_in([f"r{place:05d}" for place in range(10)])
    other = pl.when(pl.col("label") == "c0").then(pl.lit("c1")).otherwise(pl.lit("c0"))
    [found] = compared([
        made_run("A"), made_run("B", table.with_columns(label=pl.when(is_odd).then(other).otherwise("label"))),
    ]).comparisons  # fmt: skip
    assert (found.rows.counts["labels_differ"], found.rows.counts["test_shared"]) == (10, 50)
    assert "10 rows have another label under the same id in B" in " ".join(limits(found))


@pytest.mark.parametrize(
    ("changed", "n_other"), [(["text"], 0), (["sha256"], 0), (["text", "sha256"], 60)], ids=["mask", "size", "other"]
)
def test_one_id_is_two_pairs_only_if_text_and_image_both_differ(changed, n_other):
    table = other_fits()
    rows = rows_of(table.filter(part="test")).with_columns(pl.lit("x").alias(name) for name in changed)
    [found] = compared([made_run("A"), made_run("B", table, rows=rows)]).comparisons
    assert found.rows.counts["other_pairs"] == n_other
    assert (found.rows.why_not is None) == (n_other == 0)


def test_other_classes_are_named_and_all_else_goes_on():
    three = predictions(SKILLS, n_classes=3)
    [found] = compared([made_run("A"), made_run("B", three, verdict="redundant")]).comparisons
    assert {each.change for each in found.scores} == {None}
    assert found.has_new_verdict
    [line] = [each for each in limits(found) if "cannot be compared" in each]
    assert line == "Scores cannot be compared: A has the classes c0, c1, and B has c0, c1, c2."


def test_metrics_of_one_run_are_named_and_not_compared():
    few = {"metrics": ["accuracy", "balanced_accuracy"]}
    [found] = compared([made_run("A"), made_run("B", other_fits(), evaluate=few)]).comparisons
    assert found.metrics == ["balanced_accuracy", "accuracy"]
    assert any(each.startswith("Only A reports macro_f1, roc_auc, pr_auc and 2 more") for each in limits(found))


def test_groups_of_either_run_stay_together():
    table = other_fits()
    grouped = rows_of(table.filter(part="test")).with_columns(group=pl.lit("one"))
    rows = shared_rows(made_run("A"), made_run("B", table, rows=grouped))
    assert rows.test["group"].n_unique() == 1
    assert rows.why_not == "class c0 has fewer than 2 groups of shared test rows"


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_joined_groups_are_the_finest_that_join_both(pairs):
    a, b = (pl.Series([str(pair[k]) for pair in pairs]) for k in range(2))
    joined = pl.DataFrame({"a": a, "b": b, "joined": joined_groups(a, b)})
    for name in "ab":
        assert joined.group_by(name).agg(pl.col("joined").n_unique())["joined"].max() == 1
    assert joined["joined"].n_unique() <= min(a.n_unique(), b.n_unique())
    again = pl.Series(joined["joined"])
    assert joined_groups(again, again).n_unique() == again.n_unique()


def test_rows_in_other_folds_are_paired_by_their_groups_and_not_by_their_order():
    n = 1300  # more groups than units
    rng, codes = np.random.default_rng(5), np.resize(np.arange(2), 1300)
    proba = some_proba(rng, codes, 2)
    one = frame_of(codes, proba)
    other = frame_of(codes, proba, fold=[str(k) for k in rng.permutation(np.resize(np.arange(3), n))])
    rule = {"primary": "accuracy"}  # which depends on no share of a fold
    runs = [made_run(letter, table, evaluate=rule) for letter, table in (("A", one), ("B", other))]
    [found] = compared(runs, ["accuracy"]).comparisons
    change = found.scores[0].change
    assert change.value == 0
    assert change.high - change.low < 0.01  # two independent samples have 0.07
