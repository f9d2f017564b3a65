"""YAML files of settings, and the changes of ``--set``."""

import os
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

from counterpoint.config.yaml_text import MOST_BYTES, MOST_DEPTH, NotPlainError, read_yaml
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.files import read_bytes

MOST_NAME_BYTES = 255
"""The longest name of a file in common file systems, in bytes."""


def read_keys(path: Path) -> dict[str, Any]:
    """Return the keys of the YAML file at *path*.

    Raises
    ------
    ConfigError
        When it is missing, is not YAML, or holds no keys.
    """
    try:
        values = read_yaml(text_of(path))
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: byte {error.start:,} cannot be decoded. Save it as UTF-8.") from error
    except NotPlainError as error:
        raise ConfigError(f"{path} is not YAML that can be read: {error}.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} should hold keys such as study and source. It holds a {type(values).__name__}.")
    return values


def text_of(path: Path) -> str:
    """Return the text of the settings file at *path*: UTF-8, or UTF-16 as some editors of Windows save it."""
    data = read_bytes(path, most_bytes=MOST_BYTES)
    return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")


def absolute(path: str, folder: Path) -> str:
    """Return *path* relative to *folder*, unless it is a URL.

    Raises
    ------
    ConfigError
        When no file can have this name.

    Examples
    --------
    >>> absolute("s3://lists/part-*.parquet", Path("/a")), absolute("part.parquet", Path("/a"))
    ('s3://lists/part-*.parquet', '/a/part.parquet')
    """
    if "://" in path:
        return path
    try:
        found = (folder / Path(path).expanduser()).absolute()
        longest = max(len(os.fsencode(name)) for name in found.parts)
    except (ValueError, RuntimeError) as error:  # half a character, or the home of an unknown user
        raise ConfigError(f"{path[:80]!r} is no path: {error}.") from error
    if "\0" in path or longest > MOST_NAME_BYTES:
        raise ConfigError(f"{path[:80]!r} is no path: no file can have this name.")
    return str(found)


def overridden(values: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return *values* after *overrides* such as ``split.seed=1``, each value read as YAML.

    >>> overridden({"split": {"seed": 0}}, ["split.seed=1"])
    {'split': {'seed': 1}}
    """
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or key.count(".") > MOST_DEPTH:
            raise ConfigError(f"--set takes KEY=VALUE, such as split.seed=1, not {key[:80]!r}.")
        try:
            put(values, key, read_yaml(text))
        except NotPlainError as error:
            raise ConfigError(f"--set {key} has a value that is not YAML that can be read: {error}.") from error
    return values


def put(values: dict[str, Any], key: str, value: Any) -> None:
    """Set one value of nested settings.

    Parameters
    ----------
    values
        *values* are the settings, which are changed.
    key
        *key* is dotted.  In a list of contenders a step is the name of one of them.
    value
        *value* is the new value.

    Raises
    ------
    ConfigError
        When a step leads to a value without keys, or to no entry of a list.

    Examples
    --------
    >>> study = {"contenders": ["majority", {"kind": "text-svm", "c": 1}]}
    >>> put(study, "contenders.text-svm.c", 0.1)
    >>> study
    {'contenders': ['majority', {'kind': 'text-svm', 'c': 0.1}]}
    """
    *parents, last = key.split(".")
    section: Any = values
    for parent in parents:
        section = _named(section, parent, key) if isinstance(section, list) else _section(section, parent)
        if not isinstance(section, dict | list):
            raise ConfigError(f"--set {key}: {parent!r} holds a value, not keys.")
    if isinstance(section, list):
        raise ConfigError(f"--set {key}: name a setting of {last!r}, such as {key}.seed.")
    section[last] = deepcopy(value)  # a later key may change a part of it, only here


def _section(values: dict[str, Any], name: str) -> Any:
    """Return the value of key *name*.  An empty section becomes one without keys."""
    if values.get(name) is None:
        values[name] = {}
    return values[name]


def _named(entries: list[Any], name: str, key: str) -> dict[str, Any]:
    """Return the entry of a list with this *name*.  A plain name becomes an entry with keys."""
    names = [entry.get("name", entry.get("kind")) if isinstance(entry, dict) else entry for entry in entries]
    if name not in names:
        raise ConfigError(f"--set {key}: no entry {name!r}.{did_you_mean(name, map(str, names))}")
    place = names.index(name)
    if not isinstance(entries[place], dict):
        entries[place] = {"kind": name}
    found: dict[str, Any] = entries[place]
    return found
