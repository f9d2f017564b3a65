"""What a contender's encoders say of each text and each image, so that any text can be put beside any image cheaply.

Measures of contribution ask a model about thousands of pairs that are not there; the encoders have then read each
text and each image once, and only the head is asked again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.schema import Frame

Floats = NDArray[np.floating]
Places = NDArray[np.integer]

MEAN, MISSING = -2, -1
"""Places that stand for no row: what a side says on average, and a side that is not there."""
_AT_ONCE = 32_768


class EncodedModality(NamedTuple):
    """What is kept of one modality.

    Attributes
    ----------
    vectors
        *vectors* are what the encoder makes of each row, shape (n, width).
    terms
        *terms* are what the head is given of it, shape (n + 2, any): the rows, their mean, and a side that is missing.
    """

    vectors: Floats
    terms: Floats


@dataclass(frozen=True)
class Encoded:
    """The texts and images of n pairs as a contender's head is given them.

    Parameters
    ----------
    text, image
        *text* and *image* are what the encoders say.
    join
        *join* returns the logits of terms of texts beside terms of images.

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
        """Return the logits of text row beside image row, shape (n, n_classes); `MEAN` and `MISSING` are no rows."""
        parts = [
            self.join(
                self.text.terms[texts[start : start + _AT_ONCE]], self.image.terms[images[start : start + _AT_ONCE]]
            )
            for start in range(0, len(texts), _AT_ONCE)
        ]
        return np.concatenate(parts)


def with_missing(pairs: Frame) -> Frame:
    """Return the text and image of *pairs*, and below them a pair that has neither.

    >>> with_missing(pl.DataFrame({"text": ["a fox"], "image": ["fox.png"]})).rows()
    [('a fox', 'fox.png'), (None, None)]
    """
    both = pairs.select(pl.col("text", "image").cast(pl.String))
    return pl.concat([both, pl.DataFrame({"text": [None], "image": [None]}, schema=both.schema)])


def with_mean(terms: Floats, is_there: NDArray[np.bool_]) -> Floats:
    """Return *terms* of n rows and a missing one, with the mean of the rows that are there put between.

    >>> with_mean(np.array([[1.0], [5.0], [0.0]]), np.array([True, False])).ravel().tolist()
    [1.0, 5.0, 1.0, 0.0]
    """
    *_, missing = terms
    mean = terms[:-1][is_there].mean(0) if is_there.any() else missing
    return np.concatenate([terms[:-1], mean[None], missing[None]])
