"""The files of a fit on disk, each with its digest, and each read whole up to an allowed size."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from counterpoint.artifacts import remove, replacing
from counterpoint.errors import UnreadableFitError, first_line
from counterpoint.files import open_regular

STATE, ARRAYS, PARTS = "model.json", "model.safetensors", "model.skops"
DIGESTS = "model.sha256"
"""The file of the names and digests of all files of a fit, as ``sha256sum`` writes it.  No other file is read."""
MAX_BYTES = {STATE: 1 << 28, ARRAYS: 1 << 32, PARTS: 1 << 28}
"""The largest file of each kind that is written or read."""


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the *files* of a fit, and last their digests, and remove the files of an earlier fit.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_files(Path(folder), {STATE: b"{}"})
    ...     read_files(Path(folder))
    {'model.json': b'{}'}
    """
    for name in (DIGESTS, *(name for name in MAX_BYTES if name not in files)):
        remove(folder / name)
    lines = [f"{sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    for name, data in {**files, DIGESTS: "".join(lines).encode()}.items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(data)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a fit, each complete and unchanged.

    Raises
    ------
    UnreadableFitError
        When a file is damaged, larger than `MAX_BYTES`, or no regular file.
    """
    with reading(folder / DIGESTS):
        lines = _bytes(folder / DIGESTS, most=1000).decode().splitlines()
        digests = {name: digest for digest, name in (line.split("  ") for line in lines)}
        if not {STATE} <= digests.keys() <= MAX_BYTES.keys():
            raise ValueError("it lists files that do not belong to a fit")
    return {name: _checked(folder / name, digest) for name, digest in digests.items()}


def _checked(path: Path, digest: str) -> bytes:
    with reading(path):
        data = _bytes(path, most=MAX_BYTES[path.name])
        if sha256(data).hexdigest() != digest:
            raise ValueError("it was changed after it was written")
    return data


def _bytes(path: Path, *, most: int) -> bytes:
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ValueError(f"it has {size:,} bytes, and at most {most:,} are read")
        return file.read(size)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn any error into one line with the file that cannot be read, the reason, and the next step."""
    try:
        yield
    except UnreadableFitError:
        raise
    except Exception as error:  # for bytes from strangers the libraries may raise any error
        raise UnreadableFitError(
            f"{path} cannot be read: {why(error)}. Delete {path.parent} and run the study again."
        ) from error


def why(error: Exception) -> str:
    """Return one line on *error*, with its type where its message may not be enough."""
    line = one_line(first_line(error))
    return line if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {line}"


def one_line(text: object) -> str:
    """Return the *text* of a file as one line of printable ASCII."""
    return re.sub(r"[^\x20-\x7e]", "?", str(text))[:300]
