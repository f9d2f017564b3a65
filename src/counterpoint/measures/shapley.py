"""The Shapley value of each modality: the gain that it adds, averaged over both orders of adding them."""

from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, estimates, resampling_units
from counterpoint.metrics.rows import Floats

Share = TypeVar("Share", float, Estimate)


class Shares(NamedTuple, Generic[Share]):
    """The contribution of each modality above the prior.  Their sum is the contribution of both."""

    text: Share
    image: Share


def shapley(*, prior: float, text: float, image: float, both: float) -> Shares[float]:
    """Return the Shapley value of each modality from four scores.

    φ(text) = ½ [(v(text) − v(prior)) + (v(both) − v(image))], and φ(image) likewise (Shapley 1953).  For
    modalities: Hu, Li and Zhou, SHAPE, IJCAI 2022.  `shapley_of` takes rows and has intervals.

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
        *prior*, *text*, *image* and *both* are 1 or 0 for each row: whether a model with that input is correct.  They
        are the result of `correct_by_modality` for one model, or the correct rows of four models.
    labels
        *labels* are the classes of the rows.  With them, balanced accuracy is divided instead of accuracy.
    groups
        *groups* are drawn as a whole.  By default, each row is drawn by itself.
    draws
        *draws* is the number of bootstrap draws.
    seed
        *seed* fixes the draws.

    Examples
    --------
    >>> right = {"prior": [1, 0] * 50, "text": [1, 1, 1, 0] * 25, "image": [1, 0] * 50, "both": [1, 1, 1, 0] * 25}
    >>> found = shapley_of(**right)
    >>> found.text.value, found.image
    (0.25, Estimate(value=0.0, low=0.0, high=0.0))
    >>> found.text.low < 0.25 < found.text.high
    True
    """
    correct = {"prior": prior, "text": text, "image": image, "both": both}
    codes = np.unique(np.zeros(np.shape(both)) if labels is None else np.asarray(labels), return_inverse=True)[1]
    scores = {name: mean_by_class(np.asarray(right, dtype=float), codes) for name, right in correct.items()}

    def measure(weights: Floats) -> Floats:
        v = {name: score(weights) for name, score in scores.items()}  # (draws,) each
        first, second = v["text"] - v["prior"], v["image"] - v["prior"]
        return np.stack([first + v["both"] - v["image"], second + v["both"] - v["text"]], axis=1) / 2

    return Shares(*estimates(measure, resampling_units(groups, len(codes)), draws=draws, seed=seed))
