"""A folder on a local disk, or in an object store that fsspec reaches: a file in it is there whole, or not at all.

On a local disk a write is a temporary name, a flush to the disk and a rename.  An object store shows an object when
all of it has arrived; where an upload may break off half-way (``sftp:``), the size in a marker tells.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from counterpoint.artifacts import replacing, why_not_read, why_not_written
from counterpoint.errors import ConfigError, CounterpointError, RunFolderError, first_line
from counterpoint.files import open_regular
from counterpoint.redaction import without_logins, without_secrets


class Store:
    """The folder at *url*: a path, or a URL with *storage*, the options of fsspec for it.

    Names are relative: ``shards/00000.parquet``.  May be pickled.

    Raises
    ------
    ConfigError
        When fsspec does not know such URLs.
    RunFolderError
        From any method: when the disk is full, or the folder cannot be read or written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     store.write("shards/00000.parquet", b"...")
    ...     store.names("shards"), store.read("shards/00000.parquet"), store.read("plan.json")
    (['00000.parquet'], b'...', None)
    """

    def __init__(self, url: str | Path, storage: Mapping[str, Any] | None = None) -> None:
        self.url = without_logins(str(url))
        """What an error or a log calls the folder: a login in it is hidden."""
        self.local: Path | None = _local(str(url))
        """The folder, when it is on a local disk."""
        self._remote: Any
        self._remote, root = (None, "") if self.local else connect(str(url), storage or {})
        self._storage = dict(storage or {})
        self._root = root.rstrip("/")

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def read(self, name: str) -> bytes | None:
        """Return what is in the file *name*, or None when there is no such file."""
        try:
            with self._telling("read", name), self._open(name) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def read_json(self, name: str) -> Any:
        """Return the JSON in the file *name*, or None when there is none or it is no JSON."""
        try:
            return json.loads(self.read(name) or b"")
        except (ValueError, RecursionError):
            return None

    def open(self, name: str) -> BinaryIO:
        """Open the file *name* to read and seek; raise FileNotFoundError when there is none."""
        with self._telling("read", name):
            return self._open(name)

    def size(self, name: str) -> int | None:
        """Return how many bytes the file *name* has, or None when there is no such file."""
        try:
            with self._telling("read", name):
                return (self.local / name).stat().st_size if self.local else int(self._remote.size(self._path(name)))
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in *folder*, sorted, none when there is no such folder.

        Files that are being written, or were when their writer was killed, are not among them.
        """
        try:
            with self._telling("read", folder):
                return sorted(name for name in self._names(folder) if name and not name.startswith("."))
        except FileNotFoundError:
            return []

    def write(self, name: str, data: bytes) -> None:
        """Write *data* to the file *name*, in place of what was there."""
        with self.writing(name) as file:
            file.write(data)

    def write_json(self, name: str, value: object) -> None:
        """Write *value* to the file *name* as JSON."""
        self.write(name, json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file to write to; on leaving, it is *name*; when the block fails, *name* is as it was before."""
        if self.local is not None:
            with replacing(self.local / name) as draft, draft.open("wb") as file:
                yield file
            return
        # Spooled here first: a remote file is closed after an error too, and half an object would look whole.
        try:
            with tempfile.NamedTemporaryFile() as spool:
                yield cast(BinaryIO, spool)
                spool.flush()
                self._upload(spool.name, name)
        except OSError as error:
            raise RunFolderError(why_not_written(self._place(name), error)) from error

    def append(self, name: str, lines: bytes) -> None:
        """Add *lines* to the end of the file *name*; not atomic, and in an object store all of it is written again."""
        if self.local is None:
            self.write(name, (self.read(name) or b"") + lines)
            return
        with self._telling("write", name):
            (self.local / name).parent.mkdir(parents=True, exist_ok=True)
            with (self.local / name).open("ab") as file:
                file.write(lines)

    def sweep(self, folder: str) -> None:
        """Remove what writers that were killed left half-written in *folder*; nobody may be writing there."""
        if self.local:
            for draft in (self.local / folder).glob(".*.tmp"):
                draft.unlink(missing_ok=True)

    def _open(self, name: str) -> BinaryIO:
        return open_regular(self.local / name) if self.local else cast(BinaryIO, self._remote.open(self._path(name)))

    def _names(self, folder: str) -> list[str]:
        if self.local:
            with os.scandir(self.local / folder) as entries:
                return [entry.name for entry in entries if entry.is_file()]
        self._remote.invalidate_cache()  # others write there too
        entries = self._remote.ls(self._path(folder), detail=True)
        return [entry["name"].rpartition("/")[2] for entry in entries if entry["type"] == "file"]

    def _upload(self, file: str, name: str) -> None:
        with self._telling("write", name):
            self._remote.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
            self._remote.put_file(file, self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    def _place(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{name}"

    @contextmanager
    def _telling(self, what: Literal["read", "write"], name: str) -> Iterator[None]:
        """Tell in one line that *name* could not be read or written; that it is not there is for the caller."""
        try:
            yield
        except (FileNotFoundError, CounterpointError):
            raise
        except Exception as error:  # Behind fsspec may stand any library, with exceptions of its own.
            why = why_not_written if what == "write" else why_not_read
            raise RunFolderError(without_secrets(why(self._place(name), error), self._storage)) from error


def _local(url: str) -> Path | None:
    if url.startswith(("file://", "local://")):
        return Path(url.partition("://")[2]).absolute()
    return None if "://" in url else Path(url).expanduser().absolute()


def connect(url: str, storage: Mapping[str, Any], *, what: str = "folder") -> tuple[Any, str]:
    """Return the file system of fsspec for *url*, and the path in it; *what* is there, for the error.

    Raises
    ------
    ConfigError
        When fsspec is not installed, or does not know such URLs or options.
    """
    try:
        import fsspec  # noqa: PLC0415 - an extra: what is on a local disk does without it
    except ImportError:
        raise ConfigError(f"{url} needs the extra counterpoint[acquire]; a local {what} does not.") from None
    try:
        files, path = fsspec.core.url_to_fs(url, **storage)
    except (ImportError, ValueError, TypeError) as error:
        why = without_secrets(first_line(error), storage)
        raise ConfigError(f"Cannot reach {url}: {why}.") from None  # its cause may quote a key
    return files, str(path)
