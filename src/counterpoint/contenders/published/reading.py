"""How the published networks read texts and pictures."""

from dataclasses import dataclass
from typing import Any, Literal, Self

import polars as pl

from counterpoint.contenders.base import Rows
from counterpoint.contenders.published.keras_tokens import Ids, KerasTokenizer, Padding
from counterpoint.schema import Frame

FittedOn = Literal["train", "train_and_validation", "again"]


@dataclass(frozen=True)
class Reading:
    """Texts by Keras' tokenizer, padded to one length.

    *fitted* says on which texts: "train"; "train_and_validation"; or "again": on whatever texts are to be read, so
    that a number means one word in training and another later, the fault that a second ``fit_on_texts`` makes.
    """

    n_words: int
    length: int
    padding: Padding
    fitted: FittedOn

    @classmethod
    def of(cls, settings: Any) -> Self:
        """Return how the contender with these *settings* reads."""
        return cls(settings.n_words, settings.length, settings.padding, settings.tokenizer)

    def learn(self, train: Rows, validation: Rows) -> KerasTokenizer:
        """Return the tokenizer of the texts that are there to learn from."""
        texts = train.pairs["text"]
        if self.fitted == "train_and_validation":
            texts = pl.concat([texts, validation.pairs["text"]])
        return KerasTokenizer.of(texts, n_words=self.n_words)

    def tokenizer(self, words: tuple[str, ...]) -> KerasTokenizer:
        """Return the tokenizer that learned these *words*; of more than there are numbers, it raises ValueError."""
        if len(words) >= self.n_words:
            raise ValueError(f"{len(words)} words have no place among {self.n_words} numbers")
        return KerasTokenizer(words)

    def tokens(self, tokenizer: KerasTokenizer, pairs: Frame) -> Ids:
        """Return word ids, shape (n_pairs, length)."""
        if self.fitted == "again":
            tokenizer = KerasTokenizer.of(pairs["text"], n_words=self.n_words)
        return tokenizer.encode(pairs["text"], length=self.length, padding=self.padding)
