"""A fitted model that can be asked about any text beside any image: by its heads alone where it offers them."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.contenders.encoded import MISSING
from counterpoint.metrics.estimate import Floats
from counterpoint.schema import Frame

TINY = 1e-12
Places = NDArray[np.integer[Any]]
Codes = NDArray[np.intp]


class RecombinedLogits(Protocol):
    """What a model says of pairs put together from the texts and images of n rows."""

    def logits(self, texts: Places, images: Places) -> NDArray[np.floating[Any]]:
        """Return logits, shape (n_asked, n_classes), of text row beside image row; `MISSING` is none."""


@dataclass(frozen=True)
class PredictedLogits:
    """A model that offers its predictions only, so that each pair is predicted anew.

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
        """Return log probabilities less their mean over the classes."""
        rows = pl.DataFrame({"text": self._of("text", texts), "image": self._of("image", images)})
        return centred(self.model.predict_proba(rows))

    def _of(self, modality: str, places: Places) -> pl.Series:
        assert (places >= MISSING).all(), "only what is encoded has a mean"
        values = pl.concat([self.pairs[modality], pl.Series([None], dtype=self.pairs[modality].dtype)])
        return values.gather(np.where(places == MISSING, len(self.pairs), places))


def recombine(model: Any, pairs: Frame) -> RecombinedLogits:
    """Return *model* as it can be asked about the texts and images of *pairs*: by its heads where it offers them."""
    encoded = getattr(model, "encoded", None)
    found: RecombinedLogits | None = encoded(pairs) if encoded is not None else None
    return PredictedLogits(model, pairs) if found is None else found


def centred(proba: Floats) -> Floats:
    """Return log probabilities less their mean over the classes: logits, but for what softmax does not see.

    >>> centred(np.array([[0.5, 0.5]])).tolist()
    [[0.0, 0.0]]
    """
    logs = np.log(proba.clip(min=TINY))
    result: Floats = logs - logs.mean(axis=-1, keepdims=True)
    return result


def codes_of(model: Any, labels: Any) -> Codes:
    """Return the place of each of *labels* among the classes of *model*; -1 for a class that it does not know.

    >>> from types import SimpleNamespace
    >>> codes_of(SimpleNamespace(classes_=np.array(["a", "c"])), ["c", "b", "a"]).tolist()
    [1, -1, 0]
    """
    found = np.asarray(labels)
    codes = np.searchsorted(model.classes_, found).clip(max=len(model.classes_) - 1)
    return np.where(np.asarray(model.classes_)[codes] == found, codes, -1)


def correct_recombined(recombined: RecombinedLogits, codes: Codes, texts: Places, images: Places) -> Floats:
    """Return 1 for each asked pair whose best class is that of *codes*, else 0."""
    right: Floats = (recombined.logits(texts, images).argmax(1) == codes).astype(float)
    return right


def correct_by_modality(model: Any, pairs: Frame, labels: Any) -> dict[str, Floats]:
    """Return whether *model* is right on each row: with both sides, with one missing, and with neither.

    What `shapley` divides and `conditional_utilisation` compares: "both", "text" (the image is missing), "image"
    (the text is missing) and "prior".

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
    sides = {"both": (rows, rows), "text": (rows, none), "image": (none, rows), "prior": (none, none)}
    return {name: correct_recombined(recombined, codes, *places) for name, places in sides.items()}
