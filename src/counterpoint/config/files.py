"""YAML files of settings, and what ``--set`` changes in them."""

from pathlib import Path
from typing import Any

import yaml

from counterpoint.errors import ConfigError


def load(path: Path) -> dict[str, Any]:
    """Return the keys of the YAML file at *path*.

    Raises
    ------
    ConfigError
        When it is not there, is not YAML, or holds no keys.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} should hold keys such as study and source; it holds a {type(values).__name__}.")
    return values


def overridden(values: dict[str, Any], overrides: tuple[str, ...]) -> dict[str, Any]:
    """Return *values* after *overrides* such as ``split.seed=1``, each value read as YAML.

    >>> overridden({"split": {"seed": 0}}, ("split.seed=1",))
    {'split': {'seed': 1}}
    """
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ConfigError(f"--set takes KEY=VALUE, such as split.seed=1; got {override!r}.")
        *parents, last = key.split(".")
        section = values
        for parent in parents:
            section = section.setdefault(parent, {})
            if not isinstance(section, dict):
                raise ConfigError(f"--set {key}: {parent!r} holds a value, not keys.")
        section[last] = yaml.safe_load(text)
    return values
