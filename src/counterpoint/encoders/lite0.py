"""EfficientNet-Lite0: an image becomes 1,280 values.  Reads no texts."""

import json
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from counterpoint.artifacts import key_of
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.catalogue import entry_of
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import ImageShape

if TYPE_CHECKING:
    from counterpoint.encoders.lite0_network import Lite0Network

_VERSION = 1
"""Of this code and of `lite0_network`: a change of the vectors needs another one."""


class Lite0(Encoder):
    """The last feature maps of EfficientNet-Lite0 [1]_, averaged over the places of the image.

    Parameters
    ----------
    device
        *device* is "auto", "cpu", "cuda", "cuda:1" or "mps".
    batch
        *batch* is the number of images that are read at once (None: the fastest on the device).

    References
    ----------
    .. [1] M. Tan and Q. V. Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019.
    """

    name = "lite0"
    modalities = ("image",)

    def __init__(self, *, device: str = "auto", batch: int | None = None) -> None:
        self._entry = entry_of(self.name)
        self.width = self._entry.width
        self.shape = ImageShape(224, "rgb", "squash", "area")
        self.device, self._batch = device, batch

    @property
    def fingerprint(self) -> str:
        """A hash of the weights, the shape of the images, and the version of this code."""
        return key_of(self.name, self._entry.files["weights"].sha256, self.shape, _VERSION)

    def encode_images(self, images: Pixels8) -> Floats:
        """Return the vectors of *images*, shape (n, 1280), from pixels of shape (n, 3, 224, 224)."""
        return self._network.features(images, self._batch)

    def class_probabilities(self, vectors: Floats) -> Floats:
        """Return the probabilities of the classes of ImageNet-1k, shape (n, 1000), from the vectors of images.

        >>> Lite0().class_probabilities(np.zeros((2, 1280), dtype=np.float32)).shape
        (2, 1000)
        """
        weight, bias = self._head
        logits = vectors @ weight.T + bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: Floats = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def class_names(self) -> list[str]:
        """Return the names of the classes of ImageNet-1k, in the order of the probabilities.

        >>> Lite0().class_names()[:2]
        ['tench', 'goldfish']
        """
        names: list[str] = json.loads(self._entry.files["class names"].read())
        return names

    @cached_property
    def _head(self) -> tuple[Floats, Floats]:
        return self._network.head

    @cached_property
    def _network(self) -> "Lite0Network":
        from counterpoint.encoders.lite0_network import Lite0Network  # noqa: PLC0415 - loads torch

        return Lite0Network(self._entry.files["weights"].read(), self.device)
