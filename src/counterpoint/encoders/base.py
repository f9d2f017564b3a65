"""The base class of encoders: frozen models that turn a text, an image, or both into one vector.

Encoders do not learn, and do not keep their vectors: ``encoders.encodings`` does.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.errors import ConfigError
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import ImageShape

Floats = NDArray[np.float32]


class Encoder(ABC):
    """A frozen model from texts, images or both to vectors.

    A child sets the attributes, and overrides the methods of its modalities.  It loads its weights in a
    ``functools.cached_property``: they are then read at the first use, and left out when the encoder is sent to
    another process.  The vector of a row must not depend on the other rows of a call.

    Attributes
    ----------
    name
        *name* is the name in the study file.
    modalities
        *modalities* are ("text",), ("image",), or both if their vectors lie in one space.
    width
        *width* is the number of values of a vector.
    shape
        *shape* is the size of the images that it reads.  It is None for an encoder of texts.
    device
        *device* is the device on which it runs: "auto", "cpu", "cuda", "cuda:1" or "mps".  A Ray cluster gives it a GPU
        if this is one.
    """

    name: str
    modalities: tuple[str, ...]
    width: int
    shape: ImageShape | None = None
    device: str = "cpu"

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of all that decides a vector: weights, preprocessing, and the version of the code.

        Stored vectors of another fingerprint are never used.
        """

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, width).

        Raises
        ------
        ConfigError
            When the encoder reads no texts.
        """
        raise self.reads_no("text")

    def encode_images(self, images: Pixels8) -> Floats:
        """Return the vectors of *images*, shape (n, width), from pixels of shape (n, 3, side_px, side_px).

        Raises
        ------
        ConfigError
            When the encoder reads no images.
        """
        raise self.reads_no("image")

    def reads_no(self, modality: str) -> ConfigError:
        """Return the error for a *modality* that the encoder does not read."""
        return ConfigError(f"The encoder {self.name!r} reads no {modality}s. It reads: {', '.join(self.modalities)}.")

    def __getstate__(self) -> dict[str, Any]:
        loaded = {
            name for kind in type(self).__mro__ for name, it in vars(kind).items() if isinstance(it, cached_property)
        }
        return {name: value for name, value in vars(self).items() if name not in loaded}
