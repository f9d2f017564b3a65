"""Images of every kind that sources meet, and the inputs that tests build from them."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from counterpoint.acquire.shard_writer import ShardWriter
from counterpoint.acquire.transcode import SlotOutcome
from counterpoint.data.sources import Source, open_source
from counterpoint.formats.shard_markers import shard_name
from counterpoint.formats.shards import LISTED
from counterpoint.schema import DROPPED, RECORDS, Frame, check
from counterpoint.store import Store


def encoded(kind: str, *, mode: str = "RGB", n_frames: int = 1) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (12, 12, 3), dtype=np.uint8)
    frames = [Image.fromarray(pixels + step).convert(mode) for step in range(n_frames)]
    body = io.BytesIO()
    frames[0].save(body, kind, **({"save_all": True, "append_images": frames[1:]} if n_frames > 1 else {}))
    return body.getvalue()


GOOD = encoded("PNG")
IMAGES: dict[str, bytes] = {
    "good": GOOD,
    "jpeg": encoded("JPEG"),
    "cmyk": encoded("JPEG", mode="CMYK"),
    "animated": encoded("GIF", mode="P", n_frames=3),
    "truncated": GOOD[: len(GOOD) // 2],
    "corrupted": GOOD[:40] + bytes(20) + GOOD[60:],
    "not_image": b"<html>gone</html>",
    "zero_bytes": b"",
}


def folder_source(path: Path, **own: object) -> Source:
    return open_source({"kind": "folder", "path": path, **own})


def put(path: Path, body: bytes = GOOD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def read(source: Source, work: Path) -> tuple[Frame, Frame]:
    """Return all records and all dropped rows, after the checks that hold for every source."""
    batches = list(source.read(work))
    for records, dropped in batches:
        assert records.height <= 10_000
        check(records, RECORDS, table="Records")
        check(dropped, DROPPED, table="Dropped")
        assert dropped["reason"].null_count() == 0
        assert set(dropped["stage"]) <= {"source"}
        assert records["id"].null_count() == 0
    records, dropped = (pl.concat(frames, how="diagonal") for frames in zip(*batches, strict=True))
    rows = sorted([*records["row"], *dropped["row"]])
    assert rows == list(range(len(rows))), "row partitions the input"
    return records, dropped


def write_tar(path: Path, samples: list[dict[str, bytes]]) -> None:
    with tarfile.open(path, "w") as tar:
        for key, parts in enumerate(samples):
            for extension, body in parts.items():
                member = tarfile.TarInfo(f"{key:04d}.{extension}")
                member.size = len(body)
                tar.addfile(member, io.BytesIO(body))


def sample(*, text: bytes | None = b"a cat", image: bytes | None = GOOD, **fields: object) -> dict[str, bytes]:
    parts = {"png": image, "txt": text, "json": json.dumps(fields).encode() if fields else None}
    return {extension: body for extension, body in parts.items() if body is not None}


def write_acquisition(url: Path | str, ends: list[SlotOutcome | None], *, shard_rows: int = 4, **columns: list) -> None:
    """Write an acquisition with these outcomes of its slots.  A shard whose first outcome is None is not finished."""
    store = Store(url)
    given = {"text": [f"text {slot}" for slot in range(len(ends))]} | columns
    listed = pl.DataFrame(
        [{"slot": slot, "url": f"http://h{slot % 2}/{slot}", "host": f"h{slot % 2}",
          **{name: values[slot] for name, values in given.items()}} for slot in range(len(ends))],
        schema=dict(LISTED),
    )  # fmt: skip
    shards = list(listed.iter_slices(shard_rows))
    for shard, slots in enumerate(shards):
        with store.writing(f"plan/{shard_name(shard)}.parquet") as file:
            slots.write_parquet(file)
        if ends[slots["slot"][0]] is not None:
            write_slots(store, slots, ends, shard=shard)
    labels = listed["label"].drop_nulls().value_counts()
    store.write_json("plan.json", {"n_rows": len(ends), "n_shards": len(shards), "labels": dict(labels.iter_rows())})


def write_slots(store: Store, slots: Frame, ends: list[SlotOutcome], *, shard: int = 0, generation: int = 0) -> None:
    """Write a shard of *slots*, or of some of them again, with the outcomes *ends*."""
    writer = ShardWriter(slots, shard=shard, generation=generation, kept="original")
    for slot in slots["slot"]:
        writer.add(slot, ends[slot])
    writer.commit(store)
