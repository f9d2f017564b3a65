"""Whether the predictions of a text contender and an image contender are associated, over all rows or in a class."""

import numpy as np

from counterpoint.measures.prediction_arrays import Codes, PredictionArrays
from counterpoint.metrics.permutations import permute_within
from counterpoint.metrics.rows import Floats
from counterpoint.seeds import child_seed

PERMUTATIONS = 999


def logit_association_p(rows: PredictionArrays, text: str, image: str, *, is_within_class: bool) -> float:
    """Return p: the share of permutations of the images in which the predictions are associated as strongly.

    Parameters
    ----------
    rows
        *rows* are rows with predictions of both contenders.
    text, image
        *text* and *image* are the contenders.
    is_within_class
        *is_within_class* permutes images within their class, and measures ranks less the mean of their class.
    """
    strata = rows.codes if is_within_class else np.zeros_like(rows.codes)
    logs = [_centred_ranks(rows.log_proba(name), strata) for name in (text, image)]
    rng = np.random.default_rng(child_seed(0, "cp004", "said"))
    found = float((logs[0] * logs[1]).sum())
    permuted = [float((logs[0] * logs[1][permute_within(strata, rng)]).sum()) for _ in range(PERMUTATIONS)]
    return (1 + sum(each >= found for each in permuted)) / (1 + PERMUTATIONS)


def _centred_ranks(logs: Floats, strata: Codes) -> Floats:
    """Return the rank of each log probability among all rows, from 0 to 1, less the mean of its stratum."""
    ranks = logs.argsort(0).argsort(0) / len(logs)
    for code in np.unique(strata):
        ranks[strata == code] -= ranks[strata == code].mean(0)
    return ranks
