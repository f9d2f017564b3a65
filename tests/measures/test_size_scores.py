"""Scores on parts of the training rows are scores of the same test rows, with their covariance."""

import numpy as np
import polars as pl
import pytest

from counterpoint.config import Evaluate
from counterpoint.measures.size_scores import Subset, size_scores
from counterpoint.metrics import scores
from counterpoint.schema import SIZES, check

N = 200
RULES = Evaluate(metrics=("balanced_accuracy",))


def predictions(name, share_right, *, classes="xyz", folds=1, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.arange(N) % len(classes)
    is_right = np.random.default_rng(1).random(N) < share_right
    guess = np.where(is_right, codes, (codes + 1) % len(classes))
    proba = np.full((N, len(classes)), 0.1)
    proba[np.arange(N), guess] = 1 - 0.1 * (len(classes) - 1)
    fold = (np.arange(N) % folds).astype(str) if folds > 1 else np.full(N, "test")
    ids = [f"{row:03d}" for row in range(N)]
    columns = {"id": ids, "contender": name, "seed": seed, "fold": fold, "part": "test", "group": ids}
    table = pl.DataFrame({**columns, "label": [classes[code] for code in codes]}, schema_overrides={"seed": pl.Int64})
    order = rng.permutation(N)
    return table.with_columns(pl.Series(f"p_{label}", proba[:, k]) for k, label in enumerate(classes))[order]


def fits(classes="xyz", folds=1):
    shares = {0.25: 0.6, 0.5: 0.7, 1.0: 0.8}
    return {
        Subset(name, share, 0, round(share * 400)): predictions(name, right - loss, classes=classes, folds=folds)
        for name, loss in (("both", 0.0), ("text", 0.1))
        for share, right in shares.items()
    }


def even(classes, folds=1):
    return {
        fold: np.full(len(classes), 1 / len(classes)) for fold in (map(str, range(folds)) if folds > 1 else ["test"])
    }


@pytest.mark.parametrize("classes", ["xy", "xyzw"])
@pytest.mark.parametrize("folds", [1, 4])
def test_the_whole_size_has_the_score_and_interval_of_the_study(classes, folds):
    found = size_scores(fits(classes, folds), RULES, even(classes, folds), n_folds=folds)
    table = check(found.table, SIZES, table="Sizes")
    own = table.filter(contender="both", share=1.0).row(0, named=True)
    whole = scores(predictions("both", 0.8, classes=classes, folds=folds), RULES).row(0, named=True)
    assert [own[name] for name in ("value", "low", "high", "n")] == [
        whole[name] for name in ("value", "low", "high", "n")
    ]


def test_points_are_in_the_order_of_sizes_and_end_with_the_whole():
    points = size_scores(fits(), RULES, even("xyz")).points["text"]
    assert points.shares.tolist() == [0.25, 0.5, 1.0]
    assert points.n_train == 400
    assert (np.diff(points.scores) > 0).all()


def test_the_guess_is_the_score_of_a_constant_answer():
    assert size_scores(fits(), RULES, even("xyz")).points["text"].guess == pytest.approx(1 / 3, abs=0.01)


def test_scores_of_the_same_rows_are_correlated():
    found = size_scores(fits(), RULES, even("xyz"))
    assert found.correlations["both", "text"] > 0.4
    covariance = found.points["both"].covariance
    assert covariance == pytest.approx(covariance.T)
    assert (np.linalg.eigvalsh(covariance) > 0).all()
