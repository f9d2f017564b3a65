"""Sources of records: one file for each kind, and the contract of all in ``base``."""

from collections.abc import Mapping
from typing import Any

from counterpoint.data.sources.base import Batch, Source
from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.lookup import find
from counterpoint.settings import validated

SOURCES: Mapping[str, str] = {
    "acquired": "counterpoint.data.sources.acquired:AcquiredSource",
    "emoji": "counterpoint.data.sources.emoji:EmojiSource",
    "folder": "counterpoint.data.sources.folder:FolderSource",
    "generated": "counterpoint.data.sources.generated:GeneratedSource",
    "pixels": "counterpoint.data.sources.pixels:PixelsSource",
    "table": "counterpoint.data.sources.table:TableSource",
    "webdataset": "counterpoint.data.sources.webdataset:WebdatasetSource",
}

__all__ = ["SOURCES", "Batch", "Source", "open_source"]


def open_source(settings: Mapping[str, Any]) -> Source:
    """Return the source that *settings* describe: its ``kind``, and the keys of that kind.

    ``kind`` is a key of `SOURCES`, or the path of a class such as ``my_lab.diary:Diary``.

    Raises
    ------
    ConfigError
        When ``kind`` is missing or unknown, or when the kind has no such key.

    Examples
    --------
    >>> open_source({"kind": "generated", "n": 60}).n
    60
    >>> open_source({"kind": "generatd"})
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: Unknown source 'generatd'. Did you mean 'generated'?
    """
    kind = settings.get("kind")
    if not isinstance(kind, str):
        raise ConfigError(f"Missing key 'source.kind'.{did_you_mean('', SOURCES)}")
    source = find(kind, SOURCES, what="source")
    if not (isinstance(source, type) and issubclass(source, Source)):
        raise ConfigError(f"{kind!r} is no source: it should be a subclass of counterpoint.data.sources:Source.")
    own = {key: value for key, value in settings.items() if key != "kind"}
    return validated(source, own, where="source")
