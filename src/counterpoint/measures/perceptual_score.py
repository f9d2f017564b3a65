"""How much a model's score falls when one modality is dealt anew among the rows."""

from typing import Any, Literal

import numpy as np

from counterpoint.measures.recombined_logits import codes_of, correct_recombined, recombine
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, Floats, estimated, groups_of
from counterpoint.metrics.permutations import permute_within
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed


def perceptual_score(
    model: Any,
    pairs: Frame,
    labels: Any,
    modality: Literal["text", "image"],
    *,
    is_within_class: bool = False,
    per: Literal["score", "headroom"] = "score",
    permutations: int = 20,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return how much of the balanced accuracy of *model* hangs on *modality* (Gat et al., NeurIPS 2021).

    The score less its mean over *permutations* in which the modality is another row's, over the score: 0 for a
    modality that is not read, 1 when nothing is left.  *per* "headroom" divides by 1 − 1/K instead, which guessing
    leaves to gain.  *is_within_class* deals among rows of one class: what is left then is what the modality says
    beyond the class that it names.

    Parameters
    ----------
    model
        *model* has ``classes_``, and ``predict_proba`` of a frame with ``text`` and ``image``; where it offers
        ``encoded``, its encoders read each row once.
    pairs, labels
        *pairs* are rows that it was not fitted on; *labels* are theirs.

    Examples
    --------
    >>> import polars as pl
    >>> from counterpoint.contenders import make
    >>> pairs = pl.DataFrame({"text": ["a fox", "a car"] * 6, "image": [None] * 12}, schema_overrides={"image": str})
    >>> model = make("text-svm").fit(pairs, ["animal", "thing"] * 6)
    >>> perceptual_score(model, pairs, ["animal", "thing"] * 6, "image").value
    0.0
    """
    codes, recombined, rows = codes_of(model, labels), recombine(model, pairs), np.arange(len(pairs))
    rng = np.random.default_rng(child_seed(seed, f"perceptual {modality}"))
    right = correct_recombined(recombined, codes, rows, rows)
    permuted = np.zeros(len(pairs))
    for _ in range(permutations):
        order = permute_within(codes, rng) if is_within_class else rng.permutation(len(pairs))
        permuted += correct_recombined(recombined, codes, *((order, rows) if modality == "text" else (rows, order)))
    whole, fallen = mean_by_class(right, codes), mean_by_class(right - permuted / permutations, codes)
    headroom = 1 - 1 / len(model.classes_)

    def measure(weights: Floats) -> Floats:
        return fallen(weights) / (whole(weights) if per == "score" else headroom)

    return estimated(measure, groups_of(pairs), draws=draws, seed=seed)
