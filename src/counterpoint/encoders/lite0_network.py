"""The network of EfficientNet-Lite0 in torch, from its weights: the feature maps of images, and its last layer."""

from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from counterpoint.devices import device_of, exact
from counterpoint.encoders.base import Floats
from counterpoint.encoders.batches import GPU_BATCH, row_batches
from counterpoint.features.decode import Pixels8

BATCH = 2
"""The number of images of a batch on a CPU.  The maps of more images do not fit into the cache of a core."""
MEAN, SCALE = 127.0, 128.0


class Lite0Network:
    """EfficientNet-Lite0.

    Parameters
    ----------
    weights
        *weights* is the content of the file of weights.
    device
        *device* is "auto", "cpu", "cuda", "cuda:1" or "mps".
    """

    def __init__(self, weights: bytes, device: str) -> None:
        self._device = device
        self._loaded: Any = EfficientNet.from_name("efficientnet-lite0").eval()
        self._loaded.load_state_dict(torch.load(BytesIO(weights), map_location="cpu", weights_only=True))

    def features(self, images: Pixels8, batch: int | None) -> Floats:
        """Return the last feature maps of *images*, averaged over the places of the image, shape (n, 1280).

        *batch* is the number of images that are read at once (None: the fastest on the device).
        """
        network, device = self._on_device
        size = batch or (BATCH if device.type == "cpu" else GPU_BATCH)
        vectors = np.zeros((len(images), self.head[0].shape[1]), dtype=np.float32)
        with exact():
            for rows in row_batches(np.arange(len(images)), size):
                pixels = torch.from_numpy(images[rows]).to(device).float()
                x = ((pixels - MEAN) / SCALE).contiguous(memory_format=torch.channels_last)
                maps: Tensor = network.extract_features(x)  # (batch, 1280, 7, 7)
                vectors[rows] = maps.mean((2, 3)).cpu().numpy()
        return vectors

    @cached_property
    def head(self) -> tuple[Floats, Floats]:
        """The weights, shape (1000, 1280), and the biases of the last layer."""
        layer = self._loaded._fc
        return layer.weight.detach().cpu().numpy(), layer.bias.detach().cpu().numpy()

    @property
    def module(self) -> Any:
        """The network in evaluation mode on its device, with each normalisation in its convolution."""
        return self._on_device[0]

    @cached_property
    def _on_device(self) -> tuple[Any, torch.device]:
        device = device_of(self._device)
        return _fused(self._loaded).to(device, memory_format=torch.channels_last), device


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
