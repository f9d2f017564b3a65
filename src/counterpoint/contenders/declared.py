"""The declarations of contenders, checked before any fit starts: base class, modalities, needs and settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from counterpoint.contenders import MODELS, settings_of
from counterpoint.errors import ConfigError, CounterpointError, did_you_mean
from counterpoint.lookup import path_of
from counterpoint.schema import MODALITIES


def check_declared(contenders: Mapping[str, Any]) -> None:
    """Raise where a contender of a study declares what cannot be.

    Parameters
    ----------
    contenders
        *contenders* are the unfitted contenders by their names in the study.

    Raises
    ------
    ConfigError
        When one is no `Contender`, reads an unknown modality, needs an unknown contender, has a setting that is not
        keyword-only, or uses a package or an encoder that is missing.

    Examples
    --------
    >>> from counterpoint.contenders import make
    >>> check_declared({"late-fusion": make("late-fusion")})
    """
    for name, model in contenders.items():
        check_class(model)
        for attribute in ("modalities", "needs"):
            if not isinstance(getattr(model, attribute), tuple):
                value = getattr(model, attribute)
                raise ConfigError(f'{name} has the {attribute} {value!r}. It must be a tuple, as in ("text",).')
        _check_names(f"{name} reads the modality", model.modalities, MODALITIES)
        needs = [need for need in model.needs if ":" not in need]
        _check_names(f"{name} needs the contender", needs, {*MODELS, *contenders})
        positional = sorted(model.get_params(deep=False).keys() - settings_of(type(model)).model_fields.keys())
        if positional:
            path = path_of(type(model))
            raise ConfigError(f"The setting {positional[0]!r} of {path} must be keyword-only, with a default.")
    for name, model in contenders.items():
        with naming(name):
            model.check_installed(contenders)


def check_class(model: Any) -> None:
    """Raise ConfigError unless *model* is a `Contender`."""
    from counterpoint.contenders.base import Contender  # noqa: PLC0415 - loads scikit-learn

    if not isinstance(model, Contender):
        kind = f"{Contender.__module__}:Contender"
        raise ConfigError(f"{path_of(type(model))!r} is no contender. It must be a subclass of {kind}.")


@contextmanager
def naming(contender: str) -> Iterator[None]:
    """Put the name of the *contender* before an error."""
    try:
        yield
    except CounterpointError as error:
        raise type(error)(f"{contender}: {error}") from error


def _check_names(subject: str, names: Any, allowed: Any) -> None:
    unknown = next((name for name in names if name not in allowed), None)
    if unknown is not None:
        raise ConfigError(f"{subject} {unknown!r}, which does not exist.{did_you_mean(unknown, allowed)}")
