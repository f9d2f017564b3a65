"""The sweep file: one study made many times, each time with something changed."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from counterpoint.config.files import absolute, read_keys
from counterpoint.errors import ConfigError
from counterpoint.settings import Name, Section

Changes = Mapping[str, Any]
"""Values by dotted key, such as ``contenders.image-cnn.side_px``."""


class SweepConfig(Section):
    """A whole sweep file."""

    sweep: Name
    """Name of the sweep, and of its folder."""
    study: Path
    """Study file from which every point starts."""
    contenders: tuple[str, ...] = ()
    """Contenders whose scores are shown (default: all)."""
    changes: Changes = Field(default_factory=dict)
    """Changes of the study file that every point has."""
    variants: Mapping[str, Changes]
    """States to start from, such as published and repaired, and the changes of each in addition to its choices."""
    choices: Mapping[str, Mapping[str, Changes]] = Field(default_factory=dict)
    """Single changes by name, each with a value for every variant.  A point takes one value from the other variant."""
    along: Mapping[str, tuple[Any, ...]] = Field(default_factory=dict)
    """One dotted key and the values that it takes in every variant: a curve."""
    only: Mapping[str, Mapping[str, Changes]] = Field(default_factory=dict)
    """Single changes of one variant only, by variant, such as a fault."""
    quick: Changes = Field(default_factory=dict)
    """Changes that ``--quick`` makes."""

    @model_validator(mode="after")
    def _variants(self) -> Self:
        for name, choice in self.choices.items():
            if set(choice) != set(self.variants):
                raise ValueError(f"choice {name!r} needs a value on each variant: {', '.join(self.variants)};")
        unknown = sorted(set(self.only) - set(self.variants))
        if unknown:
            raise ValueError(f"only: no variant {unknown[0]!r}; variants are {', '.join(self.variants)};")
        if self.choices and len(self.variants) != 2:
            raise ValueError("choices need two variants;")
        if len(self.along) > 1:
            raise ValueError("along takes one key;")
        return self


def read_sweep(path: Path) -> SweepConfig:
    """Return the settings of the sweep file at *path*.  The path of its study is relative to its folder.

    Raises
    ------
    ConfigError
        When the file is missing, is not YAML, or has a wrong key or value.
    """
    values = read_keys(path)
    study = values.get("study")
    if isinstance(study, str):
        values["study"] = Path(absolute(study, path.parent)).resolve()
        if not values["study"].is_file():
            raise ConfigError(f"study: no file {values['study']}.")
    return SweepConfig.read(values)


class Point(NamedTuple):
    """One study of a sweep: its variant, the changed setting, the value of a curve, and all changes."""

    variant: str
    choice: str | None
    value: str | None
    changes: Changes

    @property
    def name(self) -> str:
        """The name of the study."""
        words = [word for word in (self.variant, self.choice, self.value) if word is not None]
        return re.sub(r"[^A-Za-z0-9.]+", "-", "--".join(words)).strip("-.")


def points(config: SweepConfig) -> list[Point]:
    """Return every study of a sweep, each variant itself before its changes.

    >>> variants = {"published": {}, "repaired": {"fit.seeds": [0, 1]}}
    >>> hidden = {"published": {"a.hidden": "softmax"}, "repaired": {"a.hidden": "relu"}}
    >>> config = SweepConfig(sweep="s", study=Path("s.yaml"), variants=variants, choices={"hidden": hidden})
    >>> [(point.name, point.changes["a.hidden"]) for point in points(config)]
    [('published', 'softmax'), ('published-hidden', 'relu'), ('repaired', 'relu'), ('repaired-hidden', 'softmax')]
    """
    return [point for variant in config.variants for point in _points_of(config, variant)]


def _points_of(config: SweepConfig, variant: str) -> Iterator[Point]:
    own = dict(config.changes) | dict(config.variants[variant])
    for choice in config.choices.values():
        own |= choice[variant]
    is_only_a_curve = bool(config.along) and not config.choices and variant not in config.only
    if not is_only_a_curve:
        yield Point(variant, None, None, own)
    for name, choice in config.choices.items():
        for other in (other for other in config.variants if other != variant):
            yield Point(variant, name, None, own | dict(choice[other]))
    for name, changes in config.only.get(variant, {}).items():
        yield Point(variant, name, None, own | dict(changes))
    for key, values in config.along.items():
        for value in values:
            yield Point(variant, key, str(value), own | {key: value})
