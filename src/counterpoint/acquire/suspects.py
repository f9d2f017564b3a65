"""Which slots were being decoded when a process died: one that was there twice is not decoded a third time.

One byte a slot, in a file that is mapped into memory: how many starts of decoding never ended.  Counting costs
nothing, and what a process wrote outlives its death.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from counterpoint.artifacts import key_of, why_not_written
from counterpoint.errors import RunFolderError
from counterpoint.formats.shards import Marker, parts_of, shard_name
from counterpoint.store import Store

MAX_DEATHS = 2
"""How often a slot may be under the decoder when its process dies; the process may have died of something else."""


class Suspects:
    """The starts of decoding of each of *n_slots* slots that never ended.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         suspects = Suspects(Path(folder, "00000.suspects"), 10)
    ...         suspects.deaths[7] += 1  # decoding starts, and the process dies
    ...     [Suspects(Path(folder, "00000.suspects"), 10).is_deadly(slot) for slot in (6, 7)]
    [False, True]
    """

    def __init__(self, path: Path, n_slots: int) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, n_slots)  # a full disk is an error here, not a crash later
            with path.open("r+b") as file:
                self.deaths = mmap.mmap(file.fileno(), n_slots)
        except OSError as error:
            raise RunFolderError(why_not_written(path, error)) from error
        self._deadly = frozenset(slot for slot, deaths in enumerate(self.deaths[:]) if deaths >= MAX_DEATHS)

    def is_deadly(self, slot: int) -> bool:
        """Say whether *slot* was being decoded each of the two times that a process died."""
        return slot in self._deadly

    @contextmanager
    def decoding(self, slot: int) -> Iterator[None]:
        """Count *slot* among those being decoded, until this ends in whatever way but the death of the process."""
        self.deaths[slot] += 1
        try:
            yield
        finally:
            self.deaths[slot] -= 1

    def close(self) -> None:
        """Let go of the file."""
        self.deaths.close()

    def forget(self) -> None:
        """Remove the file: the shard is committed."""
        self.close()
        self._path.unlink(missing_ok=True)


def forget_committed(store: Store) -> None:
    """Remove the files of shards that are committed: a process may have died between the commit and `Suspects.forget`.

    To be called when no shard is under way.
    """
    left = [path.name for path in suspects_path(store, "any").parent.glob("*.suspects")]
    for part in parts_of(left, "suspects"):
        if Marker.read(store, *part) is not None:
            suspects_path(store, shard_name(*part)).unlink(missing_ok=True)


def suspects_path(store: Store, name: str) -> Path:
    """Return where the suspects of shard *name* are: beside its events, or here when those are in an object store."""
    if store.local is not None:
        return store.local / "events" / f"{name}.suspects"
    return Path(tempfile.gettempdir()) / f"counterpoint-{key_of(store.url)}" / f"{name}.suspects"
