"""The account of an acquisition: how each row of the plan ended, or that it waits.  Reads markers, writes nothing.

Its sum is the plan's rows at any moment that a reader may look: the rows that wait are those of no committed shard,
and a retry takes away as many statuses as it adds.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from counterpoint.acquire.events import age_s, newest
from counterpoint.acquire.lease import read_lease
from counterpoint.acquire.statuses import OK, RETRYABLE
from counterpoint.acquire.store import Store
from counterpoint.errors import RunFolderError

FRESH_S = 30.0
"""A shard whose log has been silent for longer is not under way."""
N_WORST = 10

_MARKER = re.compile(r"(\d+)(?:\.r(\d+))?\.json")
_LOG = re.compile(r"(\d+)(?:\.r(\d+))?\.jsonl")

Part = tuple[int, int]
"""A shard and its generation."""


@dataclass(frozen=True)
class Pace:
    """How fast the newest run is, or was at its end: over the last half minute, and since it began."""

    rows_per_s: float = 0.0
    mb_per_s: float = 0.0
    rows_per_s_overall: float = 0.0
    mb_per_s_overall: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True)
class Account:
    """How each row of a plan ended, or that it waits.

    Examples
    --------
    >>> account = Account(n_rows=10, statuses={"ok": 6, "http_404": 2})
    >>> account.waiting, account.success_share
    (2, 0.75)
    """

    n_rows: int
    statuses: Mapping[str, int]
    """Rows of committed shards by status, the most frequent first; of a row that was retried, the newest."""
    in_flight: int = 0
    """Rows that ended already, in shards that are not yet committed; they are among those that wait, or are retried."""
    n_bytes: int = 0
    """Bytes of the images' bodies, committed or in flight."""
    generations: Mapping[int, int] = field(default_factory=dict)
    """Committed shards of each generation: 0 is the first, each retry the next."""
    worst_hosts: Mapping[str, int] = field(default_factory=dict)
    """Hosts with most failures, as each shard's marker names its worst."""
    pace: Pace = Pace()
    is_running: bool = False

    @property
    def done(self) -> int:
        """The rows of committed shards."""
        return sum(self.statuses.values())

    @property
    def waiting(self) -> int:
        """The rows of shards that are not committed."""
        return self.n_rows - self.done

    @property
    def ok(self) -> int:
        """The rows whose image is kept."""
        return self.statuses.get(OK, 0)

    @property
    def retryable(self) -> int:
        """The rows that `retry` would try again."""
        return _n_retryable(self.statuses)

    @property
    def success_share(self) -> float | None:
        """The share of ok among the rows that ended, None before the first."""
        return self.ok / self.done if self.done else None


@dataclass(frozen=True)
class Ended:
    """How far the shards of one generation are, those under way included; what a run's pace is measured by."""

    n_rows: int
    n_bytes: int


class AccountReader:
    """Reads the account of the folder of *store* again and again; each marker once, because markers never change."""

    def __init__(self, store: Store, n_rows: int) -> None:
        self._store, self._n_rows = store, n_rows
        self._markers: dict[Part, dict[str, Any]] = {}
        self._progress: dict[Part, dict[str, Any]] = {}

    def read(self) -> Account:
        """Return the account as it is now."""
        self._look()
        lease = read_lease(self._store)
        return Account(
            n_rows=self._n_rows,
            statuses=_statuses(self._markers.values()),
            in_flight=sum(event["rows"] for event in self._progress.values()),
            n_bytes=_total(self._markers.values(), "body_bytes") + _total(self._progress.values(), "bytes"),
            generations=_in_order(Counter(generation for _, generation in self._markers)),
            worst_hosts=dict(_worst(self._markers.values()).most_common(N_WORST)),
            pace=Pace(**lease.pace) if lease else Pace(),
            is_running=lease is not None and lease.is_alive(),
        )

    def committed(self) -> dict[Part, dict[str, Any]]:
        """Return the marker of each committed shard and generation."""
        self._look_for_markers()
        return dict(self._markers)

    def ended(self, generation: int) -> Ended:
        """Return how far *generation* was when last looked at."""
        markers = [marker for (_, of), marker in self._markers.items() if of == generation]
        progress = [event for (_, of), event in self._progress.items() if of == generation]
        n_rows = sum(sum(marker["statuses"].values()) for marker in markers)
        return Ended(n_rows + _total(progress, "rows"), _total(markers, "body_bytes") + _total(progress, "bytes"))

    def _look(self) -> None:
        self._look_for_markers()
        # Logs after markers: a shard that is committed in between is still one that waits.
        logs = _parts(self._store.names("events"), _LOG)
        events = {part: newest(self._store, f"events/{name}", "progress") for part, name in logs.items()
                  if part not in self._markers}  # fmt: skip
        self._progress = {part: event for part, event in events.items() if event and age_s(event["time"]) < FRESH_S}

    def _look_for_markers(self) -> None:
        for part, name in _parts(self._store.names("shards"), _MARKER).items():
            if part not in self._markers:
                marker = self._store.read_json(f"shards/{name}")
                if isinstance(marker, dict) and (marker.get("shard"), marker.get("generation")) == part:
                    self._markers[part] = marker


def read_account(store: Store) -> Account:
    """Return the account of the acquisition in the folder of *store*.

    Raises
    ------
    RunFolderError
        When there is no plan.
    """
    plan = store.read_json("plan.json")
    if plan is None:
        raise RunFolderError(f"{store.url} holds no plan; `counterpoint acquire plan` or `run` makes one.")
    return AccountReader(store, plan["n_rows"]).read()


def to_retry(markers: Mapping[Part, Mapping[str, Any]]) -> tuple[int, dict[int, int]]:
    """Return the generation to make next, and how many slots of which shards are tried again in it.

    A generation that other shards have and these have not was interrupted: it is finished before another is begun.

    >>> first = {"statuses": {"ok": 2, "http_5xx": 3}, "replaces": {}}
    >>> again = {"statuses": {"ok": 1, "http_5xx": 2}, "replaces": {"http_5xx": 3}}
    >>> to_retry({(0, 0): first, (1, 0): first})
    (1, {0: 3, 1: 3})
    >>> to_retry({(0, 0): first, (1, 0): first, (0, 1): again})
    (1, {1: 3})
    """
    newest_of = dict(sorted(markers))
    last = max(newest_of.values(), default=0)
    left: Counter[int] = Counter()
    for (shard, _), marker in markers.items():
        left[shard] += _n_retryable(marker["statuses"]) - _n_retryable(marker["replaces"])
    interrupted = {shard: n for shard, n in left.items() if n and newest_of[shard] < last}
    return (last, interrupted) if interrupted else (last + 1, {shard: n for shard, n in left.items() if n})


def _n_retryable(statuses: Mapping[str, int]) -> int:
    return sum(n for status, n in statuses.items() if status in RETRYABLE)


def _parts(names: Iterable[str], pattern: re.Pattern[str]) -> dict[Part, str]:
    found = ((pattern.fullmatch(name), name) for name in names)
    return {(int(match[1]), int(match[2] or 0)): name for match, name in found if match}


def _statuses(markers: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for marker in markers:
        counts.update(marker["statuses"])
        counts.subtract(marker["replaces"])
    return {status: n for status, n in counts.most_common() if n}


def _worst(markers: Iterable[Mapping[str, Any]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for marker in markers:
        counts.update(marker.get("failing_hosts", {}))
    return counts


def _total(rows: Iterable[Mapping[str, Any]], column: str) -> int:
    return sum(int(row.get(column, 0)) for row in rows)


def _in_order(counts: Counter[int]) -> dict[int, int]:
    return dict(sorted(counts.items()))
