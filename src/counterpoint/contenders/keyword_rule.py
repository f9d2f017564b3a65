"""A rule of a few words: if it does as well as a model, the label is a function of the text."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field

from counterpoint.contenders.base import Codes, Contender, Proba, Rows
from counterpoint.contenders.kept.state import State
from counterpoint.features.tokens import UNKNOWN, Vocabulary, tokenize
from counterpoint.rules import AMBIGUOUS, NONE, ClassRule, KeywordRules, Match, preset
from counterpoint.schema import Frame

OTHERWISE = "otherwise"
_LEAST_GAIN = 1e-9
"""More than the rounding of a sum of weights."""


class KeywordRule(Contender):
    """Asks for one word after the other; the first that a text has decides.

    The words are learned, each the one that adds most to the balanced accuracy on the training rows, at the place among
    those that are there where it adds most (a decision list, Rivest 1987).  Or they are given, as the rule that made
    the labels of a study.
    Probabilities are the class shares of the training rows that the same word decides, smoothed by Laplace.

    Parameters
    ----------
    n_words
        *n_words* is how many words are learned at most.
    min_count
        *min_count* is the number of training texts that must have a word.
    preset
        *preset* is the rule of a published study, "study-2023"; nothing is learned then but what share of each label
        a class of the rule has.
    classes, match, ignore_case
        *classes* maps the names of a rule's classes to words, as in ``rules.KeywordRules``: a rule of one's own.
    seed
        *seed* changes nothing here; every contender takes one.

    Attributes
    ----------
    rule_
        *rule_* lists ``(word, class, n)``: the most frequent label of the *n* training rows that the word decides.

    Examples
    --------
    >>> pairs = pl.DataFrame({"text": ["a man", "the man", "a dog", "one dog", "a dog and a cat"]})
    >>> KeywordRule(min_count=2).fit(pairs, ["person", "person", "animal", "animal", "animal"]).rule_
    [('dog', 'animal', 3), ('otherwise', 'person', 2)]
    """

    modalities = ("text",)
    tiny: ClassVar[Mapping[str, Any]] = {"n_words": 3, "min_count": 1}

    def __init__(
        self,
        *,
        n_words: Annotated[int, Field(ge=1)] = 8,
        min_count: Annotated[int, Field(ge=1)] = 3,
        preset: str | None = None,
        classes: Mapping[str, ClassRule] | None = None,
        match: Match = "word",
        ignore_case: bool = True,
        seed: int = 0,
    ) -> None:
        self.n_words = n_words
        self.min_count = min_count
        self.preset = preset
        self.classes = classes
        self.match = match
        self.ignore_case = ignore_case
        self.seed = seed

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        texts, n_classes = train.pairs["text"], len(self.classes_)
        self.leaves_ = self._given() or self._learned(texts, train.codes)
        counts = np.zeros((len(self.leaves_), n_classes))
        np.add.at(counts, (self._leaf(texts), train.codes), 1)
        self.shares_ = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
        self.n_decided_ = counts.sum(axis=1).astype(int)
        self.n_parameters_ = len(self.leaves_) * n_classes

    @property
    def rule_(self) -> list[tuple[str, str, int]]:
        """Return each word, the most frequent label of the training rows that it decides, and their number."""
        names = map(str, self.classes_[self.shares_.argmax(axis=1)])
        return list(zip(self.leaves_, names, self.n_decided_.tolist(), strict=True))

    def restore(self, state: State) -> Self:
        """Take what ``state`` returned."""
        leaves = list(state.texts("leaves_"))
        if self._given() not in ([], leaves) or len(leaves) != len(state.arrays["shares_"]):
            raise ValueError(f"{len(leaves)} leaves are not those of this rule")
        return super().restore(state)

    def _proba(self, pairs: Frame) -> Proba:
        return np.asarray(self.shares_[self._leaf(pairs["text"])])

    def _leaf(self, texts: pl.Series) -> NDArray[np.int64]:
        """Return for each text the position in ``leaves_`` of what decides it."""
        column = pl.col("text")
        rules = self._rules()
        if rules:
            rows = pl.DataFrame({"text": texts}).select(rules.label(column))
            return rows.to_series().replace_strict(self.leaves_, range(len(self.leaves_))).to_numpy().astype(np.int64)
        found = [pl.when(column.list.contains(word)).then(i) for i, word in enumerate(self.leaves_[:-1])]
        rows = pl.DataFrame({"text": tokenize(texts)}).select(pl.coalesce(*found, pl.repeat(len(found), pl.len())))
        return rows.to_series().to_numpy().astype(np.int64)

    def _rules(self) -> KeywordRules | None:
        """Return the rule that is given, if one is."""
        if self.preset:
            return preset(self.preset)
        if not self.classes:
            return None
        values = {"classes": self.classes, "match": self.match, "ignore_case": self.ignore_case}
        return KeywordRules.read(values, where="keyword-rule")

    def _given(self) -> list[str]:
        rules = self._rules()
        return [*rules.classes, AMBIGUOUS, NONE] if rules else []

    def _learned(self, texts: pl.Series, codes: Codes) -> list[str]:
        vocabulary = Vocabulary.of(texts, min_count=self.min_count)
        has = _presence(vocabulary, texts)
        # Every class weighs the same in the whole: what is gained is balanced accuracy.
        weight = np.eye(len(self.classes_))[codes] / np.bincount(codes)
        chosen: list[int] = []
        for _ in range(self.n_words):
            chosen = _with_best(chosen, has, weight)
        for word in chosen:  # each once more: a better one may have come within reach
            chosen = _with_best([other for other in chosen if other != word], has, weight)
        return [*(vocabulary.words[word] for word in chosen), OTHERWISE]


def _with_best(words: list[int], has: Any, weight: Proba) -> list[int]:
    """Return *words* with one more at the place where it adds most; as they are where none adds anything."""
    leaf = _leaves(has, words)
    gained = _gained(has, np.stack([weight * (leaf == each)[:, None] for each in range(len(words) + 1)]))
    if gained.max(initial=0) <= _LEAST_GAIN:
        return words
    place, word = map(int, np.unravel_index(gained.argmax(), gained.shape))
    return [*words[:place], word, *words[place:]]


def _leaves(has: Any, words: list[int]) -> NDArray[np.int64]:
    """Return which of *words* decides each text: the first that it has, else ``len(words)``."""
    found = np.hstack([has[:, words].toarray() > 0, np.ones((has.shape[0], 1), dtype=bool)])
    first: NDArray[np.int64] = found.argmax(axis=1)
    return first


def _gained(has: Any, weight: Proba) -> Proba:
    """Return how much more weight is decided rightly with each word at each place, shape (places, words).

    *weight*, of shape (leaves, n_texts, n_classes), is that of each text in the leaf that decides it now.
    """
    whole = weight.sum(axis=1)  # (leaves, classes)
    taken = np.stack([has.T @ each for each in weight])  # (leaves, words, classes): what a word would take from a leaf
    left = (whole[:, None] - taken).max(axis=2)  # (leaves, words)
    from_here_on = [np.cumsum(each[::-1], axis=0)[::-1] for each in (taken, left, whole.max(axis=1))]
    gained: Proba = from_here_on[0].max(axis=2) + from_here_on[1] - from_here_on[2][:, None]
    return gained


def _presence(vocabulary: Vocabulary, texts: pl.Series) -> Any:
    """Return which words each text has, a sparse 0/1 matrix of shape (n_texts, n_words)."""
    found = [np.unique(ids[ids > UNKNOWN]) - UNKNOWN - 1 for ids in vocabulary.encode(texts)]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.concatenate([np.empty(0, np.int32), *found])
    return sp.csc_matrix(
        sp.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(found), len(vocabulary.words)))
    )
