"""Work on many image references: in this process when they are few, on spawned processes when they are many."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from counterpoint.engines import local
from counterpoint.formats.images import ImageReader

MANY = 2_000
"""From so many references on, starting processes costs less than it saves."""
CHUNK = 500

Result = TypeVar("Result")
Work = Callable[[int, Sequence[str], ImageReader], list[Result]]
Listener = Callable[[int, int], None]
"""Is told how many of how many references are done."""


def unheard(done: int, total: int) -> None:
    """Listen to nothing."""


def over_chunks(
    refs: Sequence[str], work: Work[Result], *, workers: int | None, listen: Listener = unheard
) -> list[Result]:
    """Return what *work* makes of *refs*, one result a reference, in their order.

    Parameters
    ----------
    refs
        *refs* are image references, best in the order of their shards.
    work
        *work* takes the place of its first reference, references, and a reader; it must be picklable.
    workers
        *workers* is the number of processes (None: one a core); 1 is this very process.
    listen
        *listen* is told after each chunk how many references are done.

    Examples
    --------
    >>> over_chunks(["a", "b"], lambda start, refs, reader: [start + len(refs)] * 2, workers=1)
    [2, 2]
    """
    chunks = [_Chunk(start, refs[start : start + CHUNK], work) for start in range(0, len(refs), CHUNK)]
    done, n_done = {}, 0
    for chunk, results in (
        _here(chunks) if len(refs) < MANY or workers == 1 else local.run(chunks, _run, workers=workers)
    ):
        done[chunk] = results
        n_done += len(results)
        listen(n_done, len(refs))
    return [result for chunk in chunks for result in done[chunk]]


def _here(chunks: Sequence["_Chunk[Result]"]) -> Iterator[tuple["_Chunk[Result]", list[Result]]]:
    with ImageReader() as reader:
        for chunk in chunks:
            yield chunk, chunk.work(chunk.start, chunk.refs, reader)


@dataclass(frozen=True, eq=False)
class _Chunk(Generic[Result]):
    """A task for an engine."""

    start: int
    refs: Sequence[str]
    work: Work[Result]
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"images from {self.start}"


def _run(chunk: _Chunk[Result]) -> list[Result]:
    return chunk.work(chunk.start, chunk.refs, _reader())


@cache
def _reader() -> ImageReader:
    """Return the reader of this worker process, kept so that the chunks of one shard index it once."""
    return ImageReader()
