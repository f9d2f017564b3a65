"""Logits of recombined pairs: text i with image j, from a model's head if it is available, else from predictions."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import softmax

from counterpoint.contenders.encoded import MISSING
from counterpoint.metrics.decision import BALANCED, decide
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame

TINY = 1e-12
Places = NDArray[np.integer[Any]]
Codes = NDArray[np.intp]


class RecombinedLogits(Protocol):
    """The logits of a model for pairs that combine the texts and images of n rows."""

    def logits(self, texts: Places, images: Places) -> NDArray[np.floating[Any]]:
        """Return logits, shape (n_combinations, n_classes), of each text row with its image row, or with `MISSING`."""


@dataclass(frozen=True)
class PredictedLogits:
    """The logits of a model without a separate head: each combination is predicted as a new pair.

    >>> class Long:
    ...     def predict_proba(self, pairs):
    ...         p = (pairs["text"].str.len_chars() > 3).to_numpy() * 0.6 + 0.2
    ...         return np.stack([1 - p, p], axis=1)
    >>> pairs = pl.DataFrame({"text": ["a", "long"], "image": ["1.png", "2.png"]})
    >>> PredictedLogits(Long(), pairs).logits(np.array([1, 0]), np.array([0, MISSING])).argmax(1).tolist()
    [1, 0]
    """

    model: Any
    pairs: Frame

    def logits(self, texts: Places, images: Places) -> Floats:
        """Return log probabilities minus their mean over the classes."""
        rows = pl.DataFrame({"text": self._of("text", texts), "image": self._of("image", images)})
        return centred(self.model.predict_proba(rows))

    def _of(self, modality: str, places: Places) -> pl.Series:
        assert (places >= MISSING).all(), "only encoded rows have a mean"
        values = pl.concat([self.pairs[modality], pl.Series([None], dtype=self.pairs[modality].dtype)])
        return values.gather(np.where(places == MISSING, len(self.pairs), places))


def recombine(model: Any, pairs: Frame) -> RecombinedLogits:
    """Return the logits of *model* for combinations of the texts and images of *pairs*.

    They are from the head alone if the model has ``encoded`` and its network has two encoders.
    """
    encoded = getattr(model, "encoded", None)
    found: RecombinedLogits | None = encoded(pairs) if encoded is not None else None
    return PredictedLogits(model, pairs) if found is None else found


def centred(proba: Floats) -> Floats:
    """Return log probabilities minus their mean over the classes: logits up to a constant for each row.

    >>> centred(np.array([[0.5, 0.5]])).tolist()
    [[0.0, 0.0]]
    """
    logs = np.log(proba.clip(min=TINY))
    result: Floats = logs - logs.mean(axis=-1, keepdims=True)
    return result


def codes_of(model: Any, labels: Any) -> Codes:
    """Return the place of each label among the classes of *model*, or -1 for a class that it was not fitted on.

    >>> from types import SimpleNamespace
    >>> codes_of(SimpleNamespace(classes_=np.array(["a", "c"])), ["c", "b", "a"]).tolist()
    [1, -1, 0]
    """
    found = np.asarray(labels)
    codes = np.searchsorted(model.classes_, found).clip(max=len(model.classes_) - 1)
    return np.where(np.asarray(model.classes_)[codes] == found, codes, -1)


def predicted_codes(logits: NDArray[np.floating[Any]], shares: Floats) -> Codes:
    """Return the predicted classes, the best for balanced accuracy: shape (…,) for *logits* of shape (…, n_classes).

    *shares* are the class shares of the training rows, shape (n_classes,).  The rule is `counterpoint.metrics.decide`,
    so that logits without information have the most frequent class.

    >>> predicted_codes(np.log([[0.6, 0.2, 0.2]]), np.array([0.6, 0.3, 0.1])).tolist()
    [2]
    """
    proba = softmax(np.asarray(logits, dtype=float), axis=-1)
    codes: Codes = decide(proba.reshape(-1, proba.shape[-1]), metric=BALANCED, shares=shares)
    return codes.reshape(proba.shape[:-1])


def shares_of(model: Any) -> Floats:
    """Return the class shares of the training rows of *model*, or equal shares where it does not keep them."""
    equal = np.full(len(model.classes_), 1 / len(model.classes_))
    return np.asarray(getattr(model, "class_shares_", equal), dtype=float)


def correct_recombined(
    recombined: RecombinedLogits, codes: Codes, texts: Places, images: Places, *, shares: Floats
) -> Floats:
    """Return 1 for each combination that is predicted as its class, else 0.

    Parameters
    ----------
    recombined
        *recombined* gives the logits.
    codes
        *codes* are the classes that count as correct, shape (n_combinations,).
    texts, images
        *texts* and *images* are the rows that are combined, shape (n_combinations,).
    shares
        *shares* are the class shares of the training rows, shape (n_classes,).
    """
    is_correct: Floats = (predicted_codes(recombined.logits(texts, images), shares) == codes).astype(float)
    return is_correct


def correct_by_modality(model: Any, pairs: Frame, labels: Any) -> dict[str, Floats]:
    """Return whether *model* is correct on each row: with both modalities, with one, and with neither.

    The result is the input of `shapley_of` and `conditional_utilisation`.

    Parameters
    ----------
    model
        *model* has ``classes_``, and ``predict_proba`` for a frame with ``text`` and ``image``.
    pairs, labels
        *pairs* are rows that it was not fitted on, and *labels* are their classes.

    Returns
    -------
    dict
        Arrays of 1 and 0, shape (n,): "both", "text" (the image is missing), "image" (the text is missing), "prior".

    Examples
    --------
    >>> from counterpoint.contenders import make
    >>> pairs = pl.DataFrame({"text": ["a fox", "a car"] * 6, "image": [None] * 12}, schema_overrides={"image": str})
    >>> model = make("text-svm").fit(pairs, ["animal", "thing"] * 6)
    >>> right = correct_by_modality(model, pairs, ["animal", "thing"] * 6)
    >>> {name: float(hits.mean()) for name, hits in right.items()}
    {'both': 1.0, 'text': 1.0, 'image': 0.5, 'prior': 0.5}
    """
    recombined, codes, rows = recombine(model, pairs), codes_of(model, labels), np.arange(len(pairs))
    none = np.full(len(pairs), MISSING)
    combinations = {"both": (rows, rows), "text": (rows, none), "image": (none, rows), "prior": (none, none)}
    shares = shares_of(model)
    return {name: correct_recombined(recombined, codes, *at, shares=shares) for name, at in combinations.items()}
