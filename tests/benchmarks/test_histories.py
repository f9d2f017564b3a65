"""The benchmark of histories permutes the share that it names, has seeds of its own, and counts answers."""

import numpy as np
import polars as pl
import pytest

import histories as benchmark
from injection.histories import KINDS, PLANTED, TOGETHER, histories, permuted
from injection.sources import FAULTS


def test_no_reported_seed_is_one_of_development():
    whole, quick = (benchmark.items(is_whole=is_whole) for is_whole in (True, False))
    assert min(item.seed for item in whole) >= benchmark.REPORTED > max(item.seed for item in quick)
    assert len({(item.kind, item.seed) for item in whole}) == len(whole)


def test_each_kind_with_a_bar_has_enough_draws():
    whole = benchmark.items(is_whole=True)
    for kind in benchmark.WITH_BARS:
        assert TOGETHER * sum(item.kind == f"curves {kind}" for item in whole) >= 200
    for kinds in (benchmark.FAULTY, benchmark.CLEAN):
        assert sum(item.kind.removeprefix("study ") in kinds for item in whole if item.n) >= 60


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_labels_is_permuted(share):
    codes = np.arange(1000)
    moved = permuted(codes, share, np.random.default_rng(0))
    assert sorted(moved) == list(codes)
    assert (moved != codes).mean() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("name", ["text", "image", "label"])
def test_only_validation_rows_are_permuted_and_only_in_one_column(tmp_path, name):
    rng = np.random.default_rng(0)
    ids = [str(row) for row in range(300)]
    rows = pl.DataFrame({"text": ids, "image": ids, "label": ids, "fold": rng.choice(["train", "validation"], 300)})
    moved = FAULTS[f"other_{name}"](rows, 0.5, rng, tmp_path)
    differs = moved[name] != rows[name]
    validation = rows["fold"] == "validation"
    assert not (differs & ~validation).any()
    assert (differs & validation).sum() / validation.sum() == pytest.approx(0.5, abs=0.05)
    assert moved.drop(name).equals(rows.drop(name))
    assert sorted(moved[name]) == sorted(rows[name])


def test_a_seed_makes_the_same_histories():
    one, other = (histories("few", 5) for _ in range(2))
    assert one == other
    assert len(one) == TOGETHER


def test_a_summary_counts_what_is_found():
    epochs = [[0.12, 0.97, 3.3, 0.5], [0.02, 1.0, 4.0, 0.5], [0.01, 1.0, 4.6, 0.5]]
    result = {"kind": "curves permuted", "took_s": 1.0, "histories": [{"counts": [500, 500], "curves": epochs}]}
    found = benchmark.summary([result, {"kind": "curves noise", "took_s": 0.0, "error": "no"}])
    assert found["curves"]["permuted"]["found"]["k"] == 1
    assert found["n_errors"] == 1
    assert set(PLANTED) <= set(KINDS)
