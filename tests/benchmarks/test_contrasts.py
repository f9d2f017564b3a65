"""The benchmark of the primary contrast draws equally good contenders, and chooses as a study does."""

import numpy as np
import polars as pl
import pytest

import contrasts as benchmark
from counterpoint.compare import choose_primary, compare, contrast
from counterpoint.compare.selected import is_unanimous
from counterpoint.config import Evaluate
from injection.cells import named_cells

FEW = Evaluate(primary="accuracy", metrics=("accuracy",))
TINY = benchmark.Cell(
    n=60, folds=3, is_grouped=True, n_seeds=2, fit_effect=1.0, n_multimodal=3, n_single=2
)  # fmt: skip


def drawn(cell, *, seed=0):
    return benchmark.draw(cell, 4, np.random.default_rng(seed), fit_sd=0.3)


def validated(cell, found, study):
    """Validation rows with the shares of correct ones that were drawn: 1,000 rows of each fit."""
    frames = []
    for contender, seed, fold in np.ndindex(found.validation.shape[1:]):
        share = found.validation[study, contender, seed, fold]
        n = 20 * (np.bincount(found.folds)[(fold + 1) % cell.folds])
        is_correct = np.arange(n) < round(share * n)
        is_first = np.arange(n) % 2 == 0
        chance = np.where(is_correct == is_first, 0.9, 0.1)
        frames.append(
            pl.DataFrame({
                "id": [f"v{row}" for row in range(n)], "contender": str(contender), "seed": seed,
                "fold": str(fold) if cell.folds > 1 else "test", "part": "validation", "group": None,
                "label": np.where(is_first, "x", "y"), "p_x": chance, "p_y": 1 - chance,
            }, schema_overrides={"seed": pl.Int64, "group": pl.String})
        )  # fmt: skip
    return pl.concat(frames)


@pytest.mark.parametrize("cell", [TINY, TINY._replace(folds=1), TINY._replace(n_seeds=1, is_grouped=False)])
def test_contenders_are_chosen_and_compared_as_in_a_study(cell):
    found = drawn(cell)
    choices = benchmark.chosen(cell, found)
    values, _ = benchmark.contrasts(found, choices)
    reads = {str(name): ("text", "image")[: 2 if name < cell.n_multimodal else 1] for name in range(5)}
    for study in range(2):
        rows = pl.concat([benchmark.predictions(cell, found, study), validated(cell, found, study)])
        primary = choose_primary(rows, reads, "accuracy")
        expected = [[str(name) for name in choices[side, study].T.ravel()] for side in (0, 1)]
        assert [[choice[side] for choice in primary["choices"]] for side in "ab"] == expected
        row = contrast(rows, FEW, primary)
        assert row["difference"] == pytest.approx(values[study])
        if not is_unanimous(primary):
            alone = compare(benchmark.procedures(found, choices, study), "a", "b", metric="accuracy")
            assert alone["difference"].item() == pytest.approx(row["difference"])


def test_a_choice_by_rows_that_are_tested_is_biased_and_one_by_other_rows_is_not():
    found = benchmark.trained(1500, np.random.default_rng(0))
    assert found["pooled"][0] > 8 * found["pooled"][1]
    assert abs(found["own"][0]) < 3 * found["own"][1]


def test_all_contenders_are_equally_good():
    found = benchmark.draw(TINY, 2000, np.random.default_rng(0), fit_sd=0.3)
    shares = found.test.mean(axis=(0, 2, 3))
    assert np.ptp(shares) < 0.02
    assert found.truth.mean() == pytest.approx(shares.mean(), abs=0.01)


def test_groups_are_whole_in_one_fold_and_fits_share_no_effect():
    found = drawn(TINY)
    for group in np.unique(found.groups):
        assert len(set(found.folds[found.groups == group])) == 1
    assert np.bincount(found.groups).max() <= 10
    assert len(np.unique(found.truth)) == found.truth.size


def test_the_effect_of_a_fit_is_as_large_as_a_contrast_varies_on_its_rows():
    cell = TINY._replace(n=600, folds=1, is_grouped=False)
    fit_sd = benchmark.fit_sd_of(cell, np.random.default_rng(0))
    found = benchmark.draw(cell, 400, np.random.default_rng(1), fit_sd=0.0)
    gaps = found.test[:, 0, 0].mean(axis=1) - found.test[:, 1, 0].mean(axis=1)
    effects = benchmark.draw(cell, 400, np.random.default_rng(1), fit_sd=fit_sd).truth
    assert effects.std() == pytest.approx(gaps.std(), rel=0.15)


def test_a_few_cells_are_drawn_and_reported_seeds_are_others(capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "cells", lambda: [TINY] * 4)
    monkeypatch.setattr(benchmark, "TARGET_QUICK", 1.0)
    monkeypatch.setattr(benchmark, "N_TRAINED_QUICK", 3)
    benchmark.main(["--tests", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[4].startswith("trained, k-fold n=200, 3 drawn, chosen on the validation rows of the fold ")
    assert lines[0].startswith("3+2 k-fold groups n=60 seeds=2 fit-effect: bias ")
    assert benchmark.DEVELOPMENT + len(benchmark.cells()) < benchmark.REPORTED


def test_a_cell_has_the_same_place_whichever_cells_are_named():
    listed = named_cells([TINY, TINY._replace(n_seeds=1), TINY._replace(n=90)], ["groups", "seeds=2"])
    assert [(place, cell.n) for place, cell in listed] == [(0, 60), (2, 90)]
    assert named_cells([TINY], ["group"]) == []  # whole words
