"""The slots at which a decoder process died. A slot that hung, or at which a process died twice, is not decoded again.

A file holds one byte a slot and is mapped into memory. A note costs nothing, and it outlives the process. A process
that its time limit ends writes a stack trace to the end of the file (``engines.time_limit``).
"""

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from counterpoint.artifacts import key_of, why_not_written
from counterpoint.engines.time_limit import time_limit
from counterpoint.errors import RunFolderError
from counterpoint.formats.shard_markers import Marker, generations_of, shard_name
from counterpoint.store import Store

MAX_DEATHS = 2
"""The number of process deaths at a slot after which it is given up. A single death may have another cause."""
_UNDER_WAY, _LATE = 0x80, 0x40
"""The flags in a slot's byte. The other bits are the number of deaths."""
_TRACE = b"hread 0x"
"""The beginning of each thread's stack trace."""


class DecoderCrashes:
    """The slots at which a decoder process died.

    Parameters
    ----------
    path
        *path* is the file of the notes. It is created when it is missing.
    n_slots
        *n_slots* is the number of slots of the shard.
    max_decode_s
        *max_decode_s* is the time limit of one image, in seconds.

    Raises
    ------
    RunFolderError
        When the file cannot be written, or the disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         crashes = DecoderCrashes(Path(folder, "00000.suspects"), 10, max_decode_s=20)
    ...         crashes.states[7] |= 0x80  # decoding starts, and the process dies
    ...         crashes.close()
    ...     crashes = DecoderCrashes(Path(folder, "00000.suspects"), 10, max_decode_s=20)
    ...     print(crashes.status(6), crashes.status(7))
    ...     crashes.close()
    None internal
    """

    def __init__(self, path: Path, n_slots: int, *, max_decode_s: float) -> None:
        self._path, self._max_decode_s = path, max_decode_s
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            was_late = exceeded_limit(path)
            self._notes = path.open("ab")
            self._notes.truncate(min(n_slots, path.stat().st_size))
            os.posix_fallocate(self._notes.fileno(), 0, n_slots)  # a full disk is an error here, not a crash later
            with path.open("r+b") as file:
                self.states = mmap.mmap(file.fileno(), n_slots)
        except OSError as error:
            raise RunFolderError(why_not_written(path, error)) from error
        for slot, state in enumerate(self.states[:]):
            if state & _UNDER_WAY:
                self.states[slot] = (state - _UNDER_WAY + 1) | (_LATE if was_late else 0)
        self._crashed = {slot: state for slot, state in enumerate(self.states[:]) if state}

    def status(self, slot: int) -> str | None:
        """Return the status of a *slot* that must not be decoded again, None for a slot that may be decoded."""
        state = self._crashed.get(slot, 0)
        return "decode_timeout" if state & _LATE else "internal" if state >= MAX_DEATHS else None

    @contextmanager
    def decoding(self, slot: int) -> Iterator[None]:
        """Note that *slot* is under the decoder, until the context closes or the process dies.

        The time limit of the image ends the process at the latest.
        """
        self.states[slot] |= _UNDER_WAY
        try:
            with time_limit(self._max_decode_s, notes=self._notes):
                yield
        finally:
            self.states[slot] &= ~_UNDER_WAY

    def close(self) -> None:
        """Close the file."""
        self.states.close()
        self._notes.close()

    def forget(self) -> None:
        """Close and remove the file, because the shard is committed."""
        self.close()
        self._path.unlink(missing_ok=True)


def exceeded_limit(path: Path) -> bool:
    """Return whether the last process that died at a slot of the file at *path* exceeded its time limit."""
    return path.exists() and _TRACE in path.read_bytes()


def forget_committed(store: Store) -> None:
    """Remove the files of committed shards.

    A process may die between the commit and `DecoderCrashes.forget`. Call this while no shard is under way, which is
    before a run and after it.
    """
    left = [path.name for path in crashes_path(store, "any").parent.glob("*.suspects")]
    for part in generations_of(left, "suspects"):
        if Marker.read(store, *part) is not None:
            crashes_path(store, shard_name(*part)).unlink(missing_ok=True)


def crashes_path(store: Store, name: str) -> Path:
    """Return the path of the notes of shard *name*: next to its events, or local when those are in an object store."""
    if store.local is not None:
        return store.local / "events" / f"{name}.suspects"
    return Path(tempfile.gettempdir()) / f"counterpoint-{key_of(store.url)}" / f"{name}.suspects"
