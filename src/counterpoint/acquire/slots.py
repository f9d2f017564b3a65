"""Every row of a plan with what came of it, in the order of the slots: of a slot that was tried again, the newest.

Holds one row group of each generation of one shard at a time.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from counterpoint.errors import RunFolderError
from counterpoint.store import Store

WAITING = "waiting"
"""The status of a row whose shard is not there yet."""

_MARKER = re.compile(r"(\d+)(?:\.r(\d+))?\.json")

Row = Mapping[str, Any]
Listener = Callable[[int, int], None]
"""Is told how many of how many rows are done."""


def unheard(done: int, total: int) -> None:
    """Listen to nothing."""


class AcquiredRows:
    """The rows of the plan in *store*; who leaves some of them out counts these in ``left_out``, by status.

    A row has the columns of ``formats.shards.SHARD``, but no image until its shard is there.
    """

    def __init__(self, store: Store, *, listen: Listener = unheard) -> None:
        self._store, self._listen = store, listen
        plan = store.read_json("plan.json")
        if plan is None:
            raise RunFolderError(f"{store.url} holds no plan; `counterpoint acquire plan` or `run` makes one.")
        self.n_rows: int = plan["n_rows"]
        self.is_gray: bool = plan["settings"]["keep"] == "gray-64"
        """Whether an image is 4,096 bare gray pixels."""
        self.left_out: Counter[str] = Counter()

    def fingerprint(self) -> dict[str, Any]:
        """Return what tells one state of the shards from another: the plan and each marker."""
        markers = {name: self._store.read_json(f"shards/{name}") for name in self._names("shards", ".json")}
        return {"plan": self._store.read_json("plan.json"), "markers": markers}

    def labels(self) -> set[str]:
        """Return the labels of the plan."""
        labels: set[str] = set()
        for name in self._names("plan", ".parquet"):
            with self._store.open(f"plan/{name}") as file:
                labels.update(pl.read_parquet(file, columns=["label"])["label"].drop_nulls().unique())
        return labels

    def __iter__(self) -> Iterator[Row]:
        """Yield each row of the plan once."""
        done = 0
        shards = self._generations()
        for name in self._names("plan", ".parquet"):
            for row in self._shard(shards[name]) if name in shards else self._waiting(name):
                yield row
                done += 1
            self._listen(done, self.n_rows)

    def _names(self, folder: str, suffix: str) -> list[str]:
        return [name for name in self._store.names(folder) if name.endswith(suffix)]

    def _generations(self) -> dict[str, dict[int, str]]:
        """Return the files of each shard that has its marker, by generation; the shard by its first file's name."""
        found: dict[str, dict[int, str]] = {}
        for name in self._names("shards", ".json"):
            marker = _MARKER.fullmatch(name)
            if marker:
                generations = found.setdefault(f"{marker[1]}.parquet", {})
                generations[int(marker[2] or 0)] = f"{name.removesuffix('.json')}.parquet"
        return {name: generations for name, generations in found.items() if 0 in generations}

    def _shard(self, generations: Mapping[int, str]) -> Iterator[Row]:
        streams = [self._newest_first(generation, name) for generation, name in generations.items()]
        for _, rows in groupby(merge(*streams, key=lambda each: each[:2]), key=lambda each: each[0]):
            yield next(rows)[2]

    def _newest_first(self, generation: int, name: str) -> Iterator[tuple[int, int, Row]]:
        with self._store.open(f"shards/{name}") as file, pq.ParquetFile(file) as table:
            for group in range(table.num_row_groups):
                for row in pl.DataFrame(table.read_row_group(group)).iter_rows(named=True):
                    yield row["slot"], -generation, row

    def _waiting(self, name: str) -> Iterator[Row]:
        with self._store.open(f"plan/{name}") as file:
            yield from pl.read_parquet(file).with_columns(status=pl.lit(WAITING)).iter_rows(named=True)
