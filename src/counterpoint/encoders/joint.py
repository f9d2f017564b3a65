"""A space of texts and images that needs no hub: the names of the classes that an image shows, read as texts.

Does not learn from pairs: ``measures.joint_map`` does.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from counterpoint.artifacts import key_of
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.catalogue import entry_of
from counterpoint.encoders.lite0 import Lite0
from counterpoint.encoders.minilm import MiniLM
from counterpoint.features.decode import Pixels8

PROMPT = "a photo of a {}"
TEMPERATURE = 3.0
"""Divides the logits of the classes.  At 1, an image has few classes, and those are often wrong where images are not
photos.  Chosen on Flickr8k and OpenMoji: from 2 to 6 both find as much, and at 1 both find less."""
_VERSION = 1
"""Of this code: a change of the vectors needs another one."""


class Joint(Encoder):
    """Convex combination of semantic embeddings (ConSE) [1]_, of EfficientNet-Lite0 and MiniLM.

    A text is its vector by MiniLM.  An image is the mean of the vectors of "a photo of a …", over all classes of
    ImageNet-1k, weighted by their probabilities.  The mean of all classes is subtracted from both.  The cosine of a
    text and an image is their similarity.

    Parameters
    ----------
    device
        *device* is "auto", "cpu", "cuda", "cuda:1" or "mps", for images.

    Attributes
    ----------
    texts, images
        *texts* is MiniLM, and *images* EfficientNet-Lite0.

    References
    ----------
    .. [1] M. Norouzi et al., Zero-Shot Learning by Convex Combination of Semantic Embeddings, ICLR 2014.
    """

    name = "joint"
    modalities = ("text", "image")

    def __init__(self, *, device: str = "auto") -> None:
        self._entry = entry_of(self.name)
        self.device = device
        self.texts, self.images = MiniLM(), Lite0(device=device)
        self.width, self.shape = self.texts.width, self.images.shape

    @property
    def fingerprint(self) -> str:
        """A hash of both encoders, the names of the classes, and the version of this code."""
        names = self._entry.digests()
        return key_of(self.texts.fingerprint, self.images.fingerprint, names, PROMPT, TEMPERATURE, _VERSION)

    def encode_texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of *texts*, shape (n, 384)."""
        vectors: Floats = self.texts.encode_texts(texts) - self._prompts.mean(0)
        return vectors

    def encode_images(self, images: Pixels8) -> Floats:
        """Return the vectors of *images*, shape (n, 384), from pixels of shape (n, 3, 224, 224)."""
        return self.of_features(self.images.encode_images(images))

    def of_features(self, features: Floats) -> Floats:
        """Return the vectors of images, shape (n, 384), from their vectors by EfficientNet-Lite0, shape (n, 1280).

        >>> Joint().of_features(np.zeros((2, 1280), dtype=np.float32)).shape
        (2, 384)
        """
        weights = self.images.class_probabilities(features) ** np.float32(1 / TEMPERATURE)
        weights /= weights.sum(axis=1, keepdims=True)
        vectors: Floats = weights @ (self._prompts - self._prompts.mean(0))
        return vectors

    @cached_property
    def _prompts(self) -> Floats:
        """The vectors of the classes, shape (1000, 384)."""
        return self.texts.encode_texts([PROMPT.format(name) for name in self.images.class_names()])
