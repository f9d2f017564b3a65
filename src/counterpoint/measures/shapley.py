"""A score divided between two modalities: what each adds, averaged over which is heard first."""

from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, Floats, estimates, resampling_units

Share = TypeVar("Share", float, Estimate)


class Shares(NamedTuple, Generic[Share]):
    """What each modality contributes above the prior; the two sum to what both do."""

    text: Share
    image: Share


def shapley(*, prior: float, text: float, image: float, both: float) -> Shares[float]:
    """Return the Shapley value of each modality from four scores (Shapley 1953; for modalities Hu et al. 2022).

    Four scores say nothing of their doubt: `shapley_of` takes the rows that they are of, and has intervals.

    Parameters
    ----------
    prior
        *prior* is the score of the class frequencies alone.
    text, image, both
        *text*, *image* and *both* are the scores of models that read these.

    Examples
    --------
    >>> shapley(prior=0.5, text=0.9, image=0.7, both=0.9)
    Shares(text=0.3, image=0.1)
    """
    of_text = ((text - prior) + (both - image)) / 2
    of_image = ((image - prior) + (both - text)) / 2
    return Shares(round(of_text, 12), round(of_image, 12))


def shapley_of(
    *,
    prior: ArrayLike,
    text: ArrayLike,
    image: ArrayLike,
    both: ArrayLike,
    labels: ArrayLike | None = None,
    groups: Iterable[Any] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Shares[Estimate]:
    """Return the Shapley value of each modality in the accuracy on some rows, with its interval.

    Parameters
    ----------
    prior, text, image, both
        *prior*, *text*, *image* and *both* say of each row whether a model is right that reads neither side, one, or
        both: what `correct_by_modality` returns of one model, or the hits of four.
    labels
        *labels* are the rows' classes, if balanced accuracy is to be divided.
    groups
        *groups* are what is drawn together; by default, each row by itself.

    Examples
    --------
    >>> right = {"prior": [1, 0] * 50, "text": [1, 1, 1, 0] * 25, "image": [1, 0] * 50, "both": [1, 1, 1, 0] * 25}
    >>> found = shapley_of(**right)
    >>> found.text.value, found.image
    (0.25, Estimate(value=0.0, low=0.0, high=0.0))
    >>> found.text.low < 0.25 < found.text.high
    True
    """
    hits = {"prior": prior, "text": text, "image": image, "both": both}
    codes = np.unique(np.zeros(np.shape(both)) if labels is None else np.asarray(labels), return_inverse=True)[1]
    scores = {name: mean_by_class(np.asarray(right, dtype=float), codes) for name, right in hits.items()}

    def measure(weights: Floats) -> Floats:
        v = {name: score(weights) for name, score in scores.items()}  # (draws,) each
        first, second = v["text"] - v["prior"], v["image"] - v["prior"]
        return np.stack([first + v["both"] - v["image"], second + v["both"] - v["text"]], axis=1) / 2

    return Shares(*estimates(measure, resampling_units(groups, len(codes)), draws=draws, seed=seed))
