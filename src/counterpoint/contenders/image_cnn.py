"""A small residual network on the pixels of the image, trained from scratch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from torch import nn

from counterpoint.contenders import Positive, Share, settings_as_fields
from counterpoint.contenders.base import Rows
from counterpoint.contenders.batches import Material
from counterpoint.contenders.images import pixels_of
from counterpoint.contenders.one_cycle import OneCycleNetwork
from counterpoint.features.pixels import Pixels
from counterpoint.networks.augment import Augment
from counterpoint.networks.encoders import ImageEncoder
from counterpoint.networks.fusions import Solo
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

_MEASURED = 1000


@settings_as_fields
class ImageCNN(OneCycleNetwork):
    """Pixels → augmentation → residual network → mean over places → linear.

    The network is that of He et al. 2016, with the pooled shortcut of He et al. 2019.  A missing image is the zero
    vector, so that its logits are the bias.

    Examples
    --------
    >>> import polars as pl
    >>> from PIL import Image
    >>> images = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    >>> pairs = pl.DataFrame({"image": pl.Series(images, dtype=pl.Object)})
    >>> model = ImageCNN(side_px=8, width=4, epochs=1).fit(pairs, ["a", "b"], validation=(pairs, ["a", "b"]))
    >>> model.predict_proba(pairs).shape
    (2, 2)
    """

    modalities: ClassVar[tuple[str, ...]] = ("image",)
    branch: ClassVar[str] = "image"
    tiny: ClassVar[Mapping[str, Any]] = {"side_px": 8, "width": 4, "epochs": 1, "batch": 8}

    side_px: Annotated[int, Field(ge=8, le=512)] = 64
    """The side of the square to which images are resized, in pixels."""
    mode: Literal["gray", "rgb"] = "rgb"
    """The channels that are read: "gray" is one, "rgb" is three."""
    aspect: Literal["keep", "squash"] = "keep"
    """"keep" fills the square with white around the image.  "squash" stretches the image to the square."""
    width: Positive = 32
    """The number of channels of the first of three stages.  Each next stage has twice as many."""
    stride: Literal[1, 2, 4] = 2
    """The stride of the first convolution.  Most of the cost depends on it."""
    augment: Annotated[float, Field(ge=0, le=4)] = 1.0
    """The strength of shifts and of changes of light in training.  With 0 only mirroring is left."""
    flip: bool = True
    """Mirrors half of the images in training."""
    dropout: Share = 0.2
    """The dropout of the image vector."""
    cache: str | None = None
    """The folder of the stored pixels."""
    epochs: Positive = 30
    lr: Annotated[float, Field(gt=0)] = 3e-3
    patience: Positive = 15

    def pixel_settings(self) -> dict[str, Any]:
        """Return side_px, mode and aspect of the pixels that the contender reads."""
        return {"side_px": self.side_px, "mode": self.mode, "aspect": self.aspect}

    def row_s(self, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a row in an epoch: the work of the convolutions, and a constant."""
        return 3e-4 + 4e-9 * (self.side_px / self.stride) ** 2 * self.width**2

    def _learn(self, train: Rows, validation: Rows, fits: dict[str, Any]) -> None:
        pixels = self._pixels(train.pairs)
        seen = np.flatnonzero(~pixels.is_missing)
        if len(seen) > _MEASURED:
            draw = np.random.default_rng(child_seed(self.seed, "measure"))
            seen = np.sort(draw.choice(seen, _MEASURED, replace=False))
        sample = pixels[seen] / np.float32(255)  # (measured, channels, side_px, side_px)
        n_channels = sample.shape[1]
        self.mean_ = sample.mean((0, 2, 3)).tolist() if len(seen) else [0.5] * n_channels
        # An image of one shade has no spread: divided by a small share of the range, it stays at zero.
        self.std_ = sample.std((0, 2, 3)).clip(min=0.02).tolist() if len(seen) else [0.25] * n_channels

    def _material(self, rows: Rows) -> Material:
        return Material(rows.codes, pixels=self._pixels(rows.pairs))

    def _network(self) -> nn.Module:
        encoder = ImageEncoder(
            mean=self.mean_,
            std=self.std_,
            widths=(self.width, 2 * self.width, 4 * self.width),
            stride=self.stride,
            augment=Augment(shift=self.augment / 16, light=self.augment / 5, flip=self.flip),
        )
        return Solo(encoder, n_classes=len(self.classes_), dropout=self.dropout)

    def _pixels(self, pairs: Frame) -> Pixels:
        return pixels_of(self.pixel_settings(), pairs, cache=self.cache)
