"""The words that move a model of text: the change of its probabilities when a word is left out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint import rules
from counterpoint.metrics.intervals import t_interval
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

MOST_TEXTS, MOST_WORDS, LEAST_TEXTS = 200, 40, 3
COLUMNS = {
    "word": pl.String,
    "label": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
}


def removal_effects(model: Any, pairs: Frame, *, confidence: float = 0.95) -> Frame:
    """Return the mean fall of a class's probability when a word is left out of a text.

    At most 200 texts are used, and the first 40 words of each.  Texts are read as their words in lower case, so that
    a text without a word differs from the whole text in that word only.

    Parameters
    ----------
    model
        *model* is a fitted contender that reads text.
    pairs
        *pairs* are rows that it was not trained on.
    confidence
        *confidence* is the level of the interval, by Student's t over the texts that have the word.

    Returns
    -------
    Frame
        Columns word, label (the class whose probability falls most), value, low, high and n (texts that have the
        word). The largest value stands first. A word of fewer than three texts is left out.

    Examples
    --------
    >>> class Dogs:
    ...     classes_ = np.array(["cat", "dog"])
    ...     def predict_proba(self, X):
    ...         is_dog = X["text"].str.contains("dog").to_numpy().astype(float)
    ...         return np.column_stack([1 - is_dog, is_dog])
    >>> pairs = pl.DataFrame({"id": list("123"), "text": ["A dog", "The dog runs", "my dog!"]})
    >>> removal_effects(Dogs(), pairs).row(0)
    ('dog', 'dog', 1.0, 1.0, 1.0, 3)
    """
    texts, words = _texts(pairs)
    cuts = [(row, word) for row, of_text in enumerate(words) for word in list(dict.fromkeys(of_text))[:MOST_WORDS]]
    if not cuts:
        return _summary([], np.empty((0, len(model.classes_))), model.classes_, confidence)
    without = [" ".join(kept for kept in words[row] if kept != word) for row, word in cuts]
    rows = [row for row, _ in cuts]
    full = np.asarray(model.predict_proba(texts))
    partial = np.asarray(model.predict_proba(texts[rows].with_columns(pl.Series("text", without))))
    return _summary([word for _, word in cuts], full[rows] - partial, model.classes_, confidence)


def _texts(pairs: Frame) -> tuple[Frame, list[list[str]]]:
    """Return a seeded sample of the pairs that have words, with the text as its words only, and the words."""
    with_words = pairs.with_columns(rules.words(pl.col("text")).alias("words")).filter(pl.col("words").list.len() > 0)
    rng = np.random.default_rng(child_seed(0, "removals"))
    chosen = with_words[np.sort(rng.permutation(len(with_words))[:MOST_TEXTS])]
    return chosen.with_columns(pl.col("words").list.join(" ").alias("text")).drop("words"), chosen["words"].to_list()


def _summary(words: Sequence[str], falls: NDArray[np.float64], classes: Any, confidence: float) -> Frame:
    found = []
    order = np.asarray(words, dtype=object)
    for word in dict.fromkeys(words):
        of_word = falls[order == word]
        n = len(of_word)
        if n < LEAST_TEXTS:
            continue
        best = int(of_word.mean(axis=0).argmax())
        value, low, high = t_interval(of_word[:, best], confidence=confidence)
        found.append((word, str(classes[best]), value, max(low, -1.0), min(high, 1.0), n))  # of probabilities
    return pl.DataFrame(found, schema=dict(COLUMNS), orient="row").sort("value", "word", descending=[True, False])
