"""The scores of the contenders of a study on fresh pairs of its truth: what their claims are judged by."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.contenders.fit_task import FitTask
from counterpoint.contenders.members import CalibratedModel
from counterpoint.metrics import decide
from counterpoint.schema import Frame
from counterpoint.study import Study
from independent.truths import SCORED, metric_value

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class FreshScores(NamedTuple):
    """Scores on fresh rows, each the mean over the fits of a contender.

    Attributes
    ----------
    scores
        *scores* are by contender and metric.
    errors
        *errors* are the Monte-Carlo standard errors of differences in balanced accuracy, by "a b" of two names.
    by_fit
        *by_fit* are the scores of each fit, by its fold and seed, and then by contender and metric.
    """

    scores: dict[str, dict[str, float]]
    errors: dict[str, float]
    by_fit: dict[tuple[str, int], dict[str, dict[str, float]]]


class OnceRead:
    """A fitted contender that predicts each text or picture of a frame once, and keeps the last frame's predictions.

    Combinations predict with the same members again, and many fresh rows share a text or a picture.

    Parameters
    ----------
    model
        *model* is the contender.
    columns
        *columns* are the columns that it reads.
    """

    def __init__(self, model: Any, columns: Sequence[str]) -> None:
        self._model, self._columns = model, list(columns)
        self._last: tuple[Any, Floats] | None = None

    def __getattr__(self, name: str) -> Any:
        """Return the attribute *name* of the fitted contender."""
        return getattr(self._model, name)

    def predict_proba(self, pairs: Frame) -> Floats:
        """Return the probabilities of the classes of *pairs*, shape (n, n_classes)."""
        if not self._columns:
            return np.asarray(self._model.predict_proba(pairs))
        key = (len(pairs), pairs.select(self._columns).hash_rows().to_numpy().tobytes())
        if self._last is None or self._last[0] != key:
            self._last = key, self._predicted(pairs)
        return self._last[1]

    def _predicted(self, pairs: Frame) -> Floats:
        if len(self._columns) > 1:
            return np.asarray(self._model.predict_proba(pairs))
        (column,) = self._columns
        places = pairs[column].rank("dense").to_numpy().astype(np.int64) - 1
        once = pairs.unique(column, keep="first").sort(column)
        found: Floats = np.asarray(self._model.predict_proba(once))[places]
        return found


def by_fit(study: Study) -> list[list[FitTask]]:
    """Return the fits of a *study* that were made on the same rows with the same seed, together."""
    together: dict[tuple[str, int], list[FitTask]] = {}
    for task in study.fits.tasks:
        together.setdefault((str(task.fold), task.seed), []).append(task)
    return list(together.values())


def predictions(study: Study, tasks: Sequence[FitTask], pairs: Frame) -> dict[str, tuple[Floats, Floats]]:
    """Return (probabilities, class shares of training) of fresh *pairs* by contender.

    Parameters
    ----------
    study
        *study* has its fits.
    tasks
        *tasks* are fits on the same rows.
    pairs
        *pairs* are fresh.
    """
    found: dict[str, tuple[Floats, Floats]] = {}
    reads, read_once = study.modalities(), {}
    for task in sorted(tasks, key=lambda task: len(task.needed)):
        model = study.fits.model(task)
        share_members(model, read_once)
        read_once[task.contender] = OnceRead(model, reads[task.contender])
    for name, model in read_once.items():
        found[name] = model.predict_proba(pairs), np.asarray(model.class_shares_)
    return found


def share_members(model: Any, others: Mapping[str, OnceRead]) -> None:
    """Let a combination predict with *others*, which are the same fits as its members.

    A combination of another kind, such as one from outside, keeps its own members.
    """
    members = getattr(model, "members_", None)
    if isinstance(members, dict):
        model.members_ = {name: others.get(name, member) for name, member in members.items()}
    for attribute in ("members_", "branches_"):
        listed = getattr(model, attribute, None)
        if isinstance(listed, tuple) and all(isinstance(each, CalibratedModel) for each in listed):
            replaced = (each._replace(model=others.get(each.name, each.model)) for each in listed)
            setattr(model, attribute, tuple(replaced))


def fresh_scores(study: Study, rows_of: Callable[[int, int], tuple[Frame, Codes]]) -> FreshScores:
    """Return the scores of all contenders of *study* on fresh rows.

    Parameters
    ----------
    study
        *study* has its fits.
    rows_of
        *rows_of* returns the fresh pairs and their classes for fit number i of k.  Each fit has rows of its own.
    """
    together = by_fit(study)
    scores: dict[tuple[str, int], dict[str, dict[str, float]]] = {}
    variances: dict[str, float] = {}
    reads = study.modalities()
    for number, tasks in enumerate(together):
        pairs, codes = rows_of(number, len(together))
        predicted = predictions(study, tasks, pairs)
        scores[str(tasks[0].fold), tasks[0].seed] = {
            name: {metric: metric_value(metric, proba, codes, shares) for metric in SCORED}
            for name, (proba, shares) in predicted.items()
        }
        parts = {name: _contributions(*found, codes) for name, found in predicted.items()}
        both, single = ([name for name in parts if len(reads[name]) == n] for n in (2, 1))
        for a, b in product(both, single):
            error = clustered_error(parts[a] - parts[b], pairs["text"], pairs["image"])
            variances[f"{a} {b}"] = variances.get(f"{a} {b}", 0.0) + error**2 / len(together) ** 2
    means = {
        name: {metric: float(np.mean([own[name][metric] for own in scores.values()])) for metric in SCORED}
        for name in next(iter(scores.values()))
    }
    return FreshScores(means, {names: float(np.sqrt(variance)) for names, variance in variances.items()}, scores)


def _contributions(proba: Floats, shares: Floats, codes: Codes) -> Floats:
    """Return the part of each row in the balanced accuracy, shape (n,)."""
    sizes = np.bincount(codes)
    right = decide(proba, metric="balanced_accuracy", shares=shares) == codes
    found: Floats = right / (np.count_nonzero(sizes) * sizes[codes])
    return found


def clustered_error(parts: Floats, *columns: pl.Series) -> float:
    """Return the standard error of the sum of *parts* whose rows share texts and pictures (two-way clusters).

    Parameters
    ----------
    parts
        *parts* are contributions of rows, shape (n,).
    columns
        *columns* are two columns.  Rows with an equal value in either depend on each other.

    Examples
    --------
    >>> clustered_error(np.array([1.0, -1.0]), pl.Series(["a", "b"]), pl.Series(["c", "d"])).__round__(3)
    1.414
    """
    away = parts - parts.mean()
    rows = pl.DataFrame({"away": away, "a": columns[0], "b": columns[1]})
    variances = [float((rows.group_by(by).agg(pl.col("away").sum())["away"] ** 2).sum()) for by in ("a", "b")]
    return float(np.sqrt(max(sum(variances) - float((away**2).sum()), float((away**2).sum()))))
