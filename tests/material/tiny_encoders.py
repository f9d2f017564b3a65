"""Encoders of random weights, named in tests as ``tiny_encoders:Words``: no package, no download, known vectors."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from counterpoint.encoders.base import Encoder, Floats
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import ImageShape

WIDTH = 24


class _Tiny(Encoder):
    width = WIDTH

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"tiny_encoders:{type(self).__name__}"

    @property
    def fingerprint(self) -> str:
        return f"{type(self).__name__}-1"


class Words(_Tiny):
    """The sum of a random vector for each word."""

    modalities = ("text",)

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, 24)."""
        return np.stack([_words(text) for text in texts]).astype(np.float32)


class Colours(_Tiny):
    """A random projection of the mean of each channel and of a thumbnail."""

    modalities = ("image",)
    shape = ImageShape(16, "rgb", "squash")

    def encode_images(self, images: Pixels8) -> Floats:
        """Return the vectors of *images*, shape (n, 24)."""
        thumbnails = images[:, :, ::8, ::8].reshape(len(images), -1)
        facts = np.hstack([images.mean(axis=(2, 3)), thumbnails / 16]) / 255
        weights = np.random.default_rng(0).normal(size=(facts.shape[1], WIDTH))
        return (facts @ weights).astype(np.float32)


class Joint(Words, Colours):
    """Texts and images in one space: the first three values are amounts of animal, machine and plant."""

    modalities = ("text", "image")

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, 24)."""
        names = ("animal", "machine", "plant")
        shown = [[float(name in text) for name in names] + [1.0] for text in texts]
        return np.pad(np.array(shown, dtype=np.float32), ((0, 0), (0, WIDTH - 4)))

    def encode_images(self, images: Pixels8) -> Floats:
        """Return the vectors of *images*, shape (n, 24), whose classes are red, green and blue."""
        amounts = images.mean(axis=(2, 3)) / 255
        return np.pad(amounts.astype(np.float32), ((0, 0), (0, WIDTH - 3)))


def _words(text: str) -> np.ndarray:
    seeds = [crc32(word.encode()) for word in text.split()]
    vectors = [np.random.default_rng(seed).normal(size=WIDTH) for seed in seeds]
    return np.sum(vectors, axis=0) if vectors else np.zeros(WIDTH)
