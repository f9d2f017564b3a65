"""The event log of a shard: one JSON object a line for each event of its acquisition.

Times, attempts and delays of hosts stand here and not in the shard. Shards are therefore byte-identical between runs.
"""

import json
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any

from counterpoint.store import Store

TAIL_BYTES = 16 << 10
"""The part at the end of a log that is searched for its newest event of a kind."""


class EventLog:
    """Events of one shard, kept in memory until they are flushed to its log. Any thread may record.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     log = EventLog(Store(folder), "events/00000.jsonl")
    ...     log.record("begun", rows=10)
    ...     log.flush()
    ...     newest(Store(folder), "events/00000.jsonl", "begun")["rows"]
    10
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._lines: deque[bytes] = deque()
        self._appending = threading.Lock()

    def record(self, event: str, **fields: Any) -> None:
        """Record that *event* happened now."""
        self._lines.append(_line({"time": now(), "event": event, **fields}))

    def flush(self) -> None:
        """Append the recorded events to the log.

        Raises
        ------
        RunFolderError
            When the disk is full or the folder cannot be written.
        """
        with self._appending:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if lines:
                self._store.append(self._name, b"".join(lines))


def _line(event: dict[str, Any]) -> bytes:
    # ASCII only: text from a hostile server must not move the cursor of a terminal that shows the log.
    return json.dumps(event, ensure_ascii=True, default=str).encode() + b"\n"


def now() -> str:
    """Return the time in UTC, in ISO format with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def age_s(time: str) -> float:
    """Return the age of an event's *time* in seconds, infinity when it is no time.

    >>> age_s(now()) < 5, age_s("yesterday")
    (True, inf)
    """
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()
    except (TypeError, ValueError):
        return float("inf")


def newest(store: Store, name: str, event: str) -> dict[str, Any] | None:
    """Return the newest *event* at the end of a log, or None.

    Parameters
    ----------
    store
        *store* is the folder of the acquisition.
    name
        *name* is the path of the log in it. A log that does not exist has no events.
    event
        *event* is the kind of event. A line that breaks off is skipped.
    """
    for line in reversed(_tail(store, name).splitlines()):
        try:
            found: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("event") == event:
            return found
    return None


def _tail(store: Store, name: str) -> bytes:
    try:
        with store.open(name) as log:
            n_bytes = log.seek(0, 2)
            log.seek(max(0, n_bytes - TAIL_BYTES))
            return log.read()
    except FileNotFoundError:
        return b""
