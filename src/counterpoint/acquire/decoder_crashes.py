"""Which slots were being decoded when a process died: one that hung, or was there twice, is not decoded once more.

One byte a slot, in a file that is mapped into memory: noting costs nothing, and what a process wrote outlives its
death.  A process that its time limit ends writes to the file's end where it was (``engines.time_limit``).
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
from counterpoint.formats.shards import Marker, parts_of, shard_name
from counterpoint.store import Store

MAX_DEATHS = 2
"""How often a slot may be under the decoder when its process dies; the process may have died of something else."""
_UNDER_WAY, _LATE = 0x80, 0x40
"""What a slot's byte holds beside the number of deaths."""
_TRACE = b"hread 0x"
"""What each trace of a thread begins with."""


class DecoderCrashes:
    """The slots, of *n_slots*, at which a process died.

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
            was_late = is_late(path)
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
        """Return how *slot* ends without being decoded again: it hung, or a process died at it twice; None: it may."""
        state = self._crashed.get(slot, 0)
        return "decode_timeout" if state & _LATE else "internal" if state >= MAX_DEATHS else None

    @contextmanager
    def decoding(self, slot: int) -> Iterator[None]:
        """Note that *slot* is being decoded, until this ends, or the process dies, at the latest by its time limit."""
        self.states[slot] |= _UNDER_WAY
        try:
            with time_limit(self._max_decode_s, notes=self._notes):
                yield
        finally:
            self.states[slot] &= ~_UNDER_WAY

    def close(self) -> None:
        """Let go of the file."""
        self.states.close()
        self._notes.close()

    def forget(self) -> None:
        """Remove the file: the shard is committed."""
        self.close()
        self._path.unlink(missing_ok=True)


def is_late(path: Path) -> bool:
    """Say whether the last process that died at the slots of the file at *path* was over its time limit."""
    return path.exists() and _TRACE in path.read_bytes()


def forget_committed(store: Store) -> None:
    """Remove the files of shards that are committed: a process may have died between the commit and `DecoderCrashes.forget`.

    To be called when no shard is under way.
    """
    left = [path.name for path in crashes_path(store, "any").parent.glob("*.suspects")]
    for part in parts_of(left, "suspects"):
        if Marker.read(store, *part) is not None:
            crashes_path(store, shard_name(*part)).unlink(missing_ok=True)


def crashes_path(store: Store, name: str) -> Path:
    """Return where the crashes of shard *name* are: beside its events, or here when those are in an object store."""
    if store.local is not None:
        return store.local / "events" / f"{name}.suspects"
    return Path(tempfile.gettempdir()) / f"counterpoint-{key_of(store.url)}" / f"{name}.suspects"
