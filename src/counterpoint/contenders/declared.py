"""The declarations of contenders, checked before any fit starts: base class, modalities, needs and settings."""

from collections.abc import Mapping
from typing import Any

from counterpoint.contenders import MODELS, settings_of
from counterpoint.errors import ConfigError, CounterpointError, did_you_mean

MODALITIES = ("text", "image")


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
    from counterpoint.contenders.base import Contender  # noqa: PLC0415 - loads scikit-learn

    for name, model in contenders.items():
        kind = f"{type(model).__module__}:{type(model).__qualname__}"
        if not isinstance(model, Contender):
            raise ConfigError(f"{kind!r} is no contender. It must be a subclass of {Contender.__module__}:Contender.")
        for attribute in ("modalities", "needs"):
            if not isinstance(getattr(model, attribute), tuple):
                value = getattr(model, attribute)
                raise ConfigError(f'{name} has the {attribute} {value!r}. It must be a tuple, as in ("text",).')
        _check_names(f"{name} reads the modality", model.modalities, MODALITIES)
        needs = [need for need in model.needs if ":" not in need]
        _check_names(f"{name} needs the contender", needs, {*MODELS, *contenders})
        positional = sorted(model.get_params(deep=False).keys() - settings_of(type(model)).model_fields.keys())
        if positional:
            raise ConfigError(f"The setting {positional[0]!r} of {kind} must be keyword-only, with a default.")
    for name, model in contenders.items():
        _check_installed(name, model, contenders)


def _check_installed(name: str, model: Any, contenders: Mapping[str, Any]) -> None:
    try:
        model.check_installed(contenders)
    except CounterpointError as error:
        raise type(error)(f"{name}: {error}") from error


def _check_names(subject: str, names: Any, allowed: Any) -> None:
    unknown = next((name for name in names if name not in allowed), None)
    if unknown is not None:
        raise ConfigError(f"{subject} {unknown!r}, which does not exist.{did_you_mean(unknown, allowed)}")
