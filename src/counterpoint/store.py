"""A folder on a local disk, or in an object store that fsspec reaches: a file in it is whole, or not there.

On a local disk a write is a temporary name, a flush to the disk and a rename.  An object store shows an object when
all of it has arrived.  An upload by ``sftp:`` may stop half-way.  There the size in a marker shows whether it is whole.
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
        When fsspec does not support such URLs.
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
        """The name of the folder in errors and logs, with a login in it hidden."""
        self.local: Path | None = _local(str(url))
        """The folder, if it is on a local disk."""
        self._remote: Any
        self._remote, root = (None, "") if self.local else connect(str(url), storage or {})
        self._storage = dict(storage or {})
        self._root = root.rstrip("/")

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def read(self, name: str) -> bytes | None:
        """Return the content of the file *name*, or None if there is no such file."""
        try:
            with self._one_line_errors("read", name), self._open(name) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def read_json(self, name: str) -> Any:
        """Return the JSON in the file *name*, or None if there is none or it is not JSON."""
        try:
            return json.loads(self.read(name) or b"")
        except (ValueError, RecursionError):
            return None

    def open(self, name: str) -> BinaryIO:
        """Open the file *name* to read and seek, or raise FileNotFoundError."""
        with self._one_line_errors("read", name):
            return self._open(name)

    def size(self, name: str) -> int | None:
        """Return the size of the file *name* in bytes, or None if there is no such file."""
        try:
            with self._one_line_errors("read", name):
                return (self.local / name).stat().st_size if self.local else int(self._remote.size(self._path(name)))
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in *folder*, sorted; none if there is no such folder.

        Unfinished files of running or killed writers are left out.
        """
        try:
            with self._one_line_errors("read", folder):
                return sorted(name for name in self._names(folder) if name and not name.startswith("."))
        except FileNotFoundError:
            return []

    def write(self, name: str, data: bytes) -> None:
        """Write *data* to the file *name*, in place of its earlier content."""
        with self.writing(name) as file:
            file.write(data)

    def write_json(self, name: str, value: object) -> None:
        """Write *value* to the file *name* as JSON."""
        self.write(name, json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file to write to.  On leaving, it becomes *name*.  If the block fails, *name* is unchanged."""
        if self.local is not None:
            with replacing(self.local / name) as draft, draft.open("wb") as file:
                yield file
            return
        # Spooled here first: a remote file is also closed after an error, and half an object would look whole.
        try:
            with tempfile.NamedTemporaryFile() as spool:
                yield cast(BinaryIO, spool)
                spool.flush()
                self._upload(spool.name, name)
        except OSError as error:
            raise RunFolderError(why_not_written(self._place(name), error)) from error

    def append(self, name: str, lines: bytes) -> None:
        """Add *lines* to the end of the file *name*, not atomically.  An object store writes the whole file again."""
        if self.local is None:
            self.write(name, (self.read(name) or b"") + lines)
            return
        with self._one_line_errors("write", name):
            (self.local / name).parent.mkdir(parents=True, exist_ok=True)
            with (self.local / name).open("ab") as file:
                file.write(lines)

    def sweep(self, folder: str) -> None:
        """Remove unfinished files of killed writers in *folder*.  No writer may be at work there."""
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
        with self._one_line_errors("write", name):
            self._remote.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)
            self._remote.put_file(file, self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    def _place(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{name}"

    @contextmanager
    def _one_line_errors(self, action: Literal["read", "write"], name: str) -> Iterator[None]:
        """Turn an error with *name* into one line, unless the file is missing: the caller handles that."""
        try:
            yield
        except (FileNotFoundError, CounterpointError):
            raise
        except Exception as error:  # Behind fsspec may stand any library, with exceptions of its own.
            why = why_not_written if action == "write" else why_not_read
            raise RunFolderError(without_secrets(why(self._place(name), error), self._storage)) from error


def _local(url: str) -> Path | None:
    if url.startswith(("file://", "local://")):
        return Path(url.partition("://")[2]).absolute()
    return None if "://" in url else Path(url).expanduser().absolute()


def connect(url: str, storage: Mapping[str, Any], *, kind: str = "folder") -> tuple[Any, str]:
    """Return the file system of fsspec for *url*, and the path in it.

    Parameters
    ----------
    url
        *url* is a URL, such as ``s3://bucket/folder``.
    storage
        *storage* are the options of fsspec.
    kind
        *kind* is the word for the thing at *url* in an error, such as "folder" or "list".

    Raises
    ------
    ConfigError
        When fsspec is not installed, or does not support such URLs or options.
    """
    try:
        import fsspec  # noqa: PLC0415 - an extra: a local disk does not need it
    except ImportError:
        raise ConfigError(f"{url} needs the extra counterpoint[acquire]; a local {kind} does not.") from None
    try:
        files, path = fsspec.core.url_to_fs(url, **storage)
    except (ImportError, ValueError, TypeError) as error:
        why = without_secrets(first_line(error), storage)
        raise ConfigError(f"Cannot reach {url}: {why}.") from None  # its cause may quote a key
    return files, str(path)
