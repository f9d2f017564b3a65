"""Tables and images that a caller holds in memory, as polars frames of paths and bytes.  Does not decode."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
from PIL import Image, ImageOps

from counterpoint.artifacts import replacing
from counterpoint.errors import SchemaError
from counterpoint.schema import Frame

ALLOWED = "a path, bytes, a PIL image, or an array of uint8 of shape (height, width) or (height, width, 3)"
MADE = pl.Struct({"bytes": pl.Binary, "path": pl.String})
"""A column of paths and bytes together, as Hugging Face writes it."""
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_N_CHANNELS = (1, 3, 4)
_MIXED = (TypeError, pa.ArrowException, pl.exceptions.PolarsError)
"""Exceptions of polars and Arrow for a pandas column with values of several types."""
_NO_VALUE = ("NoneType", "NAType", "NaTType")
"""Types of missing values in Python and in pandas, by name, because pandas is not imported for them."""


def as_frame(table: Any, *, image: str = "image") -> Frame:
    """Return a polars, pandas or Arrow *table* as a polars frame.

    PIL images, arrays and path objects in the column *image* become bytes and texts.  The column is String, Binary, or
    a struct of ``bytes`` and ``path`` where it has both.

    Raises
    ------
    TypeError
        When *table* is no frame.
    SchemaError
        When an image is of an unreadable kind, a column has mixed types, or two columns have one name.

    Examples
    --------
    >>> as_frame(pl.DataFrame({"image": [Path("a.png"), None]}))["image"].to_list()
    ['a.png', None]
    >>> images = pl.Series("image", [Image.new("L", (8, 8)), "a.png"], dtype=pl.Object)
    >>> as_frame(images.to_frame()).schema["image"] == MADE
    True
    """
    try:
        frame = nw.from_native(table, eager_only=True)
        names = frame.columns
    except nw.exceptions.DuplicateError as error:
        raise SchemaError(f"The table in memory has two columns of one name. {_line(error)}") from error
    if image not in names or not _is_of_objects(frame[image]):
        return _as_polars(frame)
    images = _column(image, frame[image].to_list())
    others = [name for name in names if name != image]
    rest: Frame = _as_polars(frame[others]) if others else images.to_frame()
    found: Frame = rest.with_columns(images)[names]
    return found


def _as_polars(frame: Any) -> Frame:
    try:
        made: Frame = frame.to_polars()
    except _MIXED as error:
        name = next((name for name in frame.columns if not _is_readable(frame[[name]])), "?")
        raise SchemaError(f"Column {name!r} of the table in memory has mixed types: {_line(error)}.") from error
    return made


def _is_readable(frame: Any) -> bool:
    try:
        frame.to_polars()
    except _MIXED:
        return False
    return True


def _line(error: Exception) -> str:
    return " ".join(" ".join(map(str, error.args)).split()).removesuffix(".")


def _is_of_objects(column: Any) -> bool:
    """Return whether each value must be read in Python.

    pandas stores texts as objects too, and Arrow stores no arrays.
    """
    native = str(getattr(column.to_native(), "dtype", ""))
    return native.lower() == "object" or isinstance(column.dtype, nw.Object | nw.List | nw.Array)


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    made = [_stored(value, row) for row, value in enumerate(values)]
    kinds = {type(value) for value in made if value is not None}
    if kinds == {str, bytes}:
        return pl.Series(name, [_struct(value) for value in made], dtype=MADE)
    return pl.Series(name, made, dtype=pl.Binary if kinds == {bytes} else pl.String)


def _struct(value: str | bytes | None) -> dict[str, Any]:
    return {"bytes": value if isinstance(value, bytes) else None, "path": value if isinstance(value, str) else None}


def _stored(value: Any, row: int) -> str | bytes | None:
    """Return an image in a form that can be kept: its path or its bytes."""
    match value:
        case bytearray() | memoryview():
            return bytes(value)
        case os.PathLike():
            return os.fsdecode(value)
        case Image.Image():
            return _png(value)
        case np.ndarray() | list():
            return _png(_image_of(value, row))
        case Mapping() if value.keys() & {"bytes", "path"}:
            return _stored(value.get("path") if value.get("bytes") is None else value["bytes"], row)
    return _plain(value, row)


def _plain(value: Any, row: int) -> str | bytes | None:
    is_nan = isinstance(value, float | np.floating) and np.isnan(value)
    if is_nan or type(value).__name__ in _NO_VALUE:
        return None
    if isinstance(value, str | bytes):
        return value
    raise _wrong(row, f"of type {type(value).__name__}")


def _image_of(value: Any, row: int) -> Image.Image:
    try:
        pixels = np.asarray(value)
    except ValueError:  # lists of different lengths
        raise _wrong(row, "a ragged list") from None
    if (
        isinstance(value, list)
        and pixels.dtype.kind in "iu"
        and pixels.size
        and 0 <= pixels.min() <= pixels.max() < 256
    ):
        pixels = pixels.astype(np.uint8)
    is_of_channels = pixels.ndim == 3 and pixels.shape[2] in _N_CHANNELS
    if pixels.dtype != np.uint8 or not pixels.size or not (pixels.ndim == 2 or is_of_channels):
        found = "a list" if pixels.dtype.kind in "UO" else f"an array of {pixels.dtype}, shape {pixels.shape}"
        raise _wrong(row, found)
    return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)


def _wrong(row: int, got: str) -> SchemaError:
    return SchemaError(f"The image of row {row} is {got}; allowed: {ALLOWED}.")


def _png(image: Image.Image) -> bytes:
    """Return an image as a PNG, rotated by its EXIF, like an image that is read from its file."""
    file = BytesIO()
    try:
        turned = ImageOps.exif_transpose(image)
        plain = turned if turned.mode in _PNG_MODES else turned.convert("RGB")
        plain.save(file, "PNG", compress_level=1)
    except (OSError, ValueError, SyntaxError):  # cut or closed after it was opened: an unreadable image
        return b""
    return file.getvalue()


def kept_images(images: pl.Series) -> pl.Series:
    """Return references to *images*, a column of `as_frame`.

    Bytes are kept in a folder that is removed with the process.  Equal bytes are one file.

    Raises
    ------
    SchemaError
        When the column holds no images.

    Examples
    --------
    >>> a, b, c = kept_images(pl.Series("image", [b"first", b"second", b"first"]))
    >>> Path(b).read_bytes(), a == c, is_kept(a), is_kept("a.png")
    (b'second', True, True, False)
    """
    kind = images.dtype
    if kind in (pl.String, pl.Null, pl.Categorical, pl.Enum):
        return images.cast(pl.String)
    if kind == pl.Binary:
        return pl.Series(images.name, [_kept(data) for data in images], dtype=pl.String)
    names = [field.name for field in kind.fields] if isinstance(kind, pl.Struct) else []
    if not set(names) & {"bytes", "path"}:
        raise SchemaError(f"X should hold in {images.name} paths, bytes, PIL images or arrays, but it is {kind}.")
    values = (_stored(value, row) for row, value in enumerate(images))
    refs = [_kept(value) if isinstance(value, bytes) else value for value in values]
    return pl.Series(images.name, refs, dtype=pl.String)


def is_kept(ref: str) -> bool:
    """Return whether *ref* is the reference of an image that was in memory."""
    return Path(ref).parent == Path(folder_of_process())


def _kept(data: bytes | None) -> str | None:
    if data is None:
        return None
    path = Path(folder_of_process(), sha256(data).hexdigest())
    if not path.exists():
        with replacing(path) as draft:
            draft.write_bytes(data)
    return str(path)


@cache
def folder_of_process() -> str:
    """Return a folder that is removed when the process ends.

    >>> Path(folder_of_process()).is_dir()
    True
    """
    folder = tempfile.mkdtemp(prefix="counterpoint-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
