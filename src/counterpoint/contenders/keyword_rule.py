"""A rule of a few words.  If it scores as high as a model, the label is a function of the text."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from counterpoint.contenders import Positive, settings_as_fields
from counterpoint.contenders.base import Codes, Proba, Rows
from counterpoint.contenders.calibrate import CalibratedContender, Scaling, fit_scaling, out_of_fold
from counterpoint.contenders.kept.state import State
from counterpoint.features.tokens import UNKNOWN, Vocabulary, tokenize
from counterpoint.rules import AMBIGUOUS, NONE, ClassRule, KeywordRules, Match, preset
from counterpoint.schema import Frame

OTHERWISE = "otherwise"
SMOOTHING = 2.0
"""Rows, for each class, with the class shares of all training rows, that are added to the rows of a word."""
_LEAST_GAIN = 1e-9
"""Larger than the rounding error of a sum of weights."""


@settings_as_fields
class KeywordRule(CalibratedContender):
    """Predicts by the first word of a list that the text contains.

    The words are learned as a decision list (Rivest 1987).  Each next word, at its place in the list, is the one that
    adds most to the balanced accuracy on the training rows.  Or the words are given, as in the rule that made the
    labels of a study.  The probabilities are the class shares of the training rows that the same word decides, smoothed
    towards the class shares of all training rows (the m-estimate of Cestnik 1990).  Words that were chosen by the same
    rows are over-confident, so they are scaled on out-of-fold predictions.

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
    is_trained = False
    complexity: ClassVar[int | None] = 1
    tiny: ClassVar[Mapping[str, Any]] = {"n_words": 3, "min_count": 1}

    n_words: Positive = 8
    """The largest number of words that are learned."""
    min_count: Positive = 3
    """The number of training texts that must contain a word."""
    preset: str | None = None
    """The rule of a published study, "study-2023".  Only the label shares of its classes are then learned."""
    classes: Mapping[str, ClassRule] | None = None
    """A rule of your own: the name of each of its classes, with its words, as in ``rules.KeywordRules``."""
    match: Match = "word"
    """The way in which the words of *classes* are found in a text."""
    ignore_case: bool = True
    """Finds the words of *classes* in upper and lower case."""
    seed: int = 0
    """Changes nothing in this contender."""

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        texts, n_classes = train.pairs["text"], len(self.classes_)

        def scored(rest: Codes, out: Codes) -> Proba:
            self._learn(texts[rest], train.codes[rest])
            return self._log_shares(texts[out])

        self.scaling_ = Scaling.identity(n_classes)
        if not self._given():  # the words of a given rule were not chosen by these rows
            scores, codes = out_of_fold(train, n_classes, scored)
            log_prior = np.log(self.class_shares_)
            self.scaling_ = fit_scaling([scores], codes, log_shares=log_prior, log_prior=log_prior)
        self._learn(texts, train.codes)
        self.n_parameters_ = len(self.leaves_) * n_classes

    def _learn(self, texts: pl.Series, codes: Codes) -> None:
        self.leaves_ = self._given() or self._learned(texts, codes)
        counts = np.zeros((len(self.leaves_), len(self.classes_)))
        np.add.at(counts, (self._leaf(texts), codes), 1)
        # A word that decides no row has the label of the majority.
        self.labels_ = (counts + self.class_shares_).argmax(axis=1)
        added = SMOOTHING * len(self.classes_) * self.class_shares_
        self.shares_ = (counts + added) / (counts + added).sum(axis=1, keepdims=True)
        self.n_decided_ = counts.sum(axis=1).astype(int)

    @property
    def rule_(self) -> list[tuple[str, str, int]]:
        """Return each word, the most frequent label of the training rows that it decides, and their number."""
        names = map(str, self.classes_[self.labels_])
        return list(zip(self.leaves_, names, self.n_decided_.tolist(), strict=True))

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        leaves = list(state.texts("leaves_"))
        if self._given() not in ([], leaves) or len(leaves) != len(state.arrays["shares_"]):
            raise ValueError(f"{len(leaves)} leaves differ from the leaves of this rule")
        return super().restore(state)

    def _proba(self, pairs: Frame) -> Proba:
        return self.scaling_.proba([self._log_shares(pairs["text"])])

    def _log_shares(self, texts: pl.Series) -> Proba:
        """Return the logs of the class shares of the leaf that decides each text, shape (n, n_classes)."""
        return np.asarray(np.log(self.shares_[self._leaf(texts)]))

    def _leaf(self, texts: pl.Series) -> NDArray[np.int64]:
        """Return the position in ``leaves_`` of the leaf that decides each text."""
        column = pl.col("text")
        rules = self._rules()
        if rules:
            rows = pl.DataFrame({"text": texts}).select(rules.label(column))
            return rows.to_series().replace_strict(self.leaves_, range(len(self.leaves_))).to_numpy().astype(np.int64)
        found = [pl.when(column.list.contains(word)).then(i) for i, word in enumerate(self.leaves_[:-1])]
        rows = pl.DataFrame({"text": tokenize(texts)}).select(pl.coalesce(*found, pl.repeat(len(found), pl.len())))
        return rows.to_series().to_numpy().astype(np.int64)

    def _rules(self) -> KeywordRules | None:
        """Return the given rule, or None."""
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
        # Every class has the same total weight, so that the gain is one of balanced accuracy.
        weight = np.eye(len(self.classes_))[codes] / np.bincount(codes)
        chosen: list[int] = []
        for _ in range(self.n_words):
            chosen = _with_best(chosen, has, weight)
        for word in chosen:  # each word is replaced by a better one, where there is one
            chosen = _with_best([other for other in chosen if other != word], has, weight)
        return [*(vocabulary.words[word] for word in chosen), OTHERWISE]


def _with_best(words: list[int], has: Any, weight: Proba) -> list[int]:
    """Return *words* with one more word at the place where it adds most, or unchanged."""
    leaf = _leaves(has, words)
    gained = _gained(has, np.stack([weight * (leaf == each)[:, None] for each in range(len(words) + 1)]))
    if gained.max(initial=0) <= _LEAST_GAIN:
        return words
    place, word = map(int, np.unravel_index(gained.argmax(), gained.shape))
    return [*words[:place], word, *words[place:]]


def _leaves(has: Any, words: list[int]) -> NDArray[np.int64]:
    """Return the position of the word that decides each text, or ``len(words)`` where no word does."""
    found = np.hstack([has[:, words].toarray() > 0, np.ones((has.shape[0], 1), dtype=bool)])
    first: NDArray[np.int64] = found.argmax(axis=1)
    return first


def _gained(has: Any, weight: Proba) -> Proba:
    """Return the gain in correctly decided weight for each word at each place, shape (places, words).

    *weight*, shape (leaves, n_texts, n_classes), is the weight of each text in the leaf that decides it now.
    """
    whole = weight.sum(axis=1)  # (leaves, classes)
    taken = np.stack(
        [has.T @ each for each in weight]
    )  # (leaves, words, classes): the weight that a word takes from a leaf
    left = (whole[:, None] - taken).max(axis=2)  # (leaves, words)
    from_here_on = [np.cumsum(each[::-1], axis=0)[::-1] for each in (taken, left, whole.max(axis=1))]
    gained: Proba = from_here_on[0].max(axis=2) + from_here_on[1] - from_here_on[2][:, None]
    return gained


def _presence(vocabulary: Vocabulary, texts: pl.Series) -> Any:
    """Return the words of each text as a sparse 0/1 matrix, shape (n_texts, n_words)."""
    found = [np.unique(ids[ids > UNKNOWN]) - UNKNOWN - 1 for ids in vocabulary.encode(texts)]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.concatenate([np.empty(0, np.int32), *found])
    return sp.csc_matrix(
        sp.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(found), len(vocabulary.words)))
    )
