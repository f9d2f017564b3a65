"""A bidirectional LSTM over the words of the text."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field
from torch import nn

from counterpoint.contenders import Positive, Share, settings_as_fields
from counterpoint.contenders.base import Rows
from counterpoint.contenders.batches import Material
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.one_cycle import OneCycleNetwork
from counterpoint.features.tokens import Vocabulary
from counterpoint.networks.encoders import TextEncoder
from counterpoint.networks.fusions import Solo


@settings_as_fields
class TextLSTM(OneCycleNetwork):
    """Words → embedding → bidirectional LSTM → mean and maximum over time → linear.

    The LSTM is that of Hochreiter and Schmidhuber 1997, the pooling that of Conneau et al. 2017.  A missing text counts
    as an empty text.

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
    tiny: ClassVar[Mapping[str, Any]] = {"embed": 8, "hidden": 8, "epochs": 2, "batch": 8}

    embed: Positive = 64
    """The width of the vector of a word."""
    hidden: Positive = 64
    """The width of the LSTM in each direction."""
    max_words: Positive = 256
    """The largest number of words that are read of a text.  The rest is cut."""
    min_count: Positive = 1
    """The number of occurrences in the training texts from which on a word has a vector of its own."""
    vocabulary: Positive = 20_000
    """The largest number of words with a vector of their own."""
    dropout: Share = 0.4
    """The dropout of the embedded words and of the text vector."""
    word_dropout: Share = 0.1
    """The share of words that are read as the unknown word in training."""
    lr: Annotated[float, Field(gt=0)] = 5e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01

    def row_s(self, branches: Mapping[str, Any]) -> float:
        """Estimate the seconds of a row in an epoch, half of which grow with the width."""
        return 2e-4 * (1 + self.hidden / 64)

    def _learn(self, train: Rows, validation: Rows, fits: dict[str, Any]) -> None:
        texts = train.pairs["text"]
        self.vocabulary_ = Vocabulary.of(texts, max_words=self.vocabulary, min_count=self.min_count)

    def state(self) -> State:
        """Return the learned state, which includes the vocabulary."""
        return super().state() | State(values={"words": list(self.vocabulary_.words)})

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
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
