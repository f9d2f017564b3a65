"""A small residual network over the pixels of the image, trained from scratch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from torch import nn

from counterpoint.contenders.base import Rows
from counterpoint.contenders.batches import Material
from counterpoint.contenders.images import pixels_of
from counterpoint.contenders.network import Network
from counterpoint.features.pixels import Pixels
from counterpoint.networks.augment import Augment
from counterpoint.networks.encoders import ImageEncoder
from counterpoint.networks.fusions import Solo
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
_MEASURED = 1000


class ImageCNN(Network):
    """Pixels → augmentation → residual network → mean over places → linear.

    He et al. 2016, with the pooled shortcut of He et al. 2019.  A missing image is the zero vector, which
    gets what the bias says.

    Parameters
    ----------
    side_px, mode, aspect
        *side_px* is the side of the square that images are made to, *mode* "gray" or "rgb", *aspect* "keep"
        (white around the image) or "squash".
    width, stride
        *width* is the number of channels of the first of three stages (each next has twice as many); *stride*
        is that of the first convolution, and decides most of the cost.
    augment
        *augment* is the strength of shifts and of changes of light in training; 0 leaves only mirroring.
    flip
        *flip* mirrors half of the images in training.
    dropout
        *dropout* is that of the image vector.
    epochs, batch, lr, weight_decay, label_smoothing, patience, class_weight, seed
        As for every ``Network``: at most *epochs*, stopped after *patience* of them without a lower
        validation loss.
    cache
        *cache* is the folder of the store of pixels, where there is one.

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

    def __init__(
        self,
        *,
        side_px: Annotated[int, Field(ge=8, le=512)] = 64,
        mode: Literal["gray", "rgb"] = "rgb",
        aspect: Literal["keep", "squash"] = "keep",
        width: Positive = 32,
        stride: Literal[1, 2, 4] = 2,
        augment: Annotated[float, Field(ge=0, le=4)] = 1.0,
        flip: bool = True,
        dropout: Share = 0.2,
        epochs: Positive = 30,
        batch: Positive = 32,
        lr: Annotated[float, Field(gt=0)] = 3e-3,
        weight_decay: Annotated[float, Field(ge=0)] = 0.05,
        label_smoothing: Share = 0.05,
        patience: Positive = 15,
        class_weight: Literal["balanced"] | None = "balanced",
        seed: int = 0,
        cache: str | None = None,
    ) -> None:
        self.side_px = side_px
        self.mode = mode
        self.aspect = aspect
        self.width = width
        self.stride = stride
        self.augment = augment
        self.flip = flip
        self.dropout = dropout
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.patience = patience
        self.class_weight = class_weight
        self.seed = seed
        self.cache = cache

    def pixel_settings(self) -> dict[str, Any]:
        """Return side_px, mode and aspect of the pixels that it reads."""
        return {"side_px": self.side_px, "mode": self.mode, "aspect": self.aspect}

    def row_s(self, branches: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return about how many seconds a row takes in an epoch: the work of the convolutions, and a constant."""
        return 3e-4 + 4e-9 * (self.side_px / self.stride) ** 2 * self.width**2

    def _learn(self, train: Rows, validation: Rows, fits: dict[str, Any]) -> None:  # noqa: ARG002
        pixels = self._pixels(train.pairs)
        seen = np.flatnonzero(~pixels.is_missing)
        if len(seen) > _MEASURED:
            draw = np.random.default_rng(child_seed(self.seed, "measure"))
            seen = np.sort(draw.choice(seen, _MEASURED, replace=False))
        sample = pixels[seen] / np.float32(255)  # (measured, channels, side, side)
        n_channels = sample.shape[1]
        self.mean_ = sample.mean((0, 2, 3)).tolist() if len(seen) else [0.5] * n_channels
        # A picture of one shade has no spread: dividing by a small share of the range leaves it at zero.
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
