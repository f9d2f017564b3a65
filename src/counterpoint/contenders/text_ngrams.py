"""Logistic regression on TF-IDF of word and character n-grams: a text model without a network."""

from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import softmax

from counterpoint.contenders import Positive, settings_as_fields
from counterpoint.contenders.base import Contender, Proba, Rows
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.ngrams import NGrams, Span, inverse_frequencies, weighed
from counterpoint.contenders.regression import Regression, fit_regression, judged_on
from counterpoint.features.tokens import tokenize
from counterpoint.schema import Frame


@settings_as_fields
class TextNGrams(Contender):
    """TF-IDF of word and character n-grams into multinomial logistic regression.

    The regularisation is the one with the smallest log loss on validation rows.  A missing text counts as an empty
    text.  Such models are strong on short texts (Wang and Manning, ACL 2012).

    Attributes
    ----------
    c_
        *c_* is the chosen inverse strength of the regularisation.

    Examples
    --------
    >>> import polars as pl
    >>> pairs = pl.DataFrame({"text": ["a red fox", "the fox", "a blue car", "the car"] * 5})
    >>> model = TextNGrams().fit(pairs, ["animal", "animal", "thing", "thing"] * 5)
    >>> model.predict(pl.DataFrame({"text": ["two foxes"]})).tolist()
    ['animal']
    """

    modalities = ("text",)
    complexity: ClassVar[int | None] = 2

    words: Positive = 2
    """The longest n-gram of words."""
    characters: Span | None = (3, 5)
    """The shortest and the longest n-gram of characters within a word.  With None there are none."""
    min_count: Positive = 1
    """The number of texts that must contain an n-gram."""
    seed: int = 0
    """Changes nothing in this contender."""

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        train, held_out = judged_on(train, validation)
        self.grams_ = NGrams(self.words, self.characters, self.min_count)
        counts = self.grams_.learn(tokenize(train.pairs["text"]))
        self.weight_ = inverse_frequencies(counts, self.grams_.worth)
        judges = (self._vectors(held_out.pairs), held_out.codes) if held_out else ()
        found = fit_regression(weighed(counts, self.weight_), train.codes, *judges)
        self.coef_, self.bias_, self.c_ = found.weights, found.bias, found.c
        self.n_parameters_ = self.coef_.size + self.bias_.size

    def state(self) -> State:
        """Return the learned state, which includes the n-grams."""
        return super().state() | self.grams_.state()

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        self.grams_ = NGrams(self.words, self.characters, self.min_count).restored(state)
        return super().restore(state)

    def _proba(self, pairs: Frame) -> Proba:
        regression = Regression(self.coef_, self.bias_, self.c_)
        return np.asarray(softmax(regression.logits(self._vectors(pairs)), axis=1))

    def _vectors(self, pairs: Frame) -> Any:
        return weighed(self.grams_.count(tokenize(pairs["text"])), self.weight_)
