"""The folder of an export, written under another name first, so that a finished export is always whole.

``export.json`` in the folder is its account, and marks a finished export.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from counterpoint.artifacts import read_json, why_not_written, write_json
from counterpoint.errors import RunFolderError

MARK = "export.json"
UNFINISHED = ".unfinished"
"""A file in a folder that is being written.  The writing process holds a lock on it."""

Exported = dict[str, Any]
"""The account of an export: its key, the number of exported rows, and the number of rows left out by reason."""


class Outgoing(NamedTuple):
    """A pair to export: the bytes of its image, their file extension, and its other fields."""

    image: bytes
    extension: str
    text: str | None
    label: str | None
    fields: Mapping[str, Any]
    """Other fields of the pair: our names, values that JSON can hold."""
    fold: str | None = None


def export_once(where: Path, key: str, write: Callable[[Path], Exported]) -> Exported:
    """Return the account of the export in *where*, which *write* makes unless it is finished there.

    Parameters
    ----------
    where
        *where* is a folder that does not exist yet, is empty, or holds this same export.
    key
        *key* identifies the content of the export: another key is another export.
    write
        *write* receives an empty folder, fills it, and returns the entries of its account.

    Raises
    ------
    RunFolderError
        When *where* holds anything else, is being written by another process, or cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     first = export_once(Path(folder, "out"), "a", lambda draft: {"n": (draft / "x").write_text("!")})
    ...     again = export_once(Path(folder, "out"), "a", lambda draft: 1 / 0)
    >>> first == again, again["n"]
    (True, 1)
    """
    where = where.expanduser().absolute()
    try:
        kept = _finished(where, key)
        if kept is not None:
            return kept
        with _draft(where.with_name(f"{where.name}.tmp")) as draft:
            account = {"key": key, **write(draft)}
            write_json(draft / MARK, account)
            (draft / UNFINISHED).unlink()
            os.sync()  # once for all files: a flush of each would take longer than writing them
            draft.replace(where)
        os.sync()
    except OSError as error:
        raise RunFolderError(why_not_written(where, error)) from error
    return account


def _finished(where: Path, key: str) -> Exported | None:
    if not where.exists():
        return None
    if not where.is_dir():
        raise RunFolderError(f"{where} is a file. An export needs a folder of its own.")
    found = read_json(where / MARK)
    if isinstance(found, dict) and found.get("key") == key:
        return found
    if isinstance(found, dict) and "key" in found:
        raise RunFolderError(f"{where} holds another export. Name another folder, or remove that export.")
    if any(where.iterdir()):
        raise RunFolderError(f"{where} is not empty, and no export. Name another folder.")
    return None


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yield *folder*, empty except for its lock.

    Files of a killed export are removed before.  The whole folder is removed when the export fails.
    """
    ours = any((folder / name).exists() for name in (UNFINISHED, MARK))
    if folder.exists() and not ours and any(folder.iterdir()):
        raise RunFolderError(f"{folder} is in the way, and no unfinished export. Move it.")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / UNFINISHED).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFolderError(f"{folder} is being written by another export. Wait for it.") from None
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != UNFINISHED:
                entry.unlink()
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
