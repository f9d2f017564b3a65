"""The images of one call of a contender: each is decoded once, and one warning counts the unreadable ones."""

import sys
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.encoders.encodings import Encodings
from counterpoint.errors import ImageWarning, SchemaError
from counterpoint.features.in_memory import is_kept
from counterpoint.features.pixels import Pixels, load_pixels
from counterpoint.features.shaped_images import why_unreadable
from counterpoint.schema import Frame

Refs = Sequence[str | None]


class _Call:
    """The images of the pairs of one call, and of its validation rows."""

    def __init__(self, pairs: Frame, validation: Frame | None, *, is_silent: bool = False) -> None:
        self._frames = [pairs] if validation is None else [pairs, validation]
        self._read: dict[Any, Any] = {}
        self._is_accounted = is_silent

    @cached_property
    def images(self) -> Frame:
        """Each image once, after a null: its reference and, where the pairs have it, the hash of its bytes."""
        columns = [frame.select(pl.col("^(image|sha256)$")) for frame in self._frames]
        nothing = pl.DataFrame({"image": [None]}, schema={"image": pl.String})
        return pl.concat([nothing, *columns], how="diagonal").unique("image", keep="first", maintain_order=True)

    @cached_property
    def places(self) -> dict[str | None, int]:
        """The place of each reference in ``images``."""
        return {ref: place for place, ref in enumerate(self.images["image"])}

    def pixels(self, refs: Refs, settings: Mapping[str, Any], cache: Path | None) -> Pixels:
        if not self.places.keys() >= set(refs):
            return load_pixels(refs, **settings, cache=cache)
        shape = (cache, *sorted(settings.items()))
        if shape not in self._read:
            self._read[shape] = load_pixels(list(self.places), **settings, cache=cache)
            self._account_for(self._read[shape].is_missing)
        pixels: Pixels = self._read[shape].take([self.places[ref] for ref in refs])
        return pixels

    def vectors(self, pairs: Frame, key: Hashable, load: Callable[[Frame], Encodings]) -> Encodings:
        refs = pairs["image"].to_list()
        if not self.places.keys() >= set(refs):
            return load(pairs)
        if key not in self._read:
            self._read[key] = load(self.images)
            self._account_for(self._read[key].is_missing)
        vectors: Encodings = self._read[key].take([self.places[ref] for ref in refs])
        return vectors

    def _account_for(self, is_missing: NDArray[np.bool_]) -> None:
        """Warn once of images that cannot be read, or raise when no image of the pairs can be read."""
        bad = {ref for ref, place in self.places.items() if ref and is_missing[place]}
        if self._is_accounted or not bad:
            return
        self._is_accounted = True
        given, *others = ([ref for ref in frame["image"] if ref] for frame in self._frames)
        if given and bad.issuperset(given):
            raise SchemaError(f"None of the {len(given):,} images can be read. {self._first(bad)}")
        images = sum(others, given)
        n_bad = sum(ref in bad for ref in images)
        line = f"{n_bad:,} of {len(images):,} images cannot be read and count as missing. {self._first(bad)}"
        warnings.warn(line, ImageWarning, stacklevel=_level_of_caller())

    def _first(self, bad: set[str]) -> str:
        """Return a sentence on the first image that cannot be read, with the reason."""
        found = ((part, row, ref) for part, frame in enumerate(self._frames) for row, ref in enumerate(frame["image"]))
        part, row, ref = next(each for each in found if each[2] in bad)
        where = "row" if part == 0 else "validation row"
        image = "an image in memory" if is_kept(ref) else ref
        return f"The first, in {where} {row}, is {image} ({why_unreadable(ref)}).{_hint(ref)}"


def _hint(ref: str) -> str:
    if ref.lower().startswith(("http://", "https://")):
        return " Addresses are not fetched here: download the images first."
    return "" if Path(ref).is_absolute() else f" Relative paths start from the current folder, {Path.cwd()}."


_CALL: ContextVar[_Call | None] = ContextVar("images", default=None)


@contextmanager
def images_of(pairs: Frame, validation: Frame | None = None, *, is_silent: bool = False) -> Iterator[None]:
    """Decode the images of *pairs* once within this context, and warn once of images that cannot be read.

    Within another such context, only the outer one warns.

    Parameters
    ----------
    pairs, validation
        *pairs* and *validation* are the rows of one call.
    is_silent
        *is_silent* leaves out the warning and the error: the caller reports each image that cannot be read.

    Raises
    ------
    SchemaError
        When *pairs* have images and no image can be read.
    """
    if _CALL.get() is not None or "image" not in pairs.columns:
        yield
        return
    token = _CALL.set(_Call(pairs, validation, is_silent=is_silent))
    try:
        yield
    finally:
        _CALL.reset(token)


def warn_of_none(pairs: Frame) -> None:
    """Warn when no row of *pairs* has an image: a model of images alone then learns nothing."""
    if _CALL.get() is None and pairs["image"].null_count() == len(pairs):
        line = f"None of the {len(pairs):,} pairs has an image: a model of images alone learns nothing from them."
        warnings.warn(line, ImageWarning, stacklevel=_level_of_caller())


def pixels_of(settings: Mapping[str, Any], pairs: Frame, *, cache: str | None) -> Pixels:
    """Return the pixels of the images of *pairs*.

    Parameters
    ----------
    settings
        *settings* are the ``pixel_settings`` of a contender.
    pairs
        *pairs* have a column ``image``.
    cache
        *cache* is the folder of the stored pixels, or None.

    Examples
    --------
    >>> import polars as pl
    >>> pairs = pl.DataFrame({"image": [None]}, schema={"image": pl.String})
    >>> pixels_of({"side_px": 8, "mode": "gray"}, pairs, cache=None).is_missing.tolist()
    [True]
    """
    call, refs, folder = _CALL.get(), pairs["image"].to_list(), Path(cache) if cache else None
    return call.pixels(refs, settings, folder) if call else load_pixels(refs, **settings, cache=folder)


def vectors_of(pairs: Frame, key: Hashable, load: Callable[[Frame], Encodings]) -> Encodings:
    """Return the vectors of the images of *pairs*.

    Parameters
    ----------
    pairs
        *pairs* have a column ``image``.
    key
        *key* names the encoder.  Within one call of a contender, each image is encoded once for each key.
    load
        *load* returns the vectors of the images of a frame, with the columns ``image`` and, if known, ``sha256``.
    """
    call = _CALL.get()
    return call.vectors(pairs, key, load) if call else load(pairs)


def _level_of_caller() -> int:
    """Return the ``stacklevel`` of the line outside of this package that caused a warning."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("counterpoint."):
        frame, level = frame.f_back, level + 1
    return level
