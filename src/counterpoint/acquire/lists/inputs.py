"""The files of a list of URLs, on a disk or through fsspec, in order, with marks that change with their content."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from glob import glob, has_magic
from pathlib import Path, PurePosixPath
from typing import Any, cast

from counterpoint.errors import CounterpointError, SourceError, did_you_mean, first_line
from counterpoint.files import is_pattern, pattern_of, regular
from counterpoint.redaction import without_logins, without_secrets
from counterpoint.store import connect

SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")
"""The suffixes of a list. In a folder, other files and files whose name begins with ``.`` or ``_`` are ignored."""

_CHANGED = ("ETag", "etag", "md5Hash", "content_md5", "LastModified", "last_modified", "updated", "mtime", "created")
"""The names of the version mark in various file systems. The first one present is used."""


@dataclass(frozen=True)
class InputFile:
    """A file of the list. It equals another when neither path, size nor version mark differs."""

    path: str
    size: int
    changed: str
    files: Any = field(default=None, compare=False, repr=False)
    """Its fsspec file system, None for the local disk."""

    @property
    def suffix(self) -> str:
        """Its suffix in lower case."""
        return PurePosixPath(self.path).suffix.lower()

    def readable(self) -> Path:
        """Return an object that can be opened like a path."""
        return Path(self.path) if self.files is None else cast(Path, _Remote(self.files, self.path))

    def mark(self) -> dict[str, Any]:
        """Return the record of the file in a plan.

        >>> InputFile("a.csv", 10, "2024").mark()
        {'path': 'a.csv', 'size': 10, 'changed': '2024'}
        """
        return {name: value for name, value in asdict(self).items() if name != "files"} | {"path": self.shown}

    @property
    def shown(self) -> str:
        """Its path without a login."""
        return without_logins(self.path)


class _Remote:
    """The part of a path's interface that table readers need, for a file on an fsspec file system."""

    def __init__(self, files: Any, path: str) -> None:
        self._files, self._path = files, path
        self.name, self.suffix = PurePosixPath(path).name, PurePosixPath(path).suffix

    def __str__(self) -> str:
        return self._path

    def open(self, mode: str = "r", **text: Any) -> Any:
        return self._files.open(self._path, mode, **text)


def find_inputs(paths: Iterable[str], storage: Mapping[str, Any]) -> list[InputFile]:
    """Return the files that *paths* name, each once. A folder or a pattern gives all possible lists in it, sorted.

    Parameters
    ----------
    paths
        *paths* are files, folders or patterns such as ``part-*.parquet``, or URLs of them.
    storage
        *storage* are the fsspec options for URLs.

    Raises
    ------
    SourceError
        When a path does not exist, matches nothing, or is not a list.
    ConfigError
        When fsspec does not know the protocol of a URL.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.csv", "a.parquet", "_SUCCESS", "notes.txt"):
    ...         _ = Path(folder, name).write_text("url,text")
    ...     [Path(file.path).name for file in find_inputs([folder], {})]
    ['a.parquet', 'b.csv']
    """
    found: dict[str, InputFile] = {}
    for path in paths:
        local = path.removeprefix("file://")
        files = _remote(local, storage) if "://" in local else _local(local)
        found |= {file.path: file for file in files if file.path not in found}
    return list(found.values())


def _local(path: str) -> Iterator[InputFile]:
    if Path(path).exists():
        names = _walk(path) if Path(path).is_dir() else [_checked(path)]
    else:
        names = sorted(name for name in _fitting(path) if _may_be_list(name))
    if not names:
        raise SourceError(_nothing_at(path))
    try:
        for name in names:
            state = regular(Path(name)).stat()
            yield InputFile(name, state.st_size, str(state.st_mtime_ns))
    except OSError as error:
        raise SourceError(f"Cannot read {error.filename}: {error.strerror}.") from error


def _fitting(path: str) -> Iterator[str]:
    """Yield the matches of the pattern *path*. Folders in it that exist are taken literally."""
    if is_pattern(Path(path)):
        folder, pattern = pattern_of(Path(path))
        yield from (str(folder / name) for name in glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207 - skips hidden ones


def _walk(folder: str) -> list[str]:
    def stop(error: OSError) -> None:
        raise SourceError(f"Cannot read {error.filename}: {error.strerror}.") from error

    names = [os.path.join(root, name) for root, _, files in os.walk(folder, onerror=stop) for name in files]  # noqa: PTH118 - strings
    return sorted(name for name in names if _may_be_list(name))


def _may_be_list(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.lower().endswith(SUFFIXES) and not name.startswith((".", "_"))


def _checked(path: str) -> str:
    if not path.lower().endswith(SUFFIXES):
        raise SourceError(f"{path} is not a list of URLs. Allowed: {', '.join(SUFFIXES)}.")
    return path


def _nothing_at(path: str) -> str:
    if has_magic(path):
        return f"No list of URLs matches {path}. Allowed: {', '.join(SUFFIXES)}."
    if Path(path).is_dir():
        return f"Folder {path} holds no list of URLs. Allowed: {', '.join(SUFFIXES)}."
    parent = Path(path).parent
    siblings = [name.name for name in parent.iterdir()] if parent.is_dir() else []
    near = did_you_mean(Path(path).name, siblings)
    return f"There is no {path}.{near if near.startswith(' Did') else ''}"


def _remote(url: str, storage: Mapping[str, Any]) -> Iterator[InputFile]:
    files, path = connect(url, storage, kind="list")
    try:
        for name in _remote_names(files, path, url):
            about = files.info(name)
            changed = next((str(about[key]) for key in _CHANGED if about.get(key)), "")
            yield InputFile(files.unstrip_protocol(name), int(about.get("size") or 0), changed, files)
    except CounterpointError:
        raise
    except Exception as error:  # fsspec may use any library, with exceptions of its own.
        raise SourceError(f"Cannot read {url}: {without_secrets(first_line(error), storage)}.") from None


def _remote_names(files: Any, path: str, url: str) -> list[str]:
    if files.isfile(path):
        return [_checked(path)]
    names = files.glob(path) if has_magic(path) else files.find(path)
    lists = sorted(str(name) for name in names if _may_be_list(str(name)))
    if not lists:
        raise SourceError(f"No list of URLs is at {url}. Allowed: {', '.join(SUFFIXES)}.")
    return lists
