"""Word ids as from Keras' Tokenizer and pad_sequences: lower case, no punctuation, the most frequent words.

References: keras.preprocessing.text.Tokenizer and keras.utils.pad_sequences of Keras 2.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

FILTERED = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_TO_SPACE = str.maketrans(dict.fromkeys(FILTERED, " "))
Padding = Literal["pre", "post"]
Ids = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True)
class KerasTokenizer:
    """Words and their ids: 0 is padding, and ``words[i]`` has id i + 1.  Other words are left out.

    Examples
    --------
    >>> tokenizer = KerasTokenizer.of(["A dog, a man.", "a dog"], n_words=4)
    >>> tokenizer.words
    ('a', 'dog', 'man')
    >>> tokenizer.encode(["A cat and a man"], length=4).tolist()
    [[0, 1, 1, 3]]
    """

    words: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str | None], *, n_words: int = 2000) -> "KerasTokenizer":
        """Return the tokenizer of *texts*: ids below *n_words*, by frequency, then by first appearance."""
        counts = Counter(word for text in texts for word in split_words(text))
        return cls(tuple(word for word, _ in counts.most_common(n_words - 1)))

    def encode(self, texts: Iterable[str | None], *, length: int = 100, padding: Padding = "pre") -> Ids:
        """Return word ids, shape (n_texts, length).

        Parameters
        ----------
        texts
            *texts* may be null.
        length
            *length* is the number of words to which a text is padded.  Of a longer text the last words stay, as in
            Keras.
        padding
            *padding* is the place of the zeros: "pre" before the words, the default of Keras, or "post" behind them.
        """
        ids = {word: i + 1 for i, word in enumerate(self.words)}
        known = [[ids[word] for word in split_words(text) if word in ids][-length:] for text in texts]
        rows = np.zeros((len(known), length), dtype=np.int32)
        for row, text in zip(rows, known, strict=True):
            if text:
                row[slice(len(text)) if padding == "post" else slice(-len(text), None)] = text
        return rows


def split_words(text: str | None) -> list[str]:
    """Return the words of a text.

    >>> split_words("A man's dog-sled!"), split_words(None)
    (['a', "man's", 'dog', 'sled'], [])
    """
    return (text or "").lower().translate(_TO_SPACE).split()
