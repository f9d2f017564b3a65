"""How much a model gains from reading both sides of a pair together: its score less that of its additive projection."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.measures.recombined_logits import RecombinedLogits, codes_of, recombine
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, estimated, groups_of
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

Floats = NDArray[np.float64]


def projection(logits: Floats) -> Floats:
    """Return the empirical multimodally-additive projection (EMAP) of a model on its own pairs.

    Of *logits* f(text i, image j), shape (n, n) or (n, n, n_classes), it is the mean over j of f(i, j), plus the
    mean over j of f(j, i), less the mean of all: the nearest function that adds what it says of the text alone to
    what it says of the image alone (Hessel and Lee, EMNLP 2020, equation 3).

    Examples
    --------
    >>> projection(np.array([[-1.3, 0.3, -0.2], [0.8, 3.0, 1.1], [1.1, -0.1, 0.7]])).round(6).tolist()
    [-0.8, 2.1, 0.5]
    """
    result: Floats = logits.mean(axis=1) + logits.mean(axis=0) - logits.mean(axis=(0, 1))
    return result


def emap_gap(model: Any, pairs: Frame, labels: Any, *, block: int = 500, draws: int = 1000, seed: int = 0) -> Estimate:
    """Return the balanced accuracy of *model* less that of its additive projection on *pairs*.

    An interval above 0 says that the model uses an interaction of text and image.  A model that adds has 0.

    Parameters
    ----------
    model
        *model* has ``classes_``, and ``predict_proba`` of a frame with ``text`` and ``image``; where it offers
        ``encoded``, its encoders read each row once, and only its head reads every text with every image.
    pairs, labels
        *pairs* are rows that it was not fitted on; *labels* are theirs.
    block
        *block* bounds the cost: of more rows, random blocks of about this many are projected each by itself, so
        that every row takes *block* predictions.

    Examples
    --------
    >>> import polars as pl
    >>> from counterpoint.contenders import make
    >>> pairs = pl.DataFrame({"text": ["a fox", "a car"] * 6, "image": [None] * 12}, schema_overrides={"image": str})
    >>> model = make("text-svm").fit(pairs, ["animal", "thing"] * 6)
    >>> emap_gap(model, pairs, ["animal", "thing"] * 6)
    Estimate(value=0.0, low=0.0, high=0.0)
    """
    codes, recombined = codes_of(model, labels), recombine(model, pairs)
    joint, additive = np.empty(len(pairs), dtype=bool), np.empty(len(pairs), dtype=bool)
    for rows in _blocks(len(pairs), block, seed):
        logits = _crossed(recombined, rows)
        joint[rows] = np.einsum("iik->ik", logits).argmax(1) == codes[rows]
        additive[rows] = projection(logits).argmax(1) == codes[rows]
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
