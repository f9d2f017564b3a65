"""The primary contrast in each fold of each repeat, and its error over repeats: the corrected resampled t.

A repeat is the whole comparison with another split and other fits.
"""

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np
import polars as pl

from counterpoint.compare.selected import PROCEDURES, selected
from counterpoint.config import Evaluate
from counterpoint.metrics import find_metric, read_part
from counterpoint.metrics.rows import Floats, PredictedRows
from counterpoint.metrics.spread import UNKNOWN, Spread
from counterpoint.schema import REPEATS, Frame, empty


def by_fold(predictions: Frame, rules: Evaluate, primary: Mapping[str, Any] | None, *, repeat: int = 0) -> Frame:
    """Return the difference of the two selection procedures on the test rows of each fold and seed of one repeat.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    rules
        *rules* gives the primary metric.
    primary
        *primary* is the result of `choose_primary`, or None.
    repeat
        *repeat* is the number of the repeat, from 0.

    Returns
    -------
    Frame
        schema.REPEATS.  It has no rows where *primary* is None.

    Examples
    --------
    >>> columns = {"id": list("1212"), "contender": ["lstm-cnn"] * 2 + ["text-svm"] * 2, "seed": [0] * 4}
    >>> columns |= {"fold": "test", "part": "test", "group": list("1212"), "label": list("xyxy")}
    >>> table = pl.DataFrame({**columns, "p_x": [0.9, 0.2, 0.9, 0.6]}).with_columns(p_y=1 - pl.col("p_x"))
    >>> choices = [{"fold": "test", "seed": 0, "a": "lstm-cnn", "b": "text-svm"}]
    >>> by_fold(table, Evaluate(), {"choices": choices}).select("a", "b", "difference").row(0)
    ('lstm-cnn', 'text-svm', 0.5)
    """
    if primary is None:
        return empty(REPEATS)
    part = read_part(
        pl.concat([predictions, selected(predictions, primary)]), "test", PROCEDURES.values(), primary=rules.primary
    )
    scores = [np.array([_by_fold(rows, rules.primary) for rows in part.trials[name]]) for name in PROCEDURES.values()]
    folds = predictions.filter(part="test")["fold"].unique().sort().to_list()
    seeds = sorted({choice["seed"] for choice in primary["choices"]})[: max(map(len, scores))]
    differences = dict(np.ndenumerate(scores[0] - scores[1]))  # (n_seeds, n_folds)
    chosen = {(choice["fold"], choice["seed"]): choice for choice in primary["choices"]}
    rows = [
        {"repeat": repeat, "fold": fold, "seed": seed, "difference": differences[i, k]}
        | {side: chosen[fold, seed][side] for side in PROCEDURES}
        for k, fold in enumerate(folds)
        for i, seed in enumerate(seeds)
    ]
    columns = {name: kind for name, kind in REPEATS.items() if not name.startswith("n_")}
    found = pl.DataFrame(rows, schema=columns).fill_nan(None)
    return found.join(_sizes(predictions), on="fold", how="left", maintain_order="left").select(list(REPEATS))


def _by_fold(rows: PredictedRows, metric: str) -> list[float]:
    return [float(find_metric(metric)(own.weigh(np.ones((1, len(own.codes)))))[0]) for own in rows.by_fold]


def _sizes(predictions: Frame) -> Frame:
    """Return for each fold the numbers of rows that its fits and its choice rest on, and that they are tested on."""
    n_rows = pl.col("id").n_unique().cast(pl.Int64)
    parts = predictions.group_by("fold", "part").agg(n=n_rows)
    is_test = pl.col("part") == "test"
    return parts.group_by("fold").agg(
        n_train=pl.col("n").filter(~is_test).sum(), n_test=pl.col("n").filter(is_test).sum()
    )


def n_repeats(repeats: Frame) -> int:
    """Return the number of repeats in a table of schema.REPEATS.

    >>> n_repeats(empty(REPEATS))
    0
    """
    return repeats["repeat"].n_unique()


def resampled(repeats: Frame) -> tuple[float, Spread]:
    """Return the mean of the primary contrast over all repeats, with its standard error.

    The differences of two repeats rest on overlapping rows, so they vary less than those of new rows.  The variance of
    their mean is therefore taken as (1/n + n_test / n_train) times theirs, with n − 1 degrees of freedom, where n is
    repeats times folds (Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 2003; Bouckaert
    and Frank, Evaluating the Replicability of Significance Tests, PAKDD 2004).  Validation rows count among the
    n_train, because the choice of the contenders rests on them.

    Parameters
    ----------
    repeats
        *repeats* is schema.REPEATS.  Seeds of one fold are averaged first.  Folds without a score are left out.

    Returns
    -------
    tuple of float and Spread
        The spread is unknown with fewer than two differences.

    Examples
    --------
    >>> rows = {"repeat": [0, 1], "fold": "test", "seed": 0, "difference": [0.1, 0.2], "n_train": 80, "n_test": 20}
    >>> value, spread = resampled(pl.DataFrame(rows))
    >>> round(value, 3), round(spread.error, 4), spread.df
    (0.15, 0.0612, 1.0)
    """
    folds = repeats.group_by("repeat", "fold", maintain_order=True).agg(
        pl.col("difference").mean(), pl.col("n_train", "n_test").first()
    )
    found = folds.drop_nulls("difference")
    differences: Floats = found["difference"].to_numpy()
    n = len(differences)
    if n < 2:
        return (float(differences[0]) if n else nan), UNKNOWN
    n_test, n_train = found.select("n_test", "n_train").sum().row(0)
    ratio = n_test / n_train
    error = float(np.sqrt((1 / n + ratio) * differences.var(ddof=1)))
    return float(differences.mean()), Spread(error, float(n - 1))
