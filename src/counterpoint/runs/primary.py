"""The record of the primary contrast: chosen once for the same fits, and written before a test row is scored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from counterpoint.artifacts import read_sealed, write_sealed


def fixed_primary(path: Path, key: str, choose: Callable[[], dict[str, Any] | None]) -> dict[str, Any] | None:
    """Return the primary contrast in the record at *path*.  If it has none for *key*, choose and write one.

    Parameters
    ----------
    path
        *path* is the file of the record.
    key
        *key* is the hash of everything that the choice depends on.
    choose
        *choose* returns the contrast, or None if no two contenders can be compared.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "primary.json")
    ...     fixed_primary(path, "key", lambda: {"a": "lstm-cnn"}), fixed_primary(path, "key", lambda: None)
    ({'a': 'lstm-cnn'}, {'a': 'lstm-cnn'})
    """
    kept = read_sealed(path, {"primary": dict | None})
    if kept is None or kept.get("key") != key:
        kept = {"key": key, "primary": choose()}
        write_sealed(path, kept)
    primary: dict[str, Any] | None = kept["primary"]
    return primary
