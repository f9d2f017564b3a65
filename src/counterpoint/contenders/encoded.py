"""The outputs of a contender's encoders for each text and each image, from which logits of recombined pairs are cheap.

Measures of contribution need the logits of thousands of recombined pairs.  The encoders read each text and each image
once.  Only the head runs again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.schema import Frame

Floats = NDArray[np.floating]
Places = NDArray[np.integer]

MEAN, MISSING = -2, -1
"""Places that stand for no row: the mean of the terms of a modality, and the terms of a missing modality."""
_AT_ONCE = 32_768


class EncodedModality(NamedTuple):
    """The outputs for one modality.

    Attributes
    ----------
    vectors
        *vectors* are the outputs of the encoder, shape (n, width).
    terms
        *terms* are the inputs of the head, shape (n + 2, any): the rows, their mean, and a missing modality.
    """

    vectors: Floats
    terms: Floats


@dataclass(frozen=True)
class Encoded:
    """The texts and images of n pairs as inputs of a contender's head.

    Parameters
    ----------
    text, image
        *text* and *image* are the outputs of the encoders.
    join
        *join* is the head: it returns the logits of terms of texts and terms of images.

    Examples
    --------
    >>> terms = with_mean(np.array([[1.0], [3.0], [0.0]]), np.array([True, True]))
    >>> pairs = Encoded(*[EncodedModality(terms[:2], terms)] * 2, join=lambda text, image: text + 10 * image)
    >>> pairs.logits(np.array([0, 1, MEAN]), np.array([1, MISSING, 0])).ravel().tolist()
    [31.0, 3.0, 12.0]
    """

    text: EncodedModality
    image: EncodedModality
    join: Callable[[Floats, Floats], Floats]

    def logits(self, texts: Places, images: Places) -> Floats:
        """Return the logits of recombined pairs, shape (n, n_classes).

        *texts* and *images* are rows, shape (n,), or the places `MEAN` and `MISSING`.
        """
        parts = [
            self.join(
                self.text.terms[texts[start : start + _AT_ONCE]], self.image.terms[images[start : start + _AT_ONCE]]
            )
            for start in range(0, len(texts), _AT_ONCE)
        ]
        return np.concatenate(parts)


def encoded_logits(
    pairs: Frame, logits_of: Callable[[Frame], Mapping[str, Floats]], join: Callable[[Floats, Floats], Floats]
) -> Encoded:
    """Return the texts and images of *pairs* as the logits of each modality.

    Parameters
    ----------
    pairs
        *pairs* are the rows.
    logits_of
        *logits_of* returns the terms of some pairs by modality: logits, and a last column that is above 0 where the
        modality is not missing.
    join
        *join* is the head: it returns the logits of terms of texts and terms of images.

    Examples
    --------
    >>> pairs = pl.DataFrame({"text": ["a fox"], "image": [None]})
    >>> def logits_of(pairs):
    ...     return {name: np.outer(pairs[name].is_not_null(), [2.0, 1.0]) for name in ("text", "image")}
    >>> encoded = encoded_logits(pairs, logits_of, join=lambda text, image: text[:, :-1] + image[:, :-1])
    >>> encoded.logits(np.array([0, MISSING]), np.array([0, 0])).tolist()
    [[2.0], [0.0]]
    """
    terms = logits_of(with_missing(pairs))
    text, image = (
        EncodedModality(terms[name][:-1, :-1], with_mean(terms[name], pairs[name].is_not_null().to_numpy()))
        for name in ("text", "image")
    )
    return Encoded(text, image, join=join)


def with_missing(pairs: Frame) -> Frame:
    """Return the texts and images of *pairs*, and below them a pair that has neither.

    >>> with_missing(pl.DataFrame({"text": ["a fox"], "image": ["fox.png"]})).rows()
    [('a fox', 'fox.png'), (None, None)]
    """
    both = pairs.select(pl.col("text", "image").cast(pl.String))
    return pl.concat([both, pl.DataFrame({"text": [None], "image": [None]}, schema=both.schema)])


def with_mean(terms: Floats, is_there: NDArray[np.bool_]) -> Floats:
    """Return *terms* of n rows, then the mean of the rows that are not missing, then the last row of *terms*.

    >>> with_mean(np.array([[1.0], [5.0], [0.0]]), np.array([True, False])).ravel().tolist()
    [1.0, 5.0, 1.0, 0.0]
    """
    *_, missing = terms
    mean = terms[:-1][is_there].mean(0) if is_there.any() else missing
    return np.concatenate([terms[:-1], mean[None], missing[None]])
