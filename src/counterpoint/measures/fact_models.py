"""How well a few facts of a row predict a class of the row: held-out predictions of small models, fold by fold.

The folds share no group.  The models are small on purpose: they find a fact that matters, and memorize few rows.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.decision import BALANCED, decide
from counterpoint.metrics.estimate import Estimate, estimated, groups_of
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

N_FOLDS, ROUNDS, LEAVES = 5, 30, 4
"""Enough trees to find a fact that predicts the class, and too few to memorize 1,000 rows."""
SPREAD = 1.5
"""The standard error of a score by chance, in standard errors of its interval, which leaves out that fits share rows.
In random splits of 1,000 rows the ratio was 1.2 to 1.5."""

Codes = NDArray[np.int64]
Make = Callable[[], Any]
"""Returns an unfitted classifier of scikit-learn."""


class Predictable(NamedTuple):
    """How well a model predicts the classes of rows that it was not fitted on.

    Attributes
    ----------
    score
        *score* is the balanced accuracy with its interval.
    chance
        *chance* is the balanced accuracy of guessing.
    n
        *n* is the number of predicted rows.
    confidence
        *confidence* is the level of the interval.
    """

    score: Estimate
    chance: float
    n: int
    confidence: float

    @property
    def skill(self) -> float:
        """The share of the way from guessing to a perfect score."""
        return (self.score.value - self.chance) / (1 - self.chance)

    @property
    def p(self) -> float:
        """The one-sided p-value of a score above chance, by the width of the interval and by `SPREAD`."""
        from scipy.stats import norm  # noqa: PLC0415 - takes longer than most checks

        standard_error = (self.score.high - self.score.low) / (2 * norm.ppf((1 + self.confidence) / 2))
        return float(norm.sf((self.score.value - self.chance) / max(SPREAD * standard_error, 1e-9)))


def trees(categories: list[bool]) -> Make:
    """Return the maker of a few boosted trees over a table, in which *categories* marks the columns of codes."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - takes longer than most checks

    return lambda: HistGradientBoostingClassifier(
        max_iter=ROUNDS, max_leaf_nodes=LEAVES, early_stopping=False, random_state=0, categorical_features=categories
    )


def predictable(table: Any, codes: Codes, pairs: Frame, make: Make, *, confidence: float) -> Predictable | None:
    """Return how well *table* predicts *codes*, or None if the rows are too few for a test.

    Parameters
    ----------
    table
        *table* is an array or a sparse matrix, shape (n_pairs, n_columns).
    codes
        *codes* are the classes, shape (n_pairs,).
    pairs
        *pairs* are the rows, whose ``group`` no two folds share.
    make
        *make* returns an unfitted classifier.
    confidence
        *confidence* is the level of the interval.
    """
    n_classes = len(np.unique(codes))
    if n_classes < 2:
        return None
    folds = _random_folds(pairs)
    hits = np.full(len(codes), np.nan)
    for fold in range(N_FOLDS):
        out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(out) and len(np.unique(codes[rest])) == n_classes:
            known = _learnable(table, rest)
            hits[out] = _hits(make().fit(known[rest], codes[rest]), known[out], codes[out], codes[rest])
    there = np.flatnonzero(~np.isnan(hits))
    if len(np.unique(codes[there])) < n_classes:
        return None
    groups = np.asarray(list(groups_of(pairs)))[there]
    found = estimated(mean_by_class(hits[there], codes[there].astype(np.intp)), groups, confidence=confidence)
    return Predictable(found, 1 / n_classes, len(there), confidence)


def _random_folds(pairs: Frame) -> NDArray[np.intp]:
    """Return a fold for each row, by its group, at random and whatever its class.

    Folds in turn within each class would favour the model where neighbours in the source are alike.  The neighbours of
    a row that have its class would always be among the rows to learn from, and the others not.
    """
    groups = np.unique(np.asarray(list(groups_of(pairs))), return_inverse=True)[1]
    n_groups = int(groups.max(initial=-1)) + 1
    folds = np.random.default_rng(child_seed(0, "fact models")).permutation(np.arange(n_groups) % N_FOLDS)
    found: NDArray[np.intp] = folds[groups]
    return found


def _learnable(table: Any, rest: NDArray[np.intp]) -> Any:
    """Return *table* with zeros in each column that all training rows lack: trees take no column without a value."""
    if not isinstance(table, np.ndarray):
        return table
    is_empty = np.isnan(table[rest]).all(axis=0)
    return np.where(is_empty, 0.0, table) if is_empty.any() else table


def _hits(model: Any, table: Any, codes: Codes, known: Codes) -> Floats:
    shares = np.array([(known == code).mean() for code in model.classes_])
    predicted = model.classes_[decide(model.predict_proba(table), metric=BALANCED, shares=shares)]
    hits: Floats = (predicted == codes).astype(float)
    return hits


def coded(values: pl.Series, *, most: int = 50) -> Floats:
    """Return the most frequent values of a column of texts as codes, shape (n,).  NaN is any other value, or none.

    >>> coded(pl.Series(["png", None, "jpeg", "png"])).tolist()
    [0.0, nan, 1.0, 0.0]
    """
    counts = values.drop_nulls().value_counts(name="n").sort("n", values.name, descending=[True, False])
    known = counts[values.name].head(most).to_list()
    found = values.replace_strict(known, range(len(known)), default=None, return_dtype=pl.Float64)
    return found.to_numpy().astype(np.float64)


def fact_values(rows: Frame, facts: Mapping[str, pl.Expr]) -> dict[str, Floats]:
    """Return the numbers of each fact, shape (n,), with NaN where a row lacks it.  Texts become codes.

    >>> fact_values(pl.DataFrame({"n": [1, None], "kind": ["png", "png"]}), {"n": pl.col("n"), "is": pl.col("kind")})
    {'n': array([ 1., nan]), 'is': array([0., 0.])}
    """
    table = rows.select(expression.alias(name) for name, expression in facts.items())
    return {column.name: coded(column) if column.dtype == pl.String else _numbers(column) for column in table}


def _numbers(column: pl.Series) -> Floats:
    found: Floats = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found


def sampled(pairs: Frame, name: str, most: int) -> Frame:
    """Return some rows of *pairs* at random, in their order.

    Parameters
    ----------
    pairs
        *pairs* are the rows to draw from.
    name
        *name* gives the seed.
    most
        *most* is the largest number of rows.
    """
    if len(pairs) <= most:
        return pairs
    rng = np.random.default_rng(child_seed(0, name))
    return pairs[np.sort(rng.permutation(len(pairs))[:most])]


def separation(values: Floats, codes: Codes) -> tuple[float, float]:
    """Return how strongly one fact differs by class, and the p-value of Kruskal and Wallis.

    The strength is the largest distance between the values of one class and those of all others: the difference between
    the probabilities that a value of the class is higher, and that it is lower (Cliff 1993).  It is 0 to 1.

    Parameters
    ----------
    values
        *values* are the fact of each row, shape (n,).  NaN, of a row that lacks it, counts as the lowest value.
    codes
        *codes* are the classes, shape (n,).

    Examples
    --------
    >>> separation(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 1, 1]))[0]
    1.0
    """
    from scipy.stats import chi2, rankdata  # noqa: PLC0415 - takes longer than most checks

    filled = np.where(np.isnan(values), -np.inf, values)
    ranks, n = rankdata(filled), len(filled)
    classes, sizes = np.unique(codes, return_counts=True)
    spread = float(ranks.var(ddof=1)) if n > 1 else 0.0
    if len(classes) < 2 or spread == 0:
        return 0.0, 1.0
    means = np.array([ranks[codes == code].mean() for code in classes])
    strength = np.abs(means - (n + 1) / 2) * 2 / (n - sizes)
    statistic = float((sizes * (means - (n + 1) / 2) ** 2).sum()) / spread
    return float(min(1.0, strength.max())), float(chi2.sf(statistic, len(classes) - 1))
