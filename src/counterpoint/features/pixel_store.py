"""The two files of a pixel store, read and written.  Does not decide which images a store holds.

``pixels-gray-64-keep.npy`` has one slot for each image.  Its index, ``pixels-gray-64-keep.parquet``, has the reference
and the checksum of each slot.  The index is written last: without an index that fits, the pixels are no store.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from counterpoint.errors import RunFolderError
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import ImageShape, shaped_image
from counterpoint.files import open_regular, read_parquet
from counterpoint.formats.images import ImageReader
from counterpoint.schema import Frame

_COPIED_BYTES = 16 << 20

Slots = np.ndarray[Any, np.dtype[np.int64]]
WrittenSlot = tuple[bool, int]
"""Whether the image of a slot is missing, and the checksum of the slot's bytes."""


@dataclass
class PixelStore:
    """Pixels, and an index with one row for each slot: the reference, its checksum, and whether it is missing.

    Slot 0 is the slot of a null reference.  A slot is compared with its checksum when it is read first.
    """

    shape: ImageShape
    index: Frame
    slots: Pixels8

    def __post_init__(self) -> None:
        self._checksums = self.index["checksum"].to_numpy()
        self._is_verified = np.zeros(len(self.index), dtype=bool)

    def read(self, slots: Slots) -> Pixels8:
        """Return the pixels of *slots*.  A damaged slot is decoded again from its reference.

        Raises
        ------
        RunFolderError
            When a slot is damaged and its image cannot be read.
        """
        pixels = np.array(self.slots[slots])
        for place in np.flatnonzero(~self._is_verified[slots]):
            slot = int(slots[place])
            self._is_verified[slot] = crc32(pixels[place]) == self._checksums[slot]
            if not self._is_verified[slot]:
                pixels[place] = self._decoded_again(slot)
        return pixels

    def _decoded_again(self, slot: int) -> Pixels8:
        ref = self.index["image"][slot]
        with ImageReader() as reader:
            image = None if ref is None else shaped_image(ref, reader, self.shape)
        if (image is None) != self.index["is_missing"][slot]:
            raise RunFolderError(f"The stored pixels of {ref} are damaged, and it cannot be read: run the study again.")
        return np.zeros(self.shape.slot, dtype=np.uint8) if image is None else image

    def lacking(self, refs: Sequence[str | None]) -> list[str]:
        """Return the references that have no slot, each once."""
        distinct = _column(refs).unique(maintain_order=True)
        lacking = distinct.join(self.index, on="image", how="anti", nulls_equal=True, maintain_order="left")
        return lacking["image"].to_list()

    def find(self, refs: Sequence[str | None]) -> tuple[Slots, np.ndarray[Any, np.dtype[np.bool_]]]:
        """Return the slot of each reference, and whether its image is missing.  The index must have all of them."""
        places = self.index.with_row_index("slot")
        found = _column(refs).join(places, on="image", how="left", nulls_equal=True, maintain_order="left")
        return found["slot"].cast(pl.Int64).to_numpy(), found["is_missing"].to_numpy()

    def copy_to(self, draft: Path, *, n_slots: int) -> int:
        """Write the header of a store of *n_slots* and the slots of this one.  Return the offset of the next slot."""
        n_copied = max(1, _COPIED_BYTES // self.slots[0].nbytes)
        with draft.open("wb") as file:
            file.write(_header(n_slots, self.shape))
            for start in range(0, len(self.slots), n_copied):
                file.write(self.slots[start : start + n_copied].tobytes())
            return file.tell()


def index_of(refs: Sequence[str | None], written: Sequence[WrittenSlot]) -> Frame:
    """Return the index of the slots that were written for *refs*.

    >>> index_of(["a.png"], [(False, 7)]).row(0)
    ('a.png', False, 7)
    """
    columns = pl.DataFrame(list(written), schema={"is_missing": pl.Boolean, "checksum": pl.UInt32}, orient="row")
    return _column(refs).hstack(columns)


def blank_store(shape: ImageShape) -> PixelStore:
    """Return a store that holds slot 0 only.

    >>> blank_store(ImageShape(8, "gray", "keep")).lacking(["a.png", None])
    ['a.png']
    """
    nothing = np.zeros((1, *shape.slot), dtype=np.uint8)
    return PixelStore(shape, index_of([None], [(True, crc32(nothing.tobytes()))]), nothing)


def open_store(shape: ImageShape, cache: Path) -> PixelStore | None:
    """Return the store of *shape* in the folder *cache*, or None when there is none, or its files do not fit.

    >>> open_store(ImageShape(8, "gray", "keep"), Path("/nowhere"))
    """
    path = shape.path(cache)
    try:
        index = read_parquet(path.with_suffix(".parquet"))
        header, seal = _header(len(index), shape), seal_of(index)
        n_bytes = len(header) + len(index) * math.prod(shape.slot)
        with open_regular(path) as file:
            starts_so = file.read(len(header)) == header
            file.seek(n_bytes)
            if not starts_so or file.read() != seal:
                return None
            slots = np.memmap(file, np.uint8, "r", offset=len(header), shape=(len(index), *shape.slot))
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None
    return PixelStore(shape, index, slots)


def seal_of(index: Frame) -> bytes:
    """Return the last bytes of the file of pixels: a digest of its index, so that files of two builds never match."""
    refs = "\0".join(index["image"].fill_null(""))
    columns = (index["is_missing"], index["checksum"])
    return sha256(refs.encode() + b"".join(column.to_numpy().tobytes() for column in columns)).digest()


def _column(refs: Sequence[str | None]) -> Frame:
    return pl.DataFrame({"image": refs}, schema={"image": pl.String})


def _header(n_slots: int, shape: ImageShape) -> bytes:
    header = BytesIO()
    np.lib.format.write_array_header_2_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (n_slots, *shape.slot)}
    )
    return header.getvalue()
