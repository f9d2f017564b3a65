"""The multimodal network of the 2023 study: its text LSTM and two 3 × 3 convolutions, with softmax everywhere."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.published.network import Published
from counterpoint.contenders.published.networks import Activation, Convolutions, Head, initialised
from counterpoint.contenders.published.settings import PixelSettings, TextSettings
from counterpoint.contenders.published.text_lstm import text_branch, text_s


@settings_as_fields
class PaperLSTMCNN(TextSettings, PixelSettings, Published):
    """Embedding 32 and LSTM 128 of the text, with 128 units over two convolutions of the image → softmax.

    Three choices were not published: the optimiser (Adam, 1e-3), the batch, and cross entropy on the softmax output.

    Examples
    --------
    >>> import polars as pl
    >>> texts = {"text": ["a fox", "a car"] * 4, "image": [None] * 8}
    >>> pairs = pl.DataFrame(texts, schema_overrides={"image": pl.String})
    >>> model = PaperLSTMCNN(hidden=8, length=3, side_px=16, epochs=30, batch=4, lr=0.02)
    >>> model.fit(pairs, ["animal", "thing"] * 4).predict(pairs[:2]).tolist()
    ['animal', 'thing']
    """

    modalities: ClassVar[tuple[str, ...]] = ("text", "image")
    branch: ClassVar[str] = "joint"
    tiny: ClassVar[Mapping[str, Any]] = {"hidden": 8, "length": 6, "side_px": 16, "epochs": 2, "batch": 8}

    activation: Activation = "softmax"
    """The activation of the convolutions and of the dense layer: "softmax" as published, or "relu"."""

    def row_s(self, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a row in an epoch, for both branches."""
        return text_s(self) + 7e-7 * self.side_px**2

    def _network(self) -> nn.Module:
        image = Convolutions(
            1 if self.mode == "gray" else 3,
            self.side_px,
            kernel=3,
            padding=0,
            dense=(128,),
            dropouts=(0.0,),
            hidden=self.activation,
            divide_by=self.divide_by,
        )
        return initialised(Head(text_branch(self), image, n_classes=len(self.classes_)))
