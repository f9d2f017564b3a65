"""The images of one call of a contender: each is decoded once, and one warning counts the unreadable ones."""

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from counterpoint.errors import ImageWarning, SchemaError
from counterpoint.features.in_memory import is_kept
from counterpoint.features.pixels import Pixels, load_pixels
from counterpoint.features.shaped_images import why_unreadable
from counterpoint.schema import Frame

Refs = Sequence[str | None]


class _Call:
    """The images of the pairs of one call, and the *others* of its validation rows."""

    def __init__(self, given: Refs, others: Refs) -> None:
        self.given, self.others = given, others
        self.places = {ref: place for place, ref in enumerate(dict.fromkeys([None, *given, *others]))}
        self.decoded: dict[Any, Pixels] = {}

    def pixels(self, refs: Refs, settings: Mapping[str, Any], cache: Path | None) -> Pixels:
        if not self.places.keys() >= set(refs):
            return load_pixels(refs, **settings, cache=cache)
        shape = (cache, *sorted(settings.items()))
        if shape not in self.decoded:
            self.decoded[shape] = load_pixels(list(self.places), **settings, cache=cache)
            if len(self.decoded) == 1:
                self._account_for(self.decoded[shape])
        return self.decoded[shape].take([self.places[ref] for ref in refs])

    def _account_for(self, pixels: Pixels) -> None:
        """Warn of images that cannot be read, or raise when no image of the pairs can be read."""
        bad = {ref for ref, place in self.places.items() if ref and pixels.is_missing[place]}
        if not bad:
            return
        given = [ref for ref in self.given if ref]
        if given and bad.issuperset(given):
            raise SchemaError(f"None of the {len(given):,} images can be read. {self._first(bad)}")
        images = [*given, *filter(None, self.others)]
        n_bad = sum(ref in bad for ref in images)
        line = f"{n_bad:,} of {len(images):,} images cannot be read and count as missing. {self._first(bad)}"
        warnings.warn(line, ImageWarning, stacklevel=_level_of_caller())

    def _first(self, bad: set[str]) -> str:
        """Return a sentence on the first image that cannot be read, with the reason."""
        row, ref = next((row, ref) for rows in (self.given, self.others) for row, ref in enumerate(rows) if ref in bad)
        where = "row" if ref in self.given else "validation row"
        image = "an image in memory" if is_kept(ref) else ref
        return f"The first, in {where} {row}, is {image} ({why_unreadable(ref)}).{_hint(ref)}"


def _hint(ref: str) -> str:
    if ref.lower().startswith(("http://", "https://")):
        return " Addresses are not fetched here: download the images first."
    return "" if Path(ref).is_absolute() else f" Relative paths start from the current folder, {Path.cwd()}."


_CALL: ContextVar[_Call | None] = ContextVar("images", default=None)


@contextmanager
def images_of(pairs: Frame, validation: Frame | None = None) -> Iterator[None]:
    """Decode the images of *pairs* once within this context, and warn once of images that cannot be read.

    Within another such context, only the outer one warns.

    Raises
    ------
    SchemaError
        When *pairs* have images and no image can be read.
    """
    if _CALL.get() is not None or "image" not in pairs.columns:
        yield
        return
    others = [] if validation is None else validation["image"].to_list()
    token = _CALL.set(_Call(pairs["image"].to_list(), others))
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


def _level_of_caller() -> int:
    """Return the ``stacklevel`` of the line outside of this package that caused a warning."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("counterpoint."):
        frame, level = frame.f_back, level + 1
    return level
