"""Logistic regression along a path of C: what it chooses by, what it reads, and that a memory map is not copied."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from counterpoint.contenders import regression
from counterpoint.contenders.base import Rows
from counterpoint.contenders.regression import PATH, UNJUDGED_C, fit_regression, judged_on, spread


def noisy(n: int, *, n_columns: int = 40, n_classes: int = 3, seed: int = 0, slope: float = 1.0):
    """Return rows of which the first columns carry a little, and their classes."""
    truth = np.random.default_rng(99).normal(size=(n_columns, n_classes)) * slope
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, n_columns)).astype(np.float32) / np.sqrt(n_columns)
    codes = (rows @ truth + rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    return rows, codes


def test_the_chosen_c_has_the_smallest_held_out_loss_of_those_that_were_tried():
    (rows, codes), (held_out, judged) = noisy(120), noisy(400, seed=1)
    found = fit_regression(rows, codes, held_out, judged)
    tried = PATH[: found.n_tried]
    losses = {}
    for c in tried:
        proba = LogisticRegression(C=c, max_iter=5000, tol=1e-8).fit(rows, codes).predict_proba(held_out)
        losses[c] = -np.log(proba[np.arange(len(judged)), judged]).mean()
    assert found.c == min(losses, key=losses.get)
    assert found.loss(held_out, judged) == pytest.approx(losses[found.c], abs=1e-3)
    assert PATH[0] < found.c < PATH[-1]


def test_labels_that_are_noise_are_regularised_more_than_labels_that_are_clear():
    faint, clear = (
        fit_regression(*noisy(200, slope=slope), *noisy(400, seed=1, slope=slope)).c for slope in (0.3, 60.0)
    )
    assert faint < clear


def test_without_held_out_rows_one_c_is_fitted():
    found = fit_regression(*noisy(100))
    assert (found.c, found.n_tried) == (UNJUDGED_C, 1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_logits_are_those_of_scikit_learn(n_classes):
    rows, codes = noisy(150, n_classes=n_classes)
    found = fit_regression(rows, codes)
    theirs = LogisticRegression(C=UNJUDGED_C, max_iter=5000, tol=1e-8).fit(rows, codes).predict_proba(rows)
    np.testing.assert_allclose(softmax(found.logits(rows), axis=1), theirs, atol=2e-3)
    assert found.weights.shape == (n_classes, 40)


def test_the_mean_probabilities_of_training_rows_are_their_class_shares():
    rows, codes = noisy(300)
    proba = softmax(fit_regression(rows, codes).logits(rows), axis=1)
    np.testing.assert_allclose(proba.mean(axis=0), np.bincount(codes) / 300, atol=1e-3)


def test_sparse_rows_are_read_as_dense_ones_are():
    rows, codes = noisy(100)
    sparse = sp.csr_matrix(rows.astype(np.float64))
    dense, other = fit_regression(rows.astype(np.float64), codes), fit_regression(sparse, codes)
    np.testing.assert_allclose(dense.logits(rows), other.logits(sparse), atol=1e-6)


def test_of_many_rows_the_path_reads_a_few_of_each_class_and_the_last_fit_all(monkeypatch):
    read = []
    fitted = regression._fitted
    monkeypatch.setattr(regression, "ENOUGH", 50)
    monkeypatch.setattr(
        regression,
        "_fitted",
        lambda model, rows, codes, *, c: read.append(len(codes)) or fitted(model, rows, codes, c=c),
    )
    rows, codes = noisy(200)
    fit_regression(rows, codes, *noisy(100, seed=1))
    assert set(read[:-1]) == {len(spread(codes, 50))}
    assert read[-1] == 200


def test_a_rare_class_keeps_a_row_where_few_are_read():
    codes = np.r_[np.zeros(1000, dtype=int), 1]
    assert codes[spread(codes, 10)].tolist() == [0] * 10 + [1]


def test_a_memory_map_is_not_copied(tmp_path):
    rows, codes = noisy(20_000, n_columns=200, n_classes=2)
    path = tmp_path / "rows.npy"
    np.save(path, rows)
    mapped = np.asarray(np.load(path, mmap_mode="r"))
    fit_regression(mapped[:100], codes[:100])  # what is loaded at the first fit does not count
    before = anonymous_kb()
    fit_regression(mapped, codes)
    assert anonymous_kb() - before < rows.nbytes / 1024 / 2


def anonymous_kb() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def test_validation_rows_are_judges_and_without_them_some_groups_are():
    train = Rows(pl.DataFrame({"group": list("aabbccdd")}), np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    other = Rows(pl.DataFrame({"group": ["x"]}), np.array([0]))
    assert judged_on(train, other) == (train, other)
    rest, held_out = judged_on(train, None)
    assert set(rest.pairs["group"]).isdisjoint(held_out.pairs["group"])
    alone = Rows(pl.DataFrame({"group": ["a", "b"]}), np.array([0, 1]))
    assert judged_on(alone, None)[1] is None
