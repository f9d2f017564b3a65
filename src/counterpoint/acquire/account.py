"""The account of an acquisition: the number of rows of the plan with each status. Reads markers, writes nothing.

At any moment, the counts and the waiting rows add up to the rows of the plan. The waiting rows are those without a
committed shard. A retry removes as many statuses as it adds.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, field

from counterpoint.acquire.event_log import age_s, newest
from counterpoint.acquire.lease import read_lease
from counterpoint.acquire.plan import Plan
from counterpoint.acquire.statuses import BLOCKED, NEVER_SENT, OK, RETRYABLE
from counterpoint.formats.shard_markers import Marker, Part, generations_of, shard_name
from counterpoint.store import Store

FRESH_S = 30.0
"""A shard without a log entry for longer than this is not under way."""
N_WORST = 10
N_READERS = 32


@dataclass(frozen=True)
class Pace:
    """The speed of the newest run, now or at its end: over the last half minute, and since its start."""

    rows_per_s: float = 0.0
    mb_per_s: float = 0.0
    rows_per_s_overall: float = 0.0
    mb_per_s_overall: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True)
class Account:
    """The number of rows of a plan with each status, and the number that wait.

    Examples
    --------
    >>> account = Account(n_rows=10, statuses={"ok": 6, "http_404": 2})
    >>> account.waiting, account.success_share
    (2, 0.75)
    """

    n_rows: int
    statuses: Mapping[str, int]
    """Rows of committed shards by status, the most frequent first. A retried row counts with its newest status."""
    in_flight: int = 0
    """Rows that ended in shards that are not committed yet. They are also among the waiting or the retried rows."""
    n_bytes: int = 0
    """Bytes of the images' bodies, committed or in flight."""
    generations: Mapping[int, int] = field(default_factory=dict)
    """Committed shards of each generation. Generation 0 is the first run, and each retry adds one."""
    worst_hosts: Mapping[str, int] = field(default_factory=dict)
    """Hosts with most failures. Each shard's marker names its own worst hosts."""
    pace: Pace = Pace()
    is_running: bool = False

    @property
    def done(self) -> int:
        """The number of rows of committed shards."""
        return sum(self.statuses.values())

    @property
    def waiting(self) -> int:
        """The number of rows without a committed shard."""
        return self.n_rows - self.done

    @property
    def ok(self) -> int:
        """The number of rows whose image is stored."""
        return self.statuses.get(OK, 0)

    @property
    def retryable(self) -> int:
        """The number of rows that `retry` would try again."""
        return _n_of(RETRYABLE, self.statuses)

    @property
    def n_blocked(self) -> int:
        """The number of rows whose address the guard refused."""
        return self.statuses.get(BLOCKED, 0)

    @property
    def is_all_blocked(self) -> bool:
        """Whether the guard refused the address of every ended row with a usable URL."""
        return self.n_blocked > 0 and set(self.statuses) <= NEVER_SENT | {BLOCKED}

    @property
    def success_share(self) -> float | None:
        """The share of ok among the rows that ended, None before the first."""
        return self.ok / self.done if self.done else None


@dataclass
class ShardTotals:
    """Totals of the shards of one generation."""

    n_shards: int = 0
    n_rows: int = 0
    n_bytes: int = 0


class AccountReader:
    """Reads the account of a plan repeatedly, and each marker once.

    It belongs to one thread at a time. Markers never change, and only their sums are stored. Tens of thousands of
    shards therefore need little memory.

    Parameters
    ----------
    store
        *store* is the output folder.
    n_rows
        *n_rows* is the number of rows of the plan.
    retryable
        *retryable* are the statuses that a retry tries again.
    """

    def __init__(self, store: Store, n_rows: int, *, retryable: Collection[str] = RETRYABLE) -> None:
        self._store, self._n_rows, self._tried_again = store, n_rows, retryable
        self._parts: set[Part] = set()
        self._statuses: Counter[str] = Counter()
        self._failing_hosts: Counter[str] = Counter()
        self._retryable: Counter[int] = Counter()
        self._committed: defaultdict[int, ShardTotals] = defaultdict(ShardTotals)
        self._in_flight: dict[Part, ShardTotals] = {}

    def read(self) -> Account:
        """Return the present account."""
        self.read_markers()
        # Logs after markers: a shard that is committed in between still counts as waiting.
        self._read_logs()
        lease = read_lease(self._store)
        return Account(
            n_rows=self._n_rows,
            statuses={status: n for status, n in self._statuses.most_common() if n},
            in_flight=sum(shard.n_rows for shard in self._in_flight.values()),
            n_bytes=sum(ended.n_bytes for ended in (*self._committed.values(), *self._in_flight.values())),
            generations={generation: ended.n_shards for generation, ended in sorted(self._committed.items())},
            worst_hosts=dict(self._failing_hosts.most_common(N_WORST)),
            pace=Pace(**lease.pace) if lease else Pace(),
            is_running=lease is not None and lease.is_alive(),
        )

    def totals(self, generation: int) -> ShardTotals:
        """Return the totals of *generation* at the last read, with its shards in flight."""
        parts = [
            self._committed.get(generation, ShardTotals()),
            *(ended for part, ended in self._in_flight.items() if part[1] == generation),
        ]
        return ShardTotals(*(sum(column) for column in zip(*map(astuple, parts), strict=True)))

    def to_run(self, n_shards: int) -> list[int]:
        """Return the numbers of the *n_shards* shards that were not committed at the last read."""
        return [shard for shard in range(n_shards) if (shard, 0) not in self._parts]

    def to_retry(self) -> tuple[int, dict[int, int]]:
        """Return the next generation, and the number of slots to try again in each of its shards.

        An interrupted generation exists for some shards and is missing for others. It is finished before another
        begins.
        """
        newest_of = dict(sorted(self._parts))
        last = max(newest_of.values(), default=0)
        left = {shard: self._retryable[shard] for shard in newest_of if self._retryable[shard]}
        interrupted = {shard: n for shard, n in left.items() if newest_of[shard] < last}
        return (last, interrupted) if interrupted else (last + 1, left)

    def read_markers(self) -> None:
        """Read the markers that were written since the last read."""
        new = sorted(generations_of(self._store.names("shards"), "json") - self._parts)
        n_readers = 1 if self._store.local or not new else N_READERS  # each read from an object store is a wait
        with ThreadPoolExecutor(n_readers) as readers:
            for marker in readers.map(lambda part: Marker.read(self._store, *part), new):
                if marker is not None:
                    self._add(marker)

    def _add(self, marker: Marker) -> None:
        self._parts.add((marker.shard, marker.generation))
        self._statuses.update(marker.statuses)
        self._statuses.subtract(marker.replaces)
        self._failing_hosts.update(marker.failing_hosts)
        self._retryable[marker.shard] += self._n_again(marker.statuses) - self._n_again(marker.replaces)
        ended = self._committed[marker.generation]
        ended.n_shards += 1
        ended.n_rows += sum(marker.statuses.values())
        ended.n_bytes += marker.body_bytes

    def _n_again(self, statuses: Mapping[str, int]) -> int:
        return _n_of(self._tried_again, statuses)

    def _read_logs(self) -> None:
        self._in_flight = {}
        for part in generations_of(self._store.names("events"), "jsonl") - self._parts:
            event = newest(self._store, f"events/{shard_name(*part)}.jsonl", "progress")
            if event is not None and age_s(event["time"]) < FRESH_S:
                self._in_flight[part] = ShardTotals(0, event["rows"], event["bytes"])


def read_account(store: Store) -> Account:
    """Return the account of the acquisition in the folder of *store*.

    Raises
    ------
    RunFolderError
        When there is no plan.
    """
    return AccountReader(store, Plan.read(store).n_rows).read()


def _n_of(wanted: Collection[str], statuses: Mapping[str, int]) -> int:
    return sum(n for status, n in statuses.items() if status in wanted)
