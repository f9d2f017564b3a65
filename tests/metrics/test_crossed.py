"""The error over rows and fits is that of a fresh sample of both, for any metric, and for groups."""

from itertools import pairwise

import numpy as np
import pytest

from counterpoint.metrics import Metric, Part, PredictedRows
from counterpoint.metrics.crossed import crossed, crossed_difference
from counterpoint.metrics.jackknife import jackknife
from counterpoint.metrics.spread import UNKNOWN, Spread
from made_predictions import some_proba

HITS = Metric(lambda sample: sample.correct.sum(axis=0) / sample.total, "Hits", "Without half groups.")
PATH = f"{__name__}:HITS"
FRAGILE = Metric(
    lambda sample: np.where(sample.weights[:, 0] > 0, 0.5, np.nan), "Fragile", "Undefined without the first row."
)


def part_of(hits, places, codes, *, groups=None):
    """Two contenders, of which the first has the *hits* of each fit on the rows at its *places*, and the other guesses.

    Each fit is a fold.
    """
    folds = tuple(slice(start, stop) for start, stop in pairwise(np.cumsum([0, *map(len, places)])))
    rows = np.concatenate(places)
    own = codes[rows]
    answers = np.where(np.concatenate(hits), own, 1 - own)
    proba = {"both": np.eye(2)[answers] * 0.8 + 0.1, "one": np.tile([0.6, 0.4], (len(rows), 1))}
    trials = {name: (PredictedRows(own, each, folds),) for name, each in proba.items()}
    return Part((np.arange(len(codes)) if groups is None else groups)[rows], trials, "oof", len(codes))


def k_folds(rng, n, k, repeats):
    return [fold for _ in range(repeats) for fold in np.split(rng.permutation(n), k)]


def drawn(rng, *, n=60, k=3, repeats=2, by_row=1.0, by_fit=0.0):
    """Fits of a k-fold with repeats: a row has a chance of its own to be right, and so has a fit."""
    codes, of_row = rng.integers(2, size=n), by_row * rng.normal(size=n)
    places = k_folds(rng, n, k, repeats)
    hits = [0.5 + of_row[own] + by_fit * rng.normal() + rng.normal(size=len(own)) > 0 for own in places]
    return part_of(hits, places, codes)


def error_of(part, metric="accuracy"):
    return crossed_difference(part, "both", "one", metric)


def test_the_error_of_a_mean_is_that_of_sums_over_rows_over_fits_and_over_both():
    part = drawn(np.random.default_rng(0), by_fit=1.0)
    found = error_of(part, PATH)
    rows = {name: seeds[0] for name, seeds in part.trials.items()}
    difference = rows["both"].is_correct.astype(float) - rows["one"].is_correct
    centred, n, n_groups = difference - difference.mean(), len(difference), part.n_groups
    fits = np.array([difference[fold].mean() for fold in rows["both"].folds])
    over_rows = n_groups / (n_groups - 1) * (np.bincount(part.groups, weights=centred) ** 2).sum() / n**2
    within = (centred**2).sum() / n**2 * n / (n - 1)
    over_fits = fits.var(ddof=1) / len(fits)
    assert over_fits > within
    assert found.value == pytest.approx(difference.mean())
    assert found.from_rows**2 == pytest.approx(over_rows)
    assert found.from_fits**2 == pytest.approx(over_fits - within)
    assert found.spread.error**2 == pytest.approx(over_rows + over_fits - within)
    assert found.spread.df < 10


@pytest.mark.parametrize(("by_row", "by_fit"), [(1.0, 0.0), (0.3, 1.0)])
def test_the_error_is_the_deviation_over_fresh_rows_and_fits(by_row, by_fit):
    rng = np.random.default_rng(1)
    draws = [error_of(drawn(rng, by_row=by_row, by_fit=by_fit)) for _ in range(120)]
    deviation = np.std([each.value for each in draws])
    stated = np.mean([each.spread.error**2 for each in draws]) ** 0.5
    assert stated == pytest.approx(deviation, rel=0.25)
    without_fits = np.mean([each.from_rows**2 for each in draws]) ** 0.5
    assert (without_fits < 0.7 * deviation) == (by_fit > 0)


def test_rows_of_several_repeats_are_one_unit_where_their_predictions_agree():
    rng = np.random.default_rng(2)
    codes = np.arange(90) % 2
    is_right = rng.random(90) < 0.7
    once, often = (k_folds(rng, 90, 3, repeats) for repeats in (1, 4))
    first, more = (error_of(part_of([is_right[own] for own in places], places, codes)) for places in (once, often))
    assert more.value == pytest.approx(first.value)
    assert more.from_rows == pytest.approx(first.from_rows, rel=1e-3)


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1", "log_loss", "roc_auc", "pr_auc"])
def test_repeats_of_one_fit_add_no_rows_in_any_metric(metric):
    rng = np.random.default_rng(3)
    codes = rng.permutation(np.arange(120) % 2)
    proba = {name: some_proba(rng, codes, 2, skill=skill) for name, skill in (("both", 2.0), ("one", 1.0))}

    def part(repeats):
        folds = tuple(slice(120 * place, 120 * (place + 1)) for place in range(repeats))
        trials = {
            name: (PredictedRows(np.tile(codes, repeats), np.tile(own, (repeats, 1)), folds),)
            for name, own in proba.items()
        }
        return Part(np.tile(np.arange(120), repeats), trials, "test", 120)

    found = error_of(part(5), metric)
    scores = jackknife(part(1), [metric])
    alone = scores["both"][metric].minus(scores["one"][metric])
    assert found.value == pytest.approx(alone.value, abs=1e-9)
    assert found.from_rows == pytest.approx(alone.spread.error, rel=0.02)
    assert found.from_fits == 0


def test_copies_of_a_row_in_its_group_do_not_change_the_error():
    rng = np.random.default_rng(4)
    codes = np.arange(60) % 2
    places = k_folds(rng, 60, 3, 2)
    hits = [rng.random(20) < 0.7 for _ in places]
    once = error_of(part_of(hits, places, codes))
    doubled = part_of(
        [np.repeat(own, 2) for own in hits], [np.repeat(own, 2) for own in places], codes, groups=np.arange(60)
    )
    twice = error_of(doubled)
    assert twice.spread == pytest.approx(once.spread)
    assert twice.from_fits == pytest.approx(once.from_fits)


def test_seeds_of_a_fold_count_as_one_fit():
    steady, unsteady = (drawn(np.random.default_rng(6), by_fit=by_fit) for by_fit in (0.0, 3.0))
    assert (steady.groups == unsteady.groups).all()
    trials = {name: (steady.trials[name][0], unsteady.trials[name][0]) for name in steady.trials}
    found = error_of(Part(steady.groups, trials, "oof", 60))
    assert found.value == pytest.approx((error_of(steady).value + error_of(unsteady).value) / 2)
    assert found.from_fits < 0.7 * error_of(unsteady).from_fits


def test_fits_never_make_an_error_smaller():
    rng = np.random.default_rng(8)
    for errors, dfs in zip(rng.random((200, 3)), 1 + 99 * rng.random((200, 3)), strict=True):
        rows, fits, within = (Spread(*each) for each in zip(errors, dfs, strict=True))
        found = crossed(rows, fits, within)
        assert found.error >= rows.error * (1 - 1e-12)
        assert found.error == pytest.approx((rows.error**2 + max(0, fits.error**2 - within.error**2)) ** 0.5)
        assert 0 < found.df <= sum(dfs)


@pytest.mark.parametrize("place", range(3))
def test_an_error_that_is_not_known_makes_the_whole_unknown(place):
    errors = [Spread(0.1, 9.0)] * 3
    errors[place] = UNKNOWN
    assert np.isnan(crossed(*errors)).all()


def test_a_metric_that_is_undefined_without_a_fit_has_no_error():
    found = error_of(drawn(np.random.default_rng(7)), f"{__name__}:FRAGILE")
    assert np.isnan(found.spread.error)
