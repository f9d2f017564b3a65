"""Logistic regression on histograms of oriented gradients: an image model without a network."""

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.images import pixels_of
from counterpoint.contenders.probes.probe import Probe
from counterpoint.errors import ConfigError
from counterpoint.features.pixels import Pixels
from counterpoint.schema import Frame

BLOCK = 2
"""Cells of the side of a block, over which histograms are normalised."""


@settings_as_fields
class ImageHOG(Probe):
    """Histograms of oriented gradients of the image into multinomial logistic regression.

    The histograms are those of Dalal and Triggs (CVPR 2005), computed by scikit-image.  They show shapes, and no
    colours.  The regularisation is the one with the smallest log loss on validation rows.

    Examples
    --------
    >>> ImageHOG(side_px=32).pixel_settings()
    {'side_px': 32, 'mode': 'gray', 'aspect': 'keep'}
    """

    modalities = ("image",)
    tiny: ClassVar[Mapping[str, Any]] = {"side_px": 16}

    side_px: Annotated[int, Field(ge=16, le=512)] = 64
    """The side of the square to which images are resized, in pixels."""
    cell_px: Annotated[int, Field(ge=4, le=64)] = 8
    """The side of a cell, which has one histogram, in pixels.  A square has at least two cells along its side."""
    orientations: Annotated[int, Field(ge=2, le=36)] = 9
    """The number of directions of a histogram."""
    aspect: Literal["keep", "squash"] = "keep"
    """"keep" fills the square with white around the image.  "squash" stretches the image to the square."""
    seed: int = 0
    """Changes nothing in this contender."""
    cache: str | None = None
    """The folder of the stored pixels."""

    def pixel_settings(self) -> dict[str, Any]:
        """Return side_px, mode and aspect of the pixels that the contender reads."""
        return {"side_px": self.side_px, "mode": "gray", "aspect": self.aspect}

    def estimate_s(self, n_rows: int, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a fit, most of which compute the histograms."""
        return 1 + n_rows * (2e-3 + 4e-7 * self.side_px**2)

    @property
    def folder(self) -> str | None:
        """The folder of the stored pixels."""
        return self.cache

    def check_installed(self, given: Collection[str] = ()) -> None:
        """Raise ConfigError when scikit-image is missing."""
        _histogram()

    def _vectors(self, pairs: Frame) -> Mapping[str, "Histograms"]:
        pixels = pixels_of(self.pixel_settings(), pairs, cache=self.cache)
        return {"image": Histograms(pixels, self.side_px, self.cell_px, self.orientations)}


class Histograms:
    """The histograms of oriented gradients of images, computed where they are read.

    Raises
    ------
    ConfigError
        When scikit-image is missing, or a square has fewer than two cells along its side.
    """

    def __init__(self, pixels: Pixels, side_px: int, cell_px: int, orientations: int) -> None:
        n_blocks = side_px // cell_px - BLOCK + 1
        if n_blocks < 1:
            raise ConfigError(f"image-hog.cell_px is {cell_px}; allowed: at most half of side_px, {side_px // BLOCK}.")
        self._pixels, self._histogram = pixels, _histogram()
        self._settings = {
            "orientations": orientations, "pixels_per_cell": (cell_px, cell_px), "cells_per_block": (BLOCK, BLOCK),
        }  # fmt: skip
        self.width = n_blocks**2 * BLOCK**2 * orientations
        self.is_missing = pixels.is_missing

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        found = [self._histogram(image[0], **self._settings) for image in self._pixels[rows]]
        vectors = np.array(found, dtype=np.float32).reshape(len(found), self.width)
        vectors[self.is_missing[rows]] = 0
        return vectors


def _histogram() -> Callable[..., NDArray[np.float64]]:
    try:
        from skimage import feature  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise ConfigError("image-hog needs scikit-image: pip install 'counterpoint[encoders]'.") from error
    histogram: Callable[..., NDArray[np.float64]] = feature.hog
    return histogram
