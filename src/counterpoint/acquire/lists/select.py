"""The selection of rows to fetch, in order, and the count of each rule's removals. Chunking changes neither.

Threads read the parts and filter their rows, each row alone (`acquire.lists.row_rules`). Rules that compare rows
follow, in order: repeated URLs, then the caps of the classes.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from counterpoint.acquire.lists.caps import FirstRows, RankSampler, SampledRows
from counterpoint.acquire.lists.deduplication import Deduplicator
from counterpoint.acquire.lists.row_rules import RULES, RowRules, listed
from counterpoint.acquire.lists.url_list import PART_ROWS, ListPart, UrlList
from counterpoint.config.acquire import Select
from counterpoint.errors import SourceError
from counterpoint.schema import Frame

T = TypeVar("T")

MAX_THREADS = 8
"""Each thread holds one part."""


@dataclass(frozen=True)
class _FilteredPart:
    """A part of the list after the row rules. *rows* are the passed rows in the form of a plan, or none."""

    failed: Counter[str]
    n_passed: int
    rows: Frame


class Selection:
    """The rows of *urls* that pass *rules*.

    Parameters
    ----------
    urls
        *urls* is the list.
    rules
        *rules* is the section ``select``.
    part_rows
        *part_rows* is the number of rows that are processed together. It changes only the memory use.

    Attributes
    ----------
    n_read
        Rows read so far. This and the other counts are complete when `frames` has ended.
    n_selected
        Rows selected so far.
    removed
        Rows that failed each rule first. Together with the selected rows they are all rows read.
    not_applied
        Rules that are set, but whose column is missing in the list.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from counterpoint.config.acquire import Input
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.parquet")
    ...     pl.DataFrame({"URL": ["http://a.org/1", "http://a.org/1"], "TEXT": ["a", "b"]}).write_parquet(path)
    ...     selection = Selection(UrlList(Input(path=[str(path)])), Select())
    ...     [frame["id"].to_list() for frame in selection.frames()], selection.removed
    ([['0']], {'duplicate_url': 1})
    """

    def __init__(self, urls: UrlList, rules: Select, *, part_rows: int = PART_ROWS) -> None:
        self._urls, self._rules, self._part_rows = urls, RowRules(rules, urls.roles), part_rows
        self.not_applied = self._rules.not_applied
        self._start()

    def _start(self) -> None:
        self.n_read, self.n_selected = 0, 0
        self._failed: Counter[str] = Counter()

    @property
    def removed(self) -> dict[str, int]:
        """The number of rows that failed each rule first, in the order of the rules."""
        return {rule: self._failed[rule] for rule in RULES if self._failed[rule]}

    def frames(self) -> Iterator[Frame]:
        """Yield the selected rows of each part, if any, in order. They have the columns of `LISTED` except the slot.

        Raises
        ------
        SourceError
            When the list has no rows, or its only file is damaged.
        """
        caps = self._caps()
        self._start()
        for rows in self._unique(caps):
            stays = rows if caps is None else rows.filter(caps.stays(rows))
            self._failed["over_cap"] += rows.height - stays.height
            self.n_selected += stays.height
            yield stays.drop("row")
        if not self.n_read:
            raise SourceError(f"The list has no rows: {', '.join(self._urls.source.path)}.")

    def _caps(self) -> FirstRows | SampledRows | None:
        select = self._rules.select
        if select.caps is None or select.sample == "first":
            return None if select.caps is None else FirstRows(select.caps)
        ranks = RankSampler(select.caps, select.seed)  # the sample is known only after all rows
        self._start()
        for rows in self._unique(None):
            ranks.add(rows)
        return ranks.sample()

    def _unique(self, caps: FirstRows | SampledRows | None) -> Iterator[Frame]:
        """Yield the rows that pass the row rules and have a new URL."""
        seen = Deduplicator() if self._rules.select.unique_urls else None
        for filtered in self._filtered(caps):
            rows = filtered.rows if seen is None else filtered.rows.filter(pl.Series(seen.first(filtered.rows["url"])))
            # Rows that were not listed because all classes are full exceed the cap.
            self._failed["over_cap" if seen is None else "duplicate_url"] += filtered.n_passed - rows.height
            yield rows

    def _filtered(self, caps: FirstRows | SampledRows | None) -> Iterator[_FilteredPart]:
        def task(part: ListPart) -> Callable[[], _FilteredPart]:
            return lambda: self._filter(part, is_counted=caps is not None and caps.are_full(labels))

        labels = self._labels()
        for part, result in in_order((part, task(part)) for part in self._urls.parts(self._part_rows)):
            try:
                filtered = result()
            except SourceError as error:
                self._urls.give_up(part.path, error)
                filtered = _FilteredPart(Counter(unreadable=part.n_rows), 0, listed(_no_rows()))
            self.n_read += part.n_rows
            self._failed.update(filtered.failed)
            yield filtered

    def _labels(self) -> list[str | None]:
        """Return the labels that rows can have.

        Empty when they are not known, or when later caps need the URLs of all rows.
        """
        select = self._rules.select
        if select.unique_urls:
            return []
        return list(select.keywords.classes) if select.keywords else [None] * ("label" not in self._urls.roles)

    def _filter(self, part: ListPart, *, is_counted: bool) -> _FilteredPart:
        """Return the rows of *part* that pass the row rules.

        Columns that no rule needs are read only for a part with a passed row that will count.
        """
        needs = self._rules.needs | (set() if part.has_all_urls else {"url"})
        frame = part.read(needs).with_columns(pl.int_range(part.n_rows, dtype=pl.Int64).alias("row"))
        passed, failed = self._rules.sift(frame)
        if is_counted or passed.is_empty():
            return _FilteredPart(failed, passed.height, listed(_no_rows()))
        left = set(self._urls.roles) - needs
        others = part.read(left)[passed["row"]] if left else pl.DataFrame()
        whole = passed.with_columns(pl.col("row") + part.start, *others.select(pl.col(*left) if left else []))
        return _FilteredPart(failed, passed.height, listed(whole))


def _no_rows() -> Frame:
    return pl.DataFrame(schema={"row": pl.Int64, "url": pl.String})


def in_order(tasks: Iterable[tuple[ListPart, Callable[[], T]]]) -> Iterator[tuple[ListPart, Callable[[], T]]]:
    """Yield each task's part and its result, in order. Threads work ahead, with at most one task each.

    >>> [result() for _, result in in_order((part, lambda part=part: part * 2) for part in range(3))]
    [0, 2, 4]
    """
    n_threads = min(os.cpu_count() or 1, MAX_THREADS)
    with ThreadPoolExecutor(n_threads, thread_name_prefix="select") as pool:
        ahead: deque[tuple[ListPart, Future[T]]] = deque()
        try:
            for part, task in tasks:
                ahead.append((part, pool.submit(task)))
                if len(ahead) > n_threads:
                    first, future = ahead.popleft()
                    yield first, future.result
            while ahead:
                first, future = ahead.popleft()
                yield first, future.result
        finally:
            for _, future in ahead:
                future.cancel()
