"""The agreement of a fetched image with its text, in the joint space of the encoders that work offline.

The space is used as it is: nothing is learned from the rows of a list.  So a row is kept or left out by itself alone.
"""

from typing import Any

import numpy as np

from counterpoint.encoders import shared_encoder
from counterpoint.encoders.catalogue import entry_of
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import shaped_pixels

LOW = "low_agreement"
JOINT = "joint"
DIGITS = 4
"""Further digits depend on the processor, and shards should not."""


def check_encoders(least: float | None) -> None:
    """Check that the encoders are installed, if *least* is a number.

    Raises
    ------
    ConfigError
        When a package is missing.

    Examples
    --------
    >>> check_encoders(None)
    """
    if least is not None:
        entry_of(JOINT)


class AgreementRule:
    """The least cosine of text and image.  The encoders are loaded here, and once for a process.

    Parameters
    ----------
    least
        *least* is the least cosine, from -1 to 1.

    Raises
    ------
    ConfigError
        When a package is missing, or a file of it has another content than the one that is allowed.
    """

    def __init__(self, least: float) -> None:
        self._least = least
        self._joint = shared_encoder(JOINT)
        assert self._joint.shape is not None, "the joint space reads images"
        self._shape = self._joint.shape
        self._cosine("", np.zeros((1, *self._shape.slot), dtype=np.uint8))  # loads all weights, outside any time limit

    def pixels(self, body: bytes) -> Pixels8:
        """Return the image in *body* as the encoder reads it, uint8 of shape (1, 3, side_px, side_px)."""
        return shaped_pixels(body, self._shape)[None]

    def agreement(self, text: str | None, pixels: Pixels8) -> float | None:
        """Return the cosine of *text* and the image, to four digits.  Without a text there is nothing to agree with."""
        return round(self._cosine(text, pixels), DIGITS) if text else None

    def is_low(self, agreement: float | None) -> bool:
        """Return whether an image with this *agreement* is left out."""
        return agreement is None or agreement < self._least

    def _cosine(self, text: str, pixels: Pixels8) -> float:
        a, b = self._joint.encode_texts([text])[0], self._joint.encode_images(pixels)[0]
        lengths: Any = np.linalg.norm(a) * np.linalg.norm(b)
        return float(a @ b / max(lengths, 1e-12))
