"""What contenders say of the rows on one side of their fits, as arrays: one row a pair, the mean over seeds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.diagnose.case import Case
from counterpoint.metrics.class_means import balanced_mean, mean_by_class
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.schema import class_names

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
FLOOR = 1e-7
"""No probability is taken for less, so that one row cannot outweigh all others."""


class Heard(NamedTuple):
    """The same rows as several contenders see them."""

    ids: list[str]
    groups: list[str]
    folds: NDArray[np.str_]
    codes: Codes
    proba: dict[str, Floats]
    """By contender, each of shape (n, n_classes)."""

    def of(self, fold: str) -> "Heard":
        """Return the rows of one test fold."""
        rows = np.flatnonzero(self.folds == fold)
        proba = {name: values[rows] for name, values in self.proba.items()}
        ids, groups = ([values[row] for row in rows] for values in (self.ids, self.groups))
        return Heard(ids, groups, self.folds[rows], self.codes[rows], proba)

    def log(self, name: str) -> Floats:
        """Return log probabilities, never infinite, shape (n, n_classes)."""
        logs: Floats = np.log(self.proba[name].clip(min=FLOOR))
        return logs

    def hits(self, name: str) -> NDArray[np.bool_]:
        """Return whether the class of most probability is the row's."""
        right: NDArray[np.bool_] = self.proba[name].argmax(1) == self.codes
        return right

    def mean(self, values: Floats) -> Estimate:
        """Return the mean of *values*, one a row, with its interval over draws of groups."""
        return estimated(lambda weights: weights @ values / weights.sum(1), self.groups)

    def balanced(self, values: NDArray[Any], *, draws: int = 1000) -> Estimate:
        """Return the mean over classes of the mean of *values*, such as hits, with its interval over groups."""
        return estimated(mean_by_class(values.astype(float), self.codes), self.groups, draws=draws)


def heard(case: Case, names: Sequence[str], part: str = "test") -> Heard:
    """Return the rows of *part* that every contender of *names* has predicted, ordered by fold and id.

    >>> from counterpoint.schema import PREDICTIONS
    >>> row = {"id": "a", "contender": "x", "fold": "0", "part": "test", "group": "a", "label": "cat"}
    >>> said = [{**row, "seed": 0, "p_cat": 0.2, "p_dog": 0.8}, {**row, "seed": 1, "p_cat": 0.4, "p_dog": 0.6}]
    >>> none = pl.DataFrame()
    >>> case = Case(none, none, none, None, {"x": ()}, (), 1, 1, predictions=pl.DataFrame(said))
    >>> heard(case, ["x"]).proba["x"].round(3).tolist()
    [[0.3, 0.7]]
    """
    chances = pl.col("^p_.*$")
    rows = case.predictions.filter(pl.col("contender").is_in(list(names)), part=part)
    means = rows.group_by("contender", "fold", "id").agg(pl.first("group", "label"), chances.mean())
    everywhere = pl.col("contender").count().over("fold", "id") == len(set(names))
    means = means.filter(everywhere).sort("fold", "id")
    shared = means.unique(["fold", "id"], keep="first", maintain_order=True)
    classes = class_names(case.predictions)
    codes = np.searchsorted(classes, shared["label"].to_numpy()) if len(shared) else np.zeros(0, dtype=np.intp)
    proba = {name: means.filter(contender=name).select(chances).to_numpy() for name in names}
    return Heard(shared["id"].to_list(), shared["group"].to_list(), shared["fold"].to_numpy(), codes, proba)


def best_of(case: Case, *modalities: str) -> str | None:
    """Return the contender of exactly these modalities that has most balanced accuracy on validation rows.

    >>> none = pl.DataFrame()
    >>> best_of(Case(none, none, none, None, {"majority": ()}, (), 1, 1), "text") is None
    True
    """
    names = judged(case, *modalities)
    return best_among(case, names) if names else None


def best_among(case: Case, names: Sequence[str]) -> str:
    """Return which of *names* has most balanced accuracy on validation rows."""
    rows = heard(case, names, "validation")
    return max(names, key=lambda name: balanced_mean(rows.hits(name), rows.codes))


def judged(case: Case, *modalities: str) -> list[str]:
    """Return the contenders of exactly these modalities that predicted validation rows; an outside model may not have.

    >>> none = pl.DataFrame()
    >>> judged(Case(none, none, none, None, {"svm": ("text",)}, (), 1, 1), "text")
    []
    """
    known = set(case.predictions.filter(part="validation")["contender"].unique())
    return [name for name in case.reading(*modalities) if name in known]
