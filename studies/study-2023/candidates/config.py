"""The file inquest.yaml: data, candidates, draws and the rule."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from counterpoint.config import Fault
from counterpoint.config.files import read_keys
from counterpoint.settings import Name, Positive, Section, Seed

Share = Annotated[float, Field(gt=0, lt=1)]


class Texts(Section):
    """How the texts of the validation rows are read, where it differs from training."""

    tokenizer: Literal["train", "again"] = "train"
    """"again" makes the word numbers from the validation texts."""
    n_words: Positive | None = None
    """The number of word numbers, fewer than in training."""
    padding: Literal["pre", "post"] | None = None
    """The side of the padding."""
    is_lost: bool = False
    """No text has a word that the tokenizer has."""


class Candidate(Section):
    """One fault: in the validation rows, in their reading, or in training."""

    faults: tuple[Fault, ...] = ()
    """Faults that are planted in the validation rows, with the number of the draw as their seed."""
    texts: Texts = Texts()
    """The reading of the validation texts."""
    divide_by: Literal[1, 255] | None = None
    """The divisor of the validation pixels, where it differs from training."""
    is_even: bool = False
    """Whether the validation rows have as many of each class."""
    train: Mapping[str, Any] = Field(default_factory=dict)
    """Settings of the contender, in training and validation."""
    data: tuple[str, ...] | None = None
    """The data on which it is tried (default: all)."""


class Data(Section):
    """The rows of one part of the inquest, and the network that reads them."""

    study: Path
    """The study file that makes the pairs."""
    contender: Literal["paper-lstm-cnn", "paper-text-lstm"]
    """The network."""
    changes: Mapping[str, Any] = Field(default_factory=dict)
    """Changes of the study file, by dotted key."""
    settings: Mapping[str, Any] = Field(default_factory=dict)
    """Settings of the network."""


class Rule(Section):
    """The signs of their figures."""

    near: Share
    """The largest distance of a mean validation accuracy from chance agreement."""
    epochs_near: Positive
    """The number of epochs within that distance."""
    learned: Share
    """The least mean training accuracy."""
    learned_from: Positive
    """The epoch, counted from 1, from which on the training accuracy is that high."""
    loss_above: Annotated[float, Field(gt=0)]
    """A mean validation loss that is exceeded in one epoch."""


class Quick(Section):
    """A short form, to see that everything runs."""

    epochs: Positive
    """The number of epochs."""
    seeds: tuple[Seed, ...]
    """The seeds of training."""
    draws: Positive
    """The number of draws of validation rows."""
    limit: Positive
    """The number of pairs."""


class InquestConfig(Section):
    """A whole file."""

    inquest: Name
    """The name of the run folder."""
    epochs: Positive
    """The number of epochs."""
    seeds: tuple[Seed, ...]
    """The seeds of training."""
    draws: Positive
    """The number of draws of validation rows for each seed."""
    rule: Rule
    """The signs of their figures."""
    data: Mapping[Name, Data]
    """Rows and networks by name."""
    candidates: Mapping[str, Candidate]
    """Faults by title.  The first is no fault."""
    quick: Quick
    """The short form."""

    @model_validator(mode="after")
    def _data_exist(self) -> Self:
        for title, candidate in self.candidates.items():
            unknown = set(candidate.data or ()) - set(self.data)
            if unknown:
                raise ValueError(f"{title!r} is tried on {min(unknown)!r}; data are {', '.join(self.data)};")
        return self

    @property
    def right(self) -> str:
        """The title of the candidate without a fault."""
        return next(iter(self.candidates))

    def candidates_on(self, data: str) -> dict[str, Candidate]:
        """Return the candidates by title that are tried on *data*."""
        return {
            title: candidate
            for title, candidate in self.candidates.items()
            if candidate.data is None or data in candidate.data
        }

    def shortened(self) -> "InquestConfig":
        """Return the short form, which has a run folder of its own."""
        quick = self.quick
        data = {
            name: one.model_copy(update={"changes": {**one.changes, "split.limit": quick.limit}})
            for name, one in self.data.items()
        }
        short = {"epochs": quick.epochs, "seeds": quick.seeds, "draws": quick.draws, "data": data}
        return self.model_copy(update={**short, "inquest": f"{self.inquest}-quick"})


def read_inquest(path: Path) -> InquestConfig:
    """Return the settings of the file at *path*.  Paths of studies are relative to its folder.

    Raises
    ------
    ConfigError
        When the file has a wrong key or value.
    """
    values = read_keys(path)
    for one in values.get("data", {}).values():
        one["study"] = path.parent / str(one["study"])
    return InquestConfig.read(values)
