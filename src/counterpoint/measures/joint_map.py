"""Texts and images as directions of one space: the joint space as it is, and a ridge regression on other pairs."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self, final

import numpy as np

from counterpoint.measures.own_image_rate import Matcher, centred, directions
from counterpoint.measures.prediction_arrays import Codes
from counterpoint.measures.text_image_association import IMAGE_WIDTH, Contrast, main_directions
from counterpoint.metrics.rows import Floats

RIDGE = 3.0
"""The penalty, in units of the mean squared length of the features of an image.  Chosen on Flickr8k and OpenMoji, of
.1 to 30: from 1 on all find as much, and below 1 less is found where pairs are few."""


class JointVectors(NamedTuple):
    """The vectors of n pairs.

    Attributes
    ----------
    text, image
        *text* and *image* are vectors in the joint space, each of shape (n, width).
    features
        *features* are vectors of the images, of which the map is learned, shape (n, n_features).
    """

    text: Floats
    image: Floats
    features: Floats

    def take(self, rows: Any) -> "JointVectors":
        """Return the vectors of *rows*."""
        return JointVectors(*(vectors[rows] for vectors in self))


@dataclass(frozen=True)
class JointMap:
    """A map of texts and images to directions, whose product is their agreement, from -1 to 1.

    Attributes
    ----------
    means
        *means* are subtracted from the vectors, each of shape (1, its width).
    weights
        *weights* map the features of an image to the vector of its text, shape (n_features, width).
    """

    means: JointVectors
    weights: Floats

    @classmethod
    def fitted(cls, known: JointVectors) -> Self:
        """Return the map that is learned from the pairs *known*: a ridge regression (Hoerl and Kennard 1970).

        >>> rng = np.random.default_rng(0)
        >>> shared = rng.normal(size=(300, 2))
        >>> pairs = JointVectors(shared @ rng.normal(size=(2, 4)), rng.normal(size=(300, 4)), shared)
        >>> learned = JointMap.fitted(pairs.take(slice(200)))
        >>> new = pairs.take(slice(200, 300))
        >>> bool((learned.texts(new.text) * learned.images(new)).sum(1).mean() > 0.4)
        True
        """
        means = JointVectors(*(vectors.mean(0, keepdims=True) for vectors in known))
        return cls(means, _ridge(known.features - means.features, known.text - means.text))

    def texts(self, text: Floats) -> Floats:
        """Return the directions of texts, shape (n, width)."""
        return directions(text - self.means.text)

    def images(self, vectors: JointVectors) -> Floats:
        """Return the mean of both directions of each image: in the joint space, and learned.  Shape (n, width)."""
        learned = (vectors.features - self.means.features) @ self.weights
        mean: Floats = (directions(vectors.image - self.means.image) + directions(learned)) / 2
        return mean


def _ridge(x: Floats, y: Floats) -> Floats:
    """Return the weights, shape (n_features, width), by the smaller of the two equal systems of equations."""
    is_wide = x.shape[1] > len(x)
    products: Floats = x @ x.T if is_wide else x.T @ x
    products[np.diag_indices_from(products)] += RIDGE * max(float(np.trace(products)), 1e-12) / len(x)
    solved = np.linalg.solve(products, y if is_wide else x.T @ y).astype(np.float64, copy=False)
    return x.T @ solved if is_wide else solved


@final
class JointMatcher(Matcher):
    """Matches by the agreement in the joint space, with a map that is fitted on known rows.

    Parameters
    ----------
    vectors
        *vectors* are those of the n pairs.
    """

    def __init__(self, vectors: JointVectors) -> None:
        self.vectors = vectors

    def scores(self, known: Any, new: Any, strata: Codes) -> Floats:
        """Return the score of each text of the rows *new* with each of their images, by a fit to the rows *known*.

        Parameters
        ----------
        known, new
            *known* and *new* mark rows, shape (n,).
        strata
            *strata* has a code for each row, shape (n,).
        """
        less = JointVectors(*(centred(vectors, known, strata) for vectors in self.vectors))
        learned = JointMap.fitted(less.take(known))
        scores: Floats = learned.texts(less.text[new]) @ learned.images(less.take(new)).T
        return scores

    def paired(self, texts: Codes, images: Codes) -> Self:
        """Return the model with the texts of the rows *texts*, each with the image of the same place in *images*."""
        text, image, features = self.vectors
        return type(self)(JointVectors(text[texts], image[images], features[images]))

    def contrasted(self) -> Contrast:
        """Return the model that matches only by the part of the association that differs by stratum."""
        text, _, features = (vectors - vectors.mean(0, keepdims=True) for vectors in self.vectors)
        return Contrast(main_directions(text, IMAGE_WIDTH), main_directions(features, IMAGE_WIDTH))
