"""The queue between the fetch loop and the decoders: bounded in bytes, and never one that the fetch loop waits for."""

import queue
import threading
from collections.abc import Iterator

from counterpoint.acquire.web.fetch import Answer

MAX_BYTES = 32 << 20
"""Above this, no new transfer starts; those under way may still end."""
MAX_ANSWERS = 8192
"""The same for answers without a body, which cost memory too."""


class Answers:
    """Answers that wait for a decoder.

    Examples
    --------
    >>> answers = Answers()
    >>> answers.put(Answer(0, "ok", 200, bytes(MAX_BYTES)))
    >>> answers.has_room()
    False
    >>> answers.close()
    >>> [answer.slot for answer in answers], answers.has_room()
    ([0], True)
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self._n_bytes = 0

    def put(self, answer: Answer) -> None:
        """Add an answer, at once."""
        self._count(len(answer.body))
        self._queue.put(answer)

    def has_room(self) -> bool:
        """Say whether the fetch loop may start another transfer."""
        return self._n_bytes < MAX_BYTES and self._queue.qsize() < MAX_ANSWERS

    def close(self) -> None:
        """Let the decoders end when they have taken what waits."""
        self._queue.put(None)

    def __iter__(self) -> Iterator[Answer]:
        """Yield answers as they come, until closed."""
        while (answer := self._queue.get()) is not None:
            yield answer
            self._count(-len(answer.body))  # only now: what is being decoded is in memory too
        self._queue.put(None)  # for the next decoder

    def _count(self, n_bytes: int) -> None:
        with self._counting:
            self._n_bytes += n_bytes
