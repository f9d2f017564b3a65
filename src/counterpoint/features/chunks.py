"""Work on many image references in child processes: one child for few references, one a core for many.

An image at which a child hangs is given up after a time limit.  Another child does the other images.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing.connection import wait
from typing import Any, Generic, TypeVar

from counterpoint.engines import MAX_CRASHES, died
from counterpoint.engines.time_limit import time_limit
from counterpoint.features.child import Child, ChildLostError, give_back, note_place, take_child
from counterpoint.features.decode import MAX_DECODE_S
from counterpoint.formats.images import ImageReader

MANY = 2_000
"""The number of references from which starting more processes costs less than it saves."""
CHUNK = 500
POLL_S = 0.5
"""Longest wait without a look at interrupts: polars handles them so that an endless wait never sees one."""

Result = TypeVar("Result")
Work = Callable[[int, Iterable[str | None], ImageReader], list[Result]]
OnCount = Callable[[int, int], None]
"""A callback of progress, which receives the number of finished references and the number of all."""


def ignore_count(done: int, total: int) -> None:
    """Do nothing: the default callback."""


def over_chunks(
    refs: Sequence[str],
    work: Work[Result],
    *,
    workers: int | None,
    max_decode_s: float = MAX_DECODE_S,
    on_count: OnCount = ignore_count,
) -> list[Result]:
    """Return the results of *work* on *refs*, one for each reference, in their order.

    Parameters
    ----------
    refs
        *refs* are image references, best in the order of their shards.
    work
        *work* takes the place of its first reference, references, and a reader.  It must be picklable.  It reads and
        decodes each image when its reference comes.  None comes in place of an image that took too long.
    workers
        *workers* is the number of processes when there are many references (None: one a core).
    max_decode_s
        *max_decode_s* is the longest time of one image.
    on_count
        *on_count* receives, after each chunk, the number of finished references and the number of all.

    Raises
    ------
    CounterpointError
        When a process died three times at the same image, not counting time limits.

    Examples
    --------
    >>> from operator import itemgetter
    >>> over_chunks([], itemgetter(0), workers=1)
    []
    """
    chunks = [_Chunk(start, refs[start : start + CHUNK], work, max_decode_s) for start in range(0, len(refs), CHUNK)]
    done, n_done = dict[int, list[Result]](), 0
    for start, results in _done(chunks, 1 if len(refs) < MANY else workers or os.cpu_count() or 1):
        done[start] = results
        n_done += len(results)
        on_count(n_done, len(refs))
    return [result for chunk in chunks for result in done[chunk.start]]


@dataclass(frozen=True, eq=False)
class _Chunk(Generic[Result]):
    """References for one call of the work.  *late* are the places of references that took too long."""

    start: int
    refs: Sequence[str]
    work: Work[Result]
    max_decode_s: float
    late: frozenset[int] = frozenset()
    crashes: tuple[int, ...] = field(default=())

    def after(self, death: ChildLostError) -> "_Chunk[Result]":
        """Return this chunk for another child, after the *death* of a child."""
        if death.is_late:
            return replace(self, late=self.late | {death.place})
        crashes = (*self.crashes, death.place)
        if crashes.count(death.place) >= MAX_CRASHES:
            raise died(f"the image {self.refs[death.place]}")
        return replace(self, crashes=crashes)


def _done(chunks: Sequence[_Chunk[Result]], n_children: int) -> Iterator[tuple[int, list[Result]]]:
    """Yield the start and the results of each chunk, when it is done."""
    waiting, running, idle = deque(chunks), dict[Any, tuple[Child, _Chunk[Result]]](), list[Child]()
    try:
        while waiting or running:
            while waiting and len(running) < n_children:
                child, chunk = idle.pop() if idle else take_child(), waiting.popleft()
                child.start(_run, chunk)
                running[child.connection] = child, chunk
            for connection in wait(list(running), POLL_S):
                child, chunk = running.pop(connection)
                try:
                    results = child.result()
                except ChildLostError as death:
                    waiting.appendleft(chunk.after(death))
                    continue
                idle.append(child)
                yield chunk.start, results
    finally:
        for child, _ in running.values():
            child.kill()
        for child in idle:
            give_back(child)


def _run(chunk: _Chunk[Result]) -> list[Result]:
    return chunk.work(chunk.start, _in_time(chunk), _reader())


def _in_time(chunk: _Chunk[Result]) -> Iterator[str | None]:
    """Yield the references.  The time of one reference runs until the next is requested."""
    for place, ref in enumerate(chunk.refs):
        if place in chunk.late:
            yield None
            continue
        note_place(place)
        with time_limit(chunk.max_decode_s):
            yield ref


@cache
def _reader() -> ImageReader:
    """Return the reader of this child, kept so that a shard is indexed once for all of its chunks."""
    return ImageReader()
