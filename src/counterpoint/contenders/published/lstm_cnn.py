"""The multimodal network of the 2023 study: its text LSTM beside two 3 × 3 convolutions, softmax everywhere."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from torch import nn

from counterpoint.contenders.published.network import Patience, Positive, Published
from counterpoint.contenders.published.reading import FittedOn
from counterpoint.contenders.published.text_lstm import text_branch, text_s
from counterpoint.features.keras_tokens import Padding
from counterpoint.networks.published import Activation, Convolutions, Head, initialised


class PaperLSTMCNN(Published):
    """Embedding 32 and LSTM 128 of the text beside 128 units over two convolutions of the image → softmax.

    The optimiser (Adam, 1e-3), the batch and cross entropy on the one softmax of the output were not published.

    Parameters
    ----------
    n_words, length, padding
        *n_words* bounds the word numbers, *length* is what every text is padded to, with zeros *padding* "post"
        (behind the words, as published) or "pre".
    is_masked
        *is_masked* skips the padding; published: the LSTM reads on through it, and its last state counts.
    tokenizer
        *tokenizer* says on which texts the word numbers are made: "train", "train_and_validation", or "again"
        (anew on whatever is read).
    embed, hidden, lstm_activation
        *embed* is the width of a word, *hidden* of the LSTM; *lstm_activation* "softmax" is the second reading of
        "every activation softmax".
    side_px, mode, aspect, resampling
        *side_px* is the side of the square that images are made to, *mode* "gray" or "rgb", *aspect* "squash" (as
        published) or "keep", *resampling* "bilinear" (as published: without averaging) or "area".
    activation
        *activation* is that of the convolutions and of the dense layer: "softmax" as published, or "relu".
    epochs, batch, lr, patience, class_weight, seed
        *lr* is Adam's; without *patience* the weights of the last of *epochs* are kept, as published.
    cache
        *cache* is the folder of the store of pixels, where there is one.

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

    def __init__(
        self,
        *,
        n_words: Positive = 2000,
        length: Positive = 100,
        padding: Padding = "post",
        is_masked: bool = False,
        tokenizer: FittedOn = "train",
        embed: Positive = 32,
        hidden: Positive = 128,
        lstm_activation: Literal["tanh", "softmax"] = "tanh",
        side_px: Annotated[int, Field(ge=16, le=512)] = 64,
        mode: Literal["gray", "rgb"] = "gray",
        aspect: Literal["keep", "squash"] = "squash",
        resampling: Literal["bilinear", "area"] = "bilinear",
        activation: Activation = "softmax",
        epochs: Positive = 15,
        batch: Positive = 32,
        lr: Annotated[float, Field(gt=0)] = 1e-3,
        patience: Patience = None,
        class_weight: Literal["balanced"] | None = None,
        seed: int = 0,
        cache: str | None = None,
    ) -> None:
        self.n_words = n_words
        self.length = length
        self.padding = padding
        self.is_masked = is_masked
        self.tokenizer = tokenizer
        self.embed = embed
        self.hidden = hidden
        self.lstm_activation = lstm_activation
        self.side_px = side_px
        self.mode = mode
        self.aspect = aspect
        self.resampling = resampling
        self.activation = activation
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.patience = patience
        self.class_weight = class_weight
        self.seed = seed
        self.cache = cache

    def row_s(self, branches: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return about how many seconds a row takes in an epoch: those of both branches."""
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
        )
        return initialised(Head(text_branch(self), image, n_classes=len(self.classes_)))
