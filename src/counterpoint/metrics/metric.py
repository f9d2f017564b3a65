"""The type of a metric: a function of weighted rows, with all that tables and pages show about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from counterpoint.errors import ConfigError, CounterpointError
from counterpoint.metrics.rows import Floats, Sample, defined_mean


@dataclass(frozen=True)
class Metric:
    """A function of weighted rows, with its direction, its name on the page and its explanation.

    Parameters
    ----------
    function
        *function* takes a `Sample` and returns one value for each draw, shape (draws,).  The first line of its
        docstring is the entry of ``counterpoint metrics``.
    label
        *label* is the name on the page, for example "Balanced accuracy".
    explanation
        *explanation* is the entry in the glossary of the page: one sentence or a few, for readers without statistics.
    source
        *source* is the publication of the formula.  It is empty if the formula needs none.
    higher_is_better
        *higher_is_better* is False for a loss.
    is_ranking
        *is_ranking* is True if the metric compares probabilities between rows.  The probabilities of two fits share no
        scale, so the metric is computed in each fold and averaged.  Other metrics pool the rows of all folds.
    scale
        *scale* is "share" for a metric from 0 to 1 whose worst value is 0, "loss" for a positive one, or "plain".  The
        interval is symmetric on the scale of angles, of logarithms, or of the metric itself.
    is_pooled
        *is_pooled* is True if a metric that ranks is biased where a fold has few rows of a class.  Then the rows of all
        folds are pooled, and probabilities are replaced by their ranks within the fold, as shares of its rows.
    share_power
        *share_power* is the power of the class share by which probabilities are divided before the largest one is the
        predicted class (`counterpoint.metrics.decide`).  0 suits accuracy, and 1 a metric in which all classes weigh
        the same.

    Examples
    --------
    >>> from counterpoint.metrics import PredictedRows
    >>> def error(sample: Sample) -> Floats:
    ...     "Return the share of wrong rows."
    ...     return 1 - sample.correct.sum(axis=0) / sample.total
    >>> metric = Metric(error, "Error", "The share of pairs given a wrong class.", higher_is_better=False)
    >>> rows = PredictedRows(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> metric(rows.weigh(np.ones((1, 2)))), metric.name_within
    (array([0.5]), 'error')
    """

    function: Callable[[Sample], Floats]
    label: str
    explanation: str
    source: str = ""
    higher_is_better: bool = True
    is_ranking: bool = False
    scale: Literal["share", "loss", "plain"] = "plain"
    is_pooled: bool = False
    share_power: float = 0.0

    def __post_init__(self) -> None:
        """Take the function's docstring, as a decorator does."""
        object.__setattr__(self, "__doc__", self.function.__doc__)

    def __call__(self, sample: Sample) -> Floats:
        """Return the metric of each draw, shape (draws,)."""
        if self.is_ranking and self.is_pooled:
            return self._of(sample.ranked)
        if self.is_ranking:
            return defined_mean(np.array([self._of(fold) for fold in sample.by_fold]))
        return self._of(sample)

    def _of(self, sample: Sample) -> Floats:
        name = f"Metric {self.label!r} ({self.function.__module__}:{self.function.__qualname__})"
        try:
            values = self.function(sample)
        except Exception as error:
            if self.function.__module__.startswith("counterpoint."):
                raise
            raise CounterpointError(f"{name} failed: {type(error).__name__}: {error}") from error
        shape, draws = np.shape(values), len(sample.weights)
        if shape != (draws,):
            raise ConfigError(f"{name} returned shape {shape}. It must return one value for each draw: ({draws},).")
        return values

    @property
    def name_within(self) -> str:
        """The label within a sentence: "log loss", but "ROC AUC"."""
        return self.label[0].lower() + self.label[1:] if self.label[1:2].islower() else self.label
