"""The sweep file: one study made many times, each time with something changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from counterpoint.config.files import load
from counterpoint.errors import ConfigError
from counterpoint.settings import Section

Changes = Mapping[str, Any]
"""Values by dotted key, such as ``contenders.image-cnn.side_px``."""


class SweepConfig(Section):
    """A whole sweep file."""

    sweep: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """The sweep's name, which is also its folder's."""
    study: Path
    """The study file that every point starts from."""
    contenders: tuple[str, ...] = ()
    """Whose scores are shown; all, unless given."""
    changes: Changes = Field(default_factory=dict)
    """What every point changes in the study file."""
    sides: Mapping[str, Changes]
    """The states to start from, such as published and repaired, and what each changes beside its choices."""
    choices: Mapping[str, Mapping[str, Changes]] = Field(default_factory=dict)
    """Single changes by name, each with its value on every side: on each side, one choice at a time is another's."""
    along: Mapping[str, tuple[Any, ...]] = Field(default_factory=dict)
    """One dotted key and the values that it takes on every side: a curve."""
    only: Mapping[str, Mapping[str, Changes]] = Field(default_factory=dict)
    """Single changes that are made on one side only, by side: a fault has no other side."""
    quick: Changes = Field(default_factory=dict)
    """What ``--quick`` changes."""

    @model_validator(mode="after")
    def _sides(self) -> Self:
        for name, choice in self.choices.items():
            if set(choice) != set(self.sides):
                raise ValueError(f"choice {name!r} needs a value on each side: {', '.join(self.sides)};")
        unknown = sorted(set(self.only) - set(self.sides))
        if unknown:
            raise ValueError(f"only: no side {unknown[0]!r}; sides are {', '.join(self.sides)};")
        if self.choices and len(self.sides) != 2:
            raise ValueError("choices need two sides;")
        if len(self.along) > 1:
            raise ValueError("along takes one key;")
        return self


def read_sweep(path: Path) -> SweepConfig:
    """Return the sweep that the YAML file at *path* describes; its study is relative to its folder.

    Raises
    ------
    ConfigError
        When the file is not there, is not YAML, or has a wrong key or value.
    """
    values = load(path)
    study = values.get("study")
    if isinstance(study, str):
        values["study"] = (path.parent / Path(study).expanduser()).resolve()
        if not values["study"].is_file():
            raise ConfigError(f"study: no file {values['study']}.")
    return SweepConfig.read(values)
