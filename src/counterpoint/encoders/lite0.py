"""EfficientNet-Lite0 in torch: an image becomes 1,280 values.  Reads no texts."""

import json
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from counterpoint.artifacts import key_of
from counterpoint.devices import device_of, exact
from counterpoint.encoders.base import Encoder, Floats
from counterpoint.encoders.batches import GPU_BATCH, row_batches
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.features.decode import Pixels8
from counterpoint.features.shaped_images import ImageShape

BATCH = 2
"""The number of images of a batch on a CPU.  The maps of more images do not fit into the cache of a core."""
_MEAN, _SCALE = 127.0, 128.0
_VERSION = 1
"""Of this code: a change of the vectors needs another one."""


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
        self._entry = CATALOGUE[self.name]
        self.width = self._entry.width
        self.shape = ImageShape(224, "rgb", "squash", "area")
        self.device, self._batch = device, batch

    @property
    def fingerprint(self) -> str:
        """A hash of the weights, the shape of the images, and the version of this code."""
        return key_of(self.name, self._entry.files["weights"].sha256, self.shape, _VERSION)

    def encode_images(self, images: Pixels8) -> Floats:
        """Return the vectors of *images*, shape (n, 1280), from pixels of shape (n, 3, 224, 224)."""
        vectors = np.zeros((len(images), self.width), dtype=np.float32)
        network, device = self._network
        batch = self._batch or (BATCH if device.type == "cpu" else GPU_BATCH)
        with exact():
            for rows in row_batches(np.arange(len(images)), batch):
                pixels = torch.from_numpy(images[rows]).to(device).float()
                x = ((pixels - _MEAN) / _SCALE).contiguous(memory_format=torch.channels_last)
                maps: Tensor = network.extract_features(x)  # (batch, 1280, 7, 7)
                vectors[rows] = maps.mean((2, 3)).cpu().numpy()
        return vectors

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
    def _network(self) -> tuple[Any, torch.device]:
        device = device_of(self.device)
        return _fused(self._loaded).to(device, memory_format=torch.channels_last), device

    @cached_property
    def _head(self) -> tuple[Floats, Floats]:
        head = self._loaded._fc
        return head.weight.detach().cpu().numpy(), head.bias.detach().cpu().numpy()

    @cached_property
    def _loaded(self) -> Any:
        network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(self._weights())
        return network.eval()

    def _weights(self) -> Any:
        return torch.load(BytesIO(self._entry.files["weights"].read()), map_location="cpu", weights_only=True)


def _fused(network: Any) -> Any:
    """Put each normalisation, and each padding that is equal on all sides, into its convolution, to save time."""
    for block, convolution, normalisation in _pairs(network):
        fused = fuse_conv_bn_eval(getattr(block, convolution), getattr(block, normalisation))
        setattr(block, normalisation, nn.Identity())
        setattr(block, convolution, fused)
        padding = fused.static_padding
        if isinstance(padding, nn.ZeroPad2d) and len(set(padding.padding)) == 1:
            fused.padding, fused.static_padding = padding.padding[:2], nn.Identity()
    return network


def _pairs(network: Any) -> Iterator[tuple[Any, str, str]]:
    """Yield each convolution and the normalisation of its output: their module and their names."""
    yield network, "_conv_stem", "_bn0"
    yield network, "_conv_head", "_bn1"
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            yield block, "_expand_conv", "_bn0"
        yield block, "_depthwise_conv", "_bn1"
        yield block, "_project_conv", "_bn2"
