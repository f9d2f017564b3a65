"""A rule of a few words: if it does as well as a model, the label is a function of the text."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field

from counterpoint.contenders.base import Codes, Contender, Proba, Rows
from counterpoint.features.tokens import UNKNOWN, Vocabulary, tokenize
from counterpoint.rules import AMBIGUOUS, NONE, ClassRule, KeywordRules, Match
from counterpoint.schema import Frame

OTHERWISE = "otherwise"


class KeywordRule(Contender):
    """Asks for one word after the other; the first that a text has decides.

    The words are learned, each the one that adds most to the balanced accuracy on the rows that no earlier word has
    decided (a decision list, Rivest 1987), or come from *classes*, as the rule that made the labels of a study.
    Probabilities are the class shares of the training rows that the same word decides, smoothed by Laplace.

    Parameters
    ----------
    n_words
        *n_words* is how many words are learned at most.
    min_count
        *min_count* is the number of training texts that must have a word.
    classes, match, ignore_case
        *classes* maps the names of a rule's classes to words, as in ``rules.KeywordRules``; nothing is learned then
        but what share of each label a class of the rule has.

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

    def __init__(
        self,
        *,
        n_words: Annotated[int, Field(ge=1)] = 8,
        min_count: Annotated[int, Field(ge=1)] = 3,
        classes: Mapping[str, ClassRule] | None = None,
        match: Match = "word",
        ignore_case: bool = True,
    ) -> None:
        self.n_words = n_words
        self.min_count = min_count
        self.classes = classes
        self.match = match
        self.ignore_case = ignore_case

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:  # noqa: ARG002
        texts, n_classes = train.pairs["text"], len(self.classes_)
        self.leaves_ = self._given() if self.classes else self._learned(texts, train.codes)
        counts = np.zeros((len(self.leaves_), n_classes))
        np.add.at(counts, (self._leaf(texts), train.codes), 1)
        self.shares_ = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
        names = map(str, self.classes_[self.shares_.argmax(axis=1)])
        self.rule_ = list(zip(self.leaves_, names, counts.sum(axis=1).astype(int).tolist(), strict=True))
        self.n_parameters_ = len(self.leaves_) * n_classes

    def _proba(self, pairs: Frame) -> Proba:
        return np.asarray(self.shares_[self._leaf(pairs["text"])])

    def _leaf(self, texts: pl.Series) -> NDArray[np.int64]:
        """Return for each text the position in ``leaves_`` of what decides it."""
        column = pl.col("text")
        if self.classes:
            rows = pl.DataFrame({"text": texts}).select(self._rules().label(column))
            return rows.to_series().replace_strict(self.leaves_, range(len(self.leaves_))).to_numpy().astype(np.int64)
        found = [pl.when(column.list.contains(word)).then(i) for i, word in enumerate(self.leaves_[:-1])]
        rows = pl.DataFrame({"text": tokenize(texts)}).select(pl.coalesce(*found, pl.repeat(len(found), pl.len())))
        return rows.to_series().to_numpy().astype(np.int64)

    def _rules(self) -> KeywordRules:
        values = {"classes": self.classes, "match": self.match, "ignore_case": self.ignore_case}
        return KeywordRules.read(values, where="keyword-rule")

    def _given(self) -> list[str]:
        return [*self._rules().classes, AMBIGUOUS, NONE]

    def _learned(self, texts: pl.Series, codes: Codes) -> list[str]:
        vocabulary = Vocabulary.of(texts, min_count=self.min_count)
        has = _presence(vocabulary, texts)
        # Every class weighs the same in the whole: what is gained is balanced accuracy.
        weight = np.eye(len(self.classes_))[codes] / np.bincount(codes)
        leaves: list[str] = []
        while len(leaves) < self.n_words and vocabulary.words:
            decided = has.T @ weight  # (words, classes)
            score = decided.max(axis=1) + (weight.sum(axis=0) - decided).max(axis=1)
            best = int(score.argmax())
            if score[best] <= weight.sum(axis=0).max() + 1e-9:
                break
            leaves.append(vocabulary.words[best])
            weight[has[:, [best]].toarray().ravel() > 0] = 0
        return [*leaves, OTHERWISE]


def _presence(vocabulary: Vocabulary, texts: pl.Series) -> Any:
    """Return which words each text has, a sparse 0/1 matrix of shape (n_texts, n_words)."""
    found = [np.unique(ids[ids > UNKNOWN]) - UNKNOWN - 1 for ids in vocabulary.encode(texts)]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.concatenate([np.empty(0, np.int32), *found])
    return sp.csc_matrix(
        sp.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(found), len(vocabulary.words)))
    )
