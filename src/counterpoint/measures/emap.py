"""EMAP: the gain of a model from interactions of text and image.

The gain is the score of the model minus the score of its additive projection.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.measures.recombined_logits import RecombinedLogits, codes_of, predicted_codes, recombine, shares_of
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, estimated, groups_of
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed


def projection(logits: Floats) -> Floats:
    """Return the empirical multimodally-additive projection (EMAP) of a model on its own pairs.

    It is the nearest sum of a function of the text and a function of the image.  Hessel and Lee, EMNLP 2020,
    equation 3::

        f̂(i) = mean_j f(i, j) + mean_j f(j, i) − mean f

    *logits* are f(text i, image j), shape (n, n) or (n, n, n_classes).  The result has shape (n,) or (n, n_classes).

    Examples
    --------
    >>> projection(np.array([[-1.3, 0.3, -0.2], [0.8, 3.0, 1.1], [1.1, -0.1, 0.7]])).round(6).tolist()
    [-0.8, 2.1, 0.5]
    """
    result: Floats = logits.mean(axis=1) + logits.mean(axis=0) - logits.mean(axis=(0, 1))
    return result


def emap_gap(model: Any, pairs: Frame, labels: Any, *, block: int = 500, draws: int = 1000, seed: int = 0) -> Estimate:
    """Return the balanced accuracy of *model* minus that of its additive projection on *pairs*.

    If the interval is above 0, the model uses an interaction of text and image.  An additive model has 0.

    Parameters
    ----------
    model
        *model* has ``classes_``, and ``predict_proba`` for a frame with ``text`` and ``image``.  If it has
        ``encoded``, its encoders read each row once, and only its head reads every text with every image.
    pairs, labels
        *pairs* are rows that it was not fitted on, and *labels* are their classes.
    block
        *block* limits the cost.  More rows are divided at random into blocks of about this size.  Each block has its
        own projection, so every row takes *block* predictions.
    draws
        *draws* is the number of bootstrap draws, over groups if *pairs* has a column ``group``.
    seed
        *seed* fixes the blocks and the draws.

    Examples
    --------
    >>> import polars as pl
    >>> from counterpoint.contenders import make
    >>> pairs = pl.DataFrame({"text": ["a fox", "a car"] * 6, "image": [None] * 12}, schema_overrides={"image": str})
    >>> model = make("text-svm").fit(pairs, ["animal", "thing"] * 6)
    >>> emap_gap(model, pairs, ["animal", "thing"] * 6)
    Estimate(value=0.0, low=0.0, high=0.0)
    """
    codes, recombined, shares = codes_of(model, labels), recombine(model, pairs), shares_of(model)
    joint, additive = np.empty(len(pairs), dtype=bool), np.empty(len(pairs), dtype=bool)
    for rows in _blocks(len(pairs), block, seed):
        logits = _crossed(recombined, rows)
        joint[rows] = predicted_codes(np.einsum("iik->ik", logits), shares) == codes[rows]
        additive[rows] = predicted_codes(projection(logits), shares) == codes[rows]
    difference = mean_by_class(joint.astype(float) - additive, codes)
    return estimated(difference, groups_of(pairs), draws=draws, seed=seed)


def _crossed(recombined: RecombinedLogits, rows: NDArray[np.intp]) -> Floats:
    """Return the logits of every text of *rows* with every image of *rows*, shape (n, n, n_classes)."""
    n = len(rows)
    logits = recombined.logits(rows.repeat(n), np.tile(rows, n)).astype(float)
    return logits.reshape(n, n, -1)


def _blocks(n: int, size: int, seed: int) -> list[NDArray[np.intp]]:
    order = np.random.default_rng(child_seed(seed, "emap")).permutation(n)
    return [np.sort(rows) for rows in np.array_split(order, -(-n // size))]
