"""Word and character n-grams of texts, learned on training texts, and their TF-IDF vectors."""

from typing import Annotated, Any, Self

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import AfterValidator
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from counterpoint.contenders import Positive
from counterpoint.contenders.kept.linear import columns, with_columns
from counterpoint.contenders.kept.state import State


def _ordered(span: tuple[int, int]) -> tuple[int, int]:
    if span[0] > span[1]:
        raise ValueError(f"the shortest n-gram, {span[0]}, should not be longer than the longest, {span[1]}")
    return span


Span = Annotated[tuple[Positive, Positive], AfterValidator(_ordered)]
END = "."
"""The last token of every text, so that even an empty text has a feature.  ``rules.words`` never yields it."""


class NGrams:
    """The counts of n-grams of words and, within a word, of characters, learned on training texts."""

    def __init__(self, words: int, characters: Span | None, min_count: int) -> None:
        self.min_count = min_count
        self.words = CountVectorizer(ngram_range=(1, words), tokenizer=_as_is, preprocessor=_as_is, token_pattern=None)
        self.characters = CountVectorizer(analyzer="char_wb", ngram_range=characters) if characters else None

    def learn(self, tokens: pl.Series) -> Any:
        """Learn the n-grams of the texts and return their counts, a sparse (n_texts, n_features)."""
        self.words.set_params(min_df=min(self.min_count, len(tokens)))
        return self._counted(tokens, "fit_transform")

    def count(self, tokens: pl.Series) -> Any:
        """Return the counts of the learned n-grams, a sparse (n_texts, n_features)."""
        return self._counted(tokens, "transform")

    @property
    def worth(self) -> NDArray[np.float64]:
        """Return the factor of each n-gram: 1 for words, and half of that for characters, which are many more."""
        n_characters = len(self.characters.vocabulary_) if self.characters else 0
        return np.repeat([1.0, 0.5], [len(self.words.vocabulary_), n_characters])

    def state(self) -> State:
        """Return the learned n-grams, as `restored` reads them."""
        return State(
            values={"words": columns(self.words), "characters": columns(self.characters) if self.characters else []}
        )

    def restored(self, state: State) -> Self:
        """Return these n-grams as if they had learned those of *state*."""
        with_columns(self.words, state.texts("words"))
        if self.characters:
            with_columns(self.characters, state.texts("characters"))
        return self

    def _counted(self, tokens: pl.Series, step: str) -> Any:
        closed = tokens.list.concat(pl.Series([[END]]))
        blocks = [getattr(self.words, step)(closed.to_list())]
        if self.characters:
            # The character n-grams of a text are those of its words: each distinct word is split once.
            texts_by_word, words = _word_counts(closed)
            blocks.append(texts_by_word @ getattr(self.characters, step)(words))
        return sp.hstack(blocks, format="csr", dtype=np.float64)


def inverse_frequencies(counts: Any, worth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of each n-gram, shape (n_features,): its inverse document frequency times its *worth*.

    An n-gram of other texts alone has weight 0, as if it were unknown: else it would shorten their vectors.
    """
    n_texts, n_features = counts.shape
    frequency = np.bincount(counts.indices, minlength=n_features)
    return np.where(frequency > 0, worth * (np.log((1 + n_texts) / (1 + frequency)) + 1), 0)


def weighed(counts: Any, weight: NDArray[np.float64]) -> Any:
    """Return the texts as vectors of length 1, of counts damped to 1 + log (sublinear TF-IDF).

    >>> weighed(sp.csr_matrix([[3.0, 0.0], [1.0, 1.0]]), np.ones(2)).toarray().round(2).tolist()
    [[1.0, 0.0], [0.71, 0.71]]
    """
    damped = counts.copy()
    damped.data = 1 + np.log(damped.data)
    return normalize(damped @ sp.diags(weight))


def _word_counts(tokens: pl.Series) -> tuple[Any, pl.Series]:
    """Return the counts of each distinct word in each text, a sparse (n_texts, n_words), and the words."""
    flat = tokens.explode()
    words = flat.unique(maintain_order=True)
    codes = flat.replace_strict(words, np.arange(len(words)), return_dtype=pl.Int32).to_numpy()
    texts = np.repeat(np.arange(len(tokens)), tokens.list.len().to_numpy())
    return sp.csr_matrix((np.ones(len(codes)), (texts, codes)), shape=(len(tokens), len(words))), words


def _as_is(tokens: list[str]) -> list[str]:
    return tokens
