"""The output of an acquisition: a record for each slot, and a reason for each slot without an image."""

from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import polars as pl
from pydantic import BeforeValidator, Field

from counterpoint.artifacts import key_of
from counterpoint.data.sources.base import REASON, Source
from counterpoint.data.sources.messages import some
from counterpoint.data.sources.paths import existing
from counterpoint.errors import SourceError
from counterpoint.formats.png import rgb_png
from counterpoint.formats.shard_markers import Marker, committed, shard_digests
from counterpoint.formats.shards import REF, SHARD, read_slots, write_shard
from counterpoint.schema import Frame
from counterpoint.settings import Storage
from counterpoint.store import Store

NOT_ACQUIRED = "not_acquired"
PLAN = "plan.json"

_TEXTS = {"raw": "text", "clean": "text_clean"}
# Sizes, hashes and formats are measured again from the stored images.  The other columns may explain predictions.
_OPTIONAL = (
    "label", "url", "host", "similarity", "agreement", "nsfw", "punsafe", "pwatermark", "license", "width_listed",
    "height_listed",
)  # fmt: skip


class AcquiredSource(Source):
    """The slots of an acquisition, in their order, from its output folder.

    A slot without an image leaves at once, with its status as the reason (``http_404``, ``not_image``).  A slot of an
    unfinished shard leaves as ``not_acquired``.  Its label and host stay in the ledger, so that a study can compare
    the losses of the classes.  The images of retries count.

    Parameters
    ----------
    path
        *path* is the output folder of the acquisition, or a URL for fsspec, whose shards are then copied.
    text
        *text* is "clean" (entities resolved, white space folded) or "raw" (as in the list).
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
        """Return a hash of the settings, the plan and the markers of the shards."""
        store, _ = self._store()
        return key_of(self.model_dump(mode="json"), store.read_json(PLAN), shard_digests(committed(store)))

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Write an acquisition of one slot."""
        store, image = Store(folder), rgb_png(np.zeros((16, 16, 3), np.uint8))
        slot = {"slot": 0, "url": "https://example.org/1.png", "text": "a cat", "text_clean": "a cat", "status": "ok"}
        rows, shard = pl.DataFrame([slot], schema=dict(SHARD)).drop("image"), BytesIO()
        write_shard(shard, rows, [image], kept="original")
        body = shard.getvalue()
        marker = Marker(0, 0, sha256(body).hexdigest(), len(body), statuses={"ok": 1})
        with store.writing(marker.file) as file:
            file.write(body)
        marker.write(store)
        store.write_json(PLAN, {"n_shards": 1})
        return cls(path=str(folder))

    def _store(self) -> tuple[Store, int]:
        """Return the store, and the number of shards in its plan."""
        store = Store(self.path, self.storage)
        if store.local:
            existing(store.local, what="folder")
        plan = store.read_json(PLAN)
        if not isinstance(plan, dict) or not isinstance(plan.get("n_shards"), int):
            found = some(store.names(""))
            raise SourceError(f"{self.path} is no output of `counterpoint acquire`: no {PLAN}. Found {found}.")
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
