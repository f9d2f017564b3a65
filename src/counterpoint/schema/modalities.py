"""The two modalities of a pair, by the names of their columns."""

from typing import Literal

Modality = Literal["text", "image"]
MODALITIES: tuple[Modality, ...] = ("text", "image")


def other_modality(modality: str) -> Modality:
    """Return the modality that *modality* is not.

    >>> other_modality("text"), other_modality("image")
    ('image', 'text')
    """
    return MODALITIES[1 - MODALITIES.index(modality)]
