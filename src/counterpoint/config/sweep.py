"""The sweep file: one study made many times, each time with something changed."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from counterpoint.config.files import absolute, load
from counterpoint.errors import ConfigError
from counterpoint.settings import Name, Section

Changes = Mapping[str, Any]
"""Values by dotted key, such as ``contenders.image-cnn.side_px``."""


class SweepConfig(Section):
    """A whole sweep file."""

    sweep: Name
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
        values["study"] = Path(absolute(study, path.parent)).resolve()
        if not values["study"].is_file():
            raise ConfigError(f"study: no file {values['study']}.")
    return SweepConfig.read(values)


class Point(NamedTuple):
    """One study of a sweep: the side it stands on, what is changed there, to what, and all its changes."""

    side: str
    choice: str | None
    value: str | None
    changes: Changes

    @property
    def name(self) -> str:
        """The name of its study."""
        words = [word for word in (self.side, self.choice, self.value) if word is not None]
        return re.sub(r"[^A-Za-z0-9.]+", "-", "--".join(words)).strip("-.")


def points(config: SweepConfig) -> list[Point]:
    """Return every study of a sweep, a side's own before its changes.

    >>> sides = {"published": {}, "repaired": {"fit.seeds": [0, 1]}}
    >>> hidden = {"published": {"a.hidden": "softmax"}, "repaired": {"a.hidden": "relu"}}
    >>> config = SweepConfig(sweep="s", study=Path("s.yaml"), sides=sides, choices={"hidden": hidden})
    >>> [(point.name, point.changes["a.hidden"]) for point in points(config)]
    [('published', 'softmax'), ('published-hidden', 'relu'), ('repaired', 'relu'), ('repaired-hidden', 'softmax')]
    """
    return [point for side in config.sides for point in _points_of(config, side)]


def _points_of(config: SweepConfig, side: str) -> Iterator[Point]:
    own = dict(config.changes) | dict(config.sides[side])
    for choice in config.choices.values():
        own |= choice[side]
    is_only_a_curve = bool(config.along) and not config.choices and side not in config.only
    if not is_only_a_curve:
        yield Point(side, None, None, own)
    for name, choice in config.choices.items():
        for other in (other for other in config.sides if other != side):
            yield Point(side, name, None, own | dict(choice[other]))
    for name, changes in config.only.get(side, {}).items():
        yield Point(side, name, None, own | dict(changes))
    for key, values in config.along.items():
        for value in values:
            yield Point(side, key, str(value), own | {key: value})
