"""A bidirectional LSTM over the words of the text."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field
from torch import nn

from counterpoint.contenders.base import Rows
from counterpoint.contenders.batches import Material
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.network import Network
from counterpoint.features.tokens import Vocabulary
from counterpoint.networks.encoders import TextEncoder
from counterpoint.networks.fusions import Solo

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class TextLSTM(Network):
    """Words → embedding → bidirectional LSTM → mean and maximum over time → linear.

    Hochreiter and Schmidhuber 1997; the pooling is that of Conneau et al. 2017.  A missing text reads as an
    empty one.

    Parameters
    ----------
    embed, hidden
        *embed* is the width of a word, *hidden* of the LSTM in each direction.
    max_words
        *max_words* is the number of words of a text that are read; the rest is cut.
    min_count, vocabulary
        *min_count* is how often a word must be in the training texts to be known, *vocabulary* the largest
        number of known words.
    dropout, word_dropout
        *dropout* is that of the embedded words and of the text vector; *word_dropout* is the share of words
        read as unknown in training.
    epochs, batch, lr, weight_decay, label_smoothing, patience, class_weight, seed
        As for every ``Network``: at most *epochs*, stopped after *patience* of them without a lower
        validation loss.

    Examples
    --------
    >>> import polars as pl
    >>> pairs = pl.DataFrame({"text": ["a red fox", "the fox", "a blue car", "the car"] * 4})
    >>> model = TextLSTM(embed=8, hidden=8, batch=4).fit(pairs, ["animal", "animal", "thing", "thing"] * 4)
    >>> model.predict(pairs[1:3]).tolist()
    ['animal', 'thing']
    """

    modalities: ClassVar[tuple[str, ...]] = ("text",)
    branch: ClassVar[str] = "text"

    def __init__(
        self,
        *,
        embed: Positive = 64,
        hidden: Positive = 64,
        max_words: Positive = 256,
        min_count: Positive = 1,
        vocabulary: Positive = 20_000,
        dropout: Share = 0.4,
        word_dropout: Share = 0.1,
        epochs: Positive = 15,
        batch: Positive = 32,
        lr: Annotated[float, Field(gt=0)] = 5e-3,
        weight_decay: Annotated[float, Field(ge=0)] = 0.01,
        label_smoothing: Share = 0.05,
        patience: Positive = 8,
        class_weight: Literal["balanced"] | None = "balanced",
        seed: int = 0,
    ) -> None:
        self.embed = embed
        self.hidden = hidden
        self.max_words = max_words
        self.min_count = min_count
        self.vocabulary = vocabulary
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.patience = patience
        self.class_weight = class_weight
        self.seed = seed

    def row_s(self, branches: Mapping[str, Any]) -> float:  # noqa: ARG002
        """Return about how many seconds a row takes in an epoch; half of that grows with the width."""
        return 3e-4 * (1 + self.hidden / 64)

    def _learn(self, train: Rows, validation: Rows, fits: dict[str, Any]) -> None:  # noqa: ARG002
        texts = train.pairs["text"]
        self.vocabulary_ = Vocabulary.of(texts, max_words=self.vocabulary, min_count=self.min_count)

    def state(self) -> State:
        """Return what ``fit`` learned, the vocabulary among it."""
        return super().state() | State(values={"words": list(self.vocabulary_.words)})

    def restore(self, state: State) -> Self:
        """Take what ``state`` returned."""
        self.vocabulary_ = Vocabulary(state.texts("words"))
        return super().restore(state)

    def _material(self, rows: Rows) -> Material:
        ids = self.vocabulary_.encode(rows.pairs["text"])
        return Material(rows.codes, tokens=[text[: self.max_words] for text in ids])

    def _network(self) -> nn.Module:
        encoder = TextEncoder(
            len(self.vocabulary_),
            embed=self.embed,
            hidden=self.hidden,
            dropout=self.dropout,
            word_dropout=self.word_dropout,
        )
        return Solo(encoder, n_classes=len(self.classes_), dropout=self.dropout)
