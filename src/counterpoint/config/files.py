"""YAML files of settings, and what ``--set`` changes in them."""

from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.files import read_text


def load(path: Path) -> dict[str, Any]:
    """Return the keys of the YAML file at *path*.

    Raises
    ------
    ConfigError
        When it is not there, is not YAML, or holds no keys.
    """
    try:
        values = yaml.safe_load(read_text(path))
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} should hold keys such as study and source; it holds a {type(values).__name__}.")
    return values


def overridden(values: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return *values* after *overrides* such as ``split.seed=1``, each value read as YAML.

    >>> overridden({"split": {"seed": 0}}, ["split.seed=1"])
    {'split': {'seed': 1}}
    """
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ConfigError(f"--set takes KEY=VALUE, such as split.seed=1; got {override!r}.")
        put(values, key, yaml.safe_load(text))
    return values


def put(values: dict[str, Any], key: str, value: Any) -> None:
    """Set the dotted *key* of nested *values*; in a list of contenders a step is the name of one of them.

    >>> study = {"contenders": ["majority", {"kind": "text-svm", "c": 1}]}
    >>> put(study, "contenders.text-svm.c", 0.1)
    >>> study
    {'contenders': ['majority', {'kind': 'text-svm', 'c': 0.1}]}
    """
    *parents, last = key.split(".")
    section: Any = values
    for parent in parents:
        section = _named(section, parent, key) if isinstance(section, list) else section.setdefault(parent, {})
        if not isinstance(section, dict | list):
            raise ConfigError(f"--set {key}: {parent!r} holds a value, not keys.")
    if isinstance(section, list):
        raise ConfigError(f"--set {key}: name a setting of {last!r}, such as {key}.seed.")
    section[last] = deepcopy(value)  # a later key may change a part of it, here only


def _named(entries: list[Any], name: str, key: str) -> dict[str, Any]:
    """Return the entry of a list that goes by *name*; a plain name becomes an entry with keys."""
    names = [entry if isinstance(entry, str) else entry.get("name", entry.get("kind")) for entry in entries]
    if name not in names:
        raise ConfigError(f"--set {key}: no entry {name!r}.{did_you_mean(name, map(str, names))}")
    place = names.index(name)
    if isinstance(entries[place], str):
        entries[place] = {"kind": name}
    found: dict[str, Any] = entries[place]
    return found
