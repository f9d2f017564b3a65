"""The queue between the fetch loop and the decoders: bounded in bytes, and the fetch loop never waits for it."""

import queue
import threading
from collections.abc import Iterator

from counterpoint.acquire.web.fetch_result import FetchResult

MAX_BYTES = 32 << 20
"""Above this size no new transfer starts. Transfers under way may still end."""
MAX_RESULTS = 8192
"""The same bound for results without a body, which need memory too."""


class ResultQueue:
    """Results of requests that wait for a decoder.

    Examples
    --------
    >>> results = ResultQueue()
    >>> results.put(FetchResult(0, "ok", 200, bytes(MAX_BYTES)))
    >>> results.has_room()
    False
    >>> results.close()
    >>> [result.slot for result in results], results.has_room()
    ([0], True)
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[FetchResult | None] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self._n_bytes = 0

    def put(self, result: FetchResult) -> None:
        """Add a result without waiting."""
        self._count(len(result.body))
        self._queue.put(result)

    def has_room(self) -> bool:
        """Return whether the fetch loop may start another transfer."""
        return self._n_bytes < MAX_BYTES and self._queue.qsize() < MAX_RESULTS

    def close(self) -> None:
        """Let the decoders end once the queue is empty."""
        self._queue.put(None)

    def __iter__(self) -> Iterator[FetchResult]:
        """Yield results as they arrive, until the queue is closed."""
        while (result := self._queue.get()) is not None:
            yield result
            self._count(-len(result.body))  # only now: a body under the decoder is still in memory
        self._queue.put(None)  # for the next decoder

    def _count(self, n_bytes: int) -> None:
        with self._counting:
            self._n_bytes += n_bytes
