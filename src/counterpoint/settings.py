"""Frozen sections of settings: an unknown key or a value out of range is one clear line."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from counterpoint.errors import ConfigError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A group of settings that one stage receives; immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, values: Mapping[str, Any], *, where: str = "") -> Self:
        """Return the section that *values* describe.

        Raises
        ------
        ConfigError
            One line that names the first wrong key or value under *where*, what it got and what is allowed.
        """
        return validated(cls, values, where=where)


def validated(model: type[Model], values: Mapping[str, Any], *, where: str = "") -> Model:
    """Return the *model* that *values* describe: what ``Section.read`` does, for a model that is not a Section.

    Raises
    ------
    ConfigError
        One line that names the first wrong key or value under *where*, what it got and what is allowed.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_first_line(error, model, where)) from error


def _first_line(error: ValidationError, section: type[BaseModel], where: str) -> str:
    first = error.errors()[0]
    # pydantic adds the tag of a union to the path ("function-after[...]"): a reader has no use for it.
    steps = [str(step) for step in first["loc"] if "[" not in str(step) and str(step) not in ("str", "dict")]
    place = ".".join([where, *steps] if where else steps) or "the file"
    if first["type"] == "extra_forbidden":
        return f"Unknown key {place!r}.{did_you_mean(steps[-1], _keys_at(section, steps[:-1]))}"
    if first["type"] == "missing":
        return f"Missing key {place!r}: {section.__name__.lower()} needs it."
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message[0].lower()}{message[1:]} (got {first['input']!r})."


def _keys_at(section: type[BaseModel], steps: list[str]) -> list[str]:
    for step in steps:
        field = section.model_fields.get(step)
        inner = field.annotation if field else None
        options = [inner, *getattr(inner, "__args__", ())]
        section = next((kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)), section)
    return list(section.model_fields)
