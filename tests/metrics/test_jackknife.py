import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from counterpoint.metrics import METRICS, Metric, Part, PredictedRows, read_part, score
from counterpoint.metrics.half_groups import HalfGroups
from counterpoint.metrics.jackknife import jackknife
from counterpoint.metrics.units import units_of
from made_predictions import frame_of, predictions, some_proba


def test_as_many_units_as_groups_or_as_many_as_are_allowed():
    groups = np.repeat(np.arange(60), 3)
    assert len(units_of(groups, groups % 2)) == 60
    fewer = units_of(groups, groups % 2, most=10)
    assert len(fewer) == 10
    assert np.bincount(fewer.places).tolist() == [18] * 10


@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=40), most=st.integers(2, 50))
def test_a_group_is_never_cut_and_no_unit_has_groups_of_two_classes(sizes, most):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    codes = groups % 3 % 2
    units = units_of(groups, codes, most=most)
    assert set(units.places) == set(range(len(units)))
    assert all(len(set(units.places[groups == group])) == 1 for group in groups)
    assert (units.classes[units.places] == codes).all()
    assert len(units) <= max(most, 2)


def test_each_group_of_a_rare_class_stays_a_unit():
    groups = np.arange(1000)
    codes = (groups >= 990).astype(int)
    units = units_of(groups, codes, most=100)
    assert np.bincount(units.classes).tolist() == [90, 10]


@pytest.mark.parametrize("name", METRICS)
def test_copies_of_a_row_in_its_group_do_not_change_the_interval(name):
    rng = np.random.default_rng(0)
    codes = rng.integers(2, size=40)
    proba = some_proba(rng, codes, 2)
    once = score(codes, proba, classes=[0, 1], metrics=[name])
    places = np.repeat(np.arange(40), 4)
    copied = score(codes[places], proba[places], classes=[0, 1], groups=places, metrics=[name])
    for column in ("value", "low", "high"):
        assert copied[column].item() == pytest.approx(once[column].item())


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    n_covered, n_studies = 0, 200
    for _ in range(n_studies):
        codes = rng.integers(2, size=100)
        right = rng.random(100) < 0.8
        proba = np.eye(2)[np.where(right, codes, 1 - codes)]
        low, high = score(codes, proba, classes=[0, 1], metrics=["accuracy"])["low", "high"].row(0)
        n_covered += low <= 0.8 <= high
    assert 0.90 <= n_covered / n_studies <= 0.98


def test_intervals_over_groups_cover_where_those_over_rows_do_not():
    rng = np.random.default_rng(0)
    covered = {"groups": 0, "rows": 0}
    for _ in range(100):
        groups = np.repeat(np.arange(40), 5)
        codes = rng.integers(2, size=200)
        right = (rng.random(40) < 0.8)[groups]
        proba = np.eye(2)[np.where(right, codes, 1 - codes)]
        for name, own in (("groups", groups), ("rows", None)):
            table = score(codes, proba, classes=[0, 1], groups=own, metrics=["accuracy"])
            covered[name] += table["low"].item() <= 0.8 <= table["high"].item()
    assert covered["groups"] >= 87
    assert covered["rows"] <= 75


def test_a_rare_class_has_few_degrees_of_freedom():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], [190, 10])
    proba = some_proba(rng, codes, 2)
    part = Part(np.arange(200), {"m": (PredictedRows(codes, proba),)}, "test", 200)
    found = jackknife(part, ["accuracy", "balanced_accuracy"])["m"]
    assert 9 <= found["balanced_accuracy"].spread.df < 20
    assert found["accuracy"].spread.df > 100


def test_the_error_of_an_auc_is_that_of_delong():
    rng = np.random.default_rng(0)
    codes = rng.integers(2, size=400)
    proba = some_proba(rng, codes, 2, skill=1.5)
    found = jackknife(Part(np.arange(400), {"m": (PredictedRows(codes, proba),)}, "test", 400), ["roc_auc"])["m"]
    high, low = (proba[codes == code, 1] for code in (1, 0))
    ranks = rankdata(proba[:, 1])
    of_high = (ranks[codes == 1] - rankdata(high)) / len(low)
    of_low = 1 - (ranks[codes == 0] - rankdata(low)) / len(high)
    delong = (of_high.var(ddof=1) / len(high) + of_low.var(ddof=1) / len(low)) ** 0.5
    assert found["roc_auc"].value == pytest.approx(of_high.mean())
    assert found["roc_auc"].spread.error == pytest.approx(delong, rel=0.02)


def test_seeds_widen_an_interval_by_their_own_spread():
    codes = np.resize([0, 1], 400)
    sure, unsure = np.eye(2)[codes], np.eye(2)[np.where(np.arange(400) % 5 == 0, 1 - codes, codes)]
    seeds = pl.concat([frame_of(codes, sure, seed=0), frame_of(codes, unsure, seed=1)])
    both = jackknife(read_part(seeds, "test"), ["accuracy"])["text-svm"]["accuracy"]
    alone = jackknife(read_part(seeds.filter(seed=1), "test"), ["accuracy"])["text-svm"]["accuracy"]
    assert both.value == pytest.approx(0.9)
    assert both.spread.error == pytest.approx(0.1, rel=0.02)
    assert both.spread.error > 4 * alone.spread.error
    assert both.spread.df < 2 < alone.spread.df


def test_contenders_that_answer_alike_have_no_difference_but_that_of_the_half_groups():
    table = predictions({"text-svm": 1, "lstm-cnn": 1}).filter(part="test")
    same = table.filter(contender="text-svm")
    twins = pl.concat([same, same.with_columns(contender=pl.lit("twin"))])
    found = jackknife(read_part(twins, "test"), list(METRICS))
    for metric, own in found["twin"].items():
        difference = own.minus(found["text-svm"][metric])
        assert difference.value == 0
        assert (difference.changes == 0).all()
        assert difference.spread.error < own.spread.error / 2


def test_a_contender_with_one_seed_is_used_for_all():
    many = predictions({"lstm-cnn": 1}, seeds=(0, 1, 2), parts=("test",))
    one = predictions({"majority": 0}, parts=("test",))
    part = read_part(pl.concat([many, one]), "test")
    assert part.n_seeds == 3
    found = jackknife(part, ["accuracy"])
    alone = jackknife(read_part(one, "test"), ["accuracy"])
    np.testing.assert_array_equal(found["majority"]["accuracy"].changes, alone["majority"]["accuracy"].changes)
    assert found["lstm-cnn"]["accuracy"].minus(found["majority"]["accuracy"]).by_seed.shape == (3,)


def test_each_class_of_each_fold_has_its_half_groups():
    rows = PredictedRows(np.array([0, 1, 0, 0]), np.eye(2)[[0, 1, 0, 1]], (slice(0, 2), slice(2, 4)))
    half = HalfGroups(rows, np.array([0, 1, 2, 2]))
    added = half.added_to(rows)
    assert half.codes.tolist() == [0, 0, 1, 1, 0, 0]
    assert half.shares(is_ranking=False).tolist() == [0.25, 0.25, 0.5, 0.5, 0.25, 0.25]
    assert half.sizes.tolist() == [1.5, 1.5, 1, 1, 1.5, 1.5]
    assert added.folds == (slice(0, 6), slice(6, 10))
    assert added.codes[half.places].tolist() == half.codes.tolist()
    assert added.is_correct[half.places].tolist() == [True, False] * 3


def test_a_metric_of_ones_own_has_a_symmetric_interval(monkeypatch):
    def brier(sample):
        """Return the squared distance of the probability of the true class from 1."""
        rows = sample.rows
        return sample.sums((1 - rows.proba[np.arange(len(rows.codes)), rows.codes]) ** 2) / sample.total

    metric = Metric(brier, "Brier score", "The squared error.", higher_is_better=False)
    monkeypatch.setattr("made_predictions.BRIER", metric, raising=False)
    rng = np.random.default_rng(0)
    codes = rng.integers(2, size=50)
    value, low, high = score(codes, some_proba(rng, codes, 2), classes=[0, 1], metrics=["made_predictions:BRIER"])[
        "value", "low", "high"
    ].row(0)
    assert value - low == pytest.approx(high - value)


def test_one_group_has_no_interval():
    table = score([0, 1], [[0.9, 0.1], [0.2, 0.8]], classes=[0, 1], groups=["g", "g"], metrics=["accuracy"])
    assert table.row(0) == ("accuracy", 1.0, None, None, 2)


def test_a_perfect_score_has_an_interval():
    codes = np.resize([0, 1], 100)
    table = score(codes, np.eye(2)[codes], classes=[0, 1], metrics=["accuracy", "roc_auc"])
    assert table["value"].to_list() == table["high"].to_list() == [1, 1]
    assert 0.92 < table["low"][0] < 0.97
    assert 0.9 < table["low"][1] < 1


CONSTANT = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc", "log_loss")


def exact_metrics(codes, proba, **settings):
    """The metrics whose interval is a point."""
    table = score(codes, proba, classes=range(proba.shape[1]), metrics=CONSTANT, **settings)
    return [metric for metric, _, low, high, _ in table.iter_rows() if low is not None and low == high]


@pytest.mark.parametrize("shares", [(0.7, 0.3), (0.5, 0.3, 0.2)])
def test_a_constant_answer_is_known_exactly_where_its_score_does_not_depend_on_the_rows(shares):
    codes = np.random.default_rng(0).choice(len(shares), 200, p=shares)
    proba = np.tile(shares, (200, 1))
    assert exact_metrics(codes, proba) == ["balanced_accuracy", "roc_auc", "pr_auc"]
    known = score(codes, proba, classes=range(len(shares)), metrics=["balanced_accuracy", "roc_auc", "pr_auc"])
    for column in ("value", "low", "high"):
        assert known[column].to_list() == pytest.approx([1 / len(shares), 0.5, 1 / len(shares)])


def test_one_class_for_all_rows_with_other_probabilities_is_exact_only_by_its_classes():
    rng = np.random.default_rng(0)
    codes, high = rng.integers(2, size=100), rng.uniform(0.6, 0.9, 100)
    assert exact_metrics(codes, np.column_stack([high, 1 - high])) == ["balanced_accuracy"]


def test_all_rows_right_is_not_exact():
    codes = np.repeat([0, 1], 50)
    assert exact_metrics(codes, np.eye(2)[codes] * 0.8 + 0.1) == []
    of_one_class = exact_metrics(np.zeros(50, dtype=int), np.tile([0.9, 0.1], (50, 1)))
    assert not {"accuracy", "balanced_accuracy", "macro_f1"} & set(of_one_class)


def test_a_constant_answer_adds_nothing_to_the_error_of_a_difference():
    rows = predictions({"text-svm": 1}, n=90)
    majority = rows.with_columns(contender=pl.lit("majority"), p_c0=0.6, p_c1=0.4)
    part = read_part(pl.concat([rows, majority]), "test", primary="balanced_accuracy")
    found = {name: own["balanced_accuracy"] for name, own in jackknife(part, ["balanced_accuracy"]).items()}
    assert found["majority"].spread.error == 0
    difference = found["text-svm"].minus(found["majority"])
    assert difference.spread.error == pytest.approx(found["text-svm"].spread.error)


def test_another_constant_answer_in_each_fold_is_exact_only_in_ranks():
    folds = {"0": (0.6, 0.4), "1": (0.4, 0.6)}
    rng = np.random.default_rng(0)
    tables = [frame_of(rng.integers(2, size=60), np.tile(shares, (60, 1)), fold=fold) for fold, shares in folds.items()]
    rows = pl.concat([tables[0], tables[1].with_columns(id=pl.col("id") + "'", group=pl.col("group") + "'")])
    found = jackknife(read_part(rows, "test"), ["balanced_accuracy", "roc_auc"])["text-svm"]
    assert found["balanced_accuracy"].spread.error > 0.02
    assert found["roc_auc"].spread.error == 0
