"""The predictions of several contenders on the same rows, as arrays: one row a pair, the mean over seeds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.metrics.class_means import balanced_mean, mean_by_class
from counterpoint.metrics.decision import BALANCED, class_shares, decide, shares_by_row
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.metrics.rows import FLOOR, Floats
from counterpoint.schema import Frame, class_names

Codes = NDArray[np.intp]


class PredictionArrays(NamedTuple):
    """The predictions of several contenders on the same n rows.

    Attributes
    ----------
    ids, groups, folds
        *ids*, *groups* and *folds* (test folds) have one value a row.
    codes
        *codes* are the classes of the rows, shape (n,).
    proba
        *proba* are the probabilities of each contender by its name, each of shape (n, n_classes).
    shares
        *shares* are the class shares of the training rows of each row's fold, shape (n, n_classes).
    """

    ids: list[str]
    groups: list[str]
    folds: NDArray[np.str_]
    codes: Codes
    proba: dict[str, Floats]
    shares: Floats

    @property
    def guessing(self) -> float:
        """The balanced accuracy of guessing: one over the number of classes of the rows."""
        return 1 / max(1, len(np.unique(self.codes)))

    def of_fold(self, fold: str) -> "PredictionArrays":
        """Return the rows of one test fold."""
        return self.at(np.flatnonzero(self.folds == fold))

    def at(self, rows: Codes) -> "PredictionArrays":
        """Return the rows at these positions."""
        proba = {name: values[rows] for name, values in self.proba.items()}
        ids, groups = ([values[row] for row in rows] for values in (self.ids, self.groups))
        return PredictionArrays(ids, groups, self.folds[rows], self.codes[rows], proba, self.shares[rows])

    def log_proba(self, name: str) -> Floats:
        """Return finite log probabilities of contender *name*, shape (n, n_classes)."""
        logs: Floats = np.log(self.proba[name].clip(min=FLOOR))
        return logs

    def predicted(self, name: str) -> Codes:
        """Return the predicted classes by contender *name*, the best for balanced accuracy, shape (n,)."""
        return decide(self.proba[name], metric=BALANCED, shares=self.shares)

    def is_correct(self, name: str) -> NDArray[np.bool_]:
        """Return whether the predicted class by contender *name* is the class of the row, shape (n,)."""
        correct: NDArray[np.bool_] = self.predicted(name) == self.codes
        return correct

    def mean(self, values: Floats) -> Estimate:
        """Return the mean of *values*, one a row, with its interval over draws of groups."""
        return estimated(lambda weights: weights @ values / weights.sum(1), self.groups)

    def balanced(self, values: NDArray[Any], *, draws: int = 1000) -> Estimate:
        """Return the mean over classes of the mean of *values*, one a row, with its interval over draws of groups."""
        return estimated(mean_by_class(values.astype(float), self.codes), self.groups, draws=draws)


def prediction_arrays(predictions: Frame, names: Sequence[str], part: str = "test") -> PredictionArrays:
    """Return the rows of *part* that every contender of *names* has predicted, in the order of fold and id.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    names
        *names* are contenders.
    part
        *part* is "train", "validation" or "test".

    Examples
    --------
    >>> row = {"id": "a", "contender": "x", "fold": "0", "part": "test", "group": "a", "label": "cat"}
    >>> rows = [{**row, "seed": 0, "p_cat": 0.2, "p_dog": 0.8}, {**row, "seed": 1, "p_cat": 0.4, "p_dog": 0.6}]
    >>> prediction_arrays(pl.DataFrame(rows), ["x"]).proba["x"].round(3).tolist()
    [[0.3, 0.7]]
    """
    probabilities = pl.col("^p_.*$")
    rows = predictions.filter(pl.col("contender").is_in(list(names)), part=part)
    means = rows.group_by("contender", "fold", "id").agg(pl.first("group", "label"), probabilities.mean())
    everywhere = pl.col("contender").count().over("fold", "id") == len(set(names))
    means = means.filter(everywhere).sort("fold", "id")
    shared = means.unique(["fold", "id"], keep="first", maintain_order=True)
    classes = class_names(predictions)
    codes = np.searchsorted(classes, shared["label"].to_numpy()) if len(shared) else np.zeros(0, dtype=np.intp)
    proba = {name: means.filter(contender=name).select(probabilities).to_numpy() for name in names}
    ids, groups, folds = shared["id"].to_list(), shared["group"].to_list(), shared["fold"].to_numpy()
    shares = shares_by_row(class_shares(predictions), folds, len(classes))
    return PredictionArrays(ids, groups, folds, codes, proba, shares)


def best_on_validation(predictions: Frame, names: Sequence[str]) -> str:
    """Return the contender of *names* with the best balanced accuracy on the validation rows of all folds.

    Its own test score would be too good in a k-fold: `counterpoint.measures.readers` chooses in each fold.
    """
    rows = prediction_arrays(predictions, names, "validation")
    return max(names, key=lambda name: balanced_mean(rows.is_correct(name), rows.codes))


def validated_contenders(predictions: Frame, modalities: Modalities, *exactly: str) -> list[str]:
    """Return the contenders of exactly these modalities that have predicted validation rows.

    An outside model may not have predicted any.

    Examples
    --------
    >>> from counterpoint.schema import PREDICTIONS, empty
    >>> validated_contenders(empty(PREDICTIONS), {"svm": ("text",)}, "text")
    []
    """
    known = set(predictions.filter(part="validation")["contender"].unique())
    return [name for name in contenders_reading(modalities, *exactly) if name in known]
