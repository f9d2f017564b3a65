"""Perceptual score: the fall of a model's score if one modality is permuted among the rows."""

from functools import partial
from typing import Any, Literal

import numpy as np

from counterpoint.measures.recombined_logits import codes_of, correct_recombined, recombine, shares_of
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, estimated, groups_of
from counterpoint.metrics.permutations import permute_within
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame, Modality
from counterpoint.seeds import child_seed


def perceptual_score(
    model: Any,
    pairs: Frame,
    labels: Any,
    modality: Modality,
    *,
    is_within_class: bool = False,
    per: Literal["score", "headroom"] = "score",
    permutations: int = 20,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return the share of the balanced accuracy of *model* that depends on *modality*.

    The perceptual score is (A − A′) / Z.  A′ is the mean of A over permutations of the modality (Gat, Schwartz and
    Schwing, NeurIPS 2021).  It is 0 for a modality that the model does not read, and 1 if A falls to 0.

    Parameters
    ----------
    model
        *model* has ``classes_``, and ``predict_proba`` for a frame with ``text`` and ``image``.  If it has
        ``encoded``, its encoders read each row once.
    pairs, labels
        *pairs* are rows that it was not fitted on, and *labels* are their classes.
    modality
        *modality* is the one that is permuted.
    is_within_class
        *is_within_class* permutes among rows of one class.  The score is then due to details beyond the class.
    per
        *per* is the divisor Z: "score" for A, or "headroom" for 1 − 1/K, the most that K classes leave above guessing.
    permutations
        *permutations* is their number.
    draws
        *draws* is the number of bootstrap draws, over groups if *pairs* has a column ``group``.
    seed
        *seed* fixes the permutations and the draws.

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
    strata = codes if is_within_class else np.zeros_like(codes)
    orders = (permute_within(strata, rng) for _ in range(permutations))
    combinations = ((order, rows) if modality == "text" else (rows, order) for order in orders)
    of = partial(correct_recombined, recombined, codes, shares=shares_of(model))
    permuted, correct = np.mean([of(*places) for places in combinations], axis=0), of(rows, rows)
    score, fall = mean_by_class(correct, codes), mean_by_class(correct - permuted, codes)
    headroom = 1 - 1 / len(model.classes_)

    def measure(weights: Floats) -> Floats:
        return fall(weights) / (score(weights) if per == "score" else headroom)

    return estimated(measure, groups_of(pairs), draws=draws, seed=seed)
