"""TF-IDF into a linear SVM as in the 2023 study: scikit-learn's defaults and English stop words."""

from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from counterpoint.contenders import settings_as_fields
from counterpoint.contenders.base import Codes, Contender, Proba, Rows
from counterpoint.contenders.calibrate import Scaling, fit_scaling
from counterpoint.contenders.inner_split import cross_folds
from counterpoint.contenders.kept.linear import columns, svm_arrays, with_arrays, with_columns
from counterpoint.contenders.kept.state import State
from counterpoint.schema import Frame

Texts = NDArray[np.object_]
_FOLDS = 5


@settings_as_fields
class PaperTextSVM(Contender):
    """``TfidfVectorizer(stop_words="english")`` into ``LinearSVC()``.

    The study reported classes only.  The probabilities are a sigmoid of the decisions.  Its slope is fitted on
    out-of-fold decisions of the training rows.  Its middle stays at zero, so that the classes are those of the SVM.

    Examples
    --------
    >>> import polars as pl
    >>> pairs = pl.DataFrame({"text": ["a red fox", "the fox", "a blue car", "the car"]})
    >>> model = PaperTextSVM().fit(pairs, ["animal", "animal", "thing", "thing"])
    >>> model.predict(pl.DataFrame({"text": ["one car"]})).tolist()
    ['thing']
    """

    modalities: ClassVar[tuple[str, ...]] = ("text",)
    complexity: ClassVar[int | None] = 2
    is_calibrated: ClassVar[bool] = False

    c: Annotated[float, Field(gt=0)] = 1.0
    """The cost of an error, relative to the size of the weights.  Published: scikit-learn's 1."""
    stop_words: bool = True
    """Leaves out the English stop words of scikit-learn, as published."""
    seed: int = 0
    """Changes nothing in this contender."""

    def _fit(self, train: Rows, validation: Rows | None, fits: dict[str, Any]) -> None:
        texts = _texts(train.pairs)
        self.slope_ = self._slope(texts, train)
        self.machine_ = self._fitted(texts, train.codes)
        svm = self.machine_[-1]
        self.n_parameters_ = svm.coef_.size + svm.intercept_.size

    def state(self) -> State:
        """Return the learned state: the words, their inverse document frequencies, and the SVM."""
        words, svm = self.machine_
        kept = State(arrays={"idf": words.idf_, **svm_arrays(svm)}, values={"words": columns(words)})
        learned = super().state()
        return State(learned.arrays, learned.values) | kept

    def restore(self, state: State) -> Self:
        """Restore a fitted contender from its *state*."""
        words, svm = self._unfitted()
        with_columns(words, state.texts("words")).idf_ = state.arrays["idf"]
        self.machine_ = make_pipeline(words, with_arrays(svm, state.arrays))
        return super().restore(state)

    def _proba(self, pairs: Frame) -> Proba:
        scaling = Scaling(np.array([self.slope_]), np.zeros(len(self.classes_)))
        return scaling.proba([self._scores(self.machine_, _texts(pairs))])

    def _fitted(self, texts: Texts, codes: Codes) -> Any:
        words, svm = self._unfitted()
        if not any(map(words.build_analyzer(), texts)):  # scikit-learn refuses texts without any word
            words.set_params(vocabulary={"": 0})
        return make_pipeline(words, svm).fit(texts, codes)

    def _unfitted(self) -> tuple[TfidfVectorizer, LinearSVC]:
        # The dual solver of Liblinear, the default of 2023, draws the order of its steps.
        svm = LinearSVC(C=self.c, dual=True, random_state=0)
        return TfidfVectorizer(stop_words="english" if self.stop_words else None), svm

    def _slope(self, texts: Texts, train: Rows) -> float:
        folds = cross_folds(train, _FOLDS)
        scores, is_scored = np.zeros((len(folds), len(self.classes_))), np.zeros(len(folds), dtype=bool)
        for fold in range(_FOLDS):
            out, rest = folds == fold, folds != fold
            if out.any() and len(np.unique(train.codes[rest])) > 1:
                machine = self._fitted(texts[rest], train.codes[rest])
                scores[out], is_scored[out] = self._scores(machine, texts[out]), True
        return float(fit_scaling([scores[is_scored]], train.codes[is_scored]).weights[0]) if is_scored.any() else 1.0

    def _scores(self, machine: Any, texts: Texts) -> Proba:
        """Return one-against-rest decisions, shape (n_texts, n_classes), with -1 for a class that the machine lacks."""
        decision = machine.decision_function(texts)
        scores = np.full((len(texts), len(self.classes_)), -1.0)
        scores[:, machine.classes_] = np.stack([-decision, decision], axis=1) if decision.ndim == 1 else decision
        return scores


def _texts(pairs: Frame) -> Texts:
    return np.array(pairs["text"].fill_null("").to_list(), dtype=object)
