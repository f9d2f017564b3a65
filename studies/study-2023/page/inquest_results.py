"""The results of the inquest: how far each candidate is from the figures of the study, and which cannot be separated.

The rule stands in the head of inquest.yaml.  Runs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from candidates.config import InquestConfig, Rule
from counterpoint import number_formats as numbers
from counterpoint.artifacts import read_json
from inquest import RESULTS
from page.their_figures import TheirFigures
from page.values import NOT_RUN, Number

Curves = NDArray[np.float64]
QUANTITIES = ("train_accuracy", "accuracy", "loss")
"""The curves that are compared: training accuracy, validation accuracy, validation loss."""
_LEAST_LOSS = 1e-4


class Spread(NamedTuple):
    """A mean over runs, and the smallest and the largest value of a run."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Curves) -> "Spread":
        """Return the mean and the range of *values*, one for each run."""
        return cls(float(values.mean()), float(values.min()), float(values.max()))

    def __str__(self) -> str:
        return f"{numbers.score(self.mean)} ({numbers.score(self.low)}–{numbers.score(self.high)})"


@dataclass(frozen=True)
class Found:
    """A candidate on one part of the data, with the curves of its runs, shape (n_runs, n_epochs), by quantity."""

    title: str
    curves: Mapping[str, Curves]
    chance: float
    distances: Curves
    rule: Rule

    @property
    def n_runs(self) -> int:
        """The number of runs."""
        return len(self.distances)

    @property
    def distance(self) -> Spread:
        """The distance from their figures."""
        return Spread.of(self.distances)

    def over_epochs(self, quantity: str) -> Spread:
        """Return the mean over epochs of a quantity."""
        return Spread.of(self.curves[quantity].mean(axis=1))

    def in_last_epoch(self, quantity: str) -> Spread:
        """Return a quantity in the last epoch."""
        return Spread.of(self.curves[quantity][:, -1])

    @property
    def n_near(self) -> int:
        """The number of epochs with a mean validation accuracy near chance agreement."""
        return int((np.abs(self.curves["accuracy"].mean(axis=0) - self.chance) <= self.rule.near).sum())

    @property
    def has_learned(self) -> bool:
        """Whether the mean training accuracy is as high as theirs, from the epoch on that the rule names."""
        return self.train_accuracy_from(self.rule.learned_from) >= self.rule.learned

    @property
    def has_high_loss(self) -> bool:
        """Whether the mean validation loss rises as high as the rule names."""
        return bool(self.curves["loss"].mean(axis=0).max() > self.rule.loss_above)

    @property
    def has_validation_signs(self) -> bool:
        """Whether both validation curves are as theirs: near chance agreement, at a high loss."""
        return self.n_near >= self.rule.epochs_near and self.has_high_loss

    @property
    def has_signs(self) -> bool:
        """Whether the training curve is as theirs as well."""
        return self.has_validation_signs and self.has_learned

    def train_accuracy_from(self, epoch: int) -> float:
        """Return the smallest mean training accuracy from *epoch* on, of which the first has the number 1."""
        return float(self.curves["train_accuracy"].mean(axis=0)[epoch - 1 :].min())

    def is_separate(self, other: "Found") -> bool:
        """Report whether the ranges of the distances of both do not meet."""
        return self.distance.low > other.distance.high or other.distance.low > self.distance.high


class InquestResults:
    """The results of the inquest of *config* in the folder *runs*, against the figures of the study."""

    def __init__(self, config: InquestConfig, runs: Path, theirs: TheirFigures) -> None:
        self.config, self.theirs = config, theirs
        self.name = config.inquest
        self.made: dict[str, Any] = read_json(runs / config.inquest / RESULTS) or {}

    @property
    def is_run(self) -> bool:
        """Whether every training is finished."""
        return bool(self.made) and self.n_finished == self.made["n_trainings"]

    @property
    def n_finished(self) -> int:
        """The number of finished trainings."""
        return int(self.made.get("n_finished", 0))

    @property
    def n_trainings(self) -> int | None:
        """The number of trainings."""
        return self.made.get("n_trainings")

    def fitting_s(self) -> float:
        """Return the summed seconds of its trainings."""
        return float(self.made.get("took_s", 0.0))

    def size(self, data: str) -> Mapping[str, Any] | None:
        """Return the number of pairs, and of each part and class."""
        found: Mapping[str, Any] | None = self.made.get("data", {}).get(data)
        return found

    @cached_property
    def _all(self) -> dict[str, list[Found]]:
        return {data: self._found(data) for data in self.config.data}

    def ranked(self, data: str) -> list[Found]:
        """Return the candidates that have been run on *data*, the closest first."""
        return self._all[data]

    def candidate(self, data: str, title: str) -> Found | None:
        """Return a candidate on *data*, or None where it has not been run."""
        return next((found for found in self.ranked(data) if found.title == title), None)

    def makers(self, data: str) -> list[Found]:
        """Return the candidates that have the signs of their figures and cannot be separated from the closest."""
        return [found for found in self.inseparable(data) if found.has_signs]

    def near_makers(self, data: str) -> list[Found]:
        """Return those that have the signs of both validation curves, whatever the training curve."""
        return [found for found in self.inseparable(data) if found.has_validation_signs]

    def inseparable(self, data: str) -> list[Found]:
        """Return the candidates that cannot be separated from the closest, which is the first of them."""
        ranked = self.ranked(data)
        return [found for found in ranked if not found.is_separate(ranked[0])]

    def separated(self, data: str) -> list[Found]:
        """Return the candidates that can be separated from the closest, the closest of them first."""
        ranked = self.ranked(data)
        return [found for found in ranked if found.is_separate(ranked[0])]

    def right(self, data: str) -> Number:
        """Return the validation accuracy without a fault in the last epoch, with the range over runs."""
        found = self.candidate(data, self.config.right)
        if found is None:
            return Number()
        spread = found.in_last_epoch("accuracy")
        return Number(spread.mean, spread.low, spread.high)

    def phrase(self, data: str, title: str) -> str:
        """Return whether a candidate can be separated from the closest, in words."""
        found = self.candidate(data, title)
        if found is None:
            return NOT_RUN
        return "can be separated" if found.is_separate(self.ranked(data)[0]) else "cannot be separated"

    def _found(self, data: str) -> list[Found]:
        runs = {
            title: [run for run in self.made.get("runs", []) if (run["data"], run["candidate"]) == (data, title)]
            for title in self.config.candidates_on(data)
        }
        curves = {title: _curves(of) for title, of in runs.items() if of}
        chances = {title: float(np.mean([run["chance"] for run in runs[title]])) for title in curves}
        units = self._units(list(curves.values()))
        found = [
            Found(title, of, chances[title], self._distances(of, units), self.config.rule)
            for title, of in curves.items()
        ]
        return sorted(found, key=lambda one: one.distance.mean)

    def _their(self, quantity: str) -> Curves:
        """Return their curve of a quantity, as `_scaled`."""
        name = quantity if quantity == "train_accuracy" else f"validation_{quantity}"
        return _scaled(quantity, np.array(self.theirs.curve(name)))

    def _units(self, candidates: Sequence[Mapping[str, Curves]]) -> dict[str, float]:
        """Return the unit of each quantity: the reading error plus the usual spread between runs."""
        error = self.theirs.reading_error
        of_loss = float(np.mean(error["loss"] / np.exp(self._their("loss"))))
        errors = {"train_accuracy": error["accuracy"], "accuracy": error["accuracy"], "loss": of_loss}
        return {
            quantity: errors[quantity]
            + float(
                np.median([_scaled(quantity, curves[quantity]).std(axis=0).mean() for curves in candidates] or [0.0])
            )
            for quantity in QUANTITIES
        }

    def _distances(self, curves: Mapping[str, Curves], units: Mapping[str, float]) -> Curves:
        """Return the distance of each run from their figures, shape (n_runs,)."""
        terms = []
        for quantity in QUANTITIES:
            own, their = _scaled(quantity, curves[quantity]), self._their(quantity)
            n_epochs = min(own.shape[1], len(their))
            terms.append(np.abs(own[:, :n_epochs] - their[:n_epochs]).mean(axis=1) / units[quantity])
        distances: Curves = np.mean(terms, axis=0)
        return distances


def _curves(runs: Sequence[Mapping[str, Any]]) -> dict[str, Curves]:
    return {quantity: np.array([run[quantity] for run in runs]) for quantity in QUANTITIES}


def _scaled(quantity: str, values: Curves) -> Curves:
    """Return accuracies as they are, and losses as their logarithm."""
    return np.log(values.clip(min=_LEAST_LOSS)) if quantity == "loss" else values


def listed(names: Sequence[str]) -> str:
    """Return names in quotation marks as a phrase.

    >>> listed(["a", "b", "c"])
    '“a”, “b” and “c”'
    """
    quoted = [f"“{name}”" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)
