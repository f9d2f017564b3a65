"""Cheap features of texts and images, and the association between them: canonical correlations."""

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from counterpoint.measures.own_image_rate import Matcher, centred, directions
from counterpoint.measures.prediction_arrays import Codes
from counterpoint.metrics.rows import Floats
from counterpoint.seeds import child_seed

TEXT_WIDTH, IMAGE_WIDTH = 100, 40
COMPONENTS, CONTRASTS = 12, 3
"""Directions of the association, and of the part of it that differs by class."""
RIDGE = 0.1
CELLS, ANGLES = 4, 8


class _OfFeatures(Matcher):
    """A matcher of features.

    Parameters
    ----------
    text, image
        *text* and *image* are features of the same n rows, shape (n, n_text_features) and (n, n_image_features).
    """

    def __init__(self, text: Floats, image: Floats) -> None:
        self.text, self.image = text, image

    def paired(self, texts: Codes, images: Codes) -> Self:
        """Return the model with the texts of the rows *texts*, each with the image of the same place in *images*."""
        return type(self)(self.text[texts], self.image[images])


@final
class Canonical(_OfFeatures):
    """Canonical correlations (Hotelling 1936), ridge-regularised.

    Parameters
    ----------
    text, image
        *text* and *image* are features of the same n rows, shape (n, n_text_features) and (n, n_image_features).
    """

    def scores(self, known: Any, new: Any, strata: Codes) -> Floats:
        """Return the score of each text of the rows *new* with each of their images, by a fit to the rows *known*.

        Parameters
        ----------
        known, new
            *known* and *new* mark rows, shape (n,).
        strata
            *strata* has a code for each row, shape (n,).
        """
        x, y = (_whitened(features, known, strata) for features in (self.text, self.image))
        left, strength, right = np.linalg.svd(x[known].T @ y[known] / known.sum(), full_matrices=False)
        u, v = x[new] @ left[:, :COMPONENTS], y[new] @ right[:COMPONENTS].T
        scores: Floats = directions(u * strength[:COMPONENTS]) @ directions(v).T
        return scores

    def contrasted(self) -> "Contrast":
        """Return the model that matches only by the part of the association that differs by stratum."""
        return Contrast(self.text, self.image)


@final
class Contrast(_OfFeatures):
    """The part of the association of text and image that is of one stratum and not of all.

    In an exclusive or, text and image go together in one way in one class, and in the opposite way in the other.  A
    model of each class alone has half of the rows.  This one needs no whitening of its own in each class.

    Parameters
    ----------
    text, image
        *text* and *image* are features of the same n rows, shape (n, n_text_features) and (n, n_image_features).
    """

    def scores(self, known: Any, new: Any, strata: Codes) -> Floats:
        """Return the score of each text of the rows *new* with each of their images, by the map of its stratum.

        Parameters
        ----------
        known, new
            *known* and *new* mark rows, shape (n,).
        strata
            *strata* has a code for each row, shape (n,).
        """
        x, y = (_whitened(features, known, strata) for features in (self.text, self.image))
        shared = x[known].T @ y[known] / known.sum()
        scores = np.zeros((new.sum(), new.sum()))
        for code in np.unique(strata[new]):
            own, rows = known & (strata == code), strata[new] == code
            if not own.any():
                continue
            apart = x[own].T @ y[own] / own.sum() - shared
            left, strength, right = np.linalg.svd(apart, full_matrices=False)
            texts, images = x[new][rows] @ left[:, :CONTRASTS], y[new] @ right[:CONTRASTS].T
            scores[rows] = directions(texts * strength[:CONTRASTS]) @ directions(images).T
        return scores

    def contrasted(self) -> Self:
        """Return this model."""
        return self


def _whitened(features: Floats, known: Any, strata: Codes) -> Floats:
    """Return *features* less the mean of their stratum, whitened.  Mean and whitening come from the rows *known*."""
    less = centred(features, known, strata)
    values, vectors = np.linalg.eigh(less[known].T @ less[known] / known.sum())
    white: Floats = less @ (vectors / np.sqrt(values.clip(min=0) + RIDGE * values.mean() + 1e-12))
    return white


def tfidf(least: int) -> Any:
    """Return an unfitted tf-idf of words, of any length and script, that at least *least* texts have."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - slow to import

    return TfidfVectorizer(sublinear_tf=True, min_df=least, token_pattern=r"(?u)\b\w+\b")


def text_features(texts: Sequence[str]) -> Floats:
    """Return features of texts, shape (n, at most 100): words and runs of characters, in their main directions.

    >>> text_features(["a red fox", "a red car", "two cars", "one fox"]).shape[0]
    4
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - slow to import
    from sklearn.pipeline import make_union  # noqa: PLC0415 - slow to import

    least = 2 if len(texts) > 50 else 1
    runs = TfidfVectorizer(sublinear_tf=True, min_df=least, analyzer="char_wb", ngram_range=(2, 4), max_features=5000)
    try:
        matrix = make_union(tfidf(least), runs).fit_transform(texts)
    except ValueError:  # no word at all, or none that is in two texts
        return np.zeros((len(texts), 1))
    return main_directions(matrix, TEXT_WIDTH)


def image_features(pixels: NDArray[np.uint8]) -> Floats:
    """Return features of images, shape (n, at most 40): colours, coarse pixels, directions of edges.

    Parameters
    ----------
    pixels
        *pixels* have shape (n, channels, side_px, side_px).

    Examples
    --------
    >>> image_features(np.zeros((5, 3, 32, 32), np.uint8)).shape[0]
    5
    """
    scaled = pixels.astype(np.float32) / 255
    n, channels, side_px, _ = scaled.shape
    cut = side_px - side_px % 8
    coarse = scaled[:, :, :cut, :cut].reshape(n, channels, 8, cut // 8, 8, cut // 8).mean((3, 5))
    moments = np.stack([scaled.mean((2, 3)), scaled.std((2, 3))], axis=2)
    parts = [coarse, moments, _edges(scaled.mean(1))]
    blocks = [part.reshape(n, -1) for part in parts]
    scale = [block / max(float(block.std(0).mean()) * block.shape[1] ** 0.5, 1e-6) for block in blocks]
    return main_directions(np.hstack(scale) - np.hstack(scale).mean(0), IMAGE_WIDTH)


def _edges(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the strength of edges of each direction in each cell, as shares: shape (n, cells, cells, directions)."""
    down, right = np.gradient(gray, axis=(1, 2))
    strength, angle = np.hypot(down, right), np.arctan2(down, right) % np.pi
    bins = np.minimum((angle / np.pi * ANGLES).astype(int), ANGLES - 1)
    cut = gray.shape[1] - gray.shape[1] % CELLS
    cells = np.stack([(strength * (bins == k))[:, :cut, :cut] for k in range(ANGLES)], axis=3)
    found = cells.reshape(len(gray), CELLS, cut // CELLS, CELLS, cut // CELLS, ANGLES).sum((2, 4))
    shares: NDArray[np.float32] = np.sqrt(found / np.maximum(found.sum((1, 2, 3), keepdims=True), 1e-6))
    return shares


def main_directions(matrix: Any, width: int) -> Floats:
    """Return the rows of *matrix* in its main directions, at most *width* of them.

    >>> main_directions(np.eye(5), 2).shape
    (5, 2)
    """
    from sklearn.utils.extmath import randomized_svd  # noqa: PLC0415 - slow to import

    width = min(width, min(matrix.shape) - 1)
    if width < 1:
        return np.zeros((matrix.shape[0], 1))
    left, strength, _ = randomized_svd(matrix, width, random_state=child_seed(0, "cp004", "svd"))
    found: Floats = left * strength
    return found
