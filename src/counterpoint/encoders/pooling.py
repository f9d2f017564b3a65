"""From vectors of tokens to one vector for each text, and to length 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.encoders.base import Floats


def mean_of_tokens(hidden: Floats, mask: NDArray[Any]) -> Floats:
    """Return the mean over the tokens of each text, shape (batch, width), without the padding.

    *hidden* has the shape (batch, time, width), and *mask* (batch, time) is 1 where a token is.

    >>> mean_of_tokens(np.array([[[1.0], [3.0], [9.0]]], dtype=np.float32), np.array([[1, 1, 0]])).tolist()
    [[2.0]]
    """
    weights = mask[:, :, None].astype(np.float32)
    mean: Floats = (hidden * weights).sum(axis=1) / weights.sum(axis=1).clip(min=1)
    return mean


def unit(vectors: Floats) -> Floats:
    """Return *vectors*, shape (n, width), with length 1.  A vector of zeros stays.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / lengths.clip(min=1e-12)
    return scaled
