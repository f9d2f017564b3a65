"""The image network of the 2023 study: two 5 × 5 convolutions, 1,024 units, dropout .9."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from torch import nn

from counterpoint.contenders.published.network import Patience, Positive, Published
from counterpoint.networks.published import Activation, Convolutions, Head

Share = Annotated[float, Field(ge=0, lt=1)]
_DENSE = {2: (1024,), 4: (1024, 256, 64)}


class PaperImageCNN(Published):
    """Gray 64 × 64 → convolution 5 × 5 to 32 and to 64, each with ReLU and a pool → 1,024 → dropout .9 → softmax.

    Parameters
    ----------
    side_px, mode, aspect, resampling
        *side_px* is the side of the square that images are made to, *mode* "gray" or "rgb", *aspect* "squash" (as
        published) or "keep", *resampling* "bilinear" (as published: without averaging) or "area".
    layers
        *layers* is the number of dense layers, the last included: 2 (1,024 and the classes) or 4 (1,024, 256, 64 and
        the classes).
    dropout
        *dropout* is that behind the first dense layer; of four, the others have .2 and .4 less, as published.
    activation
        *activation* is that of every hidden layer; published: "relu".
    epochs, batch, lr, patience, class_weight, seed
        *lr* is Adam's; without *patience* the weights of the last of *epochs* are kept, as published.
    cache
        *cache* is the folder of the store of pixels, where there is one.

    Examples
    --------
    >>> import polars as pl
    >>> from PIL import Image
    >>> images = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    >>> pairs = pl.DataFrame({"image": pl.Series(images, dtype=pl.Object)})
    >>> model = PaperImageCNN(side_px=16, epochs=1).fit(pairs, ["a", "b"], validation=(pairs, ["a", "b"]))
    >>> model.predict_proba(pairs).shape
    (2, 2)
    """

    modalities: ClassVar[tuple[str, ...]] = ("image",)
    branch: ClassVar[str] = "image"

    def __init__(
        self,
        *,
        side_px: Annotated[int, Field(ge=16, le=512)] = 64,
        mode: Literal["gray", "rgb"] = "gray",
        aspect: Literal["keep", "squash"] = "squash",
        resampling: Literal["bilinear", "area"] = "bilinear",
        layers: Literal[2, 4] = 2,
        dropout: Share = 0.9,
        activation: Activation = "relu",
        epochs: Positive = 50,
        batch: Positive = 64,
        lr: Annotated[float, Field(gt=0)] = 1e-3,
        patience: Patience = None,
        class_weight: Literal["balanced"] | None = None,
        seed: int = 1,
        cache: str | None = None,
    ) -> None:
        self.side_px = side_px
        self.mode = mode
        self.aspect = aspect
        self.resampling = resampling
        self.layers = layers
        self.dropout = dropout
        self.activation = activation
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.patience = patience
        self.class_weight = class_weight
        self.seed = seed
        self.cache = cache

    def row_s(self, branches: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return about how many seconds a row takes in an epoch: convolutions, and a step over all weights."""
        return 1.7e-6 * self.side_px**2

    def _network(self) -> nn.Module:
        dense = _DENSE[self.layers]
        encoder = Convolutions(
            1 if self.mode == "gray" else 3,
            self.side_px,
            dense=dense,
            dropouts=[max(0.0, self.dropout - 0.2 * i) for i in range(len(dense))],
            hidden=self.activation,
        )
        return Head(image=encoder, n_classes=len(self.classes_))
