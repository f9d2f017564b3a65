"""A linear support vector machine over word and character n-grams, with calibrated probabilities."""

from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from sklearn.svm import LinearSVC

from counterpoint.contenders import Positive, settings_as_fields
from counterpoint.contenders.base import Codes, Contender, Proba, Rows
from counterpoint.contenders.calibrate import Scaling, fit_scaling, out_of_fold
from counterpoint.contenders.kept.linear import svm_arrays, with_arrays
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.ngrams import END, NGrams, Span, inverse_frequencies, weighed
from counterpoint.features.tokens import tokenize
from counterpoint.schema import Frame


@settings_as_fields
class TextSVM(Contender):
    """TF-IDF of the text into a linear SVM, with probabilities from a calibration of its decisions.

    The calibration is the sigmoid of Platt (1999), or its form for more classes.  It is fitted on out-of-fold decisions
    of the training rows, as it suits small samples best (Niculescu-Mizil and Caruana, ICML 2005).  Validation rows are
    not used: they serve to choose between contenders.  A missing text counts as an empty text.

    Examples
    --------
    >>> pairs = pl.DataFrame({"text": ["a red fox", "the fox", "a blue car", "the car"]})
    >>> model = TextSVM().fit(pairs, ["animal", "animal", "thing", "thing"])
    >>> model.predict(pl.DataFrame({"text": ["two foxes"]})).tolist()
    ['animal']
    >>> model.top_words(1)["word"].to_list()
    ['fox', 'car']
    """

    modalities = ("text",)
    complexity: ClassVar[int | None] = 2

    c: Annotated[float, Field(gt=0)] = 1.0
    """The cost of an error, relative to the size of the weights."""
    words: Positive = 2
    """The longest n-gram of words."""
    characters: Span | None = (3, 5)
    """The shortest and the longest n-gram of characters within a word.  With None there are none."""
    min_count: Positive = 1
    """The number of texts that must contain an n-gram."""
    class_weight: Literal["balanced"] | None = "balanced"
    """With "balanced" every class has the same weight in the SVM."""
    seed: int = 0
    """Changes nothing in this contender."""

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        self.grams_ = NGrams(self.words, self.characters, self.min_count)
        counts = self.grams_.learn(tokenize(train.pairs["text"]))
        n_classes = len(self.classes_)

        def scored(rest: Codes, out: Codes) -> NDArray[np.float64]:
            return self._machine(counts[rest], train.codes[rest]).scores(counts[out], n_classes)

        scores, codes = out_of_fold(train, n_classes, scored)
        self.scaling_ = fit_scaling([scores], codes)
        self.machine_ = self._machine(counts, train.codes)
        self.n_parameters_ = self.machine_.svm.coef_.size + self.machine_.svm.intercept_.size

    def state(self) -> State:
        """Return the learned state: n-grams, their weights, the SVM and its calibration."""
        learned = svm_arrays(self.machine_.svm) | self.scaling_.arrays("scaling")
        return super().state() | self.grams_.state() | State(arrays={"weight": self.machine_.weight} | learned)

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        self.grams_ = NGrams(self.words, self.characters, self.min_count).restored(state)
        self.scaling_ = Scaling.of(state.arrays, "scaling")
        self.machine_ = Machine(state.arrays["weight"], with_arrays(self._svm(), state.arrays))
        return super().restore(state)

    def _proba(self, pairs: Frame) -> Proba:
        counts = self.grams_.count(tokenize(pairs["text"]))
        return self.scaling_.proba([self.machine_.scores(counts, len(self.classes_))])

    def top_words(self, k: int = 20) -> Frame:
        """Return the *k* words with the largest weight for each class: columns class, word, weight.

        The weight is the decision for a text of this word alone, minus the decision for an empty text.  So the n-grams
        of its characters count as well.
        """
        words = sorted(word for word in self.grams_.words.vocabulary_ if " " not in word and word != END)
        texts = pl.Series([[], *([word] for word in words)], dtype=pl.List(pl.String))
        scores = self.machine_.scores(self.grams_.count(texts), len(self.classes_))
        weights = scores[1:] - scores[0]
        best = [np.argsort(-column, kind="stable")[:k] for column in weights.T]
        rows = [(str(self.classes_[code]), words[i], weights[i, code]) for code, top in enumerate(best) for i in top]
        return pl.DataFrame(rows, schema={"class": pl.String, "word": pl.String, "weight": pl.Float64}, orient="row")

    def _machine(self, counts: Any, codes: Codes) -> "Machine":
        return Machine.fitted(counts, codes, self.grams_.worth, self._svm())

    def _svm(self) -> LinearSVC:
        # Without a state it would take a seed from the global draws, although this solver makes none.
        return LinearSVC(C=self.c, class_weight=self.class_weight, dual=False, random_state=0)


class Machine(NamedTuple):
    """Inverse document frequencies and a linear SVM, both learned from the same texts."""

    weight: NDArray[np.float64]
    svm: LinearSVC

    @classmethod
    def fitted(cls, counts: Any, codes: Codes, worth: NDArray[np.float64], svm: LinearSVC) -> Self:
        """Return both, learned from the same texts.

        Parameters
        ----------
        counts
            *counts* are the counts of the n-grams, a sparse (n_texts, n_features).
        codes
            *codes* are the classes of the texts, shape (n_texts,).
        worth
            *worth* is the factor of each n-gram, shape (n_features,).
        svm
            *svm* is not yet fitted.
        """
        weight = inverse_frequencies(counts, worth)
        return cls(weight, svm.fit(weighed(counts, weight), codes))

    def scores(self, counts: Any, n_classes: int) -> NDArray[np.float64]:
        """Return one-against-rest decisions, shape (n_texts, n_classes), with -1 for a class that the SVM lacks."""
        decision = self.svm.decision_function(weighed(counts, self.weight))
        scores = np.full((len(decision), n_classes), -1.0)
        scores[:, self.svm.classes_] = np.stack([-decision, decision], axis=1) if decision.ndim == 1 else decision
        return scores
