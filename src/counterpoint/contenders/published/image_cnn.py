"""The image network of the 2023 study: two 5 × 5 convolutions, 1,024 units, dropout .9."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from torch import nn

from counterpoint.contenders import Positive, Share, settings_as_fields
from counterpoint.contenders.published.network import Published
from counterpoint.contenders.published.networks import Activation, Convolutions, Head
from counterpoint.contenders.published.settings import PixelSettings

_DENSE = {2: (1024,), 4: (1024, 256, 64)}


@settings_as_fields
class PaperImageCNN(PixelSettings, Published):
    """Gray 64 × 64 → convolution 5 × 5 to 32 and to 64, each with ReLU and a pool → 1,024 → dropout .9 → softmax.

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
    tiny: ClassVar[Mapping[str, Any]] = {"side_px": 16, "layers": 4, "epochs": 1, "batch": 8}

    layers: Literal[2, 4] = 2
    """The number of dense layers: 2 (1,024 and the classes) or 4 (1,024, 256, 64 and the classes)."""
    dropout: Share = 0.9
    """The dropout behind the first dense layer.  Of four layers the others have .2 and .4 less, as published."""
    activation: Activation = "relu"
    """The activation of every hidden layer."""
    epochs: Positive = 50
    batch: Positive = 64
    seed: int = 1

    def row_s(self, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a row in an epoch: convolutions, and a step over all weights."""
        return 1.7e-6 * self.side_px**2

    def _network(self) -> nn.Module:
        dense = _DENSE[self.layers]
        encoder = Convolutions(
            1 if self.mode == "gray" else 3,
            self.side_px,
            dense=dense,
            dropouts=[max(0.0, self.dropout - 0.2 * i) for i in range(len(dense))],
            hidden=self.activation,
            divide_by=self.divide_by,
        )
        return Head(image=encoder, n_classes=len(self.classes_))
