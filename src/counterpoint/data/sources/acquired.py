"""What an acquisition fetched: a record a slot, and of each slot without an image why it has none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import BeforeValidator, Field

from counterpoint.artifacts import key_of
from counterpoint.data.sources.base import REASON, Source, existing, some
from counterpoint.errors import SourceError
from counterpoint.formats.shards import REF, committed, digests, read_slots
from counterpoint.schema import Frame
from counterpoint.settings import Storage
from counterpoint.store import Store

NOT_ACQUIRED = "not_acquired"
PLAN = "plan.json"

_TEXTS = {"raw": "text", "clean": "text_clean"}
# Sizes, hashes and formats are measured anew of what was kept; the rest of the list may explain what models see.
_OPTIONAL = (
    "label", "url", "host", "similarity", "nsfw", "punsafe", "pwatermark", "license", "width_listed", "height_listed",
)  # fmt: skip


class AcquiredSource(Source):
    """The slots of an acquisition, in their order; its output folder is read, and its plan.

    A slot whose image is not there leaves at once, its status the reason (``http_404``, ``not_image``); one whose shard
    is not finished leaves as ``not_acquired``.  Label and host go into the ledger with it: a study sees when one
    class was lost more often than another.  What a retry fetched counts.

    Parameters
    ----------
    path
        *path* is the output folder of the acquisition, or a URL that fsspec reaches; its shards are then copied here.
    text
        *text* is "clean" (entities resolved, white space folded) or "raw", as the list has it.
    storage
        *storage* are options for fsspec.
    """

    kind: Literal["acquired"] = "acquired"
    path: Annotated[str, BeforeValidator(str)]
    text: Literal["raw", "clean"] = "clean"
    storage: Storage = Field(default_factory=dict)

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the slots of each shard."""
        store, n_shards = self._store()
        acquired = committed(store)
        for shard in range(n_shards):
            markers = acquired.get(shard, ())
            yield self._records(read_slots(store, shard, markers, waiting=NOT_ACQUIRED, copies=work))

    def fingerprint(self) -> str:
        """Return a hash of the settings, and of the plan and the shards by their markers."""
        store, _ = self._store()
        return key_of(self.model_dump(mode="json"), store.read_json(PLAN), digests(committed(store)))

    def _store(self) -> tuple[Store, int]:
        """Return the store, and how many shards its plan has."""
        store = Store(self.path, self.storage)
        if store.local:
            existing(store.local, what="folder")
        plan = store.read_json(PLAN)
        if not isinstance(plan, dict) or not isinstance(plan.get("n_shards"), int):
            found = some(store.names(""))
            raise SourceError(f"{self.path} is no output of `counterpoint acquire`: no {PLAN}; found {found}.")
        return store, plan["n_shards"]

    def _records(self, slots: Frame) -> Frame:
        has_image = pl.col(REF).is_not_null()
        columns = {
            "id": pl.coalesce("id", pl.col("slot").cast(pl.String)),
            "text": pl.col(_TEXTS[self.text]),
            "image": pl.col(REF),
            "source": pl.lit(Path(self.path).name),
            **{name: pl.col(name) for name in _OPTIONAL},
            REASON: pl.when(~has_image).then("status"),
        }
        return slots.select(expression.alias(name) for name, expression in columns.items())
