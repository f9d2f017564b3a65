"""The texts of the 2023 study's networks as word ids."""

from dataclasses import dataclass
from typing import Any, Literal, Self

import polars as pl

from counterpoint.contenders.base import Rows
from counterpoint.contenders.published.keras_tokens import Ids, KerasTokenizer, Padding
from counterpoint.schema import Frame

FittedOn = Literal["train", "train_and_validation", "again"]


@dataclass(frozen=True)
class TextReading:
    """Texts as word ids of Keras' tokenizer, padded to one length.

    *fitted_on* names the texts on which the tokenizer is fitted: "train", "train_and_validation" or "again".  With
    "again" it is fitted on the texts of every call.  A number then means one word in training and another later, as
    after a second ``fit_on_texts``.
    """

    n_words: int
    length: int
    padding: Padding
    fitted_on: FittedOn

    @classmethod
    def of(cls, settings: Any) -> Self:
        """Return the reading of a contender with these *settings*."""
        return cls(settings.n_words, settings.length, settings.padding, settings.tokenizer)

    def learn(self, train: Rows, validation: Rows) -> KerasTokenizer:
        """Return the tokenizer, fitted on the texts that *fitted_on* names."""
        texts = train.pairs["text"]
        if self.fitted_on == "train_and_validation":
            texts = pl.concat([texts, validation.pairs["text"]])
        return KerasTokenizer.of(texts, n_words=self.n_words)

    def tokenizer(self, words: tuple[str, ...]) -> KerasTokenizer:
        """Return the tokenizer that learned these *words*.

        Raises
        ------
        ValueError
            When there are more words than numbers.
        """
        if len(words) >= self.n_words:
            raise ValueError(f"{len(words)} words have no place among {self.n_words} numbers")
        return KerasTokenizer(words)

    def tokens(self, tokenizer: KerasTokenizer, pairs: Frame) -> Ids:
        """Return word ids, shape (n_pairs, length)."""
        if self.fitted_on == "again":
            tokenizer = KerasTokenizer.of(pairs["text"], n_words=self.n_words)
        return tokenizer.encode(pairs["text"], length=self.length, padding=self.padding)
