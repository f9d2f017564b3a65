"""A hash of the files of image references, which changes when a file may have changed."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal

import polars as pl

from counterpoint.files import digest_of

States = Literal["stat", "hash", "ignore"]
"""How a changed file is recognised: by its size and time of change, by its bytes, or not at all."""

_FILE = r"(?is)^(.*?\.(?:tar|parquet))#.+$"


def image_state(refs: pl.Series, how: States, *, own: Path) -> str:
    """Return a hash that changes when a file of *refs* may have changed.

    Parameters
    ----------
    refs
        *refs* are image references.  Nulls are left out.
    how
        *how* is "stat" (size and time of change), "hash" (bytes) or "ignore" (the references only).
    own
        *own* is a folder with files that are guarded already.  Only their names count.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.png")
    ...     states = []
    ...     for content in (b"one", b"three"):
    ...         _ = path.write_bytes(content)
    ...         states += [image_state(pl.Series([str(path)]), how, own=Path("own")) for how in ("hash", "ignore")]
    >>> states[0] == states[2], states[1] == states[3]
    (False, True)
    """
    digest = sha256(how.encode())
    for part in _parts(refs, how, f"{own.absolute()}/"):
        digest.update(part.encode(errors="surrogatepass") + b"\0")
    return digest.hexdigest()[:16]


def _parts(refs: pl.Series, how: States, own: str) -> Iterator[str]:
    for file in refs.drop_nulls().str.replace(_FILE, "$1").unique(maintain_order=True).to_list():
        yield file
        if how != "ignore" and not file.startswith(own):
            yield _state(file, how)


def _state(file: str, how: States) -> str:
    try:
        if how == "hash":
            return digest_of(file)
        found = os.stat(file)  # noqa: PTH116 - of millions of files, making paths takes longest
    except (OSError, ValueError):
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns}"
