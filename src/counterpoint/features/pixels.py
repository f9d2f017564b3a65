"""Images of one size for models to read, from a memory-mapped store or decoded on the spot.

``features.pixel_store`` describes the two files of a store.  A slot whose bytes have changed is decoded again.
"""

import math
import tempfile
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from counterpoint.artifacts import replacing, write_parquet
from counterpoint.features.bilinear import Resize
from counterpoint.features.chunks import OnCount, ignore_count, over_chunks
from counterpoint.features.decode import MAX_DECODE_S, Mode, Pixels8
from counterpoint.features.pixel_store import (
    PixelStore,
    Slots,
    WrittenSlot,
    blank_store,
    index_of,
    open_store,
    seal_of,
)
from counterpoint.features.resize import Aspect
from counterpoint.features.shaped_images import ImageShape, shaped_image
from counterpoint.formats.images import ImageReader


class Pixels:
    """Images in the order of their references: ``pixels[rows]`` is uint8 of shape (n, channels, side_px, side_px).

    *is_missing* marks the rows without a readable image.  Their pixels are zeros.  Only the requested rows are read,
    so a store may be larger than memory.
    """

    def __init__(self, store: PixelStore, slots: Slots, is_missing: Any) -> None:
        self._store, self._slots = store, slots
        self.is_missing: np.ndarray[Any, np.dtype[np.bool_]] = np.asarray(is_missing, dtype=bool)

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, rows: Any) -> Pixels8:
        return self._store.read(self._slots[rows])

    def take(self, rows: Sequence[int]) -> "Pixels":
        """Return the images of *rows*, in that order, without reading them."""
        chosen = np.asarray(rows, dtype=np.int64)
        return Pixels(self._store, self._slots[chosen], self.is_missing[chosen])


def load_pixels(
    refs: Sequence[str | None],
    *,
    side_px: int,
    mode: Mode,
    aspect: Aspect = "keep",
    resampling: Resize = "area",
    cache: Path | None = None,
) -> Pixels:
    """Return the images of *refs*, each made a square of *side_px*.

    Parameters
    ----------
    refs
        *refs* are image references.  A null, or an unreadable image, gives zeros and is marked missing.
    side_px
        *side_px* is the side of the square.
    mode
        *mode* is "gray" (one channel) or "rgb" (three).
    aspect
        *aspect* is "keep" (the image in the middle, white around it), "squash", or "crop" (the square in its middle).
    resampling
        *resampling* is "area" (averaged) or "bilinear" (as OpenCV's ``resize`` does it: without averaging).
    cache
        *cache* is a folder with a store of `build_pixels`, which is used when it holds all of *refs*.

    Returns
    -------
    Pixels
        One image for each of *refs*, in their order.

    Raises
    ------
    RunFolderError
        When pixels are read whose slot is damaged and whose image cannot be read.

    Examples
    --------
    >>> pixels = load_pixels([None, "/nowhere.jpg"], side_px=8, mode="rgb")
    >>> pixels[[1, 0]].shape, pixels.is_missing.tolist()
    ((2, 3, 8, 8), [True, True])
    """
    shape = ImageShape(side_px, mode, aspect, resampling)
    store = (open_store(shape, cache) if cache else None) or blank_store(shape)
    if store.lacking(refs):
        store = _decoded(blank_store(shape).lacking(refs), shape)
    return Pixels(store, *store.find(refs))


def build_pixels(
    refs: Sequence[str | None],
    *,
    side_px: int,
    mode: Mode,
    aspect: Aspect = "keep",
    resampling: Resize = "area",
    cache: Path,
    workers: int | None = None,
    max_decode_s: float = MAX_DECODE_S,
    on_count: OnCount = ignore_count,
) -> None:
    """Make sure that the store in *cache* holds all of *refs*.  Images that it lacks are decoded.

    A store that lacks some is replaced by one that holds more, whole or not at all.

    Parameters
    ----------
    refs
        *refs* are image references, best in the order of their shards.  Nulls need no slot.
    side_px
        *side_px* is the side of the square.
    mode
        *mode* is "gray" (one channel) or "rgb" (three).
    aspect
        *aspect* is "keep" (the image in the middle, white around it), "squash", or "crop" (the square in its middle).
    resampling
        *resampling* is "area" (averaged) or "bilinear" (as OpenCV's ``resize`` does it: without averaging).
    cache
        *cache* is the folder of the store, which is made if needed.
    workers
        *workers* is the number of processes when there are many images (None: one a core).
    max_decode_s
        *max_decode_s* is the longest time of one image.  An image that takes longer is marked missing.
    on_count
        *on_count* receives the number of finished images and the number of all.

    Raises
    ------
    RunFolderError
        When *cache* cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     build_pixels(["/nowhere.jpg"], side_px=8, mode="gray", cache=Path(folder))
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['pixels-gray-8-keep.npy', 'pixels-gray-8-keep.parquet']
    """
    shape = ImageShape(side_px, mode, aspect, resampling)
    old = open_store(shape, cache) or blank_store(shape)
    new = old.lacking(refs)
    if not new:
        return
    path = shape.path(cache.absolute())  # workers that outlive a change of the working folder write there
    with replacing(path) as draft:
        first_byte = old.copy_to(draft, n_slots=len(old.index) + len(new))
        write = partial(_write, draft=draft, first_byte=first_byte, shape=shape)
        written = over_chunks(new, write, workers=workers, max_decode_s=max_decode_s, on_count=on_count)
        index = pl.concat([old.index, index_of(new, written)])
        with draft.open("ab") as file:
            file.write(seal_of(index))
    write_parquet(path.with_suffix(".parquet"), index)


def _decoded(refs: Sequence[str], shape: ImageShape) -> PixelStore:
    with tempfile.NamedTemporaryFile() as file:
        write = partial(_write, draft=Path(file.name), first_byte=math.prod(shape.slot), shape=shape)
        written = over_chunks(refs, write, workers=1)
        file.truncate((1 + len(refs)) * math.prod(shape.slot))  # slot 0 stays zeros
        slots = np.fromfile(file.name, dtype=np.uint8).reshape(-1, *shape.slot)
    return PixelStore(shape, pl.concat([blank_store(shape).index, index_of(refs, written)]), slots)


def _write(
    start: int, refs: Iterable[str | None], reader: ImageReader, *, draft: Path, first_byte: int, shape: ImageShape
) -> list[WrittenSlot]:
    """Write the images of *refs* from slot *start* on.  Return whether each is missing, and its checksum."""
    n_bytes = math.prod(shape.slot)
    written = []
    with draft.open("r+b") as file:  # not a memory map: with that a full disk would kill the process
        file.seek(first_byte + start * n_bytes)
        for ref in refs:
            image = None if ref is None else shaped_image(ref, reader, shape)
            data = bytes(n_bytes) if image is None else image.tobytes()
            file.write(data)
            written.append((image is None, crc32(data)))
    return written
