"""Stores of vectors are built: in parallel, segment after segment, and with the time that one content takes."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import polars as pl

from counterpoint.artifacts import read_json, remove_abandoned, write_json
from counterpoint.encoders.base import Encoder
from counterpoint.encoders.contents import Contents, contents_of
from counterpoint.encoders.encode import encode
from counterpoint.encoders.encodings import TASK_ROWS, Rows, check_reads, lacking, store_folder
from counterpoint.encoders.given import Given
from counterpoint.encoders.store import Hashes, VectorStore, stored_segments, write_segment
from counterpoint.engines import engine as find_engine
from counterpoint.features.chunks import OnCount, ignore_count
from counterpoint.schema import Frame

LEAST_TASK_ROWS = 64
TIME = "time.json"
"""The file of a store with the seconds that one content took."""
_loaded: dict[str, Encoder] = {}
"""The encoders of this process by their fingerprint, so that weights are loaded once for all tasks."""


def build_encodings(
    pairs: Frame,
    encoder: Encoder,
    modality: str,
    *,
    cache: Path,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
    on_count: OnCount = ignore_count,
) -> None:
    """Make sure that the store in *cache* holds the vectors of *pairs*.  Vectors that it lacks are made.

    Finished segments stay when a build is killed.  Several processes may build at once.

    Parameters
    ----------
    pairs
        *pairs* have the column *modality*.
    encoder
        *encoder* reads the *modality*.  Given vectors need no store.
    modality
        *modality* is "text" or "image".
    cache
        *cache* is the folder of the stores, which is made if needed.
    workers
        *workers* is the number of processes (None: one a core).  Each has one thread.
    engine, address
        *engine* is the name of an engine, and *address* of its cluster.
    on_count
        *on_count* receives the number of encoded rows and the number of all that were lacking.

    Raises
    ------
    ConfigError
        When the encoder does not read the modality, or a package or file that it needs is missing.
    RunFolderError
        When *cache* cannot be written, or the disk is full.
    """
    if isinstance(encoder, Given):
        return
    check_reads(encoder, modality)
    folder = store_folder(cache.absolute(), encoder, modality)
    remove_abandoned(folder)
    contents = contents_of(pairs, modality)
    store = VectorStore(encoder.width, stored_segments(folder, encoder.width))
    rows = lacking(store, contents, also_damaged=True)
    tasks = _tasks(encoder, modality, contents, rows, folder, workers=workers)
    n_done, took_s = 0, list[float]()
    # One task needs no other process, which would import torch first.
    name, where = ("inline", None) if len(tasks) < 2 else (engine, address)
    for _, (n, own_s) in find_engine(name)(tasks, encode_task, workers=workers, threads=1, address=where):
        n_done += n
        took_s.append(own_s / n)
        on_count(n_done, len(rows))
    if took_s:
        write_json(folder / TIME, {"s_a_content": median(took_s)})


def encoding_s(cache: Path, encoder: Encoder, modality: str) -> float | None:
    """Return the seconds that one content took in one process when the store in *cache* was last built.

    It is None where that is not known, and 0 for vectors that are given.  The time to read images is included, and that
    to load the weights is not.

    Parameters
    ----------
    cache
        *cache* is the folder of the stores.
    encoder, modality
        *encoder* reads the *modality*.

    Examples
    --------
    >>> from counterpoint.encoders import open_encoder
    >>> encoding_s(Path("nowhere"), open_encoder("columns:x_"), "text")
    0.0
    """
    if isinstance(encoder, Given):
        return 0.0
    found = read_json(store_folder(cache, encoder, modality) / TIME)
    took_s = found.get("s_a_content") if isinstance(found, dict) else None
    return took_s if isinstance(took_s, float) and 0 <= took_s < float("inf") else None


@dataclass(frozen=True, eq=False)
class EncodingTask:
    """Contents that one process encodes, and writes as one segment."""

    name: str
    encoder: Encoder
    fingerprint: str
    modality: str
    values: pl.Series
    hashes: Hashes
    folder: Path
    n_gpus: int = 0
    after: tuple[str, ...] = field(default=())


def encode_task(task: EncodingTask) -> tuple[int, float]:
    """Write the segment of *task*, and return its number of contents and the seconds that they took."""
    values = task.values.to_list()
    if task.fingerprint not in _loaded:
        _loaded[task.fingerprint] = task.encoder
        encode(task.encoder, task.modality, values[:1], task.hashes[:1])  # loads the weights, which is not timed
    started = time.perf_counter()
    vectors, is_read = encode(_loaded[task.fingerprint], task.modality, values, task.hashes)
    took_s = time.perf_counter() - started
    if is_read.any():
        write_segment(task.folder, task.hashes[is_read], vectors[is_read])
    return len(values), took_s


def _tasks(
    encoder: Encoder, modality: str, contents: Contents, rows: Rows, folder: Path, *, workers: int | None
) -> list[EncodingTask]:
    """Return tasks of similar size, several for each process."""
    size = min(TASK_ROWS[modality], max(LEAST_TASK_ROWS, len(rows) // (4 * (workers or os.cpu_count() or 1))))
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    n_gpus = _n_gpus(encoder)
    return [
        EncodingTask(
            f"{encoder.name}, {modality}s {start}", encoder, encoder.fingerprint, modality,
            contents.values.gather(part), contents.hashes[part], folder, n_gpus,
        )
        for start, part in enumerate(parts)
    ]  # fmt: skip


def _n_gpus(encoder: Encoder) -> int:
    if encoder.device == "cpu":
        return 0
    from counterpoint.devices import device_kind  # noqa: PLC0415 - loads torch

    return int(device_kind(encoder.device) == "cuda")
