"""The defaults of settings that one of two runs leaves out: of sources and contenders of this package only."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from counterpoint import __version__
from counterpoint.compared_runs.lettered_run import LetteredRun
from counterpoint.contenders import MODELS, settings_of
from counterpoint.data.sources import SOURCES
from counterpoint.errors import ConfigError
from counterpoint.lookup import find

Config = dict[str, Any]


def filled_settings(a: LetteredRun, b: LetteredRun) -> tuple[Config, Config]:
    """Return the settings of two runs, each with the defaults of those that only the other one gives.

    A run of another version of Counterpoint may have had other defaults, so its settings stay as they are.
    """
    first, second = dict(a.config), dict(b.config)
    return _filled(first, second, a.results.version), _filled(second, first, b.results.version)


def _filled(config: Config, other: Mapping[str, Any], version: str) -> Config:
    if version != __version__:
        return config
    filled = dict(config)
    source = filled.get("source")
    if isinstance(source, dict):
        filled["source"] = _with_defaults(source, other.get("source"), SOURCES, source.get("kind"))
    given, others = filled.get("contenders"), _by_name(other)
    if isinstance(given, list):
        filled["contenders"] = [_entry(each, others) if isinstance(each, dict) else each for each in given]
    return filled


def _by_name(config: Mapping[str, Any]) -> dict[Any, Any]:
    given = config.get("contenders")
    entries = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return {str(each.get("name")): each.get("settings") for each in entries}


def _entry(entry: Config, others: Mapping[Any, Any]) -> Config:
    own, other = entry.get("settings"), others.get(str(entry.get("name")))
    if not isinstance(own, dict):
        return entry
    return entry | {"settings": _with_defaults(own, other, MODELS, entry.get("kind"))}


def _with_defaults(own: Config, other: Any, table: Mapping[str, str], kind: Any) -> Config:
    """Return *own* settings, and the defaults of those that only *other* has."""
    lacking = [key for key in other if key not in own] if isinstance(other, dict) else []
    if not lacking or not isinstance(kind, str) or kind not in table:
        return own
    fields: Any = {}
    with suppress(ConfigError):  # a package of an extra may be missing
        found = find(kind, table, what="kind")
        fields = found.model_fields if table is SOURCES else settings_of(found).model_fields
    known = {key: fields[key].default for key in lacking if key in fields and not fields[key].is_required()}
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in known.items()}
    return own | {key: value for key, value in plain.items() if isinstance(value, str | int | float | list | None)}
