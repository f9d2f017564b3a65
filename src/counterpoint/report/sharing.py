"""Settings and sentences for other readers, without secrets and without the folders of this machine."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from counterpoint.config.yaml_text import read_yaml
from counterpoint.redaction import redacted, redacted_text
from counterpoint.schema import Frame


def as_yaml(values: Any) -> str:
    """Return *values* as YAML, in their order."""
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def shared_settings(values: Any, file: Path | None) -> Any:
    """Return *values* of the settings *file* without secrets, and with paths as they are from its folder on.

    A path that leads elsewhere is its last name, after an ellipsis.

    >>> values = {"path": "/usr/me/study/a.csv", "root": "/usr/me/b", "separator": "/", "storage": {"key": "k"}}
    >>> shared_settings(values, Path("/usr/me/study/study.yaml"))
    {'path': 'a.csv', 'root': '…/b', 'separator': '/', 'storage': {'key': '***'}}
    """
    return _with_shared_paths(redacted(values), file.parent if file else None)


def shared_text(text: str, file: Path) -> str:
    """Return the *text* of the settings *file*, with its comments unless a part of it has to be hidden."""
    values = read_yaml(text)
    shared = shared_settings(values, file)
    return text if shared == values else as_yaml(shared)


def _with_shared_paths(value: Any, folder: Path | None) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_shared_paths(each, folder) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_shared_paths(each, folder) for each in value]
    return _shared_path(value, folder) if isinstance(value, str) and _is_of_this_machine(value) else value


def _shared_path(text: str, folder: Path | None) -> str:
    path = Path(text)
    if folder is not None and path.is_relative_to(os.path.realpath(folder)):
        return str(path.relative_to(os.path.realpath(folder)))
    if folder is not None and path.is_relative_to(folder.absolute()):
        return str(path.relative_to(folder.absolute()))
    return f"…/{path.name}"


def _is_of_this_machine(text: str) -> bool:
    """Return whether *text* is an absolute path of this machine, and not a separator or a regular expression."""
    if not text.startswith("/") or "\0" in text or "\n" in text:
        return False
    top = Path(text).parts[:2]
    return len(top) == 2 and os.path.lexists(Path(*top))


class Folders:
    """Folders of this machine, which sentences for others do not name.

    Parameters
    ----------
    settings
        *settings* are the settings of a study. Absolute paths in them are such folders, or files in them.
    others
        *others* are more folders.

    Examples
    --------
    >>> folders = Folders({"source": {"path": "/usr/share/pictures"}}, [Path("/usr/runs")])
    >>> folders.hidden_in("/usr/share/pictures/a.png is damaged, see /usr/runs/a")
    'a.png is damaged, see a'
    """

    def __init__(self, settings: Any, others: Iterable[Path] = ()) -> None:
        named = [Path(text) for text in _paths(settings)]
        folders = {*map(Path.absolute, others), *named, *(path.parent for path in named)}
        found = {str(folder): "" for folder in folders if len(folder.parts) > 1} | {str(Path.home()): "~/"}
        # The longest first: an outer folder would otherwise cut the name of an inner one.
        longest_first = sorted(found.items(), key=lambda each: -len(each[0]))
        self._replaced = {f"{name}/": instead for name, instead in longest_first}

    def hidden_in(self, value: Any) -> Any:
        """Return JSON-like *value* whose texts have neither the names of these folders nor secrets of URLs."""
        if isinstance(value, Mapping):
            return {key: self.hidden_in(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.hidden_in(each) for each in value]
        return self._hidden_in_text(value) if isinstance(value, str) else value

    def hidden_in_table(self, table: Frame) -> Frame:
        """Return *table* with the same removed from its texts. It reads every text, so it suits small tables."""
        return table.with_columns(pl.col(pl.String).map_elements(self._hidden_in_text, return_dtype=pl.String))

    def _hidden_in_text(self, text: str) -> str:
        if "/" not in text:
            return text
        for name, instead in self._replaced.items():
            text = text.replace(name, instead)
        return redacted_text(text)


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _paths(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each)
    elif isinstance(value, str) and _is_of_this_machine(value):
        yield value
