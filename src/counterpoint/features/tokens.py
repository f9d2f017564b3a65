"""Texts as rows of word ids, by a vocabulary that is learned on the training texts alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint import rules

PAD, UNKNOWN = 0, 1
Texts = pl.Series | Iterable[str | None]


@dataclass(frozen=True)
class Vocabulary:
    """Words and their ids: 0 is padding, 1 an unknown word, ``words[i]`` is i + 2.

    Examples
    --------
    >>> vocabulary = Vocabulary.of(["A dog runs", "a dog"])
    >>> vocabulary.words
    ('a', 'dog', 'runs')
    >>> [ids.tolist() for ids in vocabulary.encode(["a cat runs", "", None])]
    [[2, 1, 4], [], []]
    """

    words: tuple[str, ...]

    @classmethod
    def of(cls, texts: Texts, *, max_words: int = 20_000, min_count: int = 1) -> "Vocabulary":
        """Return the vocabulary of the training *texts*: their most frequent words, then by alphabet.

        Parameters
        ----------
        texts
            *texts* may be null.
        max_words
            *max_words* is the largest number of words.
        min_count
            *min_count* is the number of occurrences that a word needs.
        """
        counts = tokenize(texts).explode().drop_nulls().value_counts(name="n")
        kept = counts.filter(pl.col("n") >= min_count)
        word = kept.columns[0]
        return cls(tuple(kept.sort("n", word, descending=[True, False])[word].head(max_words)))

    def __len__(self) -> int:
        """Return the number of ids, with padding and the unknown word."""
        return len(self.words) + 2

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: i + 2 for i, word in enumerate(self.words)}

    def encode(self, texts: Texts) -> list[NDArray[np.int32]]:
        """Return the ids of the words of each text, or none for a null text or an empty text."""
        tokens = tokenize(texts)
        ends = tokens.list.len().cum_sum().to_numpy()
        ids = self._flat_ids(tokens)
        return [ids[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)] if len(ends) else []

    def _flat_ids(self, tokens: pl.Series) -> NDArray[np.int32]:
        flat = tokens.explode().drop_nulls()
        known = self._ids
        return np.fromiter((known.get(word, UNKNOWN) for word in flat), dtype=np.int32, count=len(flat))


def tokenize(texts: Texts) -> pl.Series:
    """Return the words of each text, as ``rules.words`` defines them, or none for a null text.

    >>> tokenize(["A red fox", None]).to_list()
    [['a', 'red', 'fox'], []]
    """
    series = texts if isinstance(texts, pl.Series) else pl.Series(list(texts), dtype=pl.String)
    column = pl.col("text")
    return pl.DataFrame({"text": series}).select(rules.words(column.cast(pl.String).fill_null("")))["text"]
