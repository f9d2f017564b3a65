"""A finished study as a tracker receives it: its folder, its results and its learning curves."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from counterpoint.config.yaml_text import NotPlainError, read_yaml
from counterpoint.schema import Frame

MOST_CHARACTERS = 500
"""The longest value of a parameter that every version of MLflow takes."""


class FinishedStudy(NamedTuple):
    """A finished study.

    Parameters
    ----------
    root
        *root* is the run folder, which has the page and the figures.
    results
        *results* is the content of results.json.
    history
        *history* is schema.HISTORY.
    key
        *key* is the hash of everything that the page is made from.
    save
        *save* saves the contender that the answer recommends in a new folder, or is None.
    """

    root: Path
    results: Mapping[str, Any]
    history: Frame
    key: str
    save: Callable[[Path], object] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """The settings by dotted key, without secrets."""
        try:
            return flat_settings(read_yaml(self.results["config"]))
        except NotPlainError:  # settings that are too large to be read again
            return {}


def flat_settings(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings in *config* by dotted key, those of contenders by their names.

    >>> flat_settings({"split": {"seed": 0}, "contenders": [{"name": "svm", "kind": "text-svm", "settings": {"c": 2}}]})
    {'split.seed': '0', 'contenders.svm.kind': 'text-svm', 'contenders.svm.c': '2'}
    """
    return {key: text[:MOST_CHARACTERS] for key, text in _flat(config, "")}


def _flat(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list) and value and all(isinstance(each, dict) and "name" in each for each in value):
        value = {each["name"]: {name: own for name, own in each.items() if name != "name"} for each in value}
    if not isinstance(value, dict):
        yield key, "" if value is None else str(value)
        return
    for name, own in value.items():
        is_settings = name == "settings" and key.startswith("contenders.")
        yield from _flat(own, key if is_settings else f"{key}.{name}".removeprefix("."))


def safe_name(name: str) -> str:
    """Return *name* as the name of a parameter, a metric or a folder, without other characters.

    >>> safe_name("my model (α)#1")
    'my model _α__1'
    """
    return re.sub(r"[^\w.\- ]", "_", name)[:200]
