"""The folder of an export: written beside its place under another name, so that it is whole there or not there at all.

``export.json`` in it says what it was made from and what left; who finds that file finds a finished export.
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
"""A file in a folder that is being written; who writes holds a lock on it."""

Exported = dict[str, Any]
"""The account of an export: what it was made from, how much is in it, how much was left out and why."""


class Outgoing(NamedTuple):
    """A pair on its way out: the bytes of its image, their extension, and what goes beside."""

    image: bytes
    extension: str
    text: str | None
    label: str | None
    fields: Mapping[str, Any]
    """What else is known of it: names of ours, values that JSON has."""
    fold: str | None = None


def export_once(where: Path, key: str, write: Callable[[Path], Exported]) -> Exported:
    """Return the account of the export in *where*: of one that is finished there, or of what *write* writes now.

    Parameters
    ----------
    where
        *where* is a folder that is not there yet, is empty, or holds this very export.
    key
        *key* stands for all that the export is made from: another key is another export.
    write
        *write* fills the folder that it is given, and returns what is worth knowing of it.

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
        raise RunFolderError(f"{where} is a file; an export needs a folder of its own.")
    found = read_json(where / MARK)
    if isinstance(found, dict) and found.get("key") == key:
        return found
    if isinstance(found, dict) and "key" in found:
        raise RunFolderError(f"{where} holds an export of something else; name another folder, or remove that one.")
    if any(where.iterdir()):
        raise RunFolderError(f"{where} is not empty, and no export; name another folder.")
    return None


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yield *folder*, empty but for its lock; what a killed export left in it goes first, what fails goes last."""
    ours = any((folder / name).exists() for name in (UNFINISHED, MARK))
    if folder.exists() and not ours and any(folder.iterdir()):
        raise RunFolderError(f"{folder} is in the way, and no unfinished export; move it.")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / UNFINISHED).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFolderError(f"{folder} is being written by another export; wait for it.") from None
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
