"""Linear SVMs and their n-grams as arrays and lists of texts, which are smaller and faster to read than an archive."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.svm import LinearSVC

_OF_SVM = ("coef_", "intercept_", "classes_")


def svm_arrays(svm: LinearSVC) -> dict[str, NDArray[Any]]:
    """Return the arrays that a fitted *svm* needs to predict.

    >>> svm = LinearSVC().fit([[0.0], [1.0]], [0, 1])
    >>> again = with_arrays(LinearSVC(), svm_arrays(svm))
    >>> bool(again.decision_function([[3.0]]) == svm.decision_function([[3.0]]))
    True
    """
    return {f"svm.{name}": getattr(svm, name) for name in _OF_SVM}


def with_arrays(svm: LinearSVC, arrays: Mapping[str, NDArray[Any]]) -> LinearSVC:
    """Return *svm* fitted with the *arrays* of `svm_arrays`."""
    for name in _OF_SVM:
        setattr(svm, name, arrays[f"svm.{name}"])
    n_rows, svm.n_features_in_ = svm.coef_.shape
    n_classes = len(svm.classes_)
    if n_rows != (1 if n_classes == 2 else n_classes) or svm.intercept_.shape != (n_rows,):
        raise ValueError(f"a linear SVM of {n_classes} classes cannot have weights of shape {svm.coef_.shape}")
    return svm


def columns(vectorizer: CountVectorizer) -> list[str]:
    """Return the n-grams that a fitted *vectorizer* counts, in the order of its columns.

    >>> vectorizer = with_columns(CountVectorizer(), columns(CountVectorizer().fit(["two foxes"])))
    >>> vectorizer.transform(["two two"]).toarray().tolist()
    [[0, 2]]
    """
    place: dict[str, int] = vectorizer.vocabulary_
    return sorted(place, key=place.__getitem__)


def with_columns(vectorizer: CountVectorizer, names: Sequence[str]) -> CountVectorizer:
    """Return *vectorizer* as if it had learned the n-grams *names*, one a column.

    Raises
    ------
    ValueError
        When a name is there twice: scipy would then write counts beyond the end of its arrays.
    """
    vectorizer.vocabulary_ = {name: i for i, name in enumerate(names)}
    if len(vectorizer.vocabulary_) < len(names):
        raise ValueError(f"{len(names) - len(vectorizer.vocabulary_)} of {len(names)} n-grams are there twice")
    vectorizer.fixed_vocabulary_ = False
    return vectorizer
