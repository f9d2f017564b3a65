"""Images of one size for models to read, from a memory-mapped store or decoded on the spot.

A store is two files: ``pixels-gray-64-keep.npy`` with one slot an image, and an index, ``….parquet``, with the
reference and the checksum of each slot.  The index is written last; pixels without an index that fits them are no
store.  A slot whose bytes have changed since is decoded again.
"""

import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import polars as pl

from counterpoint.artifacts import replacing, write_parquet
from counterpoint.errors import ImageError, RunFolderError, first_line
from counterpoint.features.bilinear import Resize, bilinear_square, whole
from counterpoint.features.chunks import OnCount, over_chunks, ignore_count
from counterpoint.features.decode import MAX_DECODE_S, Mode, Pixels8, decode
from counterpoint.features.resize import ANY, Aspect, square
from counterpoint.files import open_regular, read_parquet
from counterpoint.formats.images import ImageReader
from counterpoint.schema import Frame

_COPIED_BYTES = 16 << 20

Written = tuple[bool, int]
"""Of a slot that was written: whether its image is missing, and the checksum of its bytes."""


class Shape(NamedTuple):
    """What every image of a store is made to."""

    side_px: int
    mode: Mode
    aspect: Aspect
    resampling: Resize = "area"

    @property
    def slot(self) -> tuple[int, int, int]:
        """The shape of one image: (channels, side, side)."""
        return (1 if self.mode == "gray" else 3), self.side_px, self.side_px

    def path(self, cache: Path) -> Path:
        """Return where the pixels of this shape are kept in *cache*."""
        made = "" if self.resampling == "area" else f"-{self.resampling}"
        return cache / f"pixels-{self.mode}-{self.side_px}-{self.aspect}{made}.npy"


class Pixels:
    """Images in the order of their references: ``pixels[rows]`` is uint8 of shape (n, channels, side, side).

    *is_missing* marks the rows without a readable image; their pixels are zeros.  Only the rows asked for are
    read, so a store may be larger than memory; each slot is compared with its checksum when it is read first.
    """

    def __init__(self, store: "_Store", slots: np.ndarray[Any, np.dtype[np.int64]], is_missing: Any) -> None:
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


def load(
    refs: Sequence[str | None],
    *,
    side_px: int,
    mode: Mode,
    aspect: Aspect = "keep",
    resampling: Resize = "area",
    cache: Path | None = None,
) -> Pixels:
    """Return the images that *refs* stand for, each made a square of *side_px*.

    Parameters
    ----------
    refs
        *refs* are image references; a null, or one that cannot be read, gives zeros and is marked missing.
    side_px
        *side_px* is the side of the square.
    mode
        *mode* is "gray" or "rgb".
    aspect
        *aspect* is "keep" (the image in the middle, white around it) or "squash".
    resampling
        *resampling* is "area" (averaged) or "bilinear" (as OpenCV's ``resize`` does it: without averaging).
    cache
        *cache* is a folder in which `build` may have left a store; it is used when it holds all of *refs*.

    Examples
    --------
    >>> pixels = load([None, "/nowhere.jpg"], side_px=8, mode="rgb")
    >>> pixels[[1, 0]].shape, pixels.is_missing.tolist()
    ((2, 3, 8, 8), [True, True])
    """
    shape = Shape(side_px, mode, aspect, resampling)
    store = (_opened(shape, cache) if cache else None) or _blank(shape)
    if store.lacking(refs):
        store = _decoded(_blank(shape).lacking(refs), shape)
    return store.pixels(refs)


def build(
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
    """Make sure that the store in *cache* holds all of *refs*; what it lacks is decoded, on *workers* processes.

    *on_count* receives the number of finished images and the number of all.  An image that takes longer than *max_decode_s* is marked
    missing.  A store that lacks some is replaced by one that holds more, whole or not at all.

    Raises
    ------
    RunFolderError
        When *cache* cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     build(["/nowhere.jpg"], side_px=8, mode="gray", cache=Path(folder))
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['pixels-gray-8-keep.npy', 'pixels-gray-8-keep.parquet']
    """
    shape = Shape(side_px, mode, aspect, resampling)
    old = _opened(shape, cache) or _blank(shape)
    new = old.lacking(refs)
    if not new:
        return
    path = shape.path(cache.absolute())  # workers that outlive a change of the working folder write there
    with replacing(path) as draft:
        first_byte = _copy(old, draft, n_slots=len(old.index) + len(new))
        write = partial(_write, draft=draft, first_byte=first_byte, shape=shape)
        is_missing = over_chunks(new, write, workers=workers, max_decode_s=max_decode_s, on_count=on_count)
        index = pl.concat([old.index, _index(new, is_missing)])
        with draft.open("ab") as file:
            file.write(_seal(index))
    write_parquet(path.with_suffix(".parquet"), index)


@dataclass
class _Store:
    """Pixels, and an index with a row a slot: the reference, its checksum, and whether it is missing.

    Slot 0 is that of a null.
    """

    shape: Shape
    index: Frame
    slots: Pixels8

    def __post_init__(self) -> None:
        self._sums = self.index["checksum"].to_numpy()
        self._is_true = np.zeros(len(self.index), dtype=bool)

    def read(self, slots: np.ndarray[Any, np.dtype[np.int64]]) -> Pixels8:
        """Return the pixels of *slots*; of those that are not what was written, what their references give now."""
        pixels = np.array(self.slots[slots])
        for place in np.flatnonzero(~self._is_true[slots]):
            slot = int(slots[place])
            self._is_true[slot] = crc32(pixels[place]) == self._sums[slot]
            if not self._is_true[slot]:
                pixels[place] = self._decoded_again(slot)
        return pixels

    def _decoded_again(self, slot: int) -> Pixels8:
        ref = self.index["image"][slot]
        with ImageReader() as reader:
            image = None if ref is None else _image(ref, reader, self.shape)
        if (image is None) != self.index["is_missing"][slot]:
            raise RunFolderError(f"The stored pixels of {ref} are damaged, and it cannot be read: run the study again.")
        return np.zeros(self.shape.slot, dtype=np.uint8) if image is None else image

    def lacking(self, refs: Sequence[str | None]) -> list[str]:
        """Return the references that have no slot, each once."""
        asked = _refs(refs).unique(maintain_order=True)
        lacking = asked.join(self.index, on="image", how="anti", nulls_equal=True, maintain_order="left")
        return lacking["image"].to_list()

    def pixels(self, refs: Sequence[str | None]) -> Pixels:
        places = self.index.with_row_index("slot")
        found = _refs(refs).join(places, on="image", how="left", nulls_equal=True, maintain_order="left")
        return Pixels(self, found["slot"].cast(pl.Int64).to_numpy(), found["is_missing"].to_numpy())


def _refs(refs: Sequence[str | None]) -> Frame:
    return pl.DataFrame({"image": refs}, schema={"image": pl.String})


def _index(refs: Sequence[str | None], written: Sequence[Written]) -> Frame:
    """Return the index of slots: *written* are whether each is missing, and the checksum of its bytes."""
    columns = pl.DataFrame(list(written), schema={"is_missing": pl.Boolean, "checksum": pl.UInt32}, orient="row")
    return _refs(refs).hstack(columns)


def _blank(shape: Shape) -> _Store:
    nothing = np.zeros((1, *shape.slot), dtype=np.uint8)
    return _Store(shape, _index([None], [(True, crc32(nothing.tobytes()))]), nothing)


def _decoded(refs: Sequence[str], shape: Shape) -> _Store:
    with tempfile.NamedTemporaryFile() as file:
        write = partial(_write, draft=Path(file.name), first_byte=math.prod(shape.slot), shape=shape)
        written = over_chunks(refs, write, workers=1)
        file.truncate((1 + len(refs)) * math.prod(shape.slot))  # slot 0 stays zeros
        slots = np.fromfile(file.name, dtype=np.uint8).reshape(-1, *shape.slot)
    return _Store(shape, pl.concat([_blank(shape).index, _index(refs, written)]), slots)


def _opened(shape: Shape, cache: Path) -> _Store | None:
    path = shape.path(cache)
    try:
        index = read_parquet(path.with_suffix(".parquet"))
        header, seal = _header(len(index), shape), _seal(index)
        n_bytes = len(header) + len(index) * math.prod(shape.slot)
        with open_regular(path) as file:
            starts_so = file.read(len(header)) == header
            file.seek(n_bytes)
            if not starts_so or file.read() != seal:
                return None
            slots = np.memmap(file, np.uint8, "r", offset=len(header), shape=(len(index), *shape.slot))
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None
    return _Store(shape, index, slots)


def _seal(index: Frame) -> bytes:
    """Return what ends the file of pixels: a digest of its index, so that the two of different builds never meet."""
    refs = "\0".join(index["image"].fill_null(""))
    columns = (index["is_missing"], index["checksum"])
    return sha256(refs.encode() + b"".join(column.to_numpy().tobytes() for column in columns)).digest()


def _header(n_slots: int, shape: Shape) -> bytes:
    header = BytesIO()
    np.lib.format.write_array_header_2_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (n_slots, *shape.slot)}
    )
    return header.getvalue()


def _copy(old: _Store, draft: Path, *, n_slots: int) -> int:
    """Write the header of a store of *n_slots* and the slots of *old*; return where the next slot begins."""
    n_copied = max(1, _COPIED_BYTES // old.slots[0].nbytes)
    with draft.open("wb") as file:
        file.write(_header(n_slots, old.shape))
        for start in range(0, len(old.slots), n_copied):
            file.write(old.slots[start : start + n_copied].tobytes())
        return file.tell()


def _write(
    start: int, refs: Iterable[str | None], reader: ImageReader, *, draft: Path, first_byte: int, shape: Shape
) -> list[Written]:
    """Write the images of *refs* from slot *start* on; return whether each is missing, and its checksum."""
    n_bytes = math.prod(shape.slot)
    written = []
    with draft.open("r+b") as file:  # not a memory map: with that a full disk would kill the process
        file.seek(first_byte + start * n_bytes)
        for ref in refs:
            image = None if ref is None else _image(ref, reader, shape)
            data = bytes(n_bytes) if image is None else image.tobytes()
            file.write(data)
            written.append((image is None, crc32(data)))
    return written


def _image(ref: str, reader: ImageReader, shape: Shape) -> Pixels8 | None:
    try:
        pixels = _squared(reader.read(ref), shape)
    except ImageError:
        return None
    return pixels.transpose(2, 0, 1)


def why_unreadable(ref: str) -> str:
    """Return in one line why an image cannot be read; "" when it can.

    >>> why_unreadable("/nowhere.jpg")
    'No such file or directory'
    """
    try:
        with ImageReader() as reader:
            decode(reader.read(ref), limits=ANY, mode="gray")
    except ImageError as error:
        cause = error.__cause__ if error.reason == "missing_file" else None
        return first_line(cause or error)
    return ""


def _squared(data: bytes, shape: Shape) -> Pixels8:
    if shape.resampling == "bilinear":
        return bilinear_square(whole(data, shape.mode), shape.side_px, shape.aspect)
    pixels = decode(data, limits=ANY, mode=shape.mode, min_side_px=2 * shape.side_px)
    return square(pixels, shape.side_px, shape.aspect)
