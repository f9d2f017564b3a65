"""The primary contrast in each fold of each repeat, and over the test rows of all repeats.

A repeat is the whole comparison with another split and other fits.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint.compare.selected import PROCEDURES, selected
from counterpoint.config import Evaluate
from counterpoint.metrics import find_metric, read_part
from counterpoint.metrics.crossed import crossed_difference
from counterpoint.metrics.decision import class_shares
from counterpoint.metrics.rows import Floats, PredictedRows
from counterpoint.schema import REPEATED, REPEATS, Frame, empty

REPEATED_RULE = "rows of all repeats, crossed with fits"
"""The rule of the error over repeats, a part of the key of every record that rests on it."""


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
    return pl.DataFrame(rows, schema=dict(REPEATS)).fill_nan(None)


def _by_fold(rows: PredictedRows, metric: str) -> list[float]:
    return [float(find_metric(metric)(own.weigh(np.ones((1, len(own.codes)))))[0]) for own in rows.by_fold]


def n_repeats(repeats: Frame) -> int:
    """Return the number of repeats in a table of schema.REPEATS.

    >>> n_repeats(empty(REPEATS))
    0
    """
    return repeats["repeat"].n_unique()


class RepeatRows(NamedTuple):
    """The test rows of the two selection procedures of one repeat, and the class shares of its training rows by fold.

    The names of the folds have the number of the repeat, and seeds are numbered from 0.
    """

    rows: Frame
    shares: Mapping[str, Floats]


def rows_of_repeat(predictions: Frame, primary: Mapping[str, Any], *, repeat: int) -> RepeatRows:
    """Return all of a repeat on which its part in the primary contrast rests.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    primary
        *primary* is the result of `choose_primary`.
    repeat
        *repeat* is the number of the repeat, from 0.

    Examples
    --------
    >>> columns = {"id": list("1212"), "contender": ["lstm-cnn"] * 2 + ["text-svm"] * 2, "seed": [7] * 4}
    >>> columns |= {"fold": "test", "part": "test", "group": list("1212"), "label": list("xyxy")}
    >>> table = pl.DataFrame({**columns, "p_x": [0.9, 0.2, 0.9, 0.6]}).with_columns(p_y=1 - pl.col("p_x"))
    >>> choice = {"fold": "test", "seed": 7, "a": "lstm-cnn", "b": "text-svm"}
    >>> found = rows_of_repeat(table, {"choices": [choice]}, repeat=2)
    >>> found.rows.select("fold", "seed").row(0), found.shares
    (('2/test', 0), {'2/test': array([0.5, 0.5])})
    """
    rows = selected(predictions, primary).with_columns(fold=pl.format(f"{repeat}/{{}}", "fold"))
    seeds = sorted({choice["seed"] for choice in primary["choices"]})
    places = pl.DataFrame({"seed": range(len(seeds))}, schema_overrides={"seed": rows.schema["seed"]})
    by_procedure = [
        # The one fit of a procedure counts for all seeds, because it may have several in another repeat.
        own.drop("seed").join(places, how="cross").select(rows.columns)
        if own["seed"].n_unique() == 1
        else own.with_columns(pl.col("seed").replace(seeds, range(len(seeds))))
        for own in rows.partition_by("contender", maintain_order=True)
    ]
    shares = {f"{repeat}/{fold}": found for fold, found in class_shares(predictions).items()}
    return RepeatRows(pl.concat(by_procedure), shares)


def over_repeats(repeats: Sequence[RepeatRows], rules: Evaluate) -> Frame:
    """Return the primary contrast over the test rows of all repeats: schema.REPEATED.

    The rows of all repeats are one part with a fold for each fold of each repeat.  So a metric that pools the rows of
    folds pools those of repeats too.

    Parameters
    ----------
    repeats
        *repeats* are the results of `rows_of_repeat`.
    rules
        *rules* gives the primary metric.

    Returns
    -------
    Frame
        It has no row with fewer than two repeats.

    Examples
    --------
    >>> over_repeats([], Evaluate()).columns
    ['difference', 'error', 'df', 'error_from_rows', 'error_from_fits']
    """
    if len(repeats) < 2:
        return empty(REPEATED)
    shares = {fold: found for each in repeats for fold, found in each.shares.items()}
    rows = pl.concat([each.rows for each in repeats])
    part = read_part(rows, "test", PROCEDURES.values(), primary=rules.primary, shares=shares)
    value, spread, *errors = crossed_difference(part, PROCEDURES["a"], PROCEDURES["b"], rules.primary)
    return pl.DataFrame([(value, *spread, *errors)], schema=dict(REPEATED), orient="row").fill_nan(None)
