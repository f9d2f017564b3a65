"""Files by their path, opened only if they are regular: a pipe, a device or a socket may never end.

A path is one file here, never a pattern.  ``a[1].parquet`` is the file of that name.
"""

import errno
import io
import os
import stat
import time
from collections.abc import Sequence
from functools import cache, lru_cache
from glob import has_magic
from hashlib import file_digest
from pathlib import Path

import polars as pl

from counterpoint.schema import Frame

PSEUDO = ("/proc", "/sys")
"""Folders in which the system shows its state as files.  They have no size, and some have no end."""
SETTLED_NS = 2_000_000_000
"""A file that changed less long ago may change again without another time: the clocks of file systems have ticks."""
MOST_TEXT_BYTES = 64 << 20
"""The largest file that is read whole as text, such as a study file or a list of ids."""


def open_regular(path: Path | str) -> io.BufferedReader:
    """Return the regular file at *path*, or at the end of a link there, opened to read bytes.

    Raises
    ------
    OSError
        When it is missing, may not be read, or is not a regular file.  Its ``strerror`` has the reason.

    Examples
    --------
    >>> try:
    ...     open_regular("/dev/zero")
    ... except OSError as error:
    ...     print(error.strerror)
    not a regular file
    """
    try:
        # Does not wait for the writer of a pipe. The kind is checked after opening, so that it cannot change between.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except ValueError as error:
        raise OSError(errno.EINVAL, "not a path", str(path)) from error
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENODEV):  # a socket, a device without a driver
            raise _irregular(path) from error
        raise
    try:
        check_regular(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def regular(path: Path) -> Path:
    """Return *path* if a regular file is there, or raise OSError as `open_regular` does.  It need not be readable."""
    try:
        check_regular(path.stat(), path)
    except ValueError as error:
        raise OSError(errno.EINVAL, "not a path", str(path)) from error
    return path


def check_regular(found: os.stat_result, path: Path | str) -> None:
    """Raise OSError unless *found* is the state of a regular file.  *path* is for the message."""
    if stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode) or is_pseudo(found):
        raise _irregular(path)


def is_pseudo(found: os.stat_result) -> bool:
    """Return whether *found* is the state of a file or folder on no disk, such as ``/proc/cpuinfo``.

    >>> is_pseudo(os.stat("/"))
    False
    """
    return found.st_dev in _pseudo_devices()


@cache
def _pseudo_devices() -> frozenset[int]:
    root = os.stat("/").st_dev  # noqa: PTH116 - on a system without them, these may be ordinary folders
    return frozenset(Path(name).stat().st_dev for name in PSEUDO if Path(name).is_dir()) - {root}


def _irregular(path: Path | str) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", str(path))


def is_pattern(path: Path) -> bool:
    """Return whether *path* is a pattern, such as ``part-*.csv``.  It is none if a file or folder has that name.

    >>> is_pattern(Path("part-*.csv")), is_pattern(Path("part-1.csv"))
    (True, False)
    """
    return has_magic(str(path)) and not os.path.lexists(path)


def pattern_of(path: Path) -> tuple[Path, str]:
    """Return the last existing folder of the pattern *path*, and the rest of the pattern.

    >>> pattern_of(Path("/nowhere/a*/b*.csv"))
    (PosixPath('/'), 'nowhere/a*/b*.csv')
    """
    folder = next(folder for folder in path.parents if os.path.lexists(folder))
    return folder, str(path.relative_to(folder))


def read_bytes(path: Path | str, *, most_bytes: int) -> bytes:
    """Return the bytes of the regular file at *path*, or raise OSError: also if it has more than *most_bytes*."""
    with open_regular(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"larger than {most_bytes:,} bytes", str(path))
    return data


def read_text(path: Path | str, *, most_bytes: int = MOST_TEXT_BYTES) -> str:
    """Return the text of the regular file at *path*: UTF-8 with or without a byte order mark.

    Raises
    ------
    OSError
        As `open_regular` does, and when the file is longer than *most_bytes*.
    UnicodeDecodeError
        When it is not UTF-8.
    """
    return read_bytes(path, most_bytes=most_bytes).decode("utf-8-sig")


def read_parquet(path: Path | str, columns: Sequence[str] | None = None) -> Frame:
    """Return the *columns* (default: all) of the Parquet file at *path*.

    Raises
    ------
    OSError
        As `open_regular` does.
    polars.exceptions.PolarsError
        When it is not a Parquet file, or lacks a column.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory(prefix="a[1]*") as folder:
    ...     pl.DataFrame({"n": [1]}).write_parquet(Path(folder, "b[2].parquet"))
    ...     read_parquet(Path(folder, "b[2].parquet")).rows()
    [(1,)]
    """
    # From the open file: in a path, polars reads "[1]" and "*" as patterns, and "a=1" as a column.
    with open_regular(path) as file:
        try:
            return pl.read_parquet(file, columns=list(columns) if columns is not None else None)
        except pl.exceptions.PanicException as error:  # not an Exception; some damaged files raise it
            raise pl.exceptions.ComputeError(str(error)) from error


def digest_of(path: Path | str) -> str:
    """Return the sha256 of the regular file at *path* in hexadecimal digits; raise OSError as `open_regular` does."""
    with open_regular(path) as file:
        return file_digest(file, "sha256").hexdigest()


def settled_state(path: Path | str) -> tuple[int, ...] | None:
    """Return the device, inode, size and times of the file at *path*: any change of its content changes one of them.

    None where it changed just now, so that a second change might show in none of them.
    """
    found = Path(path).stat()
    times = found.st_mtime_ns, found.st_ctime_ns
    is_settled = time.time_ns() - max(times) > SETTLED_NS
    return (found.st_dev, found.st_ino, found.st_size, *times) if is_settled else None


def digest_once(path: Path | str) -> str:
    """Return `digest_of` *path*.  A process computes it again only after the file has changed, by its `settled_state`.

    >>> digest_once(__file__) == digest_of(__file__)
    True
    """
    state = settled_state(path)
    return digest_of(path) if state is None else _digest_in(state, str(path))


@lru_cache(maxsize=4096)
def _digest_in(state: tuple[int, ...], path: str) -> str:  # noqa: ARG001 - a part of the key
    return digest_of(path)
