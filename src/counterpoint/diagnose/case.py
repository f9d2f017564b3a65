"""What a check may look at: the tables of a finished comparison and, when asked for, its fitted models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import polars as pl

from counterpoint.measures import Estimate
from counterpoint.schema import COSTS, DROPPED, HISTORY, PREDICTIONS, Frame, empty

Depth = Literal["fast", "full"]


class Fitted(NamedTuple):
    """One fit of a contender, and the pairs on each side of it."""

    model: Any
    train: Frame
    validation: Frame
    test: Frame


def _none(name: str) -> Fitted | None:  # noqa: ARG001
    return None


@dataclass(frozen=True)
class Case:
    """A finished comparison, as the checks see it.

    Attributes
    ----------
    fit_of
        *fit_of* returns the first fit of a contender by name, loaded when it is asked for; None where there is none,
        as of an outside model.
    depth
        *depth* "fast" is what every study can afford; "full" allows a check to predict and to fit anew.
    """

    pairs: Frame
    scores: Frame
    differences: Frame
    primary: Mapping[str, Any] | None
    modalities: Mapping[str, tuple[str, ...]]
    additive: tuple[str, ...]
    """Contenders whose logits are a sum over modalities: what they gain needs no interaction."""
    n_fits: int
    """Seeds × folds of the contenders whose fits a seed changes."""
    test_looks: int
    metric: str = "balanced_accuracy"
    """The primary metric."""
    dropped: Frame = field(default_factory=lambda: empty(DROPPED))
    predictions: Frame = field(default_factory=lambda: empty(PREDICTIONS))
    history: Frame = field(default_factory=lambda: empty(HISTORY))
    costs: Frame = field(default_factory=lambda: empty(COSTS))
    is_record_of_looks_lost: bool = False
    """Whether the record of test evaluations was once damaged, so that there were more of them."""
    fit_of: Callable[[str], Fitted | None] = _none
    depth: Depth = "fast"
    shared: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What several checks need, made by the first of them."""

    def test_scores(self, metric: str) -> Frame:
        """Return the scores of *metric* on rows that no contender was trained or stopped on."""
        return self.scores.filter(pl.col("part").is_in(["test", "oof"]), metric=metric)

    def difference(self, a: str, b: str, metric: str) -> Estimate | None:
        """Return *metric* of *a* less that of *b*, whichever way round the table has it; None where it has neither.

        >>> row = {"a": "svm", "b": "cnn", "metric": "accuracy", "difference": 0.2, "low": 0.1, "high": 0.3}
        >>> none = pl.DataFrame()
        >>> case = Case(none, none, pl.DataFrame([row]), None, {}, (), 1, 1)
        >>> case.difference("cnn", "svm", "accuracy")
        Estimate(value=-0.2, low=-0.3, high=-0.1)
        """
        for first, second, sign in ((a, b, 1), (b, a, -1)):
            found = self.differences.filter(a=first, b=second, metric=metric)
            if found["low"].count():
                low, high = sorted(sign * found[end].item() for end in ("low", "high"))
                return Estimate(sign * found["difference"].item(), low, high)
        return None

    def reading(self, *modalities: str) -> list[str]:
        """Return the contenders that read exactly *modalities*.

        >>> reads = {"majority": (), "text-svm": ("text",), "lstm-cnn": ("text", "image")}
        >>> none = pl.DataFrame()
        >>> case = Case(none, none, none, None, reads, additive=(), n_fits=1, test_looks=1)
        >>> case.reading("text"), case.reading("text", "image")
        (['text-svm'], ['lstm-cnn'])
        """
        return [name for name, reads in self.modalities.items() if set(reads) == set(modalities)]
