"""A linear support vector machine over word and character n-grams, with calibrated probabilities."""

from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from counterpoint.contenders import Positive, settings_as_fields
from counterpoint.contenders.base import Codes, Contender, Proba, Rows
from counterpoint.contenders.calibrate import Scaling, fit_scaling, out_of_fold
from counterpoint.contenders.kept.linear import columns, svm_arrays, with_arrays, with_columns
from counterpoint.contenders.kept.state import State
from counterpoint.features.tokens import tokenize
from counterpoint.schema import Frame


def _ordered(span: tuple[int, int]) -> tuple[int, int]:
    if span[0] > span[1]:
        raise ValueError(f"the shortest n-gram, {span[0]}, should not be longer than the longest, {span[1]}")
    return span


Span = Annotated[tuple[Positive, Positive], AfterValidator(_ordered)]
END = "."
"""The last token of every text, so that even an empty text has a feature.  ``rules.words`` never yields it."""


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
        characters = self.grams_.characters
        return super().state() | State(
            arrays={
                "weight": self.machine_.weight,
                **svm_arrays(self.machine_.svm),
                **self.scaling_.arrays("scaling"),
            },
            values={"words": columns(self.grams_.words), "characters": columns(characters) if characters else []},
        )

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        self.grams_ = NGrams(self.words, self.characters, self.min_count)
        with_columns(self.grams_.words, state.texts("words"))
        if self.grams_.characters:
            with_columns(self.grams_.characters, state.texts("characters"))
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
        return LinearSVC(C=self.c, class_weight=self.class_weight, dual=False)


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

    def _counted(self, tokens: pl.Series, step: str) -> Any:
        closed = tokens.list.concat(pl.Series([[END]]))
        blocks = [getattr(self.words, step)(closed.to_list())]
        if self.characters:
            # The character n-grams of a text are those of its words: each distinct word is split once.
            texts_by_word, words = _word_counts(closed)
            blocks.append(texts_by_word @ getattr(self.characters, step)(words))
        return sp.hstack(blocks, format="csr", dtype=np.float64)


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
        n_texts, n_features = counts.shape
        frequency = np.bincount(counts.indices, minlength=n_features)
        # An n-gram of held-out texts alone has weight 0, as if it were unknown: else it would shorten their vectors.
        weight = np.where(frequency > 0, worth * (np.log((1 + n_texts) / (1 + frequency)) + 1), 0)
        return cls(weight, svm.fit(_weighed(counts, weight), codes))

    def scores(self, counts: Any, n_classes: int) -> NDArray[np.float64]:
        """Return one-against-rest decisions, shape (n_texts, n_classes), with -1 for a class that the SVM lacks."""
        decision = self.svm.decision_function(_weighed(counts, self.weight))
        scores = np.full((len(decision), n_classes), -1.0)
        scores[:, self.svm.classes_] = np.stack([-decision, decision], axis=1) if decision.ndim == 1 else decision
        return scores


def _weighed(counts: Any, weight: NDArray[np.float64]) -> Any:
    """Return the texts as vectors of length 1, of counts damped to 1 + log (sublinear TF-IDF)."""
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
