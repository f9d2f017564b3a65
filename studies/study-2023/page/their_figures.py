"""The values that were read off the figures of the study, from their-figures.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("their-figures.yaml")
FUSION, CNN_50, CNN_25 = "figures 6 and 7", "figure 3", "figure 4"


@dataclass(frozen=True)
class TheirFigures:
    """The file.

    >>> theirs = read_their_figures()
    >>> theirs.points(FUSION, "train_accuracy")[0], theirs.shares["person"]
    ((0, 0.968), 0.59...)
    """

    values: Mapping[str, Any]

    @property
    def source(self) -> str:
        """The publication."""
        return str(self.values["source"])

    @property
    def reading_error(self) -> Mapping[str, float]:
        """The error of a reading, of "accuracy" and of "loss"."""
        return dict(self.values["reading_error"])

    @property
    def counts(self) -> Mapping[str, int]:
        """The pairs of each class, from figure 1."""
        return dict(self.values["figure 1"]["counts"])

    @property
    def shares(self) -> Mapping[str, float]:
        """The share of each class, from figure 1."""
        return {name: count / sum(self.counts.values()) for name, count in self.counts.items()}

    def points(self, figure: str, name: str) -> list[tuple[int, float]]:
        """Return the epochs, counted from 0, and the values that were read, or nothing where none were.

        Parameters
        ----------
        figure
            *figure* is a key of the file.
        name
            *name* is "train_accuracy", "train_loss", "validation_accuracy" or "validation_loss".
        """
        found = self.values[figure].get(name, {})
        return [
            (int(epoch), float(value))
            for epoch, value in (found.items() if isinstance(found, dict) else enumerate(found))
        ]

    def curve(self, name: str) -> list[float]:
        """Return the values of the fusion in each epoch."""
        return [value for _, value in self.points(FUSION, name)]


def read_their_figures(path: Path = FILE) -> TheirFigures:
    """Return the values of the file at *path*."""
    return TheirFigures(yaml.safe_load(path.read_text(encoding="utf-8")))
