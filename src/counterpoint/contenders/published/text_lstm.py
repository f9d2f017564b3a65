"""The text branch of the 2023 study's fusion alone: embedding, LSTM, last state."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from torch import nn

from counterpoint.contenders.published.network import Patience, Positive, Published
from counterpoint.contenders.published.reading import FittedOn
from counterpoint.features.keras_tokens import Padding
from counterpoint.networks.published import Head, LastState, initialised


class PaperTextLSTM(Published):
    """Keras' tokenizer (2,000 words, padded to 100) → embedding 32 → LSTM 128 → softmax.

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
    epochs, batch, lr, patience, class_weight, seed
        *lr* is Adam's; without *patience* the weights of the last of *epochs* are kept, as published.

    Examples
    --------
    >>> import polars as pl
    >>> pairs = pl.DataFrame({"text": ["a red fox", "the fox", "a blue car", "the car"] * 4})
    >>> model = PaperTextLSTM(hidden=8, length=5, epochs=30, batch=4, lr=0.02)
    >>> model.fit(pairs, ["animal", "animal", "thing", "thing"] * 4).predict(pairs[1:3]).tolist()
    ['animal', 'thing']
    """

    modalities: ClassVar[tuple[str, ...]] = ("text",)
    branch: ClassVar[str] = "text"

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
        epochs: Positive = 15,
        batch: Positive = 32,
        lr: Annotated[float, Field(gt=0)] = 1e-3,
        patience: Patience = None,
        class_weight: Literal["balanced"] | None = None,
        seed: int = 0,
    ) -> None:
        self.n_words = n_words
        self.length = length
        self.padding = padding
        self.is_masked = is_masked
        self.tokenizer = tokenizer
        self.embed = embed
        self.hidden = hidden
        self.lstm_activation = lstm_activation
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.patience = patience
        self.class_weight = class_weight
        self.seed = seed

    def row_s(self, branches: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return about how many seconds a row takes in an epoch."""
        return text_s(self)

    def _network(self) -> nn.Module:
        return initialised(Head(text_branch(self), n_classes=len(self.classes_)))


def text_branch(settings: Any) -> LastState:
    """Return the text branch that *settings* describe: those of `PaperTextLSTM`."""
    return LastState(
        settings.n_words,
        embed=settings.embed,
        hidden=settings.hidden,
        is_masked=settings.is_masked,
        softmax=settings.lstm_activation == "softmax",
    )


def text_s(settings: Any) -> float:
    """Return about how many seconds the text branch takes for a row in an epoch."""
    slower = 6 if settings.lstm_activation == "softmax" else 1
    return 6e-8 * slower * float(settings.length * settings.hidden)
