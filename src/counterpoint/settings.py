"""Frozen sections of settings: an unknown key or a value out of range is one clear line."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.redaction import HIDDEN, STORAGE, hidden, names_a_secret
from counterpoint.safe_text import error_value

Model = TypeVar("Model", bound=BaseModel)

MOST_SHOWN = 80
"""The longest key that an error quotes."""
LARGEST = 10**9
LARGEST_SEED = 2**32 - 1
"""The largest seed of numpy and scikit-learn."""

Count = Annotated[int, Field(ge=0, le=LARGEST)]
Positive = Annotated[int, Field(ge=1, le=LARGEST)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Workers = Annotated[int, Field(ge=1, le=1024)]
Pixels = Annotated[int, Field(ge=1, le=LARGEST)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
"""A name that is also the name of a folder."""
Storage = Annotated[Mapping[str, Any], Field(repr=False), PlainSerializer(hidden)]
"""Options for fsspec.  They are never written."""


def device_name(name: str) -> str:
    """Return the *name* of a device, which need not be on this machine.

    >>> device_name("cuda:1")
    'cuda:1'
    """
    if re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", name) is None:
        raise ValueError(f"Unknown device {name!r}.{did_you_mean(name, ('auto', 'cpu', 'cuda', 'cuda:0', 'mps'))}")
    return name


Device = Annotated[str, AfterValidator(device_name)]
"""The name of the device of a torch model: see `counterpoint.devices`."""
Precision = Literal["full", "mixed"]
"""The precision of training: see `counterpoint.contenders.network`."""

_TAG = re.compile(r"str|dict|[a-z_-]+\[.*\]")


class Section(BaseModel):
    """A group of settings that one stage receives.  It is immutable and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def read(cls, values: Mapping[str, Any], *, where: str = "") -> Self:
        """Return the section that *values* describe, or raise ConfigError: see `validated`."""
        return validated(cls, values, where=where)


def validated(model: type[Model], values: Mapping[str, Any], *, where: str = "") -> Model:
    """Return the *model* that *values* describe.

    Parameters
    ----------
    model
        *model* is a class of pydantic.
    values
        *values* are settings by key.
    where
        *where* is the dotted key of the section in its file, for the error.

    Raises
    ------
    ConfigError
        When a key is unknown or missing, or a value is not allowed.  One line names the first of them.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_first_line(error, model, where)) from error


def _first_line(error: ValidationError, section: type[BaseModel], where: str) -> str:
    first = error.errors(include_url=False)[0]
    names_key = first["type"] in ("extra_forbidden", "missing")
    *outer, last = [str(step)[:MOST_SHOWN] for step in first["loc"]] or [""]
    # pydantic adds the tag of a union to the path ("function-after[...]"). A reader does not need it.
    steps = [step for step in outer if not _TAG.fullmatch(step)]
    steps += [last] if last and (names_key or not _TAG.fullmatch(last)) else []
    place = ".".join([where, *steps] if where else steps) or "the file"
    if first["type"] == "missing":
        inside = place.rpartition(".")[0]
        return f"Missing key {place!r}: {f'the section {inside}' if inside else 'the file'} needs it."
    if names_key:
        return f"Unknown key {place!r}.{did_you_mean(last, _keys_at(section, steps[:-1]))}"
    message = first["msg"].removeprefix("Value error, ")
    is_secret = STORAGE in steps or names_a_secret(last)
    return f"{place}: {message[0].lower()}{message[1:]} (got {HIDDEN if is_secret else error_value(first['input'])})."


def _keys_at(section: type[BaseModel], steps: list[str]) -> list[str]:
    for step in steps:
        field = section.model_fields.get(step)
        inner = field.annotation if field else None
        options = [inner, *getattr(inner, "__args__", ())]
        section = next((kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)), section)
    return list(section.model_fields)
